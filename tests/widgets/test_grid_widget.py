"""The widget of one table, from the model to the messages that a browser gets."""

from __future__ import annotations

import json
import threading
import time

import comm
import pyarrow as pa
import pytest
from patience import wait_for
from recording_comm import RecordingComm
from traitlets import Float as FloatTrait
from traitlets import HasTraits, Unicode

from gcs_lab.models import TableModel
from gcs_lab.status.tables import schema
from gcs_lab.widgets import Grid
from gcs_lab.widgets.table_html import table_html

WIDGET = "application/vnd.jupyter.widget-view+json"
VIEW = 7 << 32


class Health(HasTraits):
    stale_since = FloatTrait(0.0)
    error = Unicode("")
    cluster = Unicode("demo")
    system = Unicode("Grid Engine 8.1.9")


def job(number: int, **different):
    row = dict.fromkeys(schema("jobs").names)
    known = {
        "key": number << 32,
        "job_id": str(number),
        "array": False,
        "name": f"job{number}",
        "owner": ("alice", "bob")[number % 2],
        "letters": "qw",
        "state": "QUEUED",
        "slots": 1,
        "tasks": 1,
        "running": 0,
        "suspended": 0,
        "pending": 1,
        "held": 0,
        "error": 0,
    }
    return row | known | different


def jobs(*rows) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema("jobs"))


def request(number: int = 1, view: int = VIEW, **different):
    return {
        "kind": "view",
        "view": "jobs",
        "id": view + number,
        "sort": [],
        "filter": "",
        "first": 0,
        "count": 40,
        "columns": ["job_id", "name", "owner", "letters"],
        "expanded": [],
        "anew": number == 1,
    } | different


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    grids = []

    def make(*rows, health=None):
        model = TableModel("jobs")
        model.update(jobs(*(rows or [job(n) for n in range(1, 101)])))
        grid = Grid(model, health)
        grids.append(grid)
        return grid, model

    yield make
    for grid in grids:
        grid.close()
    wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name == "gcs-lab-grid"])


def say(grid, message):
    """Send a message as a browser does, and return what is answered to it and to nothing else."""
    before = len(grid.comm.answers())
    grid._handle_custom_msg(message, [])
    wait_for(lambda: len(grid.comm.answers()) > before)
    return grid.comm.answers()[before]


def rows_of(grid):
    return [answer for answer in grid.comm.answers() if answer["kind"] == "rows"]


def test_a_hello_is_answered_with_columns_words_and_the_state(made):
    grid, model = made(health=Health())
    model.filter = "owner:alice"
    welcome = say(grid, {"kind": "hello", "protocol": 1})
    assert welcome["view"] == "jobs"
    assert welcome["label"] == "jobs of the cluster demo"
    assert welcome["filter"] == "owner:alice"
    assert {column["name"] for column in welcome["columns"]} >= {"job_id", "owner", "letters"}
    assert next(word for word in welcome["words"] if word["word"] == "owner")["values"] == ["alice", "bob"]
    wait_for(lambda: any(answer["kind"] == "table_state" for answer in grid.comm.answers()))


def test_a_request_is_answered_with_its_window_and_then_only_what_changed_is_sent(made):
    grid, model = made()
    answer = say(grid, request(first=10, count=20))
    assert [answer["first"], len(answer["keys"]), len(answer["rows"]), answer["total"]] == [10, 20, 20, 100]
    model.update(jobs(*(job(n, name="other" if n in {15, 90} else f"job{n}") for n in range(1, 101))))
    wait_for(lambda: len(rows_of(grid)) == 2)
    assert rows_of(grid)[-1]["rows"] == {str(15 << 32): ["15", "other", "bob", "qw"]}


def test_rows_are_sent_at_most_four_times_a_second_and_the_last_change_arrives(made):
    grid, model = made()
    say(grid, request())
    started = time.monotonic()
    count = 0
    while time.monotonic() - started < 1.0:
        count += 1
        model.update(jobs(*(job(n, name=f"{n} {count}") for n in range(1, 41))))
        time.sleep(0.01)
    wait_for(lambda: rows_of(grid)[-1]["rows"].get(str(1 << 32), ["", ""])[1] == f"1 {count}")
    seconds = time.monotonic() - started
    assert 2 <= len(rows_of(grid)) <= 2 + seconds / 0.25


def test_what_nobody_sees_is_not_sent_until_somebody_does(made):
    grid, model = made()
    say(grid, request())
    grid._handle_custom_msg({"kind": "visible", "visible": False}, [])
    wait_for(lambda: not grid._visible)
    model.update(jobs(job(1, name="meanwhile")))
    assert len(rows_of(grid)) == 1
    answer = say(grid, {"kind": "visible", "visible": True})
    wait_for(lambda: len(rows_of(grid)) == 2)
    assert answer["kind"] in {"rows", "table_state"}
    assert rows_of(grid)[-1]["total"] == 1


def test_two_views_of_one_widget_have_a_window_each(made):
    grid, model = made()
    say(grid, request(first=0, count=5))
    say(grid, request(view=9 << 32, first=50, count=5))
    before = len(rows_of(grid))
    model.update(jobs(*(job(n, name="new") for n in range(1, 101))))
    wait_for(lambda: len(rows_of(grid)) == before + 2)
    assert {(rows["id"] >> 32, rows["first"]) for rows in rows_of(grid)[before:]} == {(7, 0), (9, 50)}
    grid._handle_custom_msg({"kind": "unview", "view": "jobs", "id": VIEW + 1}, [])
    wait_for(lambda: len(grid._views) == 1)


def test_a_filter_that_python_sets_reaches_the_box_and_one_that_is_typed_does_not_come_back(made):
    grid, model = made()
    say(grid, request())
    model.filter = "owner:bob"
    wait_for(lambda: any(a["kind"] == "table_state" and a["filter"] == "owner:bob" for a in grid.comm.answers()))
    say(grid, request(2, filter="owner:alice"))
    assert model.filter == "owner:alice"
    model.update(jobs(job(1)))
    wait_for(lambda: rows_of(grid)[-1]["total"] == 1)
    assert not [a for a in grid.comm.answers() if a["kind"] == "table_state" and a["filter"] == "owner:alice"]


def test_a_filter_that_cannot_be_read_says_where(made):
    grid, _ = made()
    answer = say(grid, request(filter="nosuchword:alice"))
    assert answer["filter_error"]["start"] == 0
    assert answer["total"] == 100


def test_old_rows_are_said_to_be_old_and_why(made):
    health = Health()
    grid, _ = made(health=health)
    say(grid, request())
    health.error = "qmaster does\nnot answer"
    health.stale_since = 1_700_000_000.0
    wait_for(lambda: grid.comm.answers()[-1].get("stale_since") == 1_700_000_000.0)
    assert grid.comm.answers()[-1]["error"] == "qmaster does not answer"


def test_rows_are_copied_with_those_that_the_browser_never_saw(made):
    grid, _ = made()
    copy = {"kind": "copy", "id": 3, "view": "jobs", "columns": ["job_id", "owner"]}
    answer = say(grid, copy | {"format": "csv", "keys": "matching"})
    assert [answer["id"], answer["rows"]] == [3, 100]
    assert answer["text"].splitlines()[:2] == ["job_id,owner", "1,bob"]
    answer = say(grid, copy | {"format": "qdel", "keys": [str(5 << 32), str(9 << 32)]})
    assert answer["text"] == "qdel 5 9\n"


def test_selection_and_opened_row_can_be_observed(made):
    grid, _ = made()
    heard = []
    grid.observe(lambda change: heard.append(change["new"]), names=["selected", "opened"])
    grid._handle_custom_msg({"kind": "selected", "keys": [str(5 << 32)]}, [])
    grid._handle_custom_msg({"kind": "opened", "key": str(6 << 32)}, [])
    wait_for(lambda: len(heard) == 2)
    assert heard == [[str(5 << 32)], str(6 << 32)]


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "nonsense"},
        "text",
        None,
        request(columns=["nosuchcolumn"]),
        request(sort=[["owner", "sideways"]]),
        {"kind": "view", "id": 5},
        {"kind": "copy", "id": 1},
        {"kind": "copy", "id": 1, "view": "hosts", "format": "csv", "keys": "matching", "columns": []},
    ],
)
def test_what_cannot_be_done_is_answered_with_words_and_the_grid_goes_on(made, message):
    grid, _ = made()
    assert say(grid, message)["kind"] == "trouble"
    assert say(grid, request())["total"] == 100


def test_nothing_of_the_table_is_saved_with_a_notebook(made):
    grid, _ = made()
    say(grid, request())
    assert set(grid.get_state()) - {"_esm", "_css"} <= {
        name for name in grid.get_state() if name.startswith(("_model", "_view", "_dom", "_anywidget"))
    } | {"layout", "tabbable", "tooltip"}


def test_a_page_without_a_kernel_has_the_first_rows_as_html_and_text(made):
    grid, _ = made(*(job(n, name="<b>&" if n == 1 else f"job{n}") for n in range(1, 31)))
    data, _ = grid._repr_mimebundle_()
    assert WIDGET in data
    assert "&lt;b&gt;&amp;" in data["text/html"]
    assert data["text/html"].count("<tr>") == 21
    assert "30 of 30 rows" in data["text/plain"]
    assert "the first 20" in data["text/plain"]


def test_a_closed_grid_follows_nothing_and_answers_nothing(made):
    grid, model = made()
    say(grid, request())
    recorded = grid.comm
    grid.close()
    before = len(recorded.sent)
    model.update(jobs(job(1)))
    grid._handle_custom_msg(request(2), [])
    assert len(recorded.sent) == before
    assert not model._trait_notifiers.get("version", {}).get("change")


def test_static_tables_show_hostile_text_as_text():
    html = table_html(["<i>"], [["a\nb\x1b[31m<script>"]], "jobs & more")
    assert html.count("<t") == 7
    assert "<script>" not in html
    assert "<i>" not in html
    assert "jobs &amp; more" in html


def test_a_refresh_of_fifty_rows_is_less_than_25_kb(made):
    grid, model = made(*(job(n) for n in range(1, 1001)))
    names = list(model.columns)
    say(grid, request(count=50, columns=names))
    model.update(
        jobs(*(job(n, name=f"a_quite_long_name_of_a_job_{n}", host=f"node{n}.example.org") for n in range(1, 1001)))
    )
    wait_for(lambda: len(rows_of(grid)) == 2)
    assert len(rows_of(grid)[-1]["rows"]) == 50
    assert len(json.dumps(rows_of(grid)[-1])) < 25_000
