"""A table of the cluster's status as people see it: filtered, sorted, and a window of it as JSON values."""

from __future__ import annotations

import contextlib
import logging
import threading
import time as clock
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Integer, List, Unicode, observe, validate

from gcs_lab.errors import FilterError, InvalidArgument, UnknownName
from gcs_lab.models.columns import VIEWS, default_columns, known_columns
from gcs_lab.models.fed_traits import FedTraits
from gcs_lab.models.row_cells import cells_of, keys_as_text
from gcs_lab.models.row_order import sorted_rows
from gcs_lab.models.table_events import TableEvent, events_of
from gcs_lab.models.table_view import Layout, TasksBelow, lay_out
from gcs_lab.status.filter_columns import VIEW_COLUMNS
from gcs_lab.status.filter_language import Filter, parse_everywhere, parse_filter
from gcs_lab.status.tables import empty_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray
    from traitlets import Bunch

    from gcs_lab.status.snapshot import TableChanges

__all__ = ["TableModel", "Window"]

_log = logging.getLogger(__name__)

#: Rows that one window has at the most.
MOST_ROWS = 1_000
#: Terms of the filter that count for the tasks below a job, too: one who looks for what is in error sees those tasks.
_OF_TASKS = ("state", "letters", "queue", "host", "start_time", "runtime")


@dataclass(frozen=True)
class Window:
    """Some rows of a table, as they are shown.

    ``keys``, ``levels`` and ``rows`` (lists of cells in the order of ``columns``) are of the same length. ``levels``
    are 1, or 2 for a task below its job. ``matching`` counts the rows that can be shown, those below their jobs with
    them; ``total`` those of the table.
    """

    version: int
    total: int
    matching: int
    first: int
    columns: list[str]
    keys: list[str] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)


class TableModel(FedTraits):
    """The rows of one view, kept up to date by whoever calls :meth:`update`; any thread may call anything.

    Setting ``filter``, ``sort`` or ``expanded`` changes what :meth:`window` shows. A filter that cannot be read
    changes nothing but ``filter_error``: the rows stay those of the last good one. A sort that cannot be is refused
    (:class:`~gcs_lab.errors.InvalidArgument`). Observers are called in the thread that made the change: for new data
    the poller's.

    Parameters
    ----------
    view
        ``"jobs"``, ``"queues"``, ``"queue_instances"`` or ``"hosts"``.
    columns
        Names of the columns of a window, unless it is asked for others; None: the usual ones.
    everywhere
        Whether the filter is one that counts for all views
        (:func:`~gcs_lab.status.filter_language.parse_everywhere`).

    Raises
    ------
    UnknownName
        If there is no such view or column.
    """

    filter = Unicode(help="which rows are shown, in the language of docs/models.md; empty: all")
    filter_error: Any = Dict(
        default_value=None,
        allow_none=True,
        help="what is wrong with the filter: message, start, end, incomplete; None: nothing",
    )
    sort: List[Any] = List(
        help="pairs of a column and 'ascending' or 'descending', the weightiest first; empty: the table's order"
    )
    expanded: List[Any] = List(help="keys (decimal text) of array jobs whose tasks stand below them")
    version = Integer(
        0, help="grows when the table changed, or is of another moment: lengths of time are others then"
    )
    total = Integer(0, help="rows of the table")
    matching = Integer(0, help="rows that the filter lets through; tasks below their jobs are not counted")

    def __init__(self, view: str, columns: Sequence[str] | None = None, *, everywhere: bool = False) -> None:
        self._lock = threading.RLock()
        self._table, self._tasks, self._now = empty_table(_checked(view, VIEWS, "view")), None, 0.0
        self._is_fed = False
        self._everywhere = everywhere
        self._read: Filter = parse_filter("", VIEW_COLUMNS[view])
        self._task_filter: Filter | None = None
        self._restrict: Callable[[pa.Table], NDArray[np.bool_]] | None = None
        self._related: Callable[[pa.Table], NDArray[np.bool_]] | None = None
        self._mask: NDArray[np.bool_] | None = None
        self._full_order: NDArray[np.int64] | None = None
        self._layout: Layout | None = None
        self._callbacks: list[Callable[[TableEvent], None]] = []
        super().__init__()
        self.view = view
        self.columns = default_columns(view) if columns is None else list(columns)
        self._check_columns(self.columns)

    # -- data ---------------------------------------------------------------------------------------------------

    def update(
        self,
        table: pa.Table,
        changes: TableChanges | None = None,
        tasks: pa.Table | None = None,
        time: float | None = None,
    ) -> None:
        """Take the table as it is now.

        Parameters
        ----------
        table
            As the snapshot has it.
        changes
            What differs from the last one; None: all may.
        tasks
            Of jobs: the tasks (``TASK_COLUMNS``), for arrays that are expanded.
        time
            When it was looked at, seconds since the epoch: lengths of time end then. None: now.
        """
        table, tasks = _in_one_piece(table), None if tasks is None else _in_one_piece(tasks)
        # Traits are set with the lock, so that they belong together; observers are called without it.
        with self.hold_trait_notifications(), self._lock:
            before = self._table if self._is_fed else None
            self._table, self._tasks, self._is_fed = table, tasks, True
            before_now, self._now = self._now, clock.time() if time is None else time
            now = self._now
            self._mask = self._full_order = self._layout = None
            # Lengths of time are others at another moment, even if nothing came or went.
            self.version += 1 if changes is None or changes or now != before_now else 0
            self._count()
        for event in events_of(before, table, changes, now) if self._callbacks else ():
            for callback in list(self._callbacks):
                try:
                    callback(event)
                except Exception:
                    _log.exception("a callback for changes of the %s failed; it is called again", self.view)

    def on_change(self, callback: Callable[[TableEvent], None]) -> Callable[[], None]:
        """Call `callback` with what came, changed or went, after each update; return what ends that.

        It is called in the thread of the update, and should be quick.
        """
        self._callbacks.append(callback)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._callbacks.remove(callback)

        return end

    def restrict(
        self,
        rows: Callable[[pa.Table], NDArray[np.bool_]] | None = None,
        related: Callable[[pa.Table], NDArray[np.bool_]] | None = None,
    ) -> None:
        """Show only some rows, beside the filter.

        Parameters
        ----------
        rows
            Tells of a table which rows may be shown; None: all.
        related
            Tells which rows have to do with what the filter says of other tables (:meth:`Filter.mask`); None: all.
        """
        with self.hold_trait_notifications(), self._lock:
            self._restrict, self._related = rows, related
            self._mask = self._layout = None
            self._count()

    # -- what is shown ------------------------------------------------------------------------------------------

    def window(self, first: int, count: int, columns: Sequence[str] | None = None) -> Window:
        """Return the rows from place `first` on, at most `count` (and 1,000) of them.

        Raises
        ------
        UnknownName
            If there is no such column.
        """
        names = self.columns if columns is None else list(columns)
        self._check_columns(names)
        with self._lock:
            layout = self._laid_out()
            first = max(0, first)
            some = slice(first, first + max(0, min(count, MOST_ROWS)))
            table, tasks, now, version = self._table, self._tasks, self._now, self.version
        # Tables do not change: what takes longer needs no lock.
        shown = Layout(layout.rows[some], None if layout.below is None else layout.below[some])
        keys, levels, cells = _told(table, tasks, shown, names, now)
        return Window(version, table.num_rows, len(layout), first, names, keys, levels, cells)

    def matching_keys(self) -> NDArray[np.uint64]:
        """Return the keys of all rows that the filter lets through, in the order in which they are shown."""
        with self._lock:
            keys: NDArray[np.uint64] = self._table["key"].to_numpy()[self._ordered()]
            return keys

    def matching_table(self) -> pa.Table:
        """Return the rows that the filter lets through, in the order in which they are shown, as Arrow table."""
        import pyarrow as pa

        with self._lock:
            return self._table.take(pa.array(self._ordered()))

    @property
    def table(self) -> pa.Table:
        """The whole table as it was told last."""
        return self._table

    @property
    def tasks(self) -> pa.Table | None:
        """The tasks of the jobs as they were told last; None: they were not."""
        return self._tasks

    # -- inside -------------------------------------------------------------------------------------------------

    @observe("filter")
    def _filter_changed(self, change: Bunch) -> None:  # noqa: ARG002
        with self.hold_trait_notifications(), self._lock:
            text = self.filter
            try:
                read = self._parse(text)
            except FilterError as error:
                self.filter_error = error.told()
                return
            self._read, self.filter_error = read, None
            self._task_filter = parse_everywhere(text, "tasks", _OF_TASKS) if self.view == "jobs" else None
            self._mask = self._layout = None
            self._count()

    @validate("sort")
    def _sort_valid(self, proposal: Bunch) -> list[tuple[str, str]]:
        pairs = _pairs(proposal["value"])
        self._check_columns([name for name, _ in pairs])
        return pairs

    @observe("sort")
    def _sort_changed(self, change: Bunch) -> None:  # noqa: ARG002
        with self._lock:
            self._full_order = self._layout = None

    @observe("expanded")
    def _expanded_changed(self, change: Bunch) -> None:  # noqa: ARG002
        with self._lock:
            self._layout = None

    def _parse(self, text: str) -> Filter:
        if self._everywhere:
            return parse_everywhere(text, self.view)
        return parse_filter(text, VIEW_COLUMNS[self.view])

    def _check_columns(self, names: Sequence[str]) -> None:
        for name in names:
            _checked(name, known_columns(self.view), "column")

    def _masked(self) -> NDArray[np.bool_]:
        if self._mask is None:
            related = None if self._related is None else self._related(self._table)
            mask = self._read.mask(self._table, self._now, related)
            self._mask = mask if self._restrict is None else mask & self._restrict(self._table)
        return self._mask

    def _count(self) -> None:
        self.total, self.matching = self._table.num_rows, int(self._masked().sum())

    def _ordered(self) -> NDArray[np.int64]:
        """Return the places of the rows that are shown, in order."""
        import numpy as np

        mask = self._masked()
        if self._full_order is None and mask.sum() * 2 < len(mask):
            # Few rows are sorted quicker than many; they are not kept, for the next filter may show others.
            return sorted_rows(self._table, self.sort, self._now, np.flatnonzero(mask))
        if self._full_order is None:
            self._full_order = sorted_rows(self._table, self.sort, self._now)
        return self._full_order[mask[self._full_order]]

    def _laid_out(self) -> Layout:
        if self._layout is None:
            expanded = {int(key) for key in self.expanded if str(key).isdecimal()}
            below = TasksBelow(self._tasks, expanded, self.sort, self._task_filter)
            self._layout = lay_out(self._table, self._ordered(), below, self._now)
        return self._layout


def _told(
    table: pa.Table, tasks: pa.Table | None, shown: Layout, names: list[str], now: float
) -> tuple[list[str], list[int], list[list[Any]]]:
    """Return the keys, levels and cells of rows."""
    import numpy as np

    rows, below = shown.rows, shown.below
    if below is None or tasks is None or not below.any():
        return keys_as_text(table["key"].to_numpy()[rows]), [1] * len(rows), cells_of(table, rows, names, now)
    keys = [""] * len(rows)
    cells: list[list[Any]] = [[] for _ in rows]
    for source, places in ((table, np.flatnonzero(~below)), (tasks, np.flatnonzero(below))):
        told = keys_as_text(source["key"].to_numpy()[rows[places]])
        for place, key, row in zip(places.tolist(), told, cells_of(source, rows[places], names, now), strict=True):
            keys[place], cells[place] = key, row
    return keys, (below.astype(int) + 1).tolist(), cells


def _pairs(sort: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Return the sort as pairs.

    Raises
    ------
    InvalidArgument
        If a pair is none, or has another direction.
    """
    pairs = []
    for one in sort:
        if isinstance(one, str) or len(one) != 2 or one[1] not in {"ascending", "descending"}:  # noqa: PLR2004
            raise InvalidArgument(f"{one!r} is no sort; expected a column and 'ascending' or 'descending'.")
        pairs.append((str(one[0]), str(one[1])))
    return pairs


def _checked(name: str, known: Sequence[str], kind: str) -> str:
    if name not in known:
        raise UnknownName(kind, name, known)
    return name


def _in_one_piece(table: pa.Table) -> pa.Table:
    """Return the table with one chunk a column."""
    if all(column.num_chunks == 1 for column in table.columns):
        return table
    return table.unify_dictionaries().combine_chunks()
