"""The tasks of an array job as runs of equal state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["parse_tasks", "task_strip"]

_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?\Z", re.ASCII)
#: Runs that are told: an array of which every other task runs has as many as tasks.
_MOST_RUNS = 2_000


def parse_tasks(text: str) -> list[range]:
    """Return the indices in qstat's words (``"5-20:1,31"``); what is none is left out."""
    found = []
    for part in text.split(","):
        if match := _RANGE.match(part.strip()):
            first, last = int(match[1]), int(match[2] or match[1])
            found.append(range(first, last + 1, max(1, int(match[3] or 1))))
    return [indices for indices in found if indices]


def task_strip(rows: pa.Table, task_range: str | None) -> list[tuple[str, int, int]]:
    """Return runs of (state, how many tasks, first index) over the tasks of an array, in the order of the indices.

    Parameters
    ----------
    rows
        Rows of ``TASK_COLUMNS`` of the one job.
    task_range
        All of its tasks (``"1-1000:1"``); None: those that are in the rows. A task of the range that is in no row
        has ended; its state is ``""``.
    """
    pieces = list(_pieces(rows))
    whole = parse_tasks(task_range or "")
    if not pieces and not whole:
        return []
    indices = np.unique(np.concatenate([_indices(one) for one in [*whole, *(piece for piece, _ in pieces)]]))
    names = ["", *dict.fromkeys(state for _, state in pieces)]
    codes = np.zeros(len(indices), np.int64)
    for piece, state in pieces:
        codes[np.searchsorted(indices, _indices(piece))] = names.index(state)
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    counts = np.diff(np.r_[starts, len(codes)])
    runs = [(names[codes[at]], int(count), int(indices[at])) for at, count in zip(starts, counts, strict=True)]
    return runs if len(runs) <= _MOST_RUNS else _coarser(runs)


def _indices(piece: range) -> NDArray[np.int64]:
    return np.arange(piece.start, piece.stop, piece.step, dtype=np.int64)


def _pieces(rows: pa.Table) -> Iterator[tuple[range, str]]:
    for row in rows.select(["tasks", "task", "letters", "state"]).to_pylist():
        # A task in error is drawn as one that failed: it does not run before somebody acts.
        state = "FAILED" if "E" in (row["letters"] or "") else str(row["state"] or "UNDETERMINED")
        if row["task"] is not None:
            yield range(row["task"], row["task"] + 1), state
        else:
            yield from ((piece, state) for piece in parse_tasks(row["tasks"] or ""))


def _coarser(runs: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Put neighbours together, under the state of the larger part, until there are few enough."""
    per_group = -(-len(runs) // _MOST_RUNS)
    coarse: list[tuple[str, int, int]] = []
    for at in range(0, len(runs), per_group):
        group = runs[at : at + per_group]
        most = max(group, key=lambda run: run[1])
        state, count, first = most[0], sum(run[1] for run in group), group[0][2]
        if coarse and coarse[-1][0] == state:
            coarse[-1] = (state, coarse[-1][1] + count, coarse[-1][2])
        else:
            coarse.append((state, count, first))
    return coarse
