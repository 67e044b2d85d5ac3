"""The table of records: the newest of those that match, sorted, and a window of it as JSON values."""

from __future__ import annotations

import csv
import io
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gcs_lab.accounting.frames import table_from
from gcs_lab.cockpit.copied_rows import cell_for_people, cell_for_programs, in_line
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.explorer.columns import COLUMN_NAMES, COLUMN_TYPES, LABELS
from gcs_lab.explorer.lasso import LASSO_COLUMNS
from gcs_lab.explorer.messages import VIEW
from gcs_lab.models.row_cells import cells_of, keys_as_text
from gcs_lab.models.row_order import sorted_rows
from gcs_lab.models.table_model import MOST_ROWS as MOST_OF_A_WINDOW
from gcs_lab.models.table_model import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.explorer.shown import Shown

__all__ = ["MOST_ROWS", "MatchingRecords", "RecordsTable", "matching_records"]

#: Rows that are held, the newest.
MOST_ROWS = 200_000
#: Rows that are copied at once.
_MOST_COPIED = 100_000
#: Columns that the table's own are made of.
_NEEDED = {*COLUMN_NAMES, "failed", "exit_status", "category", "deleted_by"} - {"outcome"}


class MatchingRecords(NamedTuple):
    """The newest of the records that match, as Arrow table, too; counts of the period, and of what matches."""

    records: pl.DataFrame
    table: pa.Table
    total: int
    matching: int


def matching_records(shown: Shown) -> MatchingRecords:
    """Return the newest MOST_ROWS of the records that match (filter, lasso), the newest first, with all columns."""
    import polars as pl

    matching = shown.counts()[0]
    records = shown.records(_NEEDED) if shown.held.number(*shown.period_key) <= MOST_ROWS else shown.scanned(_NEEDED)
    if matching > MOST_ROWS:
        # By their ends alone, which are at hand: whole rows are read of the newest only.
        ends = (
            shown.in_lasso(shown.records(LASSO_COLUMNS)).select("end_time").top_k(MOST_ROWS, by="end_time").collect()
        )
        records = records.filter(pl.col("end_time") >= ends["end_time"].min())
    newest = (
        shown.in_lasso(records)
        .with_columns(pl.col("category").cast(pl.String))
        .collect()
        .sort("end_time", descending=True, nulls_last=True, maintain_order=True)
        .head(MOST_ROWS)
    )
    in_all = matching if shown.state.lasso is None else shown.number_in_lasso()
    return MatchingRecords(newest, arrow_of(newest), shown.held.number(*shown.period_key), in_all)


def _outcomes(records: pl.DataFrame) -> pl.Series:
    """Return how each ended: ``done``, or why it failed."""
    import polars as pl

    from gcs_lab.accounting.derived import has_failed
    from gcs_lab.accounting.failures import reason

    failed = records.select(has_failed().alias("failed"))["failed"]
    told = np.full(len(records), "done", object)
    told[failed.to_numpy()] = records.filter(failed).select(reason())["reason"].to_numpy()
    return pl.Series("outcome", told.tolist(), pl.String).cast(pl.Categorical())


def arrow_of(records: pl.DataFrame) -> pa.Table:
    """Return records as an Arrow table with ``key``: the number of the job above, its records below, oldest first."""
    import polars as pl
    import pyarrow as pa

    number = pl.col("job_id").cast(pl.UInt32, strict=False)
    # What is no number has one that none has, so that it still tells two jobs apart.
    other = pl.col("job_id").hash() // 2**33 + 2**31
    job = pl.coalesce(number.cast(pl.UInt64), other)
    oldest_first = pl.int_range(pl.len(), dtype=pl.UInt64).reverse().over("job_id")
    keys = records.select(key=job * 2**32 + oldest_first)["key"].to_arrow()
    table = table_from(records.with_columns(_outcomes(records)).select(COLUMN_NAMES)).combine_chunks()
    return table.add_column(0, pa.field("key", pa.uint64()), [keys])


class RecordsTable:
    """What a :class:`~gcs_lab.models.Viewport` shows of records; any thread may call anything."""

    view = VIEW
    filter: Any = ""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._shown: MatchingRecords | None = None
        self._order: NDArray[np.int64] | None = None
        self._sort: list[tuple[str, str]] = []
        self._version = 0
        self.expanded: list[str] = []
        self.filter_error: dict[str, Any] | None = None

    def show(self, shown: MatchingRecords) -> None:
        """Take what is to be shown."""
        with self._lock:
            self._shown, self._order = shown, None
            self._version += 1

    @property
    def sort(self) -> list[tuple[str, str]]:
        """Pairs of a column and ``ascending`` or ``descending``; empty: the newest end first."""
        return self._sort

    @sort.setter
    def sort(self, pairs: Sequence[Sequence[str]]) -> None:
        told = [(str(name), str(order)) for name, order in pairs]
        self._check([name for name, _ in told])
        with self._lock:
            if told != self._sort:
                self._sort, self._order = told, None

    def window(self, first: int, count: int, columns: Sequence[str] | None = None) -> Window:
        """Return the rows from place `first` on, at most `count`. Raises UnknownName if there is no such column."""
        names = list(COLUMN_NAMES if columns is None else columns)
        self._check(names)
        with self._lock:
            shown, version = self._shown, self._version
            if shown is None:
                return Window(version, 0, 0, 0, names)
            rows = self._ordered(shown)
        table = shown.table
        first = max(0, first)
        some = rows[first : first + max(0, min(count, MOST_OF_A_WINDOW))]
        keys = keys_as_text(table["key"].to_numpy()[some])
        cells = cells_of(table, some, names, 0.0)
        return Window(version, shown.total, len(rows), first, names, keys, [1] * len(some), cells)

    def copied(self, keys: Sequence[str] | str, columns: Sequence[str], form: str) -> tuple[str, int]:
        """Return rows as text, and how many: columns in line (``"text"``) or CSV; `keys` ``"matching"``: all.

        Raises
        ------
        InvalidArgument
            If there are too many, or nothing is shown yet.
        """
        self._check(list(columns))
        with self._lock:
            if self._shown is None:
                raise InvalidArgument("there is nothing to copy: no record was shown yet.")
            table, rows = self._shown.table, self._ordered(self._shown)
        if keys != "matching":
            wanted = np.array([int(key) for key in keys if int(key) < 2**64], np.uint64)
            rows = rows[np.isin(table["key"].to_numpy()[rows], wanted)]
        if len(rows) > _MOST_COPIED:
            raise InvalidArgument(
                f"{len(rows):,} rows are meant; {_MOST_COPIED:,} can be copied at once. Narrow the "
                "filter, or export them."
            )
        names = list(columns)
        kinds = [COLUMN_TYPES[name] for name in names]
        cells = cells_of(table, rows, names, 0.0)
        if form == "csv":
            told = [[cell_for_programs(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in cells]
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([names, *told])
            return text.getvalue(), len(rows)
        shown = [[cell_for_people(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in cells]
        return in_line([[LABELS[name] for name in names], *shown]), len(rows)

    def _ordered(self, shown: MatchingRecords) -> NDArray[np.int64]:
        if self._order is None:
            self._order = sorted_rows(shown.table, self._sort, 0.0)
        return self._order

    @staticmethod
    def _check(names: Sequence[str]) -> None:
        for name in names:
            if name not in COLUMN_TYPES:
                raise UnknownName("column", name, COLUMN_NAMES)
