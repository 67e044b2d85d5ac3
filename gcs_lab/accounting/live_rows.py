"""Rows of the status area's tasks in the shape of lives, and those that have left the queue since the last look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import polars as pl
    import pyarrow as pa

__all__ = ["WAITING", "live_rows", "matching_rows", "missing_rows", "without_tasks"]

#: States of what has not started, or is to start again.
WAITING = ("pending", "held", "error")
_TEXT = ("owner", "project", "department", "queue", "host")
_KEPT = (
    *("job_id", "tasks", "task", "task_count", "name", *_TEXT, "slots"),
    *("submission_time", "start_time", "cpu", "parallel_environment", "requests"),
)
_RANGE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")
#: Rows that are remembered of what has gone without a record: a whole year's would tell nobody more.
_MOST = 100_000


def live_rows(tasks: pa.Table) -> pl.DataFrame:
    """Return a table of tasks (``TASK_COLUMNS``) as rows of lives, numbered in ``row``; ``state`` is a plain word."""
    import polars as pl

    from gcs_lab.status.state_kinds import KINDS, kinds_of

    rows = pl.from_arrow(tasks.select(list(_KEPT)))
    assert isinstance(rows, pl.DataFrame)  # noqa: S101  (it is one, of a table)
    words = pl.Series(list(KINDS)).gather(kinds_of(tasks).astype("uint32"))
    return rows.with_columns(
        pl.col(*_TEXT).cast(pl.Categorical()),
        # "3" of a task says what `task` says; of several it stays.
        pl.when(pl.col("task").is_null()).then("tasks").alias("tasks"),
        pl.col("submission_time", "start_time").cast(pl.Datetime("us", "UTC")),
        # As a record has them: the name alone, and requests in the category.
        parallel_environment=pl.col("parallel_environment").str.extract(r"^(\S+)").cast(pl.Categorical()),
        category=pl.concat_str(pl.lit("-l "), "requests"),
        state=words,
    ).with_row_index("row")


def matching_rows(rows: pl.DataFrame, test: pl.Expr | None) -> pl.DataFrame:
    """Return the rows for which a test over the columns of a record is true; what they do not have is null there."""
    import polars as pl

    from gcs_lab.accounting.tables import record_schema

    if test is None:
        return rows
    missing = [name for name in set(test.meta.root_names()) - set(rows.columns) if name in record_schema()]
    widened = rows.with_columns(pl.lit(None, record_schema()[name]).alias(name) for name in missing)
    return widened.filter(test).select(rows.columns)


def missing_rows(
    known: pl.DataFrame | None, present: pl.DataFrame, gone: pl.DataFrame | None, now: float, looked: float
) -> pl.DataFrame | None:
    """Return what was there and is no longer: when it was last seen (``seen``), and first missed (``gone_since``).

    Parameters
    ----------
    known
        The live rows of the look before.
    present
        Those of this one.
    gone
        What was missing then.
    now, looked
        Now, and when the look before was; in seconds since the epoch, like ``seen`` and ``gone_since``.
    """
    import polars as pl

    if known is None:
        return gone
    columns = [name for name in known.columns if name != "row"]
    single = known.filter(pl.col("tasks").is_null())
    left = single.join(present, ["job_id", "task"], "anti", nulls_equal=True, maintain_order="left")
    left = pl.concat([left.select(columns), _waiting_that_went(known, present).select(columns)])
    left = left.with_columns(seen=pl.lit(looked, pl.Float64), gone_since=pl.lit(now, pl.Float64), left="task_count")
    if gone is not None:
        # What is there again (a look that failed in part, a job that was run again) is not missing.
        back = gone.drop("row").join(present, ["job_id", "task"], "anti", nulls_equal=True, maintain_order="left")
        left = pl.concat([back, left])
    return left.tail(_MOST).with_row_index("row")


def _waiting_that_went(known: pl.DataFrame, present: pl.DataFrame) -> pl.DataFrame:
    """Return the tasks, one row each, that waited in company and neither wait nor run any longer.

    Of an array job that is gone as a whole the rows are returned as they were.
    """
    import polars as pl

    together = known.filter(pl.col("tasks").is_not_null())
    changed = together.join(present, ["job_id", "tasks"], "anti", nulls_equal=True, maintain_order="left")
    there = present.select("job_id").unique()
    whole = changed.join(there, "job_id", "anti", maintain_order="left")
    partly = changed.join(there, "job_id", "semi", maintain_order="left")
    if not len(partly):
        return whole
    now_there = present.join(partly.select("job_id").unique(), "job_id", "semi")
    still: dict[str, set[int]] = {}
    for job_id, task, tasks in now_there.select("job_id", "task", "tasks").iter_rows():
        found = still.setdefault(job_id, set())
        found.update(_indices(tasks) if tasks is not None else [task])
    split = [
        sorted(_indices(tasks) - still[job_id]) for job_id, tasks in partly.select("job_id", "tasks").iter_rows()
    ]
    single = (
        partly.with_columns(
            task=pl.Series(split, dtype=pl.List(pl.Int32)),
            tasks=pl.lit(None, pl.String),
            task_count=pl.lit(1, pl.Int32),
        )
        .filter(pl.col("task").list.len() > 0)
        .explode("task")
    )
    return pl.concat([whole, single])


def without_tasks(gone: pl.DataFrame, recorded: Mapping[str, Collection[int]]) -> pl.DataFrame:
    """Return rows of waiting tasks with ``left``, how many of them have no record; those of which all have one go.

    Parameters
    ----------
    gone
        As :func:`missing_rows` returns it.
    recorded
        Indices of the tasks that have a record, by job.
    """
    import polars as pl

    left = [
        count if tasks is None else len(_indices(tasks).difference(recorded.get(job_id, ())))
        for job_id, tasks, count in gone.select("job_id", "tasks", "task_count").iter_rows()
    ]
    return gone.with_columns(left=pl.Series(left, dtype=pl.Int32)).filter(pl.col("left") > 0)


def _indices(tasks: str) -> set[int]:
    """Return the indices in ``"5-20:1,31"``."""
    found: set[int] = set()
    for first, last, step in _RANGE.findall(tasks):
        found.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return found
