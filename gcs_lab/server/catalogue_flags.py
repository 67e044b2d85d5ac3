"""What the user asked for last, and what a site or the user asks for always: by flag of ``%%gcs``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from logging import Logger

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.cells.plan import CellOptions

__all__ = ["default_flags", "last_flags"]

#: Jobs that are looked at for one that says what it asked for.
_MOST_LOOKED_AT = 20
_MAGIC = "%%gcs "


def last_flags(cluster: str, notebook: str = "") -> dict[str, str]:
    """Return what the last cell that was sent asked for, by flag; empty if there is none.

    Parameters
    ----------
    cluster
        Where it was sent.
    notebook
        Absolute path of the notebook whose cells count most.
    """
    for entry in _latest(cluster, notebook):
        line = _line_of(entry)
        if line is not None and (options := _options_of(line)) is not None:
            return _by_flag(options)
    return {}


def _latest(cluster: str, notebook: str) -> Iterator[JournalEntry]:
    from gcs_lab.cells.journal import Journal

    journal = Journal()
    if notebook:
        here = [entry for entry in journal.of_notebook(notebook) if entry.cluster == cluster]
        yield from here[:_MOST_LOOKED_AT]
    yield from journal.recent(_MOST_LOOKED_AT, cluster)


def _line_of(entry: JournalEntry) -> str | None:
    """Return the ``%%gcs`` line that a job was sent with; None if it has none, or its folder was cleaned."""
    from gcs_lab.cells.job_folder import JobFolder

    if entry.kind not in {"cell", "sweep"}:
        return None
    try:
        shown = str(JobFolder(Path(entry.folder)).read_spec().get("display_source") or "")
    except (GcsError, OSError, ValueError):
        return None
    first = shown.partition("\n")[0]
    return first.removeprefix(_MAGIC) if first.startswith(_MAGIC) else None


def _options_of(line: str) -> CellOptions | None:
    from gcs_lab.magics.arguments import cell_parser, parse_flags, to_options

    try:
        return to_options(parse_flags(cell_parser(), line))
    except GcsError:
        return None


def _by_flag(options: CellOptions) -> dict[str, str]:
    low, high = options.slots or (0, 0)
    slots = str(low) if low == high else f"{low}-{high}"
    found = {
        "-q": options.queue or "",
        "-P": options.project or "",
        "-l": ",".join(f"{name}={value}" for name, value in options.requests.items()),
        "-pe": f"{options.parallel_environment} {slots}" if options.parallel_environment else "",
        "-p": "" if options.priority is None else str(options.priority),
        "-tc": "" if options.max_parallel is None else str(options.max_parallel),
        "--conda": options.conda or "",
        "--python": options.python or "",
    }
    return {flag: value for flag, value in found.items() if value}


def default_flags(log: Logger) -> dict[str, str]:
    """Return what the configuration files of IPython set for ``%%gcs`` (``c.GcsMagics.queue = …``), by flag.

    They are read as a kernel with the default profile reads them: those of the machine, of the environment, of the
    user.
    """
    from gcs_lab.magics.defaults import DefaultTraits

    traits = DefaultTraits(config=_configuration(log))
    for problem in traits.problems:
        log.warning("gcs_lab: %s", problem)
    pe = f"{traits.parallel_environment} {traits.slots}".strip()
    found = {
        "--on": traits.cluster,
        "-N": traits.name,
        "-q": traits.queue,
        "-P": traits.project,
        "-l": ",".join(f"{name}={value}" for name, value in traits.requests.items()),
        "-pe": pe,
        "-p": "" if traits.priority is None else str(traits.priority),
        "-tc": "" if traits.max_parallel is None else str(traits.max_parallel),
        "--conda": traits.conda,
        "--python": traits.python,
        "--module": " ".join(traits.modules),
    }
    return {flag: str(value) for flag, value in found.items() if value}


def _configuration(log: Logger) -> Any:
    from traitlets.config import Config
    from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

    found = Config()
    for folder in _folders():
        for name in ("ipython_config", "ipython_kernel_config"):
            for loader, ending in ((PyFileConfigLoader, "py"), (JSONFileConfigLoader, "json")):
                try:
                    found.merge(loader(f"{name}.{ending}", path=str(folder)).load_config())
                except ConfigFileNotFound:
                    pass
                except Exception as error:
                    # One that needs a running shell, or is wrong: the kernel says so.
                    log.debug("gcs_lab: %s cannot be read: %r", folder / f"{name}.{ending}", error)
    return Config({"DefaultTraits": found.GcsMagics}) if "GcsMagics" in found else Config()


def _folders() -> list[Path]:
    """Return where IPython keeps configuration, what counts more later (``IPython.core.application``)."""
    own = Path(os.environ.get("IPYTHONDIR") or "~/.ipython").expanduser()
    system = [Path("/etc/ipython"), Path("/usr/local/etc/ipython"), Path(sys.prefix, "etc", "ipython")]
    return [*system, own / "profile_default"]
