"""``%gcs defaults``: show what cells' jobs are given, set it for this kernel, keep it for the next ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import TraitError

from gcs_lab.errors import InvalidArgument
from gcs_lab.magics.arguments import add_interpreter_flags
from gcs_lab.magics.config_files import saved_defaults, write_defaults
from gcs_lab.magics.defaults import DEFAULT_FLAGS

if TYPE_CHECKING:
    import argparse

    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.magics.arguments import FlagParser
    from gcs_lab.magics.defaults import DefaultTraits

__all__ = ["defaults_command", "defaults_flags"]

#: Read by IPython's kernel and by its terminal, after a `ipython_config.py` beside it.
_FILE = "ipython_config.json"


def defaults_flags(parser: FlagParser) -> None:
    """Add the flags of ``%gcs defaults``: those of ``%%gcs`` that can have a default, and what to do with them."""
    import argparse

    add = parser.add_argument
    add("-N", dest="name", metavar="NAME", help="name of jobs; may have {notebook}, {count} and {user} in it")
    add("-q", dest="queue", metavar="QUEUE", help="queue")
    add(
        "-l",
        dest="requests",
        metavar="NAME=VALUE,…",
        action="append",
        default=[],
        help="resources, added to those set",
    )
    add("-pe", dest="pe", metavar=("NAME", "N"), nargs=2, help="parallel environment and slots")
    add("-p", dest="priority", metavar="N", type=int, help="priority")
    add("-P", dest="project", metavar="PROJECT", help="project")
    add("-tc", dest="max_parallel", metavar="N", type=int, help="tasks of a sweep at once")
    add(
        "--env", dest="environment", metavar="NAME[=VALUE]", action="append", default=[], help="variables; no secrets"
    )
    add_interpreter_flags(parser.add_argument_group("what runs jobs"))
    add("--cache", action=argparse.BooleanOptionalAction, help="take the results of equal jobs")
    add("--on", dest="cluster", metavar="CLUSTER", help="cluster, from the next kernel on (now: %%gcs connect)")
    add("--reset", action="store_true", help="take back what was set in this kernel; with --save what was saved, too")
    add("--save", action="store_true", help="keep what is set in this kernel for the next ones")


def defaults_command(
    defaults: DefaultTraits, shell: InteractiveShell, flags: argparse.Namespace
) -> pd.DataFrame | None:
    """Do ``%gcs defaults``; return the table where nothing was asked for but to see it.

    Raises
    ------
    InvalidArgument
        If a value cannot work; then nothing is changed.
    """
    changes = _changes(defaults, flags)
    if flags.reset and changes:
        raise InvalidArgument("%gcs defaults --reset takes back; set values in another line.")
    removed: tuple[str, ...] = ()
    if flags.reset:
        defaults.reset()
        removed = tuple(DEFAULT_FLAGS)
        print("gcs: what was set in this kernel is taken back")  # noqa: T201
    if changes:
        _set(defaults, changes)
    if flags.save:
        _save(defaults, shell, removed)
    return defaults_table(defaults) if not (flags.reset or flags.save) or changes else None


def defaults_table(defaults: DefaultTraits) -> pd.DataFrame:
    """Return one row for each default: what it is, its value, its flag, and where it comes from."""
    import pandas as pd

    rows = []
    for name, flag in DEFAULT_FLAGS.items():
        value, origin = getattr(defaults, name), defaults.origin(name)
        shown = "" if value in (None, "", [], {}, False) and not origin else _shown(value)
        rows.append({"default": name, "flag": flag, "value": shown, "from": origin})
    return pd.DataFrame(rows).set_index("default")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={one}" for name, one in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _changes(defaults: DefaultTraits, flags: argparse.Namespace) -> dict[str, Any]:
    from gcs_lab.jobs.requests import parse_requests

    plain = ("name", "queue", "priority", "project", "max_parallel", "python", "conda", "cache", "cluster")
    changes = {name: getattr(flags, name) for name in plain if getattr(flags, name) is not None}
    changes |= {name: getattr(flags, name) for name in ("environment", "modules") if getattr(flags, name)}
    if flags.pe:
        changes["parallel_environment"], changes["slots"] = flags.pe
    if flags.requests:
        requests = dict(defaults.requests)
        for text in flags.requests:
            requests |= parse_requests(text)
        changes["requests"] = requests
    return changes


def _set(defaults: DefaultTraits, changes: dict[str, Any]) -> None:
    before = {name: getattr(defaults, name) for name in changes}
    was_set = set(defaults.set_here())
    try:
        for name, value in changes.items():
            setattr(defaults, name, value)
    except TraitError as error:
        for name, value in before.items():
            setattr(defaults, name, value)
        defaults.forget_here(set(changes) - was_set)
        raise InvalidArgument(f"%gcs defaults: {str(error).rstrip('.')}. Nothing was changed.") from None


def _save(defaults: DefaultTraits, shell: InteractiveShell, removed: tuple[str, ...]) -> None:
    path = _file(shell)
    values = defaults.set_here()
    write_defaults(path, values, removed=removed)
    if not values:
        told = f"{path} has no defaults any more" if removed else "nothing is set in this kernel to be saved"
        print(f"gcs: {told}")  # noqa: T201
        return
    print(f"gcs: saved in {path}: {', '.join(sorted(saved_defaults(path)))}")  # noqa: T201
    beside = path.with_suffix(".py")
    if beside.exists() and "GcsMagics" in beside.read_text(encoding="utf-8", errors="replace"):
        print(f"gcs: {beside} sets GcsMagics, too; where both do, the saved value counts")  # noqa: T201


def _file(shell: InteractiveShell) -> Path:
    profile: Any = getattr(shell, "profile_dir", None)
    if profile is None:
        raise InvalidArgument("%gcs defaults --save: this shell has no IPython profile whose file could be written.")
    return Path(profile.location) / _FILE
