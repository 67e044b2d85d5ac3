"""Charts: what they say, what is sent of them, and when."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from cockpit_lab import ME

from gcs_lab.cockpit.figures import owners_figure, running_figure, sent_figure, waiting_figure

if TYPE_CHECKING:
    from cockpit_lab import Lab

NOW = 1_790_000_000.0


def history(rows: int) -> pa.Table:
    times = NOW - 10.0 * np.arange(rows)[::-1]
    counts = {name: np.arange(rows) % 50 for name in ("running", "pending", "error")}
    quiet = {name: np.zeros(rows, np.int64) for name in ("held", "suspended")}
    return pa.table(
        {"time": pa.array((times * 1e6).astype(np.int64), pa.timestamp("us", tz="UTC")), **counts, **quiet}
    )


def numbers(array: Any) -> np.ndarray:
    """Return what plotly.js reads."""
    assert isinstance(array, dict), "it travels as text"
    return np.frombuffer(base64.b64decode(array["bdata"]), np.dtype(array["dtype"]))


def test_running_and_waiting_over_time_with_a_line_for_what_there_was():
    figure = running_figure(history(100))
    assert [trace.name for trace in figure.data] == ["running", "waiting", "in error"]
    assert list(figure.data[0].y) == [n % 50 for n in range(100)]
    assert len({trace.line.dash for trace in figure.data}) == 3, "told apart by colour alone"


def test_what_was_recorded_last_is_drawn_on_until_now():
    for rows in (1, 10, 10_000):
        plain, drawn_on = (running_figure(history(rows), until) for until in (NOW, NOW + 60))
        assert len(drawn_on.data[0].x) == len(plain.data[0].x) + 1
        assert drawn_on.data[0].x[-1] - plain.data[0].x[-1] == 60_000
        assert drawn_on.data[0].y[-1] == plain.data[0].y[-1]
    assert len(running_figure(history(0), NOW).data[0].x) == 0


def test_a_dataframe_gives_the_same_figure_as_the_arrow_table():
    table = history(100)
    assert running_figure(table.to_pandas()) == running_figure(table)


def test_times_are_moments_which_plotly_shows_by_the_clock_of_the_browser(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        # A number on an axis of dates is taken as milliseconds since the epoch and shown in the browser's zone.
        assert running_figure(history(10)).data[0].x[-1] == NOW * 1000
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_is_sent_has_few_points_the_last_among_them_no_template_and_binary_arrays():
    sent = sent_figure(running_figure(history(10_000)))
    assert len(json.dumps(sent)) < 26_000
    assert "template" not in sent["layout"]
    ys = numbers(sent["data"][0]["y"])
    assert len(ys) <= 1_000
    assert ys[-1] == 9_999 % 50
    assert numbers(sent["data"][0]["x"]).dtype == np.float64


def test_slots_by_owner_are_stacked_and_the_rest_stands_together():
    rows = [(NOW + minute, f"user{n:02}", 20 - n) for minute in range(3) for n in range(12)]
    owners = pa.table(dict(zip(("time", "owner", "slots"), map(list, zip(*rows, strict=True)), strict=True)))
    figure = owners_figure(owners)
    assert [trace.name for trace in figure.data] == [*(f"user{n:02}" for n in range(8)), "others"]
    assert list(figure.data[-1].y) == [sum(20 - n for n in range(8, 12))] * 3
    assert len({trace.line.color for trace in figure.data}) == 9
    assert len(json.dumps(sent_figure(owners_figure(pa.table({
        "time": np.repeat(np.arange(3_000.0), 20), "owner": [f"u{n}" for n in range(20)] * 3_000,
        "slots": np.arange(60_000) % 90,
    }))))) < 45_000  # fmt: skip


def test_waiting_time_so_far_is_counted_by_class_and_owner():
    tasks = pd.DataFrame(
        {
            "submission_time": pd.to_datetime([NOW - 30, NOW - 400, NOW - 400, NOW - 10 * 86400, None], unit="s", utc=True),
            "task_count": [1, 10, 2, 5, 7],
            "owner": ["ann", "ann", "bob", "bob", "eve"],
        }
    )  # fmt: skip
    figure = waiting_figure(tasks, NOW)
    bars = {trace.name: dict(zip(trace.x, trace.y, strict=True)) for trace in figure.data}
    assert {name: {x: y for x, y in bar.items() if y} for name, bar in bars.items()} == {
        "ann": {"< 1 min": 1, "5-15 min": 10},
        "bob": {"5-15 min": 2, "> 3 days": 5},
    }


@pytest.mark.parametrize("make", [running_figure, owners_figure, lambda table: waiting_figure(table, NOW)])
def test_nothing_recorded_makes_an_empty_figure(make):
    names = ("running", "pending", "held", "suspended", "error", "slots", "task_count")
    empty = pa.schema(
        [("time", pa.float64()), ("owner", pa.string()), ("submission_time", pa.timestamp("us", tz="UTC"))]
        + [(name, pa.int32()) for name in names]
    ).empty_table()
    json.dumps(sent_figure(make(empty)))


def test_names_of_users_are_no_markup_in_hover_texts():
    tasks = pd.DataFrame({"submission_time": pd.to_datetime([NOW], unit="s", utc=True), "task_count": [1], "owner": ["<b>x%{y}"]})  # fmt: skip
    assert "<b>" not in waiting_figure(tasks, NOW).data[0].hovertemplate


def test_open_charts_are_sent_with_the_terms_that_a_click_adds(lab: Lab):
    lab.status.tasks[3]["submission_time"] = pd.Timestamp(time.time() - 100, unit="s", tz="UTC")
    page = lab.page()
    assert [chart["name"] for chart in page.told("welcome")[0]["charts"]] == ["running", "owners", "waiting"]
    page.say("charts", names=["waiting", "running"])
    waiting = page.wait(lambda m: m["kind"] == "chart" and m["name"] == "waiting")
    assert waiting["terms"] == {ME: f"owner:{ME}"}
    running = page.wait(lambda m: m["kind"] == "chart" and m["name"] == "running")
    assert running["terms"]["waiting"] == "state:pending"
    # The filter narrows the chart at once; what did not change is not sent again.
    page.say("filter", text="owner:bob", mine=False)
    narrowed = page.wait(lambda m: m["kind"] == "chart" and m["name"] == "waiting" and not m["figure"]["data"])
    assert narrowed["terms"] == {}
    page.say("charts", names=[])
    before = len(page.told("chart"))
    page.say("filter", text="", mine=False)
    page.say("charts", names=["dance"])
    assert "no chart is called" in page.wait(lambda m: m["kind"] == "trouble")["message"]
    assert len(page.told("chart")) == before


def test_the_program_that_draws_is_sent_when_it_is_asked_for(lab: Lab):
    page = lab.page()
    module = page.ask("module", name="chart")
    assert (module["name"], isinstance(module["source"], str)) == ("chart", True)
    assert page.ask("module", name="../../setup")["kind"] == "trouble"
