"""The time line of a cluster's jobs: what ended, and what has not, within a period."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gcs_lab.accounting.lives import lives
from gcs_lab.accounting.truth import lazy_records

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    import pyarrow as pa

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.lives import Lives
    from gcs_lab.accounting.store import Store

__all__ = ["timeline"]

#: What :mod:`gcs_lab.accounting.lives` reads of a record.
_COLUMNS = (
    *("job_id", "task", "pe_task", "name", "owner", "project", "queue", "host", "slots", "failed", "exit_status"),
    *("submission_time", "start_time", "end_time", "wallclock", "cpu"),
)


def timeline(store: Store, choice: Choice, follower: Lives, live: Callable[[], pa.Table] | None) -> pl.DataFrame:
    """Return the lives that were there at some time of the period that is chosen, and fit what else is chosen.

    A life is there from its submission to its end. The columns are :data:`gcs_lab.accounting.lives.COLUMNS`. Where
    the period has a beginning, attempts that ended before it are not counted, and records without an end (of jobs
    that never started, and of runs that ``qmod -rj`` took away) are left out: nothing says when they were.

    Parameters
    ----------
    store
        Where the records are.
    choice
        Which are meant; all its times bound the period, and ``by_end`` changes nothing.
    follower
        What remembers the looks before.
    live
        Asks for the tasks that have not ended; None: nobody tells.
    """
    import polars as pl

    period = choice.period()
    others = replace(choice, since=None, until=None, before=None, days=None, by_end=False)
    # Before the records: what ends in between is in both then, and told once.
    taken = time.time()
    tasks = None if live is None else live()
    records = lazy_records(store, _COLUMNS, replace(others, since=period.begin, by_end=True))
    test = others.expression()
    if period.end is not None:
        begun = pl.col("submission_time").is_null() | (pl.col("submission_time") <= _instant(period.end))
        records = records.filter(begun)
        test = begun if test is None else test & begun
    if tasks is None:
        return lives(records)
    return follower.look(records, tasks, taken, chosen=test, everything=lazy_records(store, _COLUMNS, type(choice)()))


def _instant(seconds: float) -> pl.Expr:
    import polars as pl

    return pl.lit(round(seconds * 1e6)).cast(pl.Datetime("us", "UTC"))
