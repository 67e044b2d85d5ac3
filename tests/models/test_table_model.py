"""A table as people see it: filtered, sorted, with the tasks of open arrays, as JSON values."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from status.made_jobs import NOW, jobs_table, many_jobs, tasks_table

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.models import TableModel
from gcs_lab.models.columns import VIEWS, columns_of, default_columns, known_columns
from gcs_lab.models.row_order import sorted_rows
from gcs_lab.status.job_rows import jobs_of
from gcs_lab.status.snapshot import TableChanges
from gcs_lab.status.tables import empty_table, schema

TASKS = tasks_table(
    [
        {"job_id": "2", "name": "fit10", "owner": "bob", "letters": "r", "slots": 2, "queue": "all.q", "host": "node10",
         "submission_time": NOW - 7200, "start_time": NOW - 3600, "cpu": 12.345, "priority": 0.555551},
        {"job_id": "10", "name": "fit2", "owner": "alice", "letters": "qw", "submission_time": NOW - 100.5},
        {"job_id": "7", "name": "Sweep", "owner": "alice", "letters": "r", "task": 2, "host": "node2", "queue": "all.q",
         "submission_time": NOW - 50, "start_time": NOW - 10},
        {"job_id": "7", "name": "Sweep", "owner": "alice", "letters": "Eqw", "task": 1, "submission_time": NOW - 50},
        {"job_id": "7", "name": "Sweep", "owner": "alice", "letters": "qw", "tasks": "3-9:1", "task_count": 7,
         "submission_time": NOW - 50},
    ]
)  # fmt: skip
SWEEP = str(7 << 32)


def _model(**traits: Any) -> TableModel:
    model = TableModel("jobs")
    model.update(jobs_of(TASKS), tasks=TASKS, time=NOW)
    for name, value in traits.items():
        setattr(model, name, value)
    return model


def _shown(model: TableModel, *columns: str) -> list[Any]:
    rows = model.window(0, 100, columns or ["job_id"]).rows
    return rows if len(columns) > 1 else [row[0] for row in rows]


def test_the_order_is_natural_and_what_is_missing_is_last() -> None:
    assert _shown(_model()) == ["2", "7", "10"]
    assert _shown(_model(sort=[("job_id", "descending")])) == ["10", "7", "2"]
    assert _shown(_model(sort=[("name", "ascending")])) == ["10", "2", "7"]
    assert _shown(_model(sort=[("host", "ascending")])) == ["7", "2", "10"]
    assert _shown(_model(sort=[("host", "descending")])) == ["2", "7", "10"]
    assert _shown(_model(sort=[("owner", "ascending"), ("slots", "ascending")])) == ["7", "10", "2"]
    assert _shown(_model(sort=[("waiting", "descending")])) == ["10", "7", "2"]
    assert _shown(_model(sort=[("letters", "ascending")])) == ["2", "7", "10"]
    assert _shown(_model(sort=[("tasks", "descending")])) == ["7", "2", "10"]


def test_cells_are_json_values() -> None:
    columns = ["job_id", "letters", "state", "tasks", "slots", "submission_time", "start_time", "waiting", "runtime",
               "cpu", "priority", "queue", "array", "requests", "key", "task"]  # fmt: skip
    rows = _shown(_model(), *columns)
    assert rows[0] == ["2", "r", "RUNNING", [1, 0, 0, 0, 0], 2, NOW - 7200, NOW - 3600, None, 3600, 12.3, 0.55555,
                       "all.q", False, None, str(2 << 32), None]  # fmt: skip
    assert rows[1][:5] == ["7", "r", "RUNNING", [1, 0, 7, 0, 1], 1]
    assert rows[2][5] == NOW - 100.5
    assert rows[2][7] == 100
    assert json.loads(json.dumps(rows)) == rows


def test_the_tasks_of_an_open_array_stand_below_it() -> None:
    model = _model(expanded=[SWEEP, str(2 << 32), "99"])
    window = model.window(0, 100, ["job_id", "task", "letters", "tasks"])
    assert window.levels == [1, 1, 2, 2, 2, 1]
    assert window.matching == 6
    assert model.matching == model.total == 3
    assert [row[1] for row in window.rows] == [None, None, "1", "2", "3-9:1", None]
    assert window.rows[4] == ["7", "3-9:1", "qw", [0, 0, 7, 0, 0]]
    assert window.keys[2] == str((7 << 32) + 1)
    assert model.window(2, 2, ["task"]).rows == [["1"], ["2"]]
    model.sort = [("letters", "ascending"), ("job_id", "descending")]
    assert [row[1] for row in model.window(0, 100, ["job_id", "task"]).rows] == [None, "2", "3-9:1", "1", None, None]
    model.expanded = []
    assert model.window(0, 100).levels == [1, 1, 1]


def test_a_filter_for_a_state_shows_those_tasks_alone() -> None:
    model = _model(expanded=[SWEEP], filter="state:error owner:alice tasks>2")
    assert _shown(model, "job_id", "task") == [["7", None], ["7", "1"]]
    model.filter = "sweep"
    assert len(_shown(model)) == 4


def test_a_filter_that_cannot_be_read_leaves_the_rows_as_they_were() -> None:
    model = _model(filter="owner:alice")
    told = []
    model.observe(lambda change: told.append((change.name, change.new)))
    model.filter = "owner:alice stat:r"
    assert model.filter_error["start"] == 12
    assert "incomplete" not in model.filter_error
    assert _shown(model) == ["7", "10"]
    model.filter = "owner:"
    assert model.filter_error["incomplete"] is True
    model.filter = "owner:bob"
    assert model.filter_error is None
    assert (model.matching, model.total) == (1, 3)
    assert ("matching", 1) in told


def test_what_cannot_be_is_refused() -> None:
    model = _model()
    with pytest.raises(UnknownName, match="colour"):
        model.window(0, 1, ["colour"])
    with pytest.raises(UnknownName, match="colour"):
        model.sort = [("colour", "ascending")]
    with pytest.raises(InvalidArgument, match="upwards"):
        model.sort = [("name", "upwards")]
    with pytest.raises(UnknownName, match="view"):
        TableModel("users")
    with pytest.raises(UnknownName, match="Did you mean jobs"):
        columns_of("job")
    assert model.sort == []


def test_rows_may_be_left_out_beside_the_filter() -> None:
    model = TableModel("jobs", everywhere=True)
    model.update(jobs_of(TASKS), tasks=TASKS, time=NOW)
    model.restrict(lambda table: np.asarray(table["array"]) == 0)
    assert _shown(model) == ["2", "10"]
    model.filter = "owner:alice load>3"
    assert _shown(model) == ["10"]
    model.restrict(related=lambda table: np.arange(table.num_rows) == 0)
    assert model.matching == 0
    model.restrict()
    assert model.matching == 2
    assert model.matching_keys().tolist() == [7 << 32, 10 << 32]
    assert model.matching_table()["job_id"].to_pylist() == ["7", "10"]


def test_every_view_and_column_can_be_shown_and_sorted() -> None:
    values = {"string": "a1", "dictionary": "b2", "int32": 3, "double": 1.5, "int64": 4, "bool": True}
    for view in VIEWS:
        wanted = schema(view)
        row = {
            field.name: 5
            if field.name == "key"
            else values["dictionary" if pa.types.is_dictionary(field.type) else str(field.type)]
            for field in wanted
            if str(field.type) in values or field.name == "key" or pa.types.is_dictionary(field.type)
        }
        full = pa.Table.from_pylist([row, {"key": 6}], schema=wanted)
        for table in (full, empty_table(view), pa.concat_tables([full, full.slice(1)])):
            model = TableModel(view)
            model.update(table)
            for column in known_columns(view):
                for order in ("ascending", "descending"):
                    model.sort = [(column, order), ("key", "ascending")]
                    window = model.window(0, 10, [column])
                    assert len(window.rows) == table.num_rows, (view, column)
                    json.dumps(window.rows, allow_nan=False)
        for described in columns_of(view):
            assert described["label"]
            assert described["help"].endswith(".")
            assert described["name"] in known_columns(view)
        assert 5 <= len(default_columns(view)) <= 12


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.none() | st.integers(0, 2), st.none() | st.sampled_from("ab")), max_size=12
    ),
    st.lists(st.tuples(st.sampled_from(["slots", "owner", "priority"]), st.booleans()), max_size=3),
    st.randoms(use_true_random=False),
)
def test_the_order_is_that_of_a_stable_sort(
    rows: list[tuple[int, int | None, str | None]], sort: list[tuple[str, bool]], chance: Any
) -> None:
    ids = chance.sample(range(1, 100), len(rows))
    table = tasks_table(
        {"job_id": str(number), "letters": "r", "priority": float(priority), "slots": slots, "owner": owner}
        for number, (priority, slots, owner) in zip(ids, rows, strict=True)
    )
    given_sort = [(name, "descending" if down else "ascending") for name, down in sort]
    expected = list(range(len(rows)))
    if sort:
        expected.sort(key=lambda place: ids[place])
        for name, down in reversed(sort):
            values = table[name].to_pylist()
            there = [place for place in expected if values[place] is not None]
            there.sort(key=lambda place, values=values: values[place], reverse=False)
            if down:
                groups: dict[Any, list[int]] = {}
                for place in there:
                    groups.setdefault(values[place], []).append(place)
                there = [place for value in sorted(groups, reverse=True) for place in groups[value]]
            expected = there + [place for place in expected if values[place] is None]
    assert sorted_rows(table, given_sort, NOW).tolist() == expected
    some = np.flatnonzero(np.arange(len(rows)) % 2 == 0)
    assert sorted_rows(table, given_sort, NOW, some).tolist() == [place for place in expected if place % 2 == 0]


def _changes(added: list[int] = [], changed: list[int] = [], removed: list[int] = []) -> TableChanges:  # noqa: B006
    return TableChanges(*(np.array(keys, np.uint64) for keys in (added, changed, removed)))


def test_rows_that_came_changed_or_went_are_told() -> None:
    model, events = TableModel("jobs"), []
    end = model.on_change(lambda event: events.append((event.kind, event.rows(["job_id", "letters"]))))
    one = jobs_table([{"job_id": "1", "letters": "qw"}, {"job_id": "2", "letters": "qw"}])
    two = jobs_table([{"job_id": "1", "letters": "r"}, {"job_id": "3", "letters": "qw"}])
    model.update(one, time=NOW)
    assert events == []
    model.update(two, _changes([3 << 32], [1 << 32], [2 << 32]), time=NOW)
    expected = [
        ("added", [{"job_id": "3", "letters": "qw"}]),
        ("changed", [{"job_id": "1", "letters": "r"}]),
        ("removed", [{"job_id": "2", "letters": "qw"}]),
    ]
    assert events == expected
    version = model.version
    model.update(two, _changes(), time=NOW)
    assert (len(events), model.version) == (3, version)
    model.update(one, time=NOW)
    assert [kind for kind, _ in events[3:]] == ["added", "changed", "removed"]
    end()
    model.update(two, time=NOW)
    assert len(events) == 6


def test_a_callback_that_fails_keeps_nobody_from_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    model, heard = _model(), []
    model.on_change(lambda event: 1 / 0)
    model.on_change(lambda event: heard.append(len(event)))
    model.update(jobs_of(TASKS.slice(0, 2)), time=NOW)
    assert heard == [2, 1]
    assert "a callback for changes of the jobs failed" in caplog.text


def test_windows_are_whole_while_another_thread_feeds() -> None:
    model = TableModel("jobs")
    tables = [many_jobs(200, seed=1), many_jobs(300, seed=2)]
    model.update(tables[0], time=NOW)
    done = threading.Event()
    wrong: list[Any] = []

    def look() -> None:
        number = 0
        while not done.is_set():
            number += 1
            model.filter = ["", "owner:user1*", "state:r"][number % 3]
            model.sort = [[("name", "ascending")], [("slots", "descending")], []][number % 3]
            window = model.window(0, 1000, ["slots"])
            if (
                window.total not in {200, 300}
                or len(window.keys) != window.matching
                or len(set(window.keys)) != len(window.keys)
            ):
                wrong.append(window)

    thread = threading.Thread(target=look)
    thread.start()
    for number in range(200):
        model.update(tables[number % 2], time=NOW)
    done.set()
    thread.join()
    assert not wrong
    model.filter = ""
    assert (model.total, model.matching) == (300, 300)
