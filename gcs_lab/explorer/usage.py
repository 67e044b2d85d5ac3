"""The tab of usage: who used how much, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.derived import is_last_run
from gcs_lab.explorer.drawing import REST_COLOUR, Content, Drawn, Fact, axis, colours, layout_of
from gcs_lab.explorer.groups import Groups, horizontal_bars, over_time, stacked_bars, totals_by
from gcs_lab.explorer.local_time import bucket, step_for
from gcs_lab.explorer.measures import figure_text, label_of, measure_of, unit_of
from gcs_lab.explorer.state import GROUPINGS

if TYPE_CHECKING:
    import polars as pl

    from gcs_lab.explorer.shown import Shown

__all__ = ["COLUMNS", "content", "over_time_figure", "totals_figure", "usage_columns"]

#: Bars in the figure of totals.
_MOST_BARS = 20
COLUMNS = ("end_time", "slot_seconds", "cpu", "wait", "pe_task", "failed")


def usage_columns(by: str, measure: str) -> set[str]:
    """Return the columns that the figures of this tab need, without those of the rates' filters."""
    return {*COLUMNS, by} | ({"memory"} if measure in {"memory", "cost"} else set())


def content(shown: Shown) -> Content:
    """Return what the tab shows."""
    state = shown.state
    records = shown.records(usage_columns(state.by, state.measure) | shown.rate_columns())
    amount = measure_of(state.measure, state.rates)
    groups = totals_by(records, state.by, amount)
    if not len(groups.sums):
        return Content(empty=shown.nothing())
    time_figure = over_time_figure(shown, records, groups)
    shown.check()
    return Content(_facts(shown, records, groups), [time_figure, totals_figure(shown, groups)])


def _facts(shown: Shown, records: pl.LazyFrame, groups: Groups) -> list[Fact]:
    import polars as pl

    state = shown.state
    row = (
        records.select(
            jobs=is_last_run().sum(),
            slot_seconds=pl.col("slot_seconds").sum(),
            cpu=pl.col("cpu").sum(),
            wait=pl.col("wait").median(),
        )
        .collect()
        .row(0, named=True)
    )
    total, first = float(groups.sums.sum()), float(groups.sums[0])
    label = GROUPINGS[state.by].lower()
    efficiency = row["cpu"] / row["slot_seconds"] if row["slot_seconds"] else 0.0
    facts = [
        Fact("Total", figure_text(total, state.measure, shown.currency), "Sum over all matching records."),
        Fact("Jobs", f"{row['jobs']:,}", "Jobs and tasks of arrays that ended; one that was run again is one."),
        Fact(f"{GROUPINGS[state.by]}s", f"{len(groups.names):,}", f"Different values of {label}."),
        Fact("Largest", f"{groups.shown(1)[0]}, {first / total:.0%}" if total else "none", f"The {label} with most."),
        Fact("CPU per slot time", f"{efficiency:.0%}", "CPU time, of the time for which slots were kept."),
    ]
    if row["wait"] is not None:
        from gcs_lab.explorer.waits import length_text

        facts.append(Fact("Median wait", length_text(row["wait"]), "Half of the jobs waited less than this."))
    return facts


def over_time_figure(shown: Shown, records: pl.LazyFrame, groups: Groups, measure: str = "") -> Drawn:
    """Return the amounts over time, stacked by group."""
    state = shown.state
    measure = measure or state.measure
    since, until = shown.span
    step = step_for(since, until)
    told = over_time(
        records,
        state.by,
        measure_of(measure, state.rates),
        groups,
        begin=bucket("end_time", step, since, until),
        step=step,
    )
    unit = unit_of(measure, shown.currency)
    figure: dict[str, Any] = {
        "data": stacked_bars(told, step, unit, colours(told.names)),
        "layout": layout_of(
            axis(kind="date"),
            axis(label_of(measure, shown.currency), rangemode="tozero"),
            barmode="stack",
            showlegend=True,
            bargap=0,
        ),
    }
    name = GROUPINGS[state.by].lower()
    return Drawn(
        f"{shown.state.tab}_over_time",
        f"{label_of(measure, shown.currency)} by {name}, each {step.name}",
        f"A record counts in the {step.name} in which it ended. The ten largest by name, the others "
        "together. Choose a "
        "range of time to see that period alone; click a name to see it alone.",
        figure,
        groups.terms(state.by),
        brush=True,
        wide=True,
    )


def totals_figure(shown: Shown, groups: Groups, measure: str = "") -> Drawn:
    """Return the totals of the largest groups, as bars."""
    state = shown.state
    measure = measure or state.measure
    names = groups.shown(_MOST_BARS)
    values = groups.sums[: len(names)]
    known = colours(groups.shown())
    unit = unit_of(measure, shown.currency)
    terms = groups.terms(state.by, _MOST_BARS)
    rest = len(groups.names) - len(names)
    others = figure_text(float(groups.sums[len(names) :].sum()), measure, shown.currency)
    left_out = f" The other {rest:,} have {others} together." if rest else ""
    bars = horizontal_bars(names, values, [known.get(name, REST_COLOUR) for name in names], unit)
    label = label_of(measure, shown.currency)
    return Drawn(
        f"{state.tab}_totals",
        f"{label} by {GROUPINGS[state.by].lower()}",
        f"The {len(names)} largest, of {len(groups.names):,}; click one to see it alone.{left_out}",
        {
            "data": [bars],
            "layout": layout_of(axis(label, rangemode="tozero"), axis(kind="category", autorange="reversed")),
        },
        terms,
        wide=True,
    )
