"""Records as lives: the attempts of one job or task are one row.

Grid Engine 8.1.9 (seen on a private cell) sets the time of submission anew when it puts a job back into the queue,
and writes no times at all into the record of a run that ``qmod -rj`` took away (failed 25). So neither tells which
records belong together: those of one number and owner do, as long as the one before did not end the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.accounting.endings import ENDS_THE_JOB

if TYPE_CHECKING:
    import polars as pl

__all__ = ["AGAIN", "ended_lives", "ends"]

#: Seconds after which a number is taken to be given anew, if the job before had not ended with its record (somebody
#: deleted it while it was in error): no cluster counts to 10,000,000 sooner.
AGAIN = 30 * 86400.0
#: Of these codes the job had started, even where no time says so.
_TAKEN_AWAY = (24, 25)
_LAST = ("name", "owner", "project", "queue", "host", "slots", "failed", "exit_status", "start_time", "end_time")
_FIGURES = ("wallclock", "cpu")
_READ = ("job_id", "task", "pe_task", "submission_time", *_LAST, *_FIGURES)


def ends(failed: pl.Expr) -> pl.Expr:
    """Return whether a record with this code of failure is the last one of its job."""
    return failed.is_in(sorted(ENDS_THE_JOB))


def ended_lives(records: pl.LazyFrame) -> pl.DataFrame:
    """Return one row a job or task that has a record: its last attempt, and what the earlier ones took.

    Parameters
    ----------
    records
        Records in the order in which they were written.

    Returns
    -------
    polars.DataFrame
        The columns of :data:`gcs_lab.accounting.lives.COLUMNS`, besides ``first_start``, ``last_submission``, and
        ``life``, a number in the order of writing.
    """
    import polars as pl

    read = records.select(_READ).collect()
    masters = _with_processes(read).with_row_index("life")
    # Two with one hash go the slow way, where they are told apart.
    mark = pl.col("job_id").hash() ^ pl.col("task").cast(pl.UInt64).hash(1).fill_null(0)
    several = masters.select(mark)["job_id"].is_duplicated()
    attempt = (pl.col("start_time").is_not_null() | pl.col("failed").is_in(_TAKEN_AWAY)).cast(pl.Int32)
    columns = ["life", "job_id", "task", "submission_time", *_LAST, *_FIGURES]
    once = masters.filter(~several).select(
        *columns,
        attempts=attempt,
        repeated=pl.lit(0.0),
        first_start=pl.col("start_time"),
        last_submission=pl.col("submission_time"),
    )
    again = (
        _numbered(masters.filter(several))
        .group_by("job_id", "task", "owner", "number", maintain_order=True)
        .agg(
            pl.col("life").last(),
            pl.col("submission_time").min(),
            *(pl.col(name).last() for name in (*_LAST, *_FIGURES) if name != "owner"),
            attempts=attempt.sum(),
            repeated=pl.col("wallclock").sum() - pl.col("wallclock").last().fill_null(0.0),
            first_start=pl.col("start_time").min(),
            last_submission=pl.col("submission_time").last(),
        )
    )
    well = (pl.col("failed") == 0) & (pl.col("exit_status") == 0)
    return pl.concat([once, again.select(once.columns)]).with_columns(
        state=pl.lit("ended"),
        outcome=pl.when(well).then(pl.lit("done")).otherwise(pl.lit("failed")),
        wait=(pl.col("first_start") - pl.col("submission_time")).dt.total_microseconds() / 1e6,
        tasks=pl.lit(None, pl.String),
        task_count=pl.lit(1, pl.Int32),
    )


def _with_processes(read: pl.DataFrame) -> pl.DataFrame:
    """Return the jobs' own records; the CPU time of processes with records of their own is added to it."""
    import polars as pl

    masters = read.filter(pl.col("pe_task").is_null()).drop("pe_task")
    processes = read.filter(pl.col("pe_task").is_not_null())
    if not len(processes):
        return masters
    key = ["job_id", "task", "submission_time"]
    used = processes.group_by(key).agg(used=pl.col("cpu").sum())
    return (
        masters.join(used, key, "left", nulls_equal=True, maintain_order="left")
        .with_columns(pl.col("cpu") + pl.col("used").fill_null(0.0))
        .drop("used")
    )


def _numbered(records: pl.DataFrame) -> pl.DataFrame:
    """Return records of jobs that have several, in order, with ``number``: which life of its job number each is."""
    import polars as pl

    group = ["job_id", "task", "owner"]
    # What has no time was written when its neighbour was.
    ordered = records.with_columns(written=pl.col("end_time").forward_fill()).sort(
        "written", "life", nulls_last=False
    )
    before = pl.all().exclude(group).shift(1).over(group).name.prefix("before_")
    ordered = ordered.with_columns(before)
    later = (pl.col("submission_time") - pl.col("before_end_time")).dt.total_microseconds() / 1e6
    goes_on = (~ends(pl.col("before_failed")) & (later.is_null() | (later <= AGAIN))) | (
        pl.col("submission_time") == pl.col("before_submission_time")
    )
    new = pl.col("before_life").is_null() | ~goes_on.fill_null(value=False)
    return ordered.with_columns(number=new.cast(pl.Int32).cum_sum().over(group))
