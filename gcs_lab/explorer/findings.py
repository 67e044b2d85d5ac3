"""What stands out among the records: computed, each with the filter that shows it.

- hosts on which more fails than chance tells (:func:`gcs_lab.explorer.failures.rates_of_hosts`);
- owners who ask for far more memory than they use, by what that keeps from others;
- owners who keep slots without computing;
- stretches of days in which jobs waited far longer than otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.explorer.drawing import NO_NAME, Finding, term_of
from gcs_lab.explorer.failures import rates_of_hosts
from gcs_lab.explorer.lasso import GIB
from gcs_lab.explorer.local_time import DAY, HOUR, bucket, day_text, from_local, step_for
from gcs_lab.explorer.waits import length_text
from gcs_lab.jobs.requests import format_memory

if TYPE_CHECKING:
    import polars as pl

    from gcs_lab.explorer.shown import Shown

__all__ = ["FINDING_COLUMNS", "findings"]

#: Columns that they are found in.
FINDING_COLUMNS = (
    *("owner", "host", "queue", "failed", "exit_status", "pe_task", "end_time", "submission_time", "wait"),
    *("wallclock", "asked_memory", "max_vmem", "slots", "slot_seconds", "cpu"),
)
_MOST_OF_A_KIND = 4
#: Of the others' rate, and in parts of all jobs: what is less is not worth a word.
_TIMES_WORSE, _POINTS_WORSE, _FEWEST_FAILED = 1.4, 0.01, 10
#: An owner is a waster of memory who uses less than that part, and keeps that part of all that is not used.
_USED, _PART_OF_ALL = 0.25, 0.02
_FEWEST_JOBS = 20
_IDLE_CPU, _PART_OF_SLOTS = 0.25, 0.03
#: A stretch is told if waits are so many times the usual, at least so long, and that part of all waiting.
_TIMES_LONGER, _LONG_WAIT, _PART_OF_WAITS = 4.0, 600.0, 0.05
_FEWEST_PERIODS, _QUIET_PERIODS, _MOST_STRETCHES = 5, 3, 3


def findings(shown: Shown) -> list[Finding]:
    """Return what stands out among the matching records: the weightiest of each kind, then the next of each.

    Only the first few are seen at once: a kind that has many must not hide the others.
    """
    import polars as pl

    records = shown.records(FINDING_COLUMNS).filter(pl.col("pe_task").is_null())
    kinds = [_hosts(records)]
    shown.check()
    kinds.append(_memory(records))
    shown.check()
    kinds.append(_idle(records))
    shown.check()
    kinds.append(_rushes(shown, records))
    ranked = [
        (place, -one.weight, one)
        for kind in kinds
        for place, one in enumerate(sorted(kind, key=lambda one: -one.weight))
    ]
    return [one for _, _, one in sorted(ranked, key=lambda told: told[:2])]


def _hosts(records: pl.LazyFrame) -> list[Finding]:
    found = []
    for one in rates_of_hosts(records):
        is_worse = one.rate > one.expected * _TIMES_WORSE and one.rate > one.expected + _POINTS_WORSE
        if not (one.is_bad and is_worse and one.failed >= _FEWEST_FAILED):
            continue
        found.append(
            Finding(
                f"{one.host}: {one.rate:.0%} of its {one.jobs:,} jobs failed, {one.expected:.1%} on hosts like it",
                f"{term_of('host', one.host)} ok:no",
                # A host that surely breaks jobs is the first to be looked at.
                min(0.6 - one.chance / 100, 1.0),
                "failures",
            )
        )
    return found[:_MOST_OF_A_KIND]


def _memory(records: pl.LazyFrame) -> list[Finding]:
    import polars as pl

    known = pl.col("asked_memory").is_not_null() & pl.col("max_vmem").is_not_null()
    hours = pl.col("wallclock") / HOUR
    few = (
        records.filter(known)
        .group_by("owner")
        .agg(
            jobs=pl.len(),
            asked=(pl.col("asked_memory") / GIB * hours).sum(),
            used=(pl.min_horizontal("max_vmem", "asked_memory") / GIB * hours).sum(),
            hours=hours.sum(),
            one=(pl.col("asked_memory") / pl.col("slots").clip(1)).median(),
        )
        .with_columns(left=pl.col("asked") - pl.col("used"))
        .collect()
        .with_columns(pl.col("owner").cast(pl.String))
        .sort(["left", "owner"], descending=[True, False])
    )
    total = float(few["left"].sum())
    # What is usual is told by the median owner: where everybody asks for ten times too much, that is no one's fault.
    usual = few.filter(pl.col("asked") > 0).select((pl.col("used") / pl.col("asked")).median()).item() or 1.0
    found = []
    for row in few.filter(pl.col("jobs") >= _FEWEST_JOBS).iter_rows(named=True):
        share, part = row["used"] / row["asked"] if row["asked"] else 1.0, row["left"] / total if total else 0.0
        if share > min(_USED, usual / 2) or part < _PART_OF_ALL:
            continue
        name = NO_NAME if row["owner"] is None else row["owner"]
        mean = row["used"] / row["hours"] * GIB if row["hours"] else 0.0
        asked = row["asked"] / row["hours"] * GIB if row["hours"] else 0.0
        found.append(
            Finding(
                f"{name} asks for {format_memory(round(asked))} a job and uses {format_memory(round(mean))}: "
                f"{row['left']:,.0f} GiB hours not used, {part:.0%} of all that is not",
                term_of("owner", row["owner"]),
                min(0.5 + part / 2 + (usual - share) / 4, 1.0),
                "efficiency",
            )
        )
    return found[:_MOST_OF_A_KIND]


def _idle(records: pl.LazyFrame) -> list[Finding]:
    import polars as pl

    few = (
        records.group_by("owner")
        .agg(jobs=pl.len(), kept=pl.col("slot_seconds").sum(), cpu=pl.col("cpu").sum())
        .collect()
        .with_columns(pl.col("owner").cast(pl.String))
        .sort(["kept", "owner"], descending=[True, False])
    )
    total = float(few["kept"].sum())
    found = []
    for row in few.iter_rows(named=True):
        part = row["kept"] / total if total else 0.0
        if part < _PART_OF_SLOTS or row["jobs"] < _FEWEST_JOBS:
            break
        share = row["cpu"] / row["kept"]
        if share < _IDLE_CPU:
            name = NO_NAME if row["owner"] is None else row["owner"]
            found.append(
                Finding(
                    f"{name} keeps {part:.0%} of all slot hours and computes in {share:.0%} of them",
                    term_of("owner", row["owner"]),
                    0.3 + part / 2,
                    "efficiency",
                )
            )
    return found[:_MOST_OF_A_KIND]


def _rushes(shown: Shown, records: pl.LazyFrame) -> list[Finding]:
    """Return stretches of days (or shorter periods) in which the mean wait was far above the usual one.

    The mean, for it is what a queue costs: where one job of ten waits for a day, the median knows nothing of it.
    """
    import polars as pl

    since, until = shown.span
    step = step_for(since, min(until, since + 120 * DAY))
    began, ended = shown.submission_span(records)
    waits = (
        records.filter(pl.col("wait").is_not_null())
        .group_by(bucket("submission_time", step, began, ended).alias("begin"))
        .agg(mean=pl.col("wait").mean(), jobs=pl.len())
        .collect()
        .sort("begin")
        .filter(pl.col("jobs") >= _FEWEST_JOBS)
    )
    if len(waits) < _FEWEST_PERIODS:
        # What is usual is not known.
        return []
    lengths, jobs, begins = (waits[name].to_numpy() for name in ("mean", "jobs", "begin"))
    usual = max(float(np.median(lengths)), 1.0)
    width = int(step.seconds * 1e6)
    stretches: list[list[int]] = []
    for place in np.flatnonzero((lengths > usual * _TIMES_LONGER) & (lengths > _LONG_WAIT)).tolist():
        # A quiet day between two loud ones (a Sunday) does not end a stretch.
        if stretches and begins[place] - begins[stretches[-1][-1]] <= _QUIET_PERIODS * width:
            stretches[-1].append(place)
        else:
            stretches.append([place])
    everything = float((lengths * jobs).sum())
    weighed = [(float((lengths[one] * jobs[one]).sum()) / everything, one) for one in stretches]
    found = []
    for part, places in sorted(weighed, key=lambda pair: -pair[0])[:_MOST_STRETCHES]:
        if part < _PART_OF_WAITS:
            continue
        first, last = from_local(int(begins[places[0]])), from_local(int(begins[places[-1]]) + width) - 1
        mean = float(np.average(lengths[places], weights=jobs[places]))
        days = (day_text(first), day_text(last))
        when = f"On {days[0]}" if days[0] == days[1] else f"From {days[0]} to {days[1]}"
        found.append(
            Finding(
                f"{when} jobs waited {length_text(mean)} in the mean, usual is {length_text(usual)}: "
                f"{part:.0%} of all "
                "waiting",
                f"submitted>={days[0]} submitted<={days[1]}",
                min(0.5 + part / 2, 1.0),
                "waits",
            )
        )
    return found
