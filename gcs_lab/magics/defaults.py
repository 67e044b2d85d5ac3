"""Defaults of ``%%gcs`` as traitlets configuration: ``c.GcsMagics.requests = {"h_rt": "1:00:00"}``."""

from __future__ import annotations

import getpass
import os
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, Integer, List, TraitError, Unicode, validate
from traitlets.config.configurable import Configurable
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from gcs_lab.cells.environment import looks_secret, parse_assignments
from gcs_lab.errors import GcsError, nearest
from gcs_lab.magics.config_files import file_that_sets

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from traitlets import Bunch
    from traitlets.config import Config

    from gcs_lab.cells.plan import CellOptions

__all__ = ["DEFAULT_FLAGS", "DefaultTraits", "blame_defaults"]

#: The flag that each default stands for.
DEFAULT_FLAGS = {
    "cluster": "--on", "name": "-N", "queue": "-q", "requests": "-l", "parallel_environment": "-pe", "slots": "-pe",
    "project": "-P", "priority": "-p", "environment": "--env", "python": "--python", "conda": "--conda",
    "modules": "--module", "max_parallel": "-tc", "cache": "--cache",
}  # fmt: skip
_PRIORITIES = range(-1023, 1025)
_THIS_KERNEL = "this kernel"


class DefaultTraits(Configurable):
    """What a cell's job is given where its flags say nothing.

    A value that cannot work is left out and told (:attr:`problems`); the others count. No default can hold a secret
    by accident: values that look like one are refused.
    """

    cluster = Unicode(help="cluster that jobs go to (--on); GCS_LAB_CLUSTER counts more").tag(config=True)
    name = Unicode(help="name of a job (-N); may have {notebook}, {count} (of the cell) and {user} in it").tag(
        config=True
    )
    queue = Unicode(help="queue (-q)").tag(config=True)
    requests = Dict(help="resources (-l), e.g. {'h_rt': '1:00:00'}; flags override them one by one").tag(config=True)
    parallel_environment = Unicode(help="parallel environment (-pe NAME …); needs slots").tag(config=True)
    slots = Unicode(help="slots in it (-pe … N): '4' or '2-8'").tag(config=True)
    project = Unicode(help="project that jobs are accounted to (-P)").tag(config=True)
    priority = Integer(None, allow_none=True, help="priority (-p), -1023 to 1024").tag(config=True)
    environment = List(Unicode(), help="variables (--env): NAME (if it is set here) or NAME=VALUE").tag(config=True)
    python = Unicode(help="the job's Python (--python)").tag(config=True)
    conda = Unicode(help="conda environment (--conda), by name or folder").tag(config=True)
    modules = List(Unicode(), help="environment modules (--module)").tag(config=True)
    max_parallel = Integer(None, allow_none=True, help="tasks of a sweep that run at once (-tc)").tag(config=True)
    cache = Bool(False, help="take the results of equal jobs (--cache); --no-cache turns it off").tag(config=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        #: What was wrong in the configuration, a sentence each.
        self.problems: list[str] = []
        self._configured: set[str] = set()
        self._set_here: set[str] = set()
        super().__init__(*args, **kwargs)
        self._base = {name: deepcopy(getattr(self, name)) for name in DEFAULT_FLAGS}
        self.observe(lambda change: self._set_here.add(str(change["name"])), names=list(DEFAULT_FLAGS))

    # -- what can work -------------------------------------------------------------------------------------------

    @validate("cluster", "queue", "project", "parallel_environment", "python", "conda")
    def _one_word(self, proposal: Bunch) -> str:
        value = str(proposal["value"]).strip()
        if proposal["trait"].name not in ("python", "conda") and len(value.split()) > 1:
            raise TraitError(f"{value!r} has white space in it")
        return _no_secret(proposal["trait"].name, value)

    @validate("name")
    def _template(self, proposal: Bunch) -> str:
        try:
            filled = str(proposal["value"]).format(notebook="notebook", count=1, user="user")
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise TraitError(
                f"{proposal['value']!r}: it may have {{notebook}}, {{count}} and {{user}} in it"
            ) from error
        return _no_secret("", str(proposal["value"])) if filled else ""

    @validate("requests")
    def _requests(self, proposal: Bunch) -> dict[str, str]:
        from gcs_lab.jobs.requests import parse_requests

        requests: dict[str, str] = {}
        for name, value in proposal["value"].items():
            text = "TRUE" if value is True else "FALSE" if value is False else str(value)
            quoted = text if "," not in text else f'"{text}"'
            try:
                requests |= parse_requests(f"{name}={_no_secret('', text) and quoted}")
            except GcsError as error:
                raise TraitError(str(error)) from error
        return requests

    @validate("slots")
    def _slots(self, proposal: Bunch) -> str:
        from gcs_lab.magics.arguments import slots_of

        value = str(proposal["value"]).strip()
        if value:
            try:
                slots_of("…", value)
            except GcsError as error:
                raise TraitError(str(error)) from error
        return value

    @validate("priority")
    def _priority(self, proposal: Bunch) -> int | None:
        value: int | None = proposal["value"]
        if value is not None and value not in _PRIORITIES:
            raise TraitError(f"{value}: a priority is a whole number from -1023 to 1024")
        return value

    @validate("max_parallel")
    def _at_least_one(self, proposal: Bunch) -> int | None:
        value: int | None = proposal["value"]
        if value is not None and value < 1:
            raise TraitError(f"{value}: it is 1 or more")
        return value

    @validate("environment")
    def _environment(self, proposal: Bunch) -> list[str]:
        for text in proposal["value"]:
            name, equals, value = text.partition("=")
            try:
                # Without its value, which may be a secret and shall not be in a message.
                parse_assignments([f"{name}="], {})
            except GcsError as error:
                raise TraitError(str(error)) from error
            if equals and (why := looks_secret(name, value)):
                raise TraitError(
                    f"{name}=…: {why}, and configuration is no place for secrets; name the variable alone ({name}), "
                    "and its value is taken from the notebook's environment"
                )
        return list(proposal["value"])

    @validate("modules")
    def _modules(self, proposal: Bunch) -> list[str]:
        for name in proposal["value"]:
            if not name or len(name.split()) > 1 or name.startswith("-"):
                raise TraitError(f"{name!r} cannot be the name of a module")
        return list(proposal["value"])

    # -- configuration -------------------------------------------------------------------------------------------

    def _load_config(self, cfg: Config, section_names: Any = None, traits: Any = None) -> None:  # noqa: ARG002
        """Take each value by itself, so that a wrong one does not take the others with it (overrides traitlets)."""
        known = self.traits(config=True)
        for name, value in self._find_my_config(cfg).items():
            if name not in known:
                near = nearest(name, list(known), 1)
                hint = f" Did you mean {near[0]}?" if near else f" There is: {', '.join(known)}."
                self.problems.append(f"there is no GcsMagics.{name}{self._in_file(name)}.{hint}")
                continue
            given = value
            if isinstance(given, LazyConfigValue):
                given = given.get_value(getattr(self, name))
            try:
                if isinstance(given, DeferredConfig):
                    given = given.get_value(known[name])
                setattr(self, name, deepcopy(given))
                self._configured.add(name)
            except TraitError as error:
                self.problems.append(f"GcsMagics.{name}{self._in_file(name)} is not used: {error}")

    def update_config(self, config: Config) -> None:
        """Take new values for this kernel (``%config GcsMagics.queue = "all.q"``).

        Raises
        ------
        TraitError
            If one cannot work; the others are taken.
        """
        earlier, self.problems = self.problems, []
        super().update_config(config)
        now, self.problems = self.problems, earlier
        if now:
            raise TraitError(" ".join(now))

    def _in_file(self, name: str) -> str:
        found = file_that_sets(name)
        return f" in {found}" if found else ""

    def origin(self, name: str) -> str:
        """Return where a default comes from: ``this kernel``, ``user: FILE``, ``site: FILE``; empty: not set."""
        if name in self._set_here:
            return _THIS_KERNEL
        if name not in self._configured:
            return ""
        found = file_that_sets(name)
        if not found:
            return "configuration"
        from IPython.paths import get_ipython_dir

        its_own = Path(get_ipython_dir()).resolve() in Path(found).resolve().parents
        return f"{'user' if its_own else 'site'}: {found}"

    def set_here(self) -> dict[str, Any]:
        """Return the defaults that were set for this kernel."""
        return {name: getattr(self, name) for name in DEFAULT_FLAGS if name in self._set_here}

    def forget_here(self, names: Iterable[str]) -> None:
        """Take `names` as not set for this kernel: they have the value that they had."""
        self._set_here -= set(names)

    def reset(self) -> None:
        """Take back what was set for this kernel."""
        for name in list(self._set_here):
            setattr(self, name, deepcopy(self._base[name]))
        self._set_here.clear()

    # -- use -----------------------------------------------------------------------------------------------------

    def under(self, options: CellOptions, flags: argparse.Namespace, *, notebook: str, count: int) -> CellOptions:
        """Return `options` with the defaults where they say nothing.

        Parameters
        ----------
        options
            What the flags (and the ``#$`` lines of a script) ask for.
        flags
            The flags; ``--no-defaults`` and ``--no-cache`` are heeded.
        notebook
            The notebook's path, for the name.
        count
            The cell's number, for the name.

        Raises
        ------
        InvalidArgument
            If the defaults do not fit together.
        """
        if flags.no_defaults:
            return options
        found: dict[str, tuple[Any, str]] = {}

        def take(field: str, value: Any, shown: str) -> None:
            if value not in (None, "", [], {}) and getattr(options, field) in (None, "", []):
                found[field] = (value, shown)

        name = self.name.format(notebook=Path(notebook).stem or "notebook", count=count, user=getpass.getuser())
        take("name", name, f"-N {name}")
        take("queue", self.queue, f"-q {self.queue}")
        take("project", self.project, f"-P {self.project}")
        take("priority", self.priority, f"-p {self.priority}")
        take("modules", list(self.modules), " ".join(f"--module {module}" for module in self.modules))
        if not options.python and not options.conda:
            take("python", self.python, f"--python {self.python}")
            take("conda", self.conda, f"--conda {self.conda}")
        if options.over:
            take("max_parallel", self.max_parallel, f"-tc {self.max_parallel}")
        used = {shown: self.origin(field) for field, (_, shown) in found.items()}
        changes: dict[str, Any] = {field: value for field, (value, _) in found.items()}
        changes |= self._parallel(options, used) | self._merged(options, used)
        if self.cache and getattr(flags, "cache", False) is None and not options.lang and not options.over:
            changes["cache"] = True
            used["--cache"] = self.origin("cache")
        return replace(options, **changes, from_defaults=used)

    def _parallel(self, options: CellOptions, used: dict[str, str]) -> dict[str, Any]:
        from gcs_lab.errors import InvalidArgument
        from gcs_lab.magics.arguments import slots_of

        if options.parallel_environment or not (self.parallel_environment or self.slots):
            return {}
        if not (self.parallel_environment and self.slots):
            raise InvalidArgument(
                "the defaults have a parallel environment without slots, or slots without one: set both "
                "(%gcs defaults -pe NAME N), or leave them out with --no-defaults. Nothing was sent."
            )
        used[f"-pe {self.parallel_environment} {self.slots}"] = self.origin("parallel_environment")
        slots = slots_of(self.parallel_environment, self.slots)
        return {"parallel_environment": self.parallel_environment, "slots": slots}

    def _merged(self, options: CellOptions, used: dict[str, str]) -> dict[str, Any]:
        """Return requests and environment, in which flags override the defaults one by one."""
        new = {name: value for name, value in self.requests.items() if name not in options.requests}
        if new:
            used["-l " + ",".join(f"{name}={value}" for name, value in new.items())] = self.origin("requests")
        # A variable that a site names and that is not set here is no mistake.
        there = [text for text in self.environment if "=" in text or text in os.environ]
        named = parse_assignments(there, os.environ)
        more = {name: value for name, value in named.items() if name not in options.environment}
        if more:
            used[" ".join(f"--env {name}" for name in more)] = self.origin("environment")
        return {"requests": {**new, **options.requests}, "environment": {**more, **options.environment}}


def _no_secret(name: str, value: str) -> str:
    if why := looks_secret(name if name == "environment" else "", value):
        raise TraitError(f"{why}, and configuration is no place for secrets")
    return value


def blame_defaults(error: GcsError, used: Mapping[str, str]) -> None:
    """Note at `error` which of the defaults it speaks of; `used` is what a job was given by them, and from where."""
    said = str(error)
    for flag, origin in used.items():
        words = flag.split()
        # Of several requests the error names one.
        parts = [f"-l {part}" for part in words[1].split(",")] if words[0] == "-l" else [flag]
        if any(part in said for part in parts) or repr(words[-1]) in said:
            error.add_note(f"{flag} is a default ({origin}); %gcs defaults shows all, --no-defaults leaves them out.")
