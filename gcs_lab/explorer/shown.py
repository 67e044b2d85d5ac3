"""What one look at an explorer is about: the state, and the records that it lets through."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.accounting.choice import Choice
from gcs_lab.explorer.asked import ASKED_COLUMNS, with_asked
from gcs_lab.explorer.local_time import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import polars as pl

    from gcs_lab.accounting.area import Accounting
    from gcs_lab.explorer.state import ExplorerState

__all__ = ["HeldRecords", "Shown", "SupersededError"]

#: Records of a period whose columns are held in memory, some 150 MB: what is looked at again takes milliseconds.
MOST_HELD = 3_000_000


class SupersededError(Exception):
    """What is being worked out is not wanted any more."""


class HeldRecords:
    """The records of one period in memory, column by column as they are first needed; large periods are read anew.

    Any thread may call it.

    Parameters
    ----------
    accounting
        Whose records.
    refresh
        Whether each look takes in what was appended; False: what is stored.
    """

    def __init__(self, accounting: Accounting, *, refresh: bool = False) -> None:
        self._accounting, self._refresh = accounting, refresh
        self._lock = threading.RLock()
        self._key: tuple[float | None, float | None, int] | None = None
        self._frame: pl.DataFrame | None = None
        self._number = 0

    def forget(self) -> None:
        """Let go of what is held."""
        with self._lock:
            self._key = self._frame = None

    def period(self, since: float | None, until: float | None, columns: Collection[str]) -> pl.LazyFrame:
        """Return the records that ended in [since, until), lazily, with at least these columns."""
        import polars as pl

        wanted = sorted({*columns, "end_time"})
        with self._lock:
            key = (since, until, self._accounting.store.totals().records)
            if key != self._key:
                self._key, self._frame = key, None
                self._number = int(self._scan(since, until, ["end_time"]).select(pl.len()).collect().item())
            if self._number > MOST_HELD:
                return self._scan(since, until, wanted)
            held = self._frame
            if held is None or not set(wanted) <= set(held.columns):
                all_of_them = sorted({*wanted, *(held.columns if held is not None else ())})
                # All at once, for the rows of two readings need not be in the same order.
                held = self._frame = self._collected(since, until, all_of_them)
            return held.lazy()

    def fetch_ahead(self, columns: Collection[str]) -> None:
        """Take in columns of the period at hand that will be asked for next; others are not held up by it."""
        with self._lock:
            key, held = self._key, self._frame
            if key is None or held is None or self._number > MOST_HELD or set(columns) <= set(held.columns):
                return
            wanted = sorted({*columns, *held.columns})
        fetched = self._collected(key[0], key[1], wanted)
        with self._lock:
            if self._key == key and self._frame is not None and set(self._frame.columns) <= set(wanted):
                self._frame = fetched

    def _collected(self, since: float | None, until: float | None, columns: Collection[str]) -> pl.DataFrame:
        import polars as pl

        held = self._scan(since, until, columns).collect()
        # Few different texts: a number each.
        return held.with_columns(pl.col("category").cast(pl.Categorical())) if "category" in columns else held

    def latest_period(self) -> tuple[float | None, float | None]:
        """Return the period that was looked at last; that of all records, if none was."""
        with self._lock:
            key = self._key
            return (None, None) if key is None else (key[0], key[1])

    def number(self, since: float | None, until: float | None) -> int:
        """Return how many records ended in a period."""
        with self._lock:
            self.period(since, until, ())
            return self._number

    def scan(self, choice: Choice, columns: Collection[str]) -> pl.LazyFrame:
        """Return the records of any choice, lazily: columns of a record, derived ones, and those of ASKED_COLUMNS."""
        asked = sorted(set(columns) & set(ASKED_COLUMNS))
        if not asked:
            return self._plain(choice, sorted(columns))
        plain = {*columns, "category", "slots"} - set(ASKED_COLUMNS)
        categories = self._plain(choice, ["category"]).unique().collect()["category"]
        return with_asked(self._plain(choice, sorted(plain)), categories).select(sorted(columns))

    def _plain(self, choice: Choice, columns: Collection[str]) -> pl.LazyFrame:
        from gcs_lab.accounting.derived import column
        from gcs_lab.accounting.tables import RECORD_COLUMNS

        made = [column(name) for name in columns]
        needed = {name for one in made for name in one.meta.root_names()} | choice.columns()
        names = [one.name for one in RECORD_COLUMNS if one.name in needed]
        records = self._accounting.store.scan(names, ended=choice.ended(), refresh=self._refresh)
        test = choice.expression()
        return (records if test is None else records.filter(test)).select(made)

    def _scan(self, since: float | None, until: float | None, columns: Collection[str]) -> pl.LazyFrame:
        return self.scan(Choice(since=since, before=until, by_end=True), columns)


class Shown:
    """One state, with the records that it lets through; made anew for each state.

    Attributes
    ----------
    state : ExplorerState
    span : tuple of float
        First and last moment of the period, seconds since the epoch.
    """

    def __init__(
        self,
        accounting: Accounting,
        state: ExplorerState,
        held: HeldRecords,
        *,
        currency: str = "",
        capacity: int | None = None,
        read_part: float = 1.0,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.accounting, self.state, self.held, self.currency = accounting, state, held, currency
        #: Slots that the cluster has; None: not known. Part of the records that was read.
        self.capacity, self.read_part = capacity, read_part
        self._wanted = wanted
        self.now = time.time()
        #: Raises FilterError where it cannot be read.
        self._filter = Choice(where=state.filter, now=self.now).expression()
        totals = accounting.store.totals()
        first = self.now - DAY if totals.first_end is None else totals.first_end
        last = self.now if totals.last_end is None else totals.last_end + 1
        since = first if state.since is None else state.since
        until = last if state.until is None else state.until
        self.span = (since, max(until, since + 60))
        self._total = totals.records

    def check(self) -> None:
        """Raise SupersededError if this is not wanted any more."""
        if not self._wanted():
            raise SupersededError

    def mark(self) -> object:
        """Return what tells these records from those of another state."""
        state = self.state
        return state.since, state.until, state.filter.strip(), state.lasso, self._total

    def choice(self) -> dict[str, object]:
        """Return the keywords with which the area's questions are about the same records."""
        words: dict[str, object] = {}
        if self.state.since is not None:
            words["since"] = self.state.since
        if self.state.until is not None:
            words["before"] = self.state.until
        if words:
            words["by_end"] = True
        if self.state.filter.strip():
            words["where"] = self.state.filter
        return words

    def filter_columns(self) -> set[str]:
        """Return the columns that the filter looks at."""
        return set() if self._filter is None else set(self._filter.meta.root_names())

    def rate_columns(self) -> set[str]:
        """Return the columns that the rates look at, where usage is counted in money."""
        if self.state.measure != "cost" and self.state.tab != "cost":
            return set()
        from gcs_lab.explorer.measures import cost_of

        return set(cost_of(self.state.rates).meta.root_names())

    def period(self, columns: Collection[str]) -> pl.LazyFrame:
        """Return the records of the period, whatever the filter."""
        return self.held.period(self.state.since, self.state.until, columns)

    def records(self, columns: Collection[str]) -> pl.LazyFrame:
        """Return the records of the period that the filter lets through, with at least these columns."""
        records = self.period({*columns, *self.filter_columns()})
        return records if self._filter is None else records.filter(self._filter)

    @property
    def is_held(self) -> bool:
        """Whether the records are few enough to be held in memory."""
        return self.held.number(self.state.since, self.state.until) <= MOST_HELD

    def overlapping(self, columns: Collection[str]) -> pl.LazyFrame:
        """Return the records that the filter lets through of all that ran in the period, though they ended later."""
        import polars as pl

        since, until = self.span
        columns = {*columns, *self.filter_columns(), "start_time", "end_time"}
        if self.state.until is None:
            # What ended later is there, too.
            records = self.records(columns)
            if self.state.since is None:
                return records
        else:
            choice = Choice(since=self.state.since, by_end=True, where=self.state.filter, now=self.now)
            records = self.held.scan(choice, columns)
        return records.filter(
            pl.col("start_time").dt.epoch("us") < int(until * 1e6),
            pl.col("end_time").dt.epoch("us") > int(since * 1e6),
        )

    @property
    def period_key(self) -> tuple[float | None, float | None]:
        """The period as the state has it."""
        return self.state.since, self.state.until

    def scanned(self, columns: Collection[str]) -> pl.LazyFrame:
        """Return the matching records read anew, for columns that are not worth holding for a long period."""
        words = {"since": self.state.since, "before": self.state.until, "by_end": True, "where": self.state.filter}
        return self.held.scan(Choice(**words, now=self.now), columns)  # type: ignore[arg-type]

    def in_lasso(self, records: pl.LazyFrame) -> pl.LazyFrame:
        """Return those of records (with LASSO_COLUMNS) that are in what was drawn around, if something was."""
        import polars as pl

        from gcs_lab.explorer.lasso import inside, scatter_axes

        lasso = self.state.lasso
        if lasso is None:
            return records
        x, y = scatter_axes()
        corners = (np.asarray(lasso.x), np.asarray(lasso.y))

        def test(points: pl.Series) -> pl.Series:
            few = points.struct.unnest()
            return pl.Series(inside(few["x"].to_numpy(), few["y"].to_numpy(), corners))

        # Most are told from the box around it.
        near = x.is_between(min(lasso.x), max(lasso.x)) & y.is_between(min(lasso.y), max(lasso.y))
        return records.filter(near).filter(
            pl.struct(x.alias("x"), y.alias("y")).map_batches(test, return_dtype=pl.Boolean)
        )

    def number_in_lasso(self) -> int:
        """Return how many of the matching records are in what was drawn around."""
        import polars as pl

        from gcs_lab.explorer.lasso import LASSO_COLUMNS

        return int(self.in_lasso(self.records(LASSO_COLUMNS)).select(pl.len()).collect().item())

    def submission_span(self, records: pl.LazyFrame) -> tuple[float, float]:
        """Return the first and last submission among records, seconds since the epoch."""
        import polars as pl

        ticks = pl.col("submission_time").dt.epoch("us")
        first, last = records.select(ticks.min().alias("first"), ticks.max().alias("last")).collect().row(0)
        return self.span if first is None else (first / 1e6, last / 1e6 + 1)

    def counts(self) -> tuple[int, int]:
        """Return how many records match, and how many are in the period."""
        import polars as pl

        number = self.held.number(self.state.since, self.state.until)
        if self._filter is None:
            return number, number
        return int(self.records(()).select(pl.len()).collect().item()), number

    def nothing(self) -> str:
        """Return why there is nothing to see."""
        if not self._total and self.read_part < 1:
            return "The records are being read. The first of them are shown as soon as they are known."
        if not self._total:
            return "There is no record of accounting yet."
        if not self.held.number(self.state.since, self.state.until):
            return "Nothing ended in this period. Choose a longer one."
        return "No record of this period fits the filter. Take a term of it away."
