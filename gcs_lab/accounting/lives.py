"""Lives of jobs: pending → running → ended is one row over one time axis, out of what is live and what was recorded.

A row is one job, or one task of an array job; tasks of an array that wait together are one row, as the system lists
them. A job that was run again is one row: its times are those of its last attempt, what its earlier ones took stands
beside. The table of live tasks has to be taken *before* the records are read: a job that ends in between is then in
both, and told once, as ended.

What is in neither (it has left the queue, and its record is not written yet: ``accounting_flush_time`` is 15 s in
Grid Engine) is remembered by :class:`Lives` from one look to the next.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from gcs_lab.accounting.ended_lives import AGAIN, ended_lives, ends
from gcs_lab.accounting.live_rows import WAITING, live_rows, matching_rows, missing_rows, without_tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    import pyarrow as pa

__all__ = ["COLUMNS", "Lives", "lives"]

#: Columns of what is returned, with their meaning. Times are UTC, durations seconds.
COLUMNS = {
    "job_id": "number of the job, as text",
    "task": "index of the task; null for a job that is no array, and for tasks that wait together",
    "tasks": 'tasks that wait together, as qstat tells them: "5-20:1"; else null',
    "task_count": "tasks that the row stands for",
    "name": "name of the job",
    "owner": "user whose job it is",
    "project": "its project",
    "queue": "cluster queue of the last attempt",
    "host": "host of the last attempt",
    "slots": "granted; of what waits: asked for",
    "state": "pending, held, error, running, suspended; ended",
    "outcome": "done, failed; awaiting accounting, no record; null: it has not ended",
    "failed": "accounting's code of why it failed; null: it has not ended",
    "exit_status": "of its script; null: it has not ended",
    "submission_time": "when it was submitted",
    "start_time": "when its last attempt started; null: it never did",
    "end_time": "when it ended; null: it has not, or it is not known",
    "wait": "seconds from submission to the first start; of what waits: to now",
    "wallclock": "seconds that the last attempt ran; of what runs: until now",
    "cpu": "CPU seconds of the last attempt, those of its processes included; of what runs: so far",
    "attempts": "how often it started; more than 1: it was run again",
    "repeated": "seconds that its earlier attempts ran",
}
#: Seconds that a record is waited for after its job has gone; then it is said that there is none.
GRACE = 120.0
#: Seconds by which the times of one start may differ: both are rounded, each in its own way.
_ROUNDING = 1.0
#: Seconds by which a system's table of live jobs may lag behind its records.
_LAG = 60.0


class Lives:
    """Follows the jobs of one cluster from look to look, so that none is lost between queue and record.

    Safe to use from several threads. What it keeps in memory are the live rows of the last look.

    Parameters
    ----------
    clock
        Seconds since the epoch, now.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: pl.DataFrame | None = None
        self._gone: pl.DataFrame | None = None
        self._looked = 0.0

    def look(
        self,
        records: pl.LazyFrame,
        live_tasks: pa.Table,
        taken: float,
        *,
        chosen: pl.Expr | None = None,
        everything: pl.LazyFrame | None = None,
    ) -> pl.DataFrame:
        """Return the lives of now; as :func:`lives`, with those that have just ended and are not accounted yet.

        Parameters
        ----------
        records, live_tasks
            As for :func:`lives`; `live_tasks` are all that there are.
        taken
            When they were asked for, in seconds since the epoch.
        chosen
            What must be true of a live row to be returned, over the columns of a record; None: all are.
        everything
            All records, where `records` are a part of them: what has a record is no longer awaited, wanted or not.
            None: `records` are all.
        """
        now = self._clock()
        present = live_rows(live_tasks)
        with self._lock:
            gone = missing_rows(self._known, present, self._gone, now, self._looked)
            self._known, self._looked = present, taken
            if gone is not None and len(gone):
                gone = _without_record(gone, records if everything is None else everything)
            self._gone = gone
        if gone is not None:
            gone = matching_rows(gone, chosen)
        return _joined(records, matching_rows(present, chosen), gone, now)


def lives(records: pl.LazyFrame, live_tasks: pa.Table | None = None, *, now: float | None = None) -> pl.DataFrame:
    """Return one row a life, in the order of submission; the columns are :data:`COLUMNS`.

    100,000 live rows and a million records take about a second.

    Parameters
    ----------
    records
        Records with the columns of :mod:`gcs_lab.accounting.tables`, chosen as wanted.
    live_tasks
        What has not ended (``gcs_lab.status.tables.TASK_COLUMNS``); None: only what has a record.
    now
        Until when those that have not ended are counted; None: this moment.
    """
    moment = time.time() if now is None else now
    present = None if live_tasks is None else live_rows(live_tasks)
    return _joined(records, present, None, moment)


def _joined(
    records: pl.LazyFrame, present: pl.DataFrame | None, gone: pl.DataFrame | None, now: float
) -> pl.DataFrame:
    import polars as pl

    ended = ended_lives(records)
    if present is not None and len(present):
        present, taken_over = _with_earlier_attempts(present, ended)
        ended = ended.filter(~pl.col("life").is_in(taken_over.implode()))
    moment = _instant(now)
    parts = [ended]
    if present is not None and len(present):
        parts.append(_counted_until(present, moment))
    if gone is not None and len(gone):
        awaited = pl.col("gone_since") > now - GRACE
        outcome = pl.when(awaited).then(pl.lit("awaiting accounting")).otherwise(pl.lit("no record"))
        shown = gone.with_columns(state=pl.lit("ended"), outcome=outcome, task_count="left")
        parts.append(_counted_until(shown, _instant_of(pl.col("gone_since"))))
    rows = pl.concat([part.select(_typed()) for part in parts])
    return rows.sort("submission_time", "job_id", "task", nulls_last=True, maintain_order=True)


def _candidates(rows: pl.DataFrame, ended: pl.DataFrame) -> pl.DataFrame:
    """Return pairs of a live row (by its number ``row``) and the latest ended life that it may be, one a live row.

    ``over`` says whether that life ended the job: if it did not, the job is in the queue again.
    """
    import polars as pl

    recorded = ended.select(
        *("life", "job_id", "task", "owner", "submission_time", "start_time", "first_start", "end_time"),
        *("attempts", "repeated", "wallclock", "last_submission"),
        over=ends(pl.col("failed")),
    )
    pairs = rows.filter(pl.col("tasks").is_null()).join(
        recorded, ["job_id", "task", "owner"], "inner", suffix="_recorded", nulls_equal=True
    )
    # Job numbers begin again some day. A job that goes back into the queue may get a new time of submission.
    later = _seconds(pl.col("submission_time") - pl.col("submission_time_recorded"))
    apart = _seconds(pl.col("submission_time") - pl.col("last_submission")).abs()
    before = pl.col("start_time").is_null() | (pl.col("start_time") <= pl.col("end_time"))
    same = (
        pl.when(~pl.col("over"))
        .then(later.is_null() | later.is_between(-_ROUNDING, AGAIN))
        .otherwise((apart.is_null() & before) | (apart <= _ROUNDING) | (later.abs() <= _ROUNDING))
    )
    return pairs.filter(same).sort("life").unique("row", keep="last", maintain_order=True)


def _with_earlier_attempts(present: pl.DataFrame, ended: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Return the live rows that have not ended meanwhile, and which ended lives go on in one of them."""
    import polars as pl

    pairs = _candidates(present, ended)
    stale, going_on = pairs.filter("over"), pairs.filter(~pl.col("over"))
    present = present.join(stale.select("row"), "row", "anti", maintain_order="left")
    # A live row that is a moment old shows the very run that was recorded meanwhile.
    shown = _same_run()
    earlier = going_on.select(
        "row",
        earlier=pl.col("attempts") - shown.cast(pl.Int32),
        before=pl.col("repeated") + pl.when(shown).then(0.0).otherwise(pl.col("wallclock").fill_null(0.0)),
        first_start="first_start",
        first_submission="submission_time_recorded",
    )
    present = present.join(earlier, "row", "left", maintain_order="left").with_columns(
        attempts=pl.col("start_time").is_not_null().cast(pl.Int32) + pl.col("earlier").fill_null(0),
        repeated=pl.col("before").fill_null(0.0),
        submission_time=pl.coalesce("first_submission", "submission_time"),
    )
    return present, going_on["life"]


def _same_run() -> pl.Expr:
    """Return whether the record of a pair is of the very run that the live row shows, by its start."""
    import polars as pl

    apart = (pl.col("start_time") - pl.col("start_time_recorded")).dt.total_microseconds().abs()
    return ((apart <= _ROUNDING * 1e6) & (pl.col("end_time") > pl.col("start_time"))).fill_null(value=False)


def _without_record(gone: pl.DataFrame, records: pl.LazyFrame) -> pl.DataFrame:
    """Return the rows of `gone` that no record is about; ``left`` counts such tasks.

    A record that ends the job is about it whenever it was written: the queue lists a job a little after its end, and
    Grid Engine cuts that to whole seconds besides. One that does not end it may be of an earlier attempt.
    """
    import polars as pl

    ids = gone["job_id"].unique().implode()
    # By its time first: by that whole parts of the store are left out.
    first = gone.select(pl.col("seen").min() - _LAG).item()
    ended = ended_lives(records.filter(pl.col("end_time") > _instant(first), pl.col("job_id").is_in(ids)))
    later = pl.col("end_time") > _instant_of(pl.col("seen") - _ROUNDING)
    recorded = _candidates(gone, ended).filter(pl.col("over") | later | _same_run())
    alone = gone.join(recorded.select("row"), "row", "anti", maintain_order="left")
    tasks = ended.filter(pl.col("task").is_not_null()).group_by("job_id").agg(pl.col("task").unique())
    return without_tasks(alone, dict(tasks.iter_rows()))


def _counted_until(rows: pl.DataFrame, moment: pl.Expr) -> pl.DataFrame:
    """Return rows of what has no record of its end with their durations."""
    import polars as pl

    missing = [name for name in ("attempts", "repeated", "first_start", "outcome") if name not in rows.columns]
    types: dict[str, pl.DataType] = {
        "attempts": pl.Int32(),
        "repeated": pl.Float64(),
        "first_start": pl.Datetime("us", "UTC"),
        "outcome": pl.String(),
    }
    rows = rows.with_columns(pl.lit(None, types[name]).alias(name) for name in missing)
    begun = pl.coalesce("first_start", "start_time")
    waits = pl.col("state").is_in(WAITING)
    return rows.with_columns(
        failed=pl.lit(None, pl.Int32),
        exit_status=pl.lit(None, pl.Int32),
        end_time=pl.lit(None, pl.Datetime("us", "UTC")),
        attempts=pl.coalesce("attempts", pl.col("start_time").is_not_null().cast(pl.Int32)),
        repeated=pl.col("repeated").fill_null(0.0),
        wait=_seconds(pl.when(waits & begun.is_null()).then(moment).otherwise(begun) - pl.col("submission_time")),
        wallclock=pl.when(~waits).then(_seconds(moment - pl.col("start_time"))),
    )


def _seconds(duration: pl.Expr) -> pl.Expr:
    return duration.dt.total_microseconds() / 1e6


def _instant(seconds: float) -> pl.Expr:
    import polars as pl

    return _instant_of(pl.lit(seconds, pl.Float64))


def _instant_of(seconds: pl.Expr) -> pl.Expr:
    import polars as pl

    return (seconds * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us", "UTC"))


def _typed() -> list[pl.Expr]:
    import polars as pl

    categories = {"name": pl.String, "state": pl.Categorical, "outcome": pl.Categorical}
    return [pl.col(name).cast(categories[name]) if name in categories else pl.col(name) for name in COLUMNS]
