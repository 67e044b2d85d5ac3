"""``%gcs cache``: what the cache of ``--cache`` holds; why; and how to empty it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs.requests import format_memory

if TYPE_CHECKING:
    import argparse

    import pandas as pd

    from gcs_lab.cells.cell_cache import CacheEntry, CellCache
    from gcs_lab.cells.cell_key import CellKey
    from gcs_lab.magics.arguments import FlagParser
    from gcs_lab.magics.session import Session

__all__ = ["cache_command", "cache_flags"]

_COLUMNS = ["id", "name", "when", "source", "inputs", "state", "size", "hits"]
#: What the groups of a key are called where they are shown.
_TITLES = {"": "", "own modules": "own module", "from jobs": "from a job", "names": "module", "after": "after"}


def cache_flags(parser: FlagParser) -> None:
    """Add the flags of ``%gcs cache``."""
    parser.add_argument("what", nargs="?", choices=["list", "explain", "clear"], default="list",
                        help="list (default), explain JOB, clear")  # fmt: skip
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="id or name; explain -: the last cell's key")
    parser.add_argument("--older", metavar="AGE", help="clear: those submitted longer ago than this (7d, 12h)")
    parser.add_argument("--all", action="store_true", help="clear: all of them")


def cache_command(session: Session, flags: argparse.Namespace, seconds: Any) -> pd.DataFrame | None:
    """Do what ``%gcs cache`` says; return the table of ``list``.

    Parameters
    ----------
    session
        What the magics share.
    flags
        As :func:`cache_flags` parsed them.
    seconds
        Turns the text of ``--older`` into seconds.

    Raises
    ------
    UsageError
        If the words do not go together.
    UnknownName
        If there is no such job in the cache.
    """
    if flags.what != "clear" and (flags.older or flags.all):
        raise UsageError("%gcs cache: --older and --all belong to clear: %gcs cache clear --older 7d.")
    if flags.what == "explain":
        if len(flags.jobs) != 1:
            raise UsageError("%gcs cache explain: name one job, or - for the last cell: %gcs cache explain 12.")
        print(_explanation(session, flags.jobs[0]))  # noqa: T201
        return None
    if flags.what == "clear":
        if bool(flags.jobs) + bool(flags.older) + bool(flags.all) != 1:
            raise UsageError("%gcs cache clear: say what: %gcs cache clear 12, … clear --older 7d, or … clear --all.")
        _clear(session.cache, flags.jobs, None if not flags.older else time.time() - seconds(flags.older))
        return None
    if flags.jobs:
        raise UsageError("%gcs cache list: it takes no jobs. %gcs cache explain JOB tells all of one.")
    return _table(session.cache)


def _table(cache: CellCache) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for entry in cache.everything():
        folder, key = JobFolder(Path(entry.folder)), entry.cell_key
        rows.append(
            {
                "id": entry.job_id,
                "name": entry.name,
                "when": entry.when,
                "source": entry.first_line,
                "inputs": ", ".join([*key.parts["inputs"], *key.parts["from jobs"]]),
                "state": entry.state if folder.path.exists() else "gone",
                "size": format_memory(folder.size()),
                "hits": entry.hits,
            }
        )
    return pd.DataFrame(rows, columns=_COLUMNS)


def _explanation(session: Session, wanted: str) -> str:
    from gcs_lab.cells.cell_key import differences

    last = session.last_key
    if wanted == "-":
        if last is None:
            raise InvalidArgument(
                "%gcs cache explain -: no cell of this kernel asked for the cache yet. Use --cache with %%gcs run or "
                "submit."
            )
        lines = [f"the key of the last cell is {last.digest}"]
        return "\n".join([*lines, *_lines(last)])
    entry = _entries(session.cache, [wanted])[0]
    key = entry.cell_key
    who = f"job {entry.job_id} ({entry.name}) of {entry.when} on {entry.cluster}"
    lines = [
        f"{who}: {entry.state}, taken {_counted(entry.hits, 'time')}, in {entry.folder}",
        f"its key is {key.digest}",
        *_lines(key),
    ]
    if last is not None:
        told = differences(key, last)
        lines.append(f"against the last cell: {', '.join(told)}" if told else "the last cell's key is equal")
    return "\n".join(lines)


def _lines(key: CellKey) -> list[str]:
    rows = []
    for group, values in key.parts.items():
        for name, value in values.items():
            title = " ".join(filter(None, [_TITLES.get(group, group.removesuffix("s")), name]))
            kind = f" ({key.types[name]})" if group == "inputs" and name in key.types else ""
            if value:
                rows.append((title + kind, value))
    width = max(len(title) for title, _ in rows)
    return [f"  {title:{width}}  {value}" for title, value in rows]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _clear(cache: CellCache, wanted: list[str], before: float | None) -> None:
    entries = _entries(cache, wanted) if wanted else cache.everything()
    if before is not None:
        entries = [entry for entry in entries if entry.submitted < before]
    cache.remove(entry.folder for entry in entries)
    print(f"gcs: forgot {_counted(len(entries), 'result')}; the job folders stay until %gcs clean.")  # noqa: T201


def _entries(cache: CellCache, wanted: list[str]) -> list[CacheEntry]:
    """Return the entries of jobs: by id all with that id, by name the latest."""
    everything = cache.everything()
    found = []
    for word in wanted:
        by_id = [entry for entry in everything if entry.job_id == word]
        named = by_id or [entry for entry in everything if entry.name == word][:1]
        if not named:
            known = {entry.job_id for entry in everything} | {entry.name for entry in everything}
            raise UnknownName("cached job", word, known)
        found += named
    return found
