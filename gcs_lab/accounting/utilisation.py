"""Slots in use over time, exact from the starts and ends of jobs.

Of each bin it is enough to know two sums: the slots that started (or ended) in it, and those times what was left of
the bin at that moment. Both are whole numbers (slot microseconds), so that the integral over all bins is exactly what
the jobs ran; and both are sums by group, which the store remembers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gcs_lab.accounting.groupings import groups, sorted_by
from gcs_lab.accounting.store_grouped import Aggregation
from gcs_lab.accounting.truth import chosen
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    import polars as pl

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.store import Store

__all__ = ["MOST_BINS", "peaks", "utilisation", "width_of"]

_MICRO = 1_000_000
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_FREQ = re.compile(r"(\d{1,6})?\s*(s|min|m|h|d|w)", re.ASCII)
#: More bins than anybody can look at are a slip of the keyboard.
MOST_BINS = 1_000_000
#: Weeks begin on Monday; the epoch was a Thursday.
_MONDAY = 4 * 86400 * _MICRO


class _Window(NamedTuple):
    """From, to (microseconds since the epoch; None: open) and the width of a bin."""

    begin: int | None
    end: int | None
    width: int

    @property
    def origin(self) -> int:
        """Where bins are counted from."""
        return _MONDAY if self.width % (604800 * _MICRO) == 0 else 0


def width_of(freq: str) -> int:
    """Return the microseconds of ``"15m"``, ``"1h"``, ``"1d"``, ``"1w"``.

    Raises
    ------
    InvalidArgument
        If it is no width.
    """
    match = _FREQ.fullmatch(freq.strip().lower()) if isinstance(freq, str) else None
    seconds = int(match[1] or 1) * _UNITS[match[2]] if match else 0
    if not seconds:
        raise InvalidArgument(f"freq={freq!r} is no width of time; expected 15m, 1h, 1d or 1w.")
    return seconds * _MICRO


def utilisation(
    store: Store, freq: str, by: str | None, capacity: float | None, choice: Choice, *, peak: bool = False
) -> pl.DataFrame:
    """Return ``time``, `by`, ``slots``, ``running``, ``slot_seconds``, with `capacity` ``capacity`` and ``share``,
    with `peak` ``slots_max``.

    Every bin from the first to the last is there, for each group, those without jobs with 0. What lies outside of the
    period does not count; a bin that the period cuts is averaged over its whole width.

    Raises
    ------
    InvalidArgument
        If `freq` or `by` says nothing, there would be more than a million bins, or a peak is asked for by group.
    """  # noqa: D205 - what the columns are takes two lines
    import polars as pl

    if capacity is not None and (isinstance(capacity, bool) or not isinstance(capacity, int | float) or capacity < 0):
        raise InvalidArgument(f"capacity={capacity!r}: expected a number of slots, 0 or more.")
    period, width = choice.period(), width_of(freq)
    begin = None if period.begin is None else round(period.begin * _MICRO)
    window = _Window(begin, None if period.end is None else round(period.end * _MICRO), width)
    names = [] if by is None else list(groups(by))
    if peak and names:
        raise InvalidArgument(f"peak=True is of all together; leave out by={by!r}, or choose one by its keyword.")
    # The period is that of running, not of the start or the end of a job.
    timeless = choice.without_time()
    sums = pl.concat([_events(store, window, by, timeless, which) for which in ("start", "end")])
    keys = [*names, "bin"]
    sums = sums.group_by(keys).agg(pl.col("slots", "left", "jobs", "jobs_left").sum()).sort("bin")
    if not sums.height:
        sums = sums.with_columns(pl.lit(0, pl.Int64).alias("_level"), pl.lit(0, pl.Int64).alias("_jobs_level"))
        nothing = _finished(sums, names, window, capacity).drop("_level")
        return nothing.with_columns(pl.lit(0, pl.Int64).alias("slots_max")) if peak else nothing
    filled = _filled(sums, names, window)
    # The level at a bin's begin is all that started before it, less what ended.
    before = [
        (pl.col(column).cum_sum() - pl.col(column)).over(names)
        if names
        else pl.col(column).cum_sum() - pl.col(column)
        for column in ("slots", "jobs")
    ]
    filled = filled.with_columns(before[0].alias("_level"), before[1].alias("_jobs_level"))
    made = _finished(filled, names, window, capacity)
    if peak:
        made = made.join(peaks(store, window, timeless), on="time", how="left", maintain_order="left")
        # Where nothing began or ended, as many were in use all the time.
        made = made.with_columns(pl.col("slots_max").fill_null(pl.col("_level")))
    return made.drop("_level")


def _clipped(window: _Window) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return which records ran within the window, and from when to when they did (microseconds)."""
    import polars as pl

    start, end = (pl.col(name).dt.timestamp("us") for name in ("start_time", "end_time"))
    within = (end > start) & pl.col("slots").is_not_null() & pl.col("pe_task").is_null()
    begin, last = window.begin, window.end
    if begin is not None:
        within &= end > begin
        start = pl.max_horizontal(start, pl.lit(begin, pl.Int64))
    if last is not None:
        within &= pl.col("start_time").dt.timestamp("us") < last
        end = pl.min_horizontal(end, pl.lit(last, pl.Int64))
    return within.fill_null(value=False), start, end


def _events(store: Store, window: _Window, by: str | None, choice: Choice, which: str) -> pl.DataFrame:
    """Return by bin the slots (and jobs) that started, or ended (negative), also times what was left of it."""
    import polars as pl

    within, start, end = _clipped(window)
    moment, sign = (start, 1) if which == "start" else (end, -1)
    # What ends just at the end of a bin has nothing left of it, and begins no further bin.
    place = (moment - window.origin - (which == "end")).floordiv(window.width)
    left = (place + 1) * window.width + window.origin - moment
    slots = pl.col("slots").cast(pl.Int64) * sign
    test = choice.expression()
    lasting = window.begin is None and window.end is None and choice.lasting()
    counted = store.grouped(
        {**({} if by is None else groups(by)), "bin": place},
        {
            "slots": Aggregation("sum", slots),
            "left": Aggregation("sum", slots * left),
            "jobs": Aggregation("len", pl.col("slots")),
            "jobs_left": Aggregation("sum", left * sign),
        },
        within if test is None else within & test,
        ended=(None if window.begin is None else window.begin / _MICRO, None),
        keep=lasting,
    )
    return counted.with_columns(pl.col("slots", "left", "jobs", "jobs_left").cast(pl.Int64)).with_columns(
        pl.col("jobs") * sign
    )


def _filled(sums: pl.DataFrame, names: list[str], window: _Window) -> pl.DataFrame:
    """Return the rows with those of the bins in which nothing began or ended."""
    import polars as pl

    seen = sums["bin"].to_numpy()
    first, last = int(seen.min()), int(seen.max())
    if window.begin is not None:
        first = (window.begin - window.origin) // window.width
    if window.end is not None:
        last = (window.end - 1 - window.origin) // window.width
    bins = pl.DataFrame({"bin": pl.int_range(first, last + 1, dtype=pl.Int64, eager=True)})
    kinds = sums.select(names).unique() if names else None
    if bins.height * (1 if kinds is None else kinds.height) > MOST_BINS:
        raise InvalidArgument(
            f"that would be {bins.height:,} bins{'' if kinds is None else f' for each of {kinds.height:,} groups'}; "
            f"expected {MOST_BINS:,} at the most. Choose a wider freq=, or a period by since= and until=."
        )
    every = bins if kinds is None else kinds.join(bins, how="cross")
    told = every.join(sums, on=[*names, "bin"], how="left", nulls_equal=True)
    return told.with_columns(pl.col("slots", "left", "jobs", "jobs_left").fill_null(0)).sort("bin")


def _finished(filled: pl.DataFrame, names: list[str], window: _Window, capacity: float | None) -> pl.DataFrame:
    import polars as pl

    used = pl.col("_level") * window.width + pl.col("left")
    running = pl.col("_jobs_level") * window.width + pl.col("jobs_left")
    made = filled.select(
        (pl.col("bin") * window.width + window.origin).cast(pl.Datetime("us", "UTC")).alias("time"),
        *names,
        used.alias("slots"),
        running.alias("running"),
        used.alias("slot_seconds"),
        pl.col("_level"),
    )
    # By numpy: polars multiplies by the reciprocal, and 7 / 7 is not 1 then.
    widths = {"slots": window.width, "running": window.width, "slot_seconds": _MICRO}
    made = made.with_columns(
        pl.Series(name, made[name].to_numpy() / width, pl.Float64) for name, width in widths.items()
    )
    if capacity:
        made = made.with_columns(pl.lit(float(capacity)).alias("capacity"), share=pl.col("slots") / float(capacity))
    return sorted_by(made, ["time", *names])


def peaks(store: Store, window: _Window, choice: Choice) -> pl.DataFrame:
    """Return ``time`` and ``slots_max``, the most slots in use at once, of each bin with a start or an end.

    Every start and end is put in order for it, so it takes memory for two numbers a job.
    """
    import polars as pl

    within, start, end = _clipped(window)
    slots = pl.col("slots").cast(pl.Int64)
    jobs = chosen(store, [start.alias("start"), end.alias("end"), slots], choice, only=within)
    starts = jobs.select(pl.col("start").alias("at"), pl.col("slots").alias("change"))
    ends = jobs.select(pl.col("end").alias("at"), (-pl.col("slots")).alias("change"))
    # Ends and starts of one moment are one step: the slots went from hand to hand.
    steps = pl.concat([starts, ends]).group_by("at").agg(pl.col("change").sum()).sort("at").collect()
    level = pl.col("change").cum_sum()
    levels = steps.select(
        (pl.col("at") - window.origin).floordiv(window.width).alias("bin"),
        # At its begin, a bin has what was there before its first step.
        pl.when(pl.col("at") % window.width == window.origin % window.width)
        .then(level)
        .otherwise(pl.max_horizontal(level, level.shift(1).fill_null(0)))
        .alias("level"),
    )
    time = (pl.col("bin") * window.width + window.origin).cast(pl.Datetime("us", "UTC")).alias("time")
    return levels.group_by("bin").agg(pl.col("level").max().alias("slots_max")).select(time, "slots_max")
