"""Which rows of a table are shown, and in which order: those of the filter, sorted, with the tasks of open arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.models.row_order import sorted_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status.filter_language import Filter

__all__ = ["Layout", "TasksBelow", "lay_out"]

_UPPER = 32


class Layout:
    """The rows that are shown, in order.

    ``rows`` are places in the table; where ``below`` is True, in the table of tasks. ``below`` is None where no array
    is open.
    """

    def __init__(self, rows: NDArray[np.int64], below: NDArray[np.bool_] | None) -> None:
        self.rows, self.below = rows, below

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class TasksBelow:
    """The tasks that stand below their jobs.

    ``tasks`` are those of all jobs (``TASK_COLUMNS``), None if the table is none of jobs; ``expanded`` keys of jobs:
    those that are not shown, or are no arrays, have no rows below. The tasks of one job are sorted as ``sort`` says
    (:func:`~gcs_lab.models.row_order.sorted_rows`), and are those that ``filter`` lets through (None: all).
    """

    tasks: pa.Table | None
    expanded: Collection[int] = ()
    sort: Sequence[tuple[str, str]] = ()
    filter: Filter | None = None


def lay_out(table: pa.Table, order: NDArray[np.int64], under: TasksBelow, now: float) -> Layout:
    """Put the tasks of the expanded jobs below them.

    Parameters
    ----------
    table
        The table.
    order
        The places of its rows that are shown, in order.
    under
        The tasks.
    now
        When lengths of time end, seconds since the epoch.
    """
    import numpy as np
    import pyarrow as pa

    tasks, expanded = under.tasks, under.expanded
    if tasks is None or not expanded or "array" not in table.column_names:
        return Layout(order, None)
    keys = table["key"].to_numpy()[order]
    wanted = np.fromiter(expanded, np.uint64, len(expanded))
    is_open = np.isin(keys, wanted) & np.asarray(table["array"].fill_null(False))[order]
    parents = np.flatnonzero(is_open)
    if not len(parents):
        return Layout(order, None)
    task_jobs = tasks["key"].to_numpy() >> np.uint64(_UPPER)
    found = np.flatnonzero(np.isin(task_jobs, keys[parents] >> np.uint64(_UPPER)))
    if under.filter is not None and len(found):
        found = found[under.filter.mask(tasks.take(pa.array(found)), now)]
    children = sorted_rows(tasks, under.sort or [("task", "ascending")], now, found)
    # Where the parent of each child stands; the sort is stable, so that within one parent they stay sorted.
    by_job = np.argsort(keys[parents], kind="stable")
    place = np.searchsorted(keys[parents][by_job] >> np.uint64(_UPPER), task_jobs[children])
    after = parents[by_job][place]
    together = np.argsort(after, kind="stable")
    after, children = after[together], children[together]
    rows = np.insert(order, after + 1, children)
    below = np.zeros(len(rows), np.bool_)
    below[after + 1 + np.arange(len(after))] = True
    return Layout(rows, below)
