"""What the tabs show is what the area's questions say, to the digit."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from gcs_lab.accounting.where_filter import WHERE_COLUMNS
from gcs_lab.explorer.state import TABS, Lasso, Rate
from gcs_lab.explorer.tabs import TAB_COLUMNS, content_of
from gcs_lab.explorer.utilisation import in_use
from gcs_lab.status.filter_language import parse_filter

if TYPE_CHECKING:
    from conftest import Site

RUSH = 1_781_481_600.0


def figures(site: Site, **state: Any) -> dict[str, Any]:
    return {one.name: one for one in content_of(site.shown(**state)).figures}


def numbers(told: Any) -> list[float]:
    """Return plotly's numbers, out of base64 or a list."""
    if isinstance(told, dict):
        return np.frombuffer(base64.b64decode(told["bdata"]), f"<{told['dtype']}").tolist()
    return told


@pytest.mark.parametrize("by", ["owner", "parallel_environment", "name"])
@pytest.mark.parametrize("tab", TABS)
def test_every_tab_can_be_told_and_every_term_can_be_read(site, tab, by):
    content = content_of(site.shown(tab=tab, by=by, since=RUSH, until=RUSH + 40 * 86400))
    assert content.figures
    assert content.facts
    assert not content.empty
    for drawn in content.figures:
        told = json.loads(json.dumps(drawn.told(), allow_nan=False))
        assert told["caption"]
        assert told["title"]
        for term in told["terms"].values():
            parse_filter(term, WHERE_COLUMNS)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("state", [{"filter": "owner:nobody"}, {"since": 2_000_000_000.0}])
def test_nothing_to_see_is_said(site, tab, state):
    shown = site.shown(tab=tab, **state)
    content = content_of(shown)
    assert content.empty == shown.nothing()
    assert not content.figures


@pytest.mark.parametrize(
    ("measure", "column", "scale"),
    [
        ("slot_hours", "slot_seconds", 3600),
        ("cpu_hours", "cpu", 3600),
        ("memory", "memory", 3600),
        ("jobs", "jobs", 1),
    ],
)
def test_usage_is_that_of_the_summary(site, measure, column, scale):
    shown = site.shown(measure=measure, filter="slots>1", since=RUSH)
    drawn = {one.name: one for one in content_of(shown).figures}
    asked = site.accounting.summary(by="owner", where="slots>1", since=RUSH, by_end=True)
    [bars] = drawn["usage_totals"].told()["figure"]["data"]
    first = asked.sort_values(column, ascending=False).iloc[0]
    assert bars["y"][0] == first.owner
    assert numbers(bars["x"])[0] == pytest.approx(first[column] / scale, rel=1e-6)
    traces = drawn["usage_over_time"].told()["figure"]["data"]
    assert sum(sum(numbers(one["y"])) for one in traces) == pytest.approx(asked[column].sum() / scale, rel=1e-6)
    # A click shows what the bar stands for.
    narrowed = site.shown(measure="jobs", filter=f"slots>1 {drawn['usage_totals'].terms[first.owner]}", since=RUSH)
    assert narrowed.counts()[0] == first.records


def test_slots_in_use_are_exact_whatever_the_period(site):
    since, until = RUSH + 1234.0, RUSH + 5 * 86400 + 77
    shown = site.shown(tab="utilisation", since=since, until=until)
    used = in_use(shown.overlapping({"slots", "pe_task", "owner"}), "owner", since, until)
    asked = site.accounting.utilisation("1h", since=since, before=until)
    for told in (used, used.coarser(20)):
        assert (told.slots.sum(axis=0) * told.lengths).sum() / 1e6 == pytest.approx(
            asked.slot_seconds.sum(), rel=1e-9
        )
        assert told.lengths.sum() == round((until - since) * 1e6)
    assert len(used.coarser(20).begins) <= 21
    # Nothing is in use that is not there.
    assert used.slots.sum(axis=0).max() <= used.peak <= site.facts.slots


def test_waits_are_those_of_the_area(site):
    asked = site.accounting.waits(since=RUSH, by_end=True).iloc[0]
    drawn = figures(site, tab="waits", since=RUSH)
    [bars] = drawn["waits_distribution"].told()["figure"]["data"]
    assert sum(numbers(bars["y"])) == asked.jobs
    facts = {one.label: one.value for one in content_of(site.shown(tab="waits", since=RUSH)).facts}
    from gcs_lab.explorer.waits import length_text

    assert facts["Median wait"] == length_text(asked.q50)


def test_failures_are_those_of_the_area(site):
    content = content_of(site.shown(tab="failures"))
    asked = site.accounting.failures()
    assert {one.label: one.value for one in content.facts}["Failed"] == f"{asked.records.sum():,}"
    drawn = {one.name: one for one in content.figures}
    traces = drawn["failures_over_time"].told()["figure"]["data"]
    by_cause = {one["name"]: sum(numbers(one["y"])) for one in traces}
    assert by_cause[asked.reason[0]] == asked.records[0]
    bars = drawn["failures_by_host"].told()["figure"]["data"]
    assert bars[0]["name"] == "more than chance tells"
    assert bars[0]["x"] == [site.facts.failing_node]


def test_the_first_rate_that_fits_counts(site):
    rates = (Rate("queue:gpu.q", 2.0, 0.0), Rate("queue:gpu.q,long.q", 1.0, 0.5))
    content = content_of(site.shown(tab="cost", rates=rates))
    records = (
        site.accounting.records(["queue", "slot_seconds", "memory"])
        .with_columns(pl.col("queue").cast(pl.String))
        .collect()
    )
    hours, gib = pl.col("slot_seconds") / 3600, pl.col("memory") / 2**30 / 3600
    gpu = records.filter(pl.col("queue") == "gpu.q").select(hours.sum() * 2).item()
    long = records.filter(pl.col("queue") == "long.q").select(hours.sum() + gib.sum() * 0.5).item()
    told = {one.label: one.value for one in content.facts}
    assert told["Total"] == f"{gpu + long:,.0f}"
    free = records.filter(~pl.col("queue").is_in(["gpu.q", "long.q"]) | pl.col("queue").is_null())
    assert told["Without a rate"] == f"{len(free):,} records"


def test_a_rate_that_cannot_be_read_is_said(site):
    content = content_of(site.shown(tab="cost", rates=(Rate("color:red", 1.0),)))
    assert "rate 1" in content.empty


def test_what_is_drawn_around_are_all_jobs_inside(site):
    lasso = Lasso((30.0, 300.0, 100.0, 30.0), (0.001, 0.005, 0.1, 0.2))
    shown = site.shown(lasso=lasso)
    from gcs_lab.explorer.lasso import LASSO_COLUMNS, scatter_axes

    x, y = scatter_axes()
    points = shown.records(LASSO_COLUMNS).select(x.alias("x"), y.alias("y")).drop_nulls().collect()
    from matplotlib.path import Path as Outline

    outline = Outline(np.log10(np.column_stack([lasso.x, lasso.y])))
    expected = outline.contains_points(np.log10(points.to_numpy())).sum()
    assert expected > 100
    assert shown.number_in_lasso() == expected


def test_all_columns_of_the_tabs_are_fetched_ahead(site):
    looked: set[str] = set()
    for tab in TABS:
        shown = site.shown(tab=tab, since=RUSH, until=RUSH + 86400 * 40)
        content_of(shown)
        looked |= set(shown.held._frame.columns) if tab != "jobs" else set()
    assert looked <= TAB_COLUMNS | {"name"}
