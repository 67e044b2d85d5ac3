"""What a family of jobs asked for and used, and what request would have been enough for most of them.

What a job needed is known of those that ended well, and ran for long enough to tell. Of one that its limit ended, it
is known that it needed more: it counts as needing without end. One that failed by itself tells nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcs_lab.accounting.derived import has_failed, memory_request, time_request
from gcs_lab.jobs.requests import parse_memory, parse_time
from gcs_lab.jobs.usage_advice import AFTER_A_KILL, LEAST_MEMORY, LEAST_TIME, memory_to_ask, time_to_ask

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

__all__ = ["LEAST_JOBS", "HeldOut", "Measure", "measure_limit", "measure_slots", "usage"]

#: Of fewer jobs nothing is said.
LEAST_JOBS = 20
#: The part of the jobs, by submission, that the back-test learns from.
_LEARNED = 0.7
#: Runs of fewer seconds are no measure, nor is a limit reached below this part of it (as in jobs.usage_advice).
_SHORT, _NEARLY = 10.0, 0.9
_KILLED = 128
#: Below this part of the slots they were not used.
_IDLE, _ONE_SLOT = 0.7, 1.1


class HeldOut(NamedTuple):
    """The back-test: the same rule, from earlier jobs alone, tried on `jobs` later ones.

    ``failing`` is the part of these that would have been ended by the request, ``failed`` the part that the requests
    that they had ended.
    """

    jobs: int
    failing: float
    failed: float


@dataclass(frozen=True)
class Measure:
    """One request of a family. Memory is bytes for each slot, time seconds, slots a count.

    ``name`` is the request (``"h_vmem"``, ``"h_rt"``, ``"slots"``). ``jobs`` tell what was needed. ``asked`` is what
    most jobs asked for, None: nothing. ``half``, ``most``, ``largest`` are quantiles of what was needed: 50 %, the
    wanted share, 100 % (infinite: a limit ended it). ``enough`` is what to ask for, ``flag`` the same as it is
    written; None and empty: not known. ``killed`` were ended by this limit, ``failing`` would be by the advised one.
    ``freed`` is what it would have freed in all (byte seconds; for time the slot seconds that were asked for and not
    needed; for slots the slot seconds), negative where more is needed, and ``part`` is that part of what was asked
    for. ``why`` says why nothing is known.
    """

    name: str
    jobs: int
    asked: float | None = None
    half: float = math.nan
    most: float = math.nan
    largest: float = math.nan
    enough: float | None = None
    flag: str = ""
    freed: float = 0.0
    part: float = math.nan
    killed: int = 0
    failing: int = 0
    held_out: HeldOut | None = None
    why: str = ""


def usage(records: pl.LazyFrame) -> pl.DataFrame:
    """Return what each run asked for and used, by submission: columns of numbers.

    Processes of a parallel job may have records of their own (sge_pe(5), ``accounting_summary FALSE``): what they
    used is added to the run that they were part of.
    """
    import polars as pl

    memory = pl.coalesce(memory_request("h_vmem"), memory_request("s_vmem"))
    time = pl.coalesce(time_request("h_rt"), time_request("s_rt"))
    seconds = pl.col("submission_time").dt.epoch("us") / 1e6
    categories = records.select("category").unique().with_columns(memory=memory, time=time)
    rows = (
        records.filter(pl.col("pe_task").is_null() & pl.col("start_time").is_not_null())
        .filter(pl.col("wallclock").is_not_null() & pl.col("slots").is_not_null() & (pl.col("slots") > 0))
        .join(_processes(records), ["job_id", "task", "start_time"], "left", nulls_equal=True)
        .select(
            "category",
            submitted=seconds,
            ended=pl.col("end_time").dt.epoch("us") / 1e6,
            slots=pl.col("slots").cast(pl.Float64),
            wall=pl.col("wallclock"),
            cpu=pl.col("cpu") + pl.col("more_cpu").fill_null(0),
            peak=pl.col("max_vmem").cast(pl.Float64) + pl.col("more_memory").fill_null(0),
            bad=has_failed(),
            signalled=(pl.col("exit_status") > _KILLED) | (pl.col("failed") == 37),  # noqa: PLR2004
            environment=pl.col("parallel_environment").cast(pl.String),
        )
        .join(categories, on="category", how="left", nulls_equal=True)
        .drop("category")
        .sort("submitted")
    )
    return rows.collect()


def _processes(records: pl.LazyFrame) -> pl.LazyFrame:
    """Return what processes with records of their own used, by the run that they were part of."""
    import polars as pl

    run = ("job_id", "task")
    own = records.filter(pl.col("pe_task").is_not_null()).select(
        *run, "cpu", began="start_time", memory=pl.col("max_vmem").cast(pl.Float64)
    )
    runs = records.filter(pl.col("pe_task").is_null()).select(*run, "start_time", "end_time")
    return (
        own.join(runs, run, "inner", nulls_equal=True)
        .filter(pl.col("began").is_between("start_time", "end_time"))
        .group_by(*run, "start_time")
        .agg(more_cpu=pl.col("cpu").sum(), more_memory=pl.col("memory").sum())
    )


def _column(rows: pl.DataFrame, name: str) -> NDArray[np.float64]:
    import polars as pl

    values: NDArray[np.float64] = rows[name].cast(pl.Float64).fill_null(math.nan).to_numpy()
    return values


def measure_limit(rows: pl.DataFrame, name: str, share: float, margin: float) -> Measure:
    """Return what is to be asked for as ``"h_vmem"`` or ``"h_rt"``.

    Parameters
    ----------
    rows
        Of :func:`usage`.
    name
        The request.
    share
        Share of the jobs for which it is to be enough.
    margin
        What is put on top.
    """
    is_time = name == "h_rt"
    slots, wall = _column(rows, "slots"), _column(rows, "wall")
    asked = _column(rows, "time" if is_time else "memory")
    asked = np.where(np.isfinite(asked) & (asked > 0), asked, math.nan)
    used = wall if is_time else _column(rows, "peak") / slots
    bad = rows["bad"].to_numpy()
    signalled = rows["signalled"].fill_null(value=False).to_numpy()
    reached = used >= (asked - 1 if is_time else _NEARLY * asked)
    killed = bad & signalled & reached
    need = np.where(killed, math.inf, np.where(~bad & (wall >= _SHORT), used, math.nan))
    tells = ~np.isnan(need)
    need, jobs = need[tells], int(tells.sum())
    known = asked[~np.isnan(asked)]
    usual = _mode(known) if len(known) else None
    if jobs < LEAST_JOBS:
        return Measure(
            name,
            jobs,
            usual,
            killed=int(killed.sum()),
            why=_too_few(rows, jobs, measured=is_time or bool(np.isfinite(used).any())),
        )
    rule = _rule(is_time=is_time, share=share, margin=margin)
    flag, enough = rule(need)
    half, most = _quantile(need, 0.5), _quantile(need, share)
    known_so_far = Measure(name, jobs, usual, half, most, largest=float(need.max()), killed=int(killed.sum()))
    if enough is None:
        again = AFTER_A_KILL * float(asked[killed].max())
        why = (
            f"its limit ended {100 * np.isinf(need).mean():.0f} % of them: what is enough is not known, so twice the "
            "highest limit that did is advised"
        )
        return replace(known_so_far, flag=time_to_ask(again) if is_time else memory_to_ask(again), why=why)
    kept = slots if is_time else slots * wall
    with_request = ~np.isnan(asked)
    freed = float(((asked - enough) * kept)[with_request].sum())
    whole = float((asked * kept)[with_request].sum())
    return replace(
        known_so_far,
        enough=enough,
        flag=flag,
        freed=freed,
        part=freed / whole if whole else math.nan,
        failing=int((need > enough).sum()),
        held_out=_back_test(rows, need, tells, rule),
    )


def _too_few(rows: pl.DataFrame, jobs: int, *, measured: bool) -> str:
    if not rows.height:
        return "no record of such a job that started"
    if not measured:
        return "the records tell no memory"
    tell = "1 job tells it" if jobs == 1 else f"{jobs:,} jobs tell it"
    return f"{tell} (ended well, ran 10 s or more); at least {LEAST_JOBS} are needed"


def _mode(values: NDArray[np.float64]) -> float:
    different, counts = np.unique(values, return_counts=True)
    return float(different[counts.argmax()])


def _quantile(values: NDArray[np.float64], share: float) -> float:
    """Return the smallest value that is enough for that share."""
    return float(np.sort(values)[max(0, math.ceil(share * len(values)) - 1)])


def _rule(*, is_time: bool, share: float, margin: float) -> Callable[[NDArray[np.float64]], tuple[str, float | None]]:
    """Return what makes a request of what jobs needed: its text and number; None: more than is known."""

    def rule(need: NDArray[np.float64]) -> tuple[str, float | None]:
        most = _quantile(need, share)
        if math.isinf(most):
            return "", None
        wanted = max(most * (1 + margin), LEAST_TIME if is_time else LEAST_MEMORY)
        text = time_to_ask(wanted) if is_time else memory_to_ask(wanted)
        return text, parse_time(text) if is_time else parse_memory(text)

    return rule


def _back_test(
    rows: pl.DataFrame,
    need: NDArray[np.float64],
    tells: NDArray[np.bool_],
    rule: Callable[[NDArray[np.float64]], tuple[str, float | None]],
) -> HeldOut | None:
    """Learn from the earlier jobs what had ended when the later ones began to be sent, and try it on these."""
    submitted, ended = _column(rows, "submitted")[tells], _column(rows, "ended")[tells]
    begin = submitted[int(_LEARNED * len(submitted))]
    earlier, later = ended <= begin, submitted > begin
    if min(int(earlier.sum()), int(later.sum())) < LEAST_JOBS:
        return None
    _, enough = rule(need[earlier])
    if enough is None:
        return None
    failed = float(np.isinf(need[later]).mean())
    return HeldOut(int(later.sum()), float((need[later] > enough).mean()), failed)


def measure_slots(rows: pl.DataFrame, share: float, margin: float) -> Measure | None:
    """Return how many slots were busy on average of those that were asked for; None: they have one slot."""
    slots = _column(rows, "slots")
    if not len(slots) or (usual := _mode(slots)) < 2:  # noqa: PLR2004
        return None
    wall = _column(rows, "wall")
    busy = np.divide(_column(rows, "cpu"), wall, out=np.full(len(wall), math.nan), where=wall >= _SHORT)
    tells = (slots == usual) & ~rows["bad"].to_numpy() & np.isfinite(busy)
    need, jobs = busy[tells], int(tells.sum())
    if jobs < LEAST_JOBS:
        return Measure("slots", jobs, usual, why=_too_few(rows, jobs, measured=True))
    most = _quantile(need, share)
    enough = usual
    if most < _IDLE * usual:
        enough = 1.0 if most <= _ONE_SLOT else float(min(usual, math.ceil(most * (1 + margin))))
    kept = wall[slots == usual].sum()
    return Measure(
        "slots", jobs, usual, half=_quantile(need, 0.5), most=most, largest=float(need.max()), enough=enough,
        flag=f"{enough:.0f}", freed=float((usual - enough) * kept), part=1 - enough / usual,
        failing=int((need > enough * _ONE_SLOT).sum()),
    )  # fmt: skip
