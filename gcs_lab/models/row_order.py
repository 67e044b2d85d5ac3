"""The order of the rows of a table: by several columns, stable, what is missing last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.models.natural_order import natural_keys
from gcs_lab.status.filter_tests import values_of
from gcs_lab.status.state_kinds import codes_and_values, kinds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["sorted_rows"]

#: Columns that are not of the table itself, and lengths of time: larger the earlier it began.
_WORKED_OUT = ("waiting", "runtime", "age", "slots_free")


def sorted_rows(
    table: pa.Table, sort: Sequence[tuple[str, str]], now: float, rows: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Return the places of the rows of `table` in order.

    Rows that are equal stand in the order of their keys, so that they keep their places from one snapshot to the
    next; without any `sort` the order is the table's. Missing values are last, whichever way.

    Parameters
    ----------
    table
        A table of a snapshot, or its tasks.
    sort
        Columns and ``"ascending"`` or ``"descending"``, the weightiest first; columns that the table does not have
        are passed over.
    now
        When lengths of time end, seconds since the epoch.
    rows
        Only these; None: all.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = table["key"].to_numpy()
    rows = np.arange(len(keys)) if rows is None else rows
    directions = [order for name, order in sort if _has(table, name)]
    if not directions or len(rows) < 2:  # noqa: PLR2004 - one row is in order
        return rows
    keys = keys[rows]
    if len(keys) > 1 and not (keys[1:] >= keys[:-1]).all():
        rows = rows[np.argsort(keys, kind="stable")]
    few = table if len(rows) == table.num_rows and (rows[1:] > rows[:-1]).all() else None
    names = [name for name, _ in sort if _has(table, name)]
    if few is None:
        # Only the columns that are sorted by are copied.
        needed = [name for name in table.column_names if name in _needs(names, table)]
        few = table.select(needed).take(pa.array(rows))
    columns = {f"{place}": _sort_key(few, name, now) for place, name in enumerate(names)}
    # Arrow's sorts are stable and put nulls last, after NaN, whichever way.
    if len(columns) == 1:
        order = pc.array_sort_indices(columns["0"], order=directions[0])
    else:
        order = pc.sort_indices(
            pa.table(columns),
            sort_keys=[(f"{place}", direction) for place, direction in enumerate(directions)],
        )
    sorted_: NDArray[np.int64] = rows[order.to_numpy().astype(np.int64)]
    return sorted_


def _has(table: pa.Table, name: str) -> bool:
    names = table.column_names
    if name in _WORKED_OUT:
        return ("slots_total" if name == "slots_free" else "submission_time") in names
    if name == "slots" and "slots_total" in names:
        return True
    return name in names or (name == "task" and "task_count" in names)


def _needs(names: Sequence[str], table: pa.Table) -> set[str]:
    """Return the columns of the table that the sort keys of `names` are made of."""
    needed = {"key", *names}
    if set(names) & {"letters", "state"}:
        needed |= {"letters", "state"}
    if set(names) & set(_WORKED_OUT):
        needed |= {"submission_time", "start_time", "letters", "state", "pending", "held", "error"}
    if "slots" in names:
        needed |= {"slots_used", "slots_total"}
    if "tasks" in names or "task" in names:
        needed.add("task_count")
    return needed & set(table.column_names)


def _sort_key(table: pa.Table, name: str, now: float) -> pa.Array:  # noqa: PLR0911 - one for each kind of column
    """Return what a column is sorted by."""
    import numpy as np
    import pyarrow as pa

    names = table.column_names
    if name in {"job_id", "task"} and "key" in names:
        return _one(table["key"])
    if name in {"letters", "state"} and {"letters", "state"} <= set(names):
        kinds = kinds_of(table).astype(np.int32)
        codes, values = codes_and_values(table[name])
        return pa.array(kinds * (len(values) + 1) + _ranks(values)[codes])
    if name == "slots" and "slots_total" in names:
        total = values_of(table, "slots_total", now)
        used = np.nan_to_num(values_of(table, "slots_used", now))
        return pa.array(used / np.where(total > 0, total, np.nan), from_pandas=True)
    if name == "tasks" and "task_count" in names:
        return _one(table["task_count"])
    if name in _WORKED_OUT:
        return pa.array(values_of(table, name, now), from_pandas=True)
    column = table[name]
    if pa.types.is_dictionary(column.type):
        codes, values = codes_and_values(column)
        return pa.array(_ranks(values)[codes], mask=codes < 0)
    if pa.types.is_string(column.type):
        return natural_keys(column)
    if pa.types.is_timestamp(column.type):
        return _one(column.cast(pa.int64()))
    return _one(column.cast(pa.int8())) if pa.types.is_boolean(column.type) else _one(column)


def _ranks(values: list[str]) -> NDArray[np.int32]:
    """Return the place of each text among all in natural order; equal ones have one place. One more for null."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    ranks = pc.rank(natural_keys(pa.array(values, pa.string())), tiebreaker="dense")
    return np.append(np.asarray(ranks, np.int32), np.int32(0))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
