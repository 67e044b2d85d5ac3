"""What happened to jobs between two snapshots, in words: the entries of their timelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.status.state_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from gcs_lab.status.snapshot import Snapshot, TableChanges

__all__ = ["job_changes"]

_COLUMNS = ["key", "job_id", "array", "letters", "queue", "host", *KINDS]
_ONE = {"suspended": "suspended", "pending": "waits", "held": "held"}
#: Letters that say no more than the words; others are told.
_PLAIN = ("r", "s", "qw", "hqw")
_MANY = {"running": "run", "suspended": "suspended", "pending": "wait", "held": "held", "error": "in error state"}


def job_changes(old: Snapshot, new: Snapshot, changes: TableChanges) -> Iterator[tuple[str, str]]:
    """Yield the id of each job that came, went, or does something else now, and what, in words.

    Parameters
    ----------
    old, new
        The snapshots.
    changes
        What differs in their tables of jobs.
    """
    before = _rows(old, changes.changed)
    for row in _rows(new, changes.added).values():
        yield row["job_id"], f"seen for the first time: {_words(row)}"
    for key, row in _rows(new, changes.changed).items():
        if _doing(before[key]) != _doing(row):
            yield row["job_id"], _words(row)
    for row in _rows(old, changes.removed).values():
        yield row["job_id"], "left the queue"


def _rows(snapshot: Snapshot, keys: NDArray[np.uint64]) -> dict[int, dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    jobs = snapshot.jobs.select(_COLUMNS)
    return {row["key"]: row for row in jobs.filter(pc.is_in(jobs["key"], pa.array(keys, pa.uint64()))).to_pylist()}


def _doing(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return what makes a difference: of an array, which kinds of tasks it has; of a job, letters and place."""
    if row["array"]:
        return tuple(bool(row[kind]) for kind in KINDS)
    return row["letters"], row["queue"], row["host"]


def _words(row: dict[str, Any]) -> str:
    there = [kind for kind in KINDS if row[kind]]
    if row["array"]:
        return ", ".join(f"{row[kind]:,} {_MANY[kind]}" for kind in there)
    kind, letters = there[0] if there else "pending", row["letters"] or ""
    more = "" if letters in ("", *_PLAIN) else f" ({letters})"
    if "d" in letters:
        return f"is being deleted{more}"
    if kind == "error":
        return f"in error state{more}"
    if kind == "running":
        place = "@".join(filter(None, (row["queue"], row["host"])))
        return (f"runs on {place}" if place else "runs") + more
    return _ONE[kind] + more
