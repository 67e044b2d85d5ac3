"""A browser that is told only what changed knows what the host knows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from status.made_jobs import NOW, STATES, many_jobs, tasks_table

from gcs_lab.errors import UnknownName
from gcs_lab.models import TableModel
from gcs_lab.models.columns import default_columns
from gcs_lab.models.viewport import Viewport
from gcs_lab.status.job_rows import jobs_of

COLUMNS = ["job_id", "owner", "letters", "slots", "tasks", "waiting"]


def _request(**parts: Any) -> dict[str, Any]:
    usual = {"kind": "view", "view": "jobs", "id": 1, "sort": [], "first": 0, "count": 5, "columns": COLUMNS}
    return {**usual, "expanded": [], "anew": False, **parts}


class Browser(RuleBasedStateMachine):
    """Keeps the rows that it was told while they are in its window, as the grid does."""

    def __init__(self) -> None:
        super().__init__()
        self.model = TableModel("jobs")
        self.viewport = Viewport(self.model)
        self.jobs: dict[int, dict[str, Any]] = {}
        self.now = NOW
        self.number = 0
        self.rows: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}

    def take(self, message: dict[str, Any]) -> None:
        message = json.loads(json.dumps(message, allow_nan=False))
        assert set(message["rows"]) <= set(message["keys"])
        known = {**self.rows, **message["rows"]}
        self.rows = {key: known[key] for key in message["keys"]}
        self.shown = message

    def update(self) -> None:
        rows = []
        for number, job in self.jobs.items():
            rows += [{"job_id": str(number), **job}]
            rows += [{"job_id": str(number), **job, "task": n} for n in (1, 2) if number % 3 == 0]
        tasks = tasks_table(rows)
        self.model.update(jobs_of(tasks), tasks=tasks, time=self.now)
        if (message := self.viewport.push()) is not None:
            before = (self.shown["keys"], self.rows, self.shown["total"], self.shown["matching"])
            self.take(message)
            after = (self.shown["keys"], self.rows, self.shown["total"], self.shown["matching"])
            assert message["rows"] or before != after

    @initialize()
    def first(self) -> None:
        self.take(self.viewport.request(_request()))

    @rule(
        number=st.integers(1, 12),
        letters=st.sampled_from(list(STATES)),
        owner=st.sampled_from(["a", "b", None]),
        age=st.integers(0, 2000),
    )
    def submit(self, number: int, letters: str, owner: str | None, age: int) -> None:
        self.jobs[number] = {"letters": letters, "owner": owner, "submission_time": NOW - age}
        self.update()

    @rule(number=st.integers(1, 12))
    def end(self, number: int) -> None:
        self.jobs.pop(number, None)
        self.update()

    @rule(seconds=st.sampled_from([0, 1, 50, 900]))
    def time_goes_by(self, seconds: int) -> None:
        self.now += seconds
        self.update()

    @rule(
        first=st.integers(0, 9),
        count=st.integers(0, 6),
        sort=st.lists(st.tuples(st.sampled_from(COLUMNS), st.sampled_from(["ascending", "descending"])), max_size=2),
        text=st.sampled_from(["", "owner:a", "state:p", "owner:", "waiting>5m"]),
        expanded=st.lists(st.integers(1, 12).map(lambda n: str(n << 32)), max_size=3),
        columns=st.sampled_from([COLUMNS, ["job_id"]]),
        anew=st.booleans(),
    )
    def ask(self, anew: bool, **parts: Any) -> None:
        self.number += 1
        if anew:
            self.rows = {}
        if self.shown and self.shown["columns"] != parts["columns"]:
            self.rows = {}
        parts["filter"] = parts.pop("text")
        self.take(self.viewport.request(_request(id=self.number, anew=anew, **parts)))
        assert self.shown["id"] == self.number

    @invariant()
    def knows_what_the_host_knows(self) -> None:
        if not self.shown:
            return
        shown = self.shown
        request = self.viewport._request
        assert request is not None
        window = self.model.window(request[1], request[2], shown["columns"])
        assert shown["keys"] == window.keys
        assert [self.rows[key] for key in shown["keys"]] == window.rows
        assert (shown["total"], shown["matching"], shown["first"]) == (window.total, window.matching, window.first)
        assert shown.get("levels", [1] * len(window.keys)) == window.levels
        assert self.viewport.push() is None
        assert len(self.viewport._told) <= request[2]


Browser.TestCase.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
TestBrowser = Browser.TestCase


def test_a_refresh_of_fifty_rows_of_100_000_jobs_is_small() -> None:
    model = TableModel("jobs")
    viewport = Viewport(model)
    jobs = many_jobs(100_000)
    model.update(jobs, time=NOW)
    columns = default_columns("jobs")
    first = viewport.request(_request(columns=columns, count=50, first=50_000, sort=[("name", "ascending")]))
    assert len(first["keys"]) == 50
    assert len(json.dumps(first)) <= 25_000
    # All rows are other than before, and all have other neighbours.
    model.update(many_jobs(100_000, seed=1), time=NOW + 1)
    push = viewport.push()
    assert push is not None
    assert len(json.dumps(push)) <= 25_000
    assert viewport.push() is None


def test_one_row_that_changed_is_sent_alone() -> None:
    model = TableModel("jobs")
    viewport = Viewport(model)
    rows = [{"job_id": str(n), "letters": "r", "owner": "a"} for n in range(1, 9)]
    model.update(jobs_of(tasks_table(rows)), time=NOW)
    assert viewport.push() is None
    answer = viewport.request(_request())
    assert list(answer["rows"]) == answer["keys"]
    assert viewport.request(_request(id=2, first=2))["rows"].keys() == {str(6 << 32), str(7 << 32)}
    rows[3]["owner"] = "b"
    rows[7]["owner"] = "b"
    model.update(jobs_of(tasks_table(rows)), time=NOW)
    push = viewport.push()
    assert push is not None
    assert list(push["rows"]) == [str(4 << 32)]
    assert push["id"] == 2
    viewport.close()
    assert viewport.push() is None


def test_other_columns_are_told_even_if_their_cells_are_the_same() -> None:
    model = TableModel("jobs")
    viewport = Viewport(model)
    model.update(jobs_of(tasks_table([{"job_id": "1", "letters": "qw"}])), time=NOW)
    assert viewport.request(_request(columns=["queue"]))["rows"] == {str(1 << 32): [None]}
    assert viewport.request(_request(columns=["queue"]))["rows"] == {}
    assert viewport.request(_request(columns=["host"]))["rows"] == {str(1 << 32): [None]}


def test_a_request_that_cannot_be_changes_nothing() -> None:
    model = TableModel("jobs")
    viewport = Viewport(model)
    viewport.request(_request(sort=[("owner", "ascending")]))
    with pytest.raises(UnknownName):
        viewport.request(_request(columns=["colour"], sort=[]))
    with pytest.raises(UnknownName):
        viewport.request(_request(sort=[("colour", "ascending")]))
    assert model.sort == [("owner", "ascending")]


def test_what_is_wrong_with_the_filter_is_told_with_the_rows() -> None:
    viewport = Viewport(TableModel("jobs"))
    assert viewport.request(_request(filter="own:x"))["filter_error"]["end"] == 3
    assert viewport.request(_request(filter="owner:x"))["filter_error"] is None
