"""All that decides what a cell's job computes, as one key: equal keys, equal results."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.file_digest import named_file_digest
from gcs_lab.cells.imported_code import imported_code, imports_in, versions_there
from gcs_lab.errors import NotPicklable

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cells.plan import CellPlan
    from gcs_lab.cells.upstream import Upstream

__all__ = ["CellKey", "cell_key", "differences"]

#: Raised when the same things would give other digests than before.
_FORMAT = 1


@dataclass(frozen=True)
class CellKey:
    """What a key is made of: for each group (``inputs``, ``packages`` …) a digest, version or text by name.

    ``types`` says what the inputs are, for people; it is not part of the key.
    """

    parts: dict[str, dict[str, str]]
    types: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def digest(self) -> str:
        """The key (32 hexadecimal digits)."""
        text = json.dumps([_FORMAT, self.parts], sort_keys=True)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def to_json(self) -> str:
        """Return it as text, to be kept."""
        return json.dumps({"parts": self.parts, "types": self.types})

    @classmethod
    def from_json(cls, text: str) -> CellKey:
        """Return the key of :meth:`to_json`."""
        kept = json.loads(text)
        return cls(kept["parts"], kept["types"])

    def summary(self) -> str:
        """Return what is the same in two jobs with this key, in a few words."""
        python = self.parts["python"]["version"]
        counted = [
            (len(self.parts["inputs"]) + len(self.parts["from jobs"]), "input"),
            (len(self.parts["files"]), "file"),
            (len(self.parts["packages"]), "package"),
            (len(self.parts["own modules"]), "file of own modules"),
        ]
        inputs, files, packages, own = (
            f"{number} {what if number == 1 else _plural(what)}" if number else "" for number, what in counted
        )
        points = "same points" if self.parts["points"] else ""
        return ", ".join(filter(None, ["same source", points, inputs, files, f"Python {python}", packages, own]))


def _plural(what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{first}s {rest}".rstrip()


def cell_key(plan: CellPlan, key_of: Callable[[str], str | None]) -> CellKey:
    """Return the key of a plan.

    Parameters
    ----------
    plan
        What would be sent.
    key_of
        Gives the key of the job in a job folder, if it was submitted with one.

    Raises
    ------
    NotPicklable
        If something that counts cannot be compared with what it was earlier; the message says what and why.
    InvalidArgument
        If a file of ``--cache-file`` cannot be read.
    """
    options = plan.request.options
    inputs, types, modules = _inputs(plan)
    modules |= set(plan.modules.values())
    if plan.language is None:
        modules |= imports_in(plan.request.source)
    version, there = platform.python_version(), None
    if plan.python != sys.executable or plan.launcher:
        version, there = versions_there(plan.launcher, plan.python)
    code = imported_code(modules, [plan.cwd, *plan.module_path], there)
    return CellKey(
        {
            "source": {"": _source_digest(plan)},
            "language": {"": plan.language or "Python"},
            "script": {"": _digest(plan.more_spec["script"])} if "script" in plan.more_spec else {},
            "points": {"": plan.points.digest} if plan.points is not None else {},
            "inputs": inputs,
            "from jobs": {
                name: f"{_job_text(upstream, key_of)} {upstream.output}" for name, upstream in plan.from_jobs.items()
            },
            "after": {upstream.name: _job_text(upstream, key_of) for upstream in _waited_for(plan)},
            "names": dict(plan.modules),
            "packages": code.packages,
            "own modules": code.files,
            "python": {"version": version, "path": plan.python, "prepared by": " ".join(plan.launcher)},
            "outputs": {"--out": ", ".join(options.outputs)},
            "folder": {"": plan.cwd},
            "environment": {name: _digest(value) for name, value in options.environment.items()},
            "files": dict(named_file_digest(text, plan.cwd) for text in options.cache_files),
        },
        types,
    )


def _inputs(plan: CellPlan) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Return the digests and types of the inputs, and the modules that they come from."""
    from gcs_lab.cells.content_digest import content_digest

    digests: dict[str, str] = {}
    types: dict[str, str] = {}
    modules: set[str] = set()
    for name, value in plan.inputs.items():
        kind = type(value)
        types[name] = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        try:
            content = content_digest(value)
        except NotPicklable as error:
            raise NotPicklable(f"{name}, of type {types[name]}: {error}") from error
        digests[name] = content.digest
        modules |= content.modules
    return digests, types, modules


def _source_digest(plan: CellPlan) -> str:
    """Return the digest of what the cell's text means: of Python, not its comments and blank lines."""
    source = plan.request.source
    if plan.language is None:
        return _digest(ast.dump(ast.parse(source)))
    return _digest("\n".join(line.rstrip() for line in source.strip().splitlines()))


def _waited_for(plan: CellPlan) -> list[Upstream]:
    values = {upstream.job_id for upstream in plan.from_jobs.values()}
    return [upstream for upstream in plan.upstreams() if upstream.job_id not in values]


def _job_text(upstream: Upstream, key_of: Callable[[str], str | None]) -> str:
    """Return what stands for an earlier job: its own key; if it has none, that very job."""
    key = key_of(upstream.folder) if upstream.folder else None
    return f"key {key}" if key else upstream.folder or f"{upstream.cluster} {upstream.job_id}"


def _digest(value: Any) -> str:
    # What --env names may be short and secret: xxh3 would give it away.
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


#: How a difference is told: group → (of a name that both have, that only the new one has, that only the old one had).
_TOLD = {
    "source": ("source changed", "", ""),
    "language": ("language: {old} → {new}", "", ""),
    "script": ("#$ lines or interpreter changed", "it is a script now", "it was a script"),
    "points": ("points of the sweep changed", "it is a sweep now", "it was a sweep"),
    "inputs": ("input {name} changed", "input {name} is new", "input {name} is no longer needed"),
    "from jobs": ("{name} comes from another job", "{name} comes from a job now", "{name} came from a job"),
    "after": ("{name}, which it waits for, is another job", "it waits for {name} now", "it waited for {name}"),
    "names": ("{name} is the module {new}, was {old}", "{name} is a module now", "{name} was a module"),
    "packages": ("{name} {old} → {new}", "it uses {name} {new} now", "it used {name} {old}"),
    "own modules": ("{name} changed", "it imports {name} now", "it imported {name}"),
    "python": ("Python {old} → {new}", "", ""),
    "outputs": ("--out: {old} → {new}", "", ""),
    "folder": ("folder: {old} → {new}", "", ""),
    "environment": ("--env {name} changed", "--env {name} is new", "--env {name} is gone"),
    "files": ("{name} changed", "--cache-file {name} is new", "--cache-file {name} is gone"),
}


def differences(old: CellKey, new: CellKey) -> list[str]:
    """Return in words what is not the same in two keys, the most telling first; empty if they are equal."""
    told = []
    for group, (changed, added, gone) in _TOLD.items():
        before, after = old.parts.get(group, {}), new.parts.get(group, {})
        for name in dict.fromkeys([*after, *before]):
            if before.get(name) == after.get(name):
                continue
            text = changed if name in before and name in after else added if name in after else gone
            values = {"old": before.get(name) or "nothing", "new": after.get(name) or "nothing"}
            told.append(text.format(name=name, **values))
    return told
