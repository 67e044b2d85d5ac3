"""The part of the records that waits are learned from, as arrays; and which queue a job to be would go to."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.accounting.derived import memory_request, time_request
from gcs_lab.accounting.wait_load import NEVER, Events, Moments
from gcs_lab.jobs.requests import parse_memory, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.accounting.advice_template import Wanted

__all__ = ["Past", "moment_of", "read_past", "with_live"]

#: Of more records only the last ones are looked at.
_MOST_RECORDS = 2_000_000
#: States of a live job that waits for slots, and of one that has them (``gcs_lab.status.tables``).
_WAITING, _RUNNING = ("QUEUED",), ("RUNNING", "SUSPENDED", "REQUEUED")


@dataclass(frozen=True)
class Past:
    """``events`` are all records that started; ``jobs`` describes the submissions, ``wait`` how long each waited (s).

    An array job is one submission: its wait is that of its first task. ``known`` is when the wait of each was known
    without a look at the cluster: when that ended. ``placed`` counts in which queue jobs ran, by owner and
    parallel environment.
    """

    events: Events
    jobs: Moments
    wait: NDArray[np.float64]
    known: NDArray[np.int64]
    queues: list[str]
    owners: list[str]
    placed: pl.DataFrame
    records: int

    @property
    def end(self) -> int:
        """When the last record ended."""
        return int(self.events.ended.max(initial=0))

    def environments(self, wanted: str) -> list[str]:
        """Return the parallel environments in which jobs ran that are meant; as in ``-pe``, ``*`` is a wildcard."""
        return fnmatch.filter(self.placed["environment"].drop_nulls().unique(), wanted)

    def queue_for(self, owner: str | None, environment: str | None) -> str | None:
        """Return the queue in which most jobs like that ran; None: none ran."""
        import polars as pl

        has_environment = pl.col("environment").is_null()
        if environment is not None:
            has_environment = pl.col("environment").is_in(self.environments(environment))
        for like in (
            pl.col("owner").eq_missing(pl.lit(owner)) & has_environment,
            has_environment,
            pl.lit(value=True),
        ):
            found = self.placed.filter(like).group_by("queue").agg(pl.col("count").sum()).sort("count", "queue")
            if found.height:
                return str(found["queue"][-1])
        return None


def read_past(records: pl.LazyFrame) -> Past:
    """Return what the records tell of waits: of the last two million, if there are more.

    Raises
    ------
    polars.exceptions.PolarsError
        As `records` does.
    """
    import polars as pl

    seconds = {name: (pl.col(f"{name}_time").dt.epoch("us") // 1_000_000) for name in ("submission", "start", "end")}
    own = records.filter(
        pl.col("pe_task").is_null(),
        pl.col("start_time").is_not_null() & pl.col("end_time").is_not_null(),
        pl.col("submission_time").is_not_null() & pl.col("queue").is_not_null(),
        pl.col("start_time") >= pl.col("submission_time"),
    )
    extent = records.select(pl.len(), first=pl.col("end_time").min(), last=pl.col("end_time").max()).collect().row(0)
    if extent[0] > _MOST_RECORDS:
        own = own.filter(pl.col("end_time") >= extent[2] - (extent[2] - extent[1]) * (_MOST_RECORDS / extent[0]))
    rows = own.select(
        "job_id",
        "category",
        **{name: expression.cast(pl.Int64) for name, expression in seconds.items()},
        slots=pl.col("slots").fill_null(1).cast(pl.Float64),
        queue=pl.col("queue").cast(pl.String),
        owner=pl.col("owner").cast(pl.String),
        environment=pl.col("parallel_environment").cast(pl.String),
    ).collect()
    queues, owners = sorted(rows["queue"].unique()), sorted(rows["owner"].drop_nulls().unique())
    rows = rows.with_columns(
        queue_number=_numbered(pl.col("queue"), queues), owner_number=_numbered(pl.col("owner"), owners)
    )
    asked = rows.select("category").unique().with_columns(time=time_request("h_rt"), memory=memory_request("h_vmem"))
    jobs = (
        rows.sort("submission", "start", "job_id")
        .unique(["job_id", "submission"], keep="first", maintain_order=True)
        .join(asked, on="category", how="left", nulls_equal=True, maintain_order="left")
    )
    placed = rows.group_by("owner", "environment", "queue").agg(count=pl.len())
    return Past(
        Events(*(rows[name].to_numpy() for name in ("submission", "start", "end", "slots", *_NUMBERS))),
        Moments(
            *(jobs[name].to_numpy() for name in ("submission", "slots", *_NUMBERS)),
            *(_amounts(jobs[name]) for name in ("time", "memory")),
        ),
        (jobs["start"] - jobs["submission"]).to_numpy().astype(float),
        jobs["end"].to_numpy(),
        queues,
        owners,
        placed,
        rows.height,
    )


_NUMBERS = ("queue_number", "owner_number")


def _numbered(column: pl.Expr, names: list[str]) -> pl.Expr:
    import polars as pl

    numbers = {name: number for number, name in enumerate(names)}
    return column.replace_strict(numbers, default=len(names), return_dtype=pl.Int64)


def _amounts(values: pl.Series) -> NDArray[np.float64]:
    numbers = values.fill_null(-1.0).to_numpy()
    result: NDArray[np.float64] = np.where(np.isfinite(numbers), numbers, -1.0)
    return result


def moment_of(past: Past, wanted: Wanted, queue: str, at: float) -> Moments:
    """Return the submission of a job to be at that time (seconds since the epoch)."""
    # One whom the history does not know is none of those who wait.
    owner = past.owners.index(wanted.owner) if wanted.owner in past.owners else len(past.owners) + 1
    return Moments(
        np.array([int(at)]),
        np.array([float(wanted.slots or 1)]),
        np.array([past.queues.index(queue)]),
        np.array([owner]),
        np.array([_amount(wanted.requests, parse_time, "h_rt")]),
        np.array([_amount(wanted.requests, parse_memory, "h_vmem")]),
    )


def _amount(requests: Mapping[str, str], parse: Callable[[str], float], name: str) -> float:
    value = parse(requests[name]) if name in requests else -1.0
    return value if np.isfinite(value) else -1.0


def with_live(past: Past, live: pa.Table, now: float) -> Events:
    """Return the events with what runs and waits now, from a table of tasks (``gcs_lab.status.tables``).

    What waits is counted to the queue in which its owner's jobs of the same parallel environment ran most. What is
    held or in error does not wait for slots, and is left out. All of it counts as before `now`, whatever the clocks
    of two hosts say.
    """
    import polars as pl

    rows = pl.DataFrame(pl.from_arrow(live)).with_columns(
        pl.col(name).cast(pl.String) for name in ("state", "owner", "queue", "letters")
    )
    rows = rows.filter(pl.col("state").is_in([*_WAITING, *_RUNNING]), pl.col("submission_time").is_not_null()).select(
        "state",
        "owner",
        "queue",
        environment=pl.col("parallel_environment").str.split(" ").list.first(),
        slots=(pl.col("slots").fill_null(1) * pl.col("task_count").fill_null(1)).cast(pl.Float64),
        submission=pl.min_horizontal(pl.col("submission_time").dt.epoch("us") // 1_000_000, int(now) - 1),
        start=pl.min_horizontal(pl.col("start_time").dt.epoch("us") // 1_000_000, int(now) - 1),
    )
    found = [past.queue_for(owner, environment) for owner, environment in rows.select("owner", "environment").rows()]
    rows = rows.with_columns(place=pl.coalesce("queue", pl.Series(found, dtype=pl.String)))
    rows = rows.filter(pl.col("place").is_in(past.queues))
    waits = pl.col("state").is_in(_WAITING)
    rows = rows.with_columns(
        start=pl.when(waits).then(NEVER).otherwise(pl.coalesce("start", "submission")),
        queue_number=_numbered(pl.col("place"), past.queues),
        owner_number=_numbered(pl.col("owner"), past.owners),
        end=pl.lit(NEVER),
    )
    more = [rows[name].to_numpy() for name in ("submission", "start", "end", "slots", *_NUMBERS)]
    return Events(*(np.concatenate([old, new]) for old, new in zip(past.events, more, strict=True)))
