"""Rows of a table as JSON values: times as seconds since the epoch, missing as null, keys as decimal text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gcs_lab.status.filter_tests import values_of
from gcs_lab.status.state_kinds import KINDS, kinds_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["cells_of", "keys_as_text"]

#: Columns that are worked out from others.
_DURATIONS = ("waiting", "runtime", "age")
#: Digits after the point, where fewer than a double has say it all.
_DIGITS = {"priority": 5, "load_avg": 2, "cpu": 1, "cpu_efficiency": 3}
#: Up to so many seconds a length of time is told to the second, up to the next to the minute, then to the hour: what
#: people see, and no row is sent again because a second went by.
_TO_THE_SECOND, _TO_THE_MINUTE = 600, 86400


def keys_as_text(keys: NDArray[np.uint64]) -> list[str]:
    """Return keys as decimal text: JavaScript has no numbers that large."""
    return list(map(str, keys.tolist()))


def cells_of(table: pa.Table, rows: NDArray[np.int64], columns: list[str], now: float) -> list[list[Any]]:
    """Return the cells of some rows, a list a row.

    Parameters
    ----------
    table
        A table of a snapshot, or its tasks.
    rows
        Which rows.
    columns
        Names as :func:`gcs_lab.models.columns.known_columns`; what the table does not have is null.
    now
        When lengths of time end, seconds since the epoch.
    """
    import pyarrow as pa

    # Few rows first: nothing that follows grows with the table.
    few = table.take(pa.array(rows))
    by_column = [_column(few, name, now) for name in columns]
    return [list(row) for row in zip(*by_column, strict=True)] if columns else [[] for _ in rows]


def _column(few: pa.Table, name: str, now: float) -> list[Any]:  # noqa: PLR0911 - one for each kind of column
    """Return the cells of one column."""
    import pyarrow as pa

    names = few.column_names
    is_task = "task_count" in names
    if name == "tasks" and (is_task or "running" in names):
        return _task_counts(few, is_task=is_task)
    if name == "task" and is_task:
        return list(few["tasks"].to_pylist())
    if name == "slots" and "slots_total" in names:
        pairs = zip(few["slots_used"].to_pylist(), few["slots_total"].to_pylist(), strict=True)
        return [[used or 0, total or 0] for used, total in pairs]
    if name in _DURATIONS:
        return (
            [_length(value) for value in values_of(few, name, now).tolist()]
            if "submission_time" in names
            else _none(few)
        )
    if name not in names:
        return _none(few)
    if pa.types.is_timestamp(few[name].type):
        return [_number(value, 3) for value in values_of(few, name, now).tolist()]
    if pa.types.is_floating(few[name].type):
        return [_number(value, _DIGITS.get(name, 0)) for value in few[name].to_pylist()]
    if name == "key":
        return keys_as_text(few["key"].to_numpy())
    return list(few[name].to_pylist())


def _none(few: pa.Table) -> list[None]:
    return [None] * int(few.num_rows)


def _task_counts(few: pa.Table, *, is_task: bool) -> list[list[int]]:
    """Return how many tasks run, are suspended, wait, are held, are in error."""
    if not is_task:
        return [list(counts) for counts in zip(*(few[kind].fill_null(0).to_pylist() for kind in KINDS), strict=True)]
    pairs = zip(kinds_of(few).tolist(), few["task_count"].fill_null(1).to_pylist(), strict=True)
    return [[count if place == kind else 0 for place in range(len(KINDS))] for kind, count in pairs]


def _number(value: float | None, digits: int) -> float | int | None:
    """Return a number that JSON has; a whole one without a point."""
    if value is None or not math.isfinite(value):
        return None
    rounded = round(value, digits)
    return int(rounded) if rounded.is_integer() else rounded


def _length(seconds: float) -> int | None:
    if not math.isfinite(seconds):
        return None
    # A clock that is behind another makes a time that is yet to come.
    whole = max(0, int(seconds))
    step = 1 if whole < _TO_THE_SECOND else 60 if whole < _TO_THE_MINUTE else 3600
    return whole // step * step
