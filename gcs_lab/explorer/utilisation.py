"""The tab of utilisation: slots in use over time, exact from starts and ends, against those that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gcs_lab.explorer.drawing import HEAT, NO_NAME, OTHERS, Content, Drawn, Fact, axis, colours, layout_of, term_of
from gcs_lab.explorer.local_time import DAY, HOUR, local_of, offset_us, shown_times
from gcs_lab.explorer.state import GROUPINGS

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from gcs_lab.explorer.shown import Shown

__all__ = ["InUse", "content", "in_use"]

#: Periods that are drawn, and that are worked out for the hours of the week.
_MOST_PERIODS, _MOST_FINE = 750, 20_000
#: Up to so many days the periods are shorter than an hour.
_SHORT_DAYS = 4
_MOST_NAMES = 8
#: Widths of the periods, in hours.
_WIDTHS = (0.25, 1, 2, 3, 6, 12, 24, 168)
_DAY, _WEEK = 24, 168
#: Part of the slots with which a cluster is nearly full; part of the time that is often.
_FULL, _OFTEN = 0.95, 0.5
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class InUse(NamedTuple):
    """Mean slots in use in each period, a row a name.

    ``begins`` are microseconds of the local clock, ``width`` hours; ``lengths`` (microseconds) are what of each
    period counts, less for the first and the last one. ``peak`` is the most that were in use at one moment.
    """

    begins: NDArray[np.int64]
    width: float
    lengths: NDArray[np.int64]
    names: list[str | None]
    slots: NDArray[np.float64]
    peak: int

    def coarser(self, most: int) -> InUse:
        """Return the same in at most so many periods."""
        hours = next((one for one in _WIDTHS if len(self.begins) * self.width / one <= most), _WIDTHS[-1])
        if hours <= self.width:
            return self
        width = int(hours * HOUR * 1e6)
        # Weeks begin on Monday; the epoch was a Thursday.
        shift = 3 * int(DAY * 1e6) if hours == _WEEK else 0
        begins, place = np.unique((self.begins + shift) // width * width - shift, return_inverse=True)
        lengths = np.zeros(len(begins), np.int64)
        np.add.at(lengths, place, self.lengths)
        used = np.zeros((len(self.slots), len(begins)))
        np.add.at(used.T, place, (self.slots * self.lengths).T)
        return InUse(begins, hours, lengths, self.names, used / lengths, self.peak)


def in_use(records: pl.LazyFrame, by: str, since: float, until: float, *, is_small: bool = False) -> InUse:
    """Return the slots in use in a period, in up to 20,000 periods of an hour or longer.

    Parameters
    ----------
    records
        Of what ran in it, with start_time, end_time, slots, pe_task and `by`. Processes of parallel jobs with a
        record of their own do not count: the job's has all of its slots.
    by
        Column to split by: the eight with most by name, the others (OTHERS) together.
    since, until
        Seconds since the epoch.
    is_small
        Whether they may be held in memory on the way.
    """
    import polars as pl

    usable = _WIDTHS if until - since <= _SHORT_DAYS * DAY else _WIDTHS[1:]
    hours = next((one for one in usable if (until - since) / HOUR / one <= _MOST_FINE), _WIDTHS[-1])
    width = int(hours * HOUR * 1e6)
    low, high = int(since * 1e6), int(until * 1e6)
    offset = offset_us(since)
    ran = (
        records.filter(
            pl.col("pe_task").is_null(), pl.col("slots").is_not_null(), pl.col("end_time") > pl.col("start_time")
        )
        .select(
            pl.col(by).alias("name"),
            pl.col("slots").cast(pl.Int64),
            *[pl.col(f"{what}_time").dt.epoch("us").clip(low, high).alias(what) for what in ("start", "end")],
        )
        .filter(pl.col("end") > pl.col("start"))
    )
    if is_small:
        ran = ran.collect().lazy()
    first = (low + offset) // width * width - offset
    begins = np.arange(first, high, width, dtype=np.int64)
    totals = (
        ran.group_by("name")
        .agg(used=(pl.col("slots") * (pl.col("end") - pl.col("start"))).sum())
        .collect()
        .with_columns(pl.col("name").cast(pl.String))
        .sort(["used", "name"], descending=[True, False])
    )
    names = totals["name"].head(_MOST_NAMES).to_list()
    # What counts of a bin: all of it, but for the first and the last one.
    lengths = np.minimum(begins + width, high) - np.maximum(begins, low)
    if not len(totals):
        return InUse(local_of(begins), hours, lengths, [], np.zeros((0, len(begins))), 0)
    # Few places before anything is counted by hour: a year of 200 owners would be a million groups.
    table = pl.LazyFrame({"name": names, "place": range(len(names))}, schema={"name": pl.String, "place": pl.Int16})
    table = table.with_columns(pl.col("name").cast(ran.collect_schema()["name"]))
    placed = ran.join(table, on="name", how="left", nulls_equal=True).select(
        pl.col("place").fill_null(len(names)), "slots", "start", "end"
    )
    used = np.zeros((len(names) + 1, len(begins)))
    for what, sign in (("start", 1), ("end", -1)):
        used += sign * _from_then_on(placed, what, used.shape, first=first, width=width)
    has_others = len(totals) > _MOST_NAMES
    slots = used / lengths
    return InUse(
        local_of(begins),
        hours,
        lengths,
        [*names, OTHERS] if has_others else names,
        slots if has_others else slots[:-1],
        _peak(ran),
    )


def _from_then_on(
    ran: pl.LazyFrame, what: str, shape: tuple[int, ...], *, first: int, width: int
) -> NDArray[np.float64]:
    """Return by place and period the slots, times the time in it, that count from a moment (start or end) on."""
    import polars as pl

    period = (pl.col(what) - first) // width
    found = (
        ran.group_by("place", period.alias("period"))
        .agg(pl.col("slots").sum(), left=(pl.col("slots") * ((period + 1) * width + first - pl.col(what))).sum())
        # What ends just with the last period does so in one that is not there.
        .filter(pl.col("period") < shape[1])
        .collect()
    )
    begun, left = np.zeros(shape), np.zeros(shape)
    at = (found["place"].to_numpy(), found["period"].to_numpy())
    np.add.at(begun, at, found["slots"].to_numpy())
    np.add.at(left, at, found["left"].to_numpy())
    before = np.cumsum(begun, axis=1) - begun
    return before * width + left


def _peak(ran: pl.LazyFrame) -> int:
    import polars as pl

    # Ends before the starts of the same moment: one number says both.
    changes = pl.concat(
        [
            ran.select((pl.col("start") * 2 + 1).alias("at"), pl.col("slots").cast(pl.Int32)),
            ran.select((pl.col("end") * 2).alias("at"), -pl.col("slots").cast(pl.Int32)),
        ]
    )
    levels = changes.sort("at").select(pl.col("slots").cast(pl.Int64).cum_sum().max())
    return int(levels.collect().item() or 0)


def content(shown: Shown) -> Content:
    """Return what the tab shows."""
    by = shown.state.by
    since, until = shown.span
    records = shown.overlapping({"slots", "pe_task", by})
    used = in_use(records, by, since, until, is_small=shown.is_held)
    if not used.peak:
        return Content(empty=shown.nothing() or "Nothing ran in this period.")
    shown.check()
    capacity, what = _capacity(shown, used)
    total = used.slots.sum(axis=0)
    mean = float(total.mean())
    facts = [
        Fact("Slots in use", f"{mean:,.0f}", "Mean over the period."),
        Fact("Most at once", f"{used.peak:,}", "The most slots that were in use at one moment."),
        Fact("Slots that there are", f"{capacity:,}" if capacity else "not known", what),
    ]
    if capacity:
        full = float((total >= _FULL * capacity).mean())
        facts += [
            Fact("Utilisation", f"{mean / capacity:.0%}", "Mean of the slots in use, of those that there are."),
            Fact(
                "Nearly full",
                f"{full:.0%}",
                "Part of the time with more than 95% of the slots in use.",
                full > _OFTEN,
            ),
        ]
    return Content(facts, [_over_time(used.coarser(_MOST_PERIODS), by, capacity, what), _week(used, capacity)])


def _capacity(shown: Shown, used: InUse) -> tuple[int, str]:
    if shown.capacity:
        return shown.capacity, "The slots that the cluster has now; it may have had others then."
    if not shown.state.filter.strip():
        return used.peak, "The system does not tell: the most that were in use at one moment of the period."
    return 0, "The system does not tell, and a filter leaves out some of what was in use."


def _name(name: str | None) -> str:
    return NO_NAME if name is None else name


def _width_text(hours: float) -> str:
    named = {0.25: "15 minutes", 1: "hour", _DAY: "day", _WEEK: "week"}
    return named.get(hours, f"{hours:.0f} hours")


def _over_time(used: InUse, by: str, capacity: int, what: str) -> Drawn:
    names = [_name(name) for name in used.names]
    colour = colours(names)
    x = shown_times(np.append(used.begins, used.begins[-1] + int(used.width * HOUR * 1e6)))
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": x,
            # A step holds until the next one.
            "y": np.append(used.slots[place], used.slots[place][-1]).round(2),
            "stackgroup": "slots",
            "line": {"width": 0.5, "color": colour[name], "shape": "hv"},
            "hovertemplate": "%{y:,.3~g} slots<extra>%{fullData.name}</extra>",
        }
        for place, name in enumerate(names)
    ]
    if capacity:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "slots that there are",
                "x": [x[0], x[-1]],
                "y": [capacity, capacity],
                "line": {"dash": "dash", "width": 1.5, "color": "#d55e00"},
                "hovertemplate": "%{y:,} slots<extra>%{fullData.name}</extra>",
            }
        )
    label = GROUPINGS[by].lower()
    line = f" The dashed line: {what[0].lower()}{what[1:]}" if capacity else f" {what}"
    return Drawn(
        "utilisation_over_time",
        f"Slots in use by {label}, mean of each {_width_text(used.width)}",
        "Exact from when jobs started and ended; what still runs is not in it, for it has no record yet."
        f"{line} Choose a range of time to see that period alone.",
        {
            "data": traces,
            "layout": layout_of(
                axis(kind="date"), axis("slots", rangemode="tozero"), showlegend=True, hovermode="x unified"
            ),
        },
        {_name(name): term_of(by, name) for name in used.names if name != OTHERS},
        brush=True,
        wide=True,
    )


def _week(used: InUse, capacity: int) -> Drawn:
    total = used.slots.sum(axis=0)
    hours = ((used.begins // int(HOUR * 1e6)) + 72) % 168
    # A period that is longer than an hour counts for each hour that it has.
    span = max(int(used.width), 1) if used.width < _WEEK else _WEEK
    sums, counts = np.zeros(168), np.zeros(168)
    for ahead in range(span):
        np.add.at(sums, (hours + ahead) % 168, total)
        np.add.at(counts, (hours + ahead) % 168, 1)
    with np.errstate(invalid="ignore"):
        mean = (sums / counts).reshape(7, 24)
    heat = {
        "type": "heatmap",
        "x": [f"{hour:02d}" for hour in range(24)],
        "y": list(_DAYS),
        "z": mean.round(1),
        "colorscale": HEAT,
        "zmin": 0,
        "hovertemplate": "%{y} %{x}:00: %{z:,.0f} slots<extra></extra>",
        "colorbar": {"title": {"text": "slots"}, "thickness": 12},
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
    }
    if capacity:
        heat["zmax"] = capacity
    return Drawn(
        "utilisation_by_hour_of_week",
        "Slots in use by hour of the week",
        "The mean over all weeks of the period (the clock of the kernel's machine); the colour says how many, by "
        "the scale beside it. "
        "Where slots are free, jobs "
        "start at once."
        + (f" Of so long a period each {_width_text(used.width)} is told as one." if used.width > 1 else ""),
        {
            "data": [heat],
            "layout": layout_of(axis("hour", "category"), axis(kind="category", autorange="reversed")),
        },
        wide=True,
    )
