"""The tab of cost: by a table of rates, of which the first that fits a record counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.explorer.drawing import Content, Fact
from gcs_lab.explorer.groups import totals_by
from gcs_lab.explorer.measures import figure_text, measure_of, rate_place
from gcs_lab.explorer.usage import over_time_figure, totals_figure, usage_columns

if TYPE_CHECKING:
    from gcs_lab.explorer.shown import Shown

__all__ = ["content"]


def content(shown: Shown) -> Content:
    """Return what the tab shows."""
    import polars as pl

    state = shown.state
    records = shown.records(usage_columns(state.by, "cost") | shown.rate_columns())
    groups = totals_by(records, state.by, measure_of("cost", state.rates))
    if not len(groups.sums):
        return Content(empty=shown.nothing())
    shown.check()
    found = (
        records.group_by(rate_place(state.rates).alias("rate"))
        .agg(cost=measure_of("cost", state.rates).sum(), records=pl.len())
        .collect()
    )
    by_rate = {rate: (cost, number) for rate, cost, number in found.iter_rows()}
    total = float(groups.sums.sum())
    several = {
        f"Rate {place + 1}: {rate.filter or 'all'}": by_rate.get(place, (0.0, 0))
        for place, rate in enumerate(state.rates)
    }
    facts = [
        Fact("Total", figure_text(total, "cost", shown.currency), "What all matching records cost by these rates.")
    ]
    if len(state.rates) > 1:
        facts += [
            Fact(label, figure_text(cost, "cost", shown.currency), f"{number:,} records are counted by this rate.")
            for label, (cost, number) in several.items()
        ]
    free = by_rate.get(-1, (0.0, 0))[1]
    if free:
        facts.append(
            Fact("Without a rate", f"{free:,} records", "No rate is for them: they cost nothing here.", bad=True)
        )
    largest = groups.shown(1)[0]
    if total:
        facts.append(Fact("Largest", f"{largest}, {groups.sums[0] / total:.0%}", "Who costs most."))
        half = int(np.searchsorted(np.cumsum(groups.sums), total / 2)) + 1
        facts.append(Fact("Half of it", f"{half} of {len(groups.names)}", "So few together make half of the cost."))
    return Content(facts, [over_time_figure(shown, records, groups, "cost"), totals_figure(shown, groups, "cost")])
