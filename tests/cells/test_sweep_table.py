"""What a sweep knows of its tasks, column by column, and the table that its user sees."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from gcs_lab.cells.plan import CellOptions
from gcs_lab.cells.result_column import ResultColumn
from gcs_lab.cells.sweep_frame import parameter_arrays, sweep_frame
from gcs_lab.cells.sweep_points import asked_points
from gcs_lab.cells.sweep_rounds import Round
from gcs_lab.cells.sweep_table import SweepTable
from gcs_lab.models.sweep_feed import strip_of
from gcs_lab.models.sweep_model import STATES
from gcs_lab.vocabulary import ArrayStatus, JobInfo, JobState, SlotInfo, TaskRange

FIRST = Round(1, np.arange(1, 5), "t", "7")
SECOND = Round(2, np.array([2, 3]), "u", "8")


def status(*states: tuple[JobState, str], annotations=None) -> ArrayStatus:
    palette = tuple(dict.fromkeys(states))
    codes = bytes(palette.index(state) for state in states)
    return ArrayStatus(TaskRange(1, len(states)), palette, codes, annotations or {})


QW, R, Z = (JobState.QUEUED, "qw"), (JobState.RUNNING, "r"), (JobState.FAILED, "z")


@pytest.fixture
def table() -> SweepTable:
    found = SweepTable(4, lambda task, name, kind: (kind, name, task))
    found.begin_round(FIRST)
    return found


def end(task: int, exit_status: int = 0, **more) -> dict:
    return {
        "task": task,
        "round": 1,
        "try": 1,
        "exit_status": exit_status,
        "wall": 1.5,
        "host": "h1",
        "started": 10.0,
        **more,
    }


def frame(table: SweepTable, over: str = "x=[1, 2, 3, 4]") -> pd.DataFrame:
    points = asked_points(CellOptions(over=[over]), {})
    return sweep_frame(table, parameter_arrays(points))


def states(table: SweepTable) -> list[str]:
    return [JobState(int(state)).name for state in table.states]


def test_the_scheduler_s_states_count_until_a_task_has_told_its_end(table):
    assert table.take_states(FIRST, status(R, R, QW, QW))
    assert states(table) == ["RUNNING", "RUNNING", "QUEUED", "QUEUED"]
    assert table.take_ends([end(1), end(2, 1, error="ValueError: no")])
    assert not table.take_states(FIRST, status(R, R, QW, QW))
    assert states(table) == ["DONE", "FAILED", "QUEUED", "QUEUED"]
    assert table.errors == {1: "ValueError: no"}
    assert table.state() is JobState.QUEUED
    assert table.counts() == {JobState.DONE: 1, JobState.FAILED: 1, JobState.QUEUED: 2}


def test_a_task_that_has_left_the_queue_without_a_word_is_asked_about_after_a_while(table):
    table.take_states(FIRST, status(R, Z, QW, QW))
    assert states(table)[1] == "QUEUED"
    assert table.gone_for(0.0).tolist() == [1]
    assert table.gone_for(5.0).tolist() == []
    # It may be back: requeued, or an error state that was cleared.
    table.take_states(FIRST, status(R, R, QW, QW))
    assert table.gone_for(0.0).tolist() == []
    table.take_states(FIRST, status(R, Z, QW, QW))
    info = JobInfo(exit_status=137, wallclock_time=3.0, max_rss=5, allocated_machines=[SlotInfo("h9", 1)])
    table.explain(1, "killed", info)
    assert states(table)[1] == "FAILED"
    assert table.gone_for(0.0).tolist() == []
    row = frame(table).loc[2]
    assert (row["host"], row["wall"], row["memory"], row["exit"], row["error"]) == ("h9", 3.0, 5, 137, "killed")


def test_a_state_that_nobody_knows_changes_nothing(table):
    table.take_states(FIRST, status(R, R, QW, QW))
    assert not table.take_states(FIRST, status(*[(JobState.UNDETERMINED, "?")] * 4))
    assert states(table)[0] == "RUNNING"


def test_a_task_that_asks_to_be_run_again_has_not_ended(table):
    table.take_ends([end(1, 99, reason="exit"), end(2, 100, reason="exit"), end(3, 99, reason="killed")])
    assert table.ended.tolist() == [False, False, True, False]
    assert table.unsure(0)["exit_status"] == 99
    table.take_ends([end(1, 0, **{"try": 2})])
    assert states(table)[0] == "DONE"
    assert table.unsure(0) is None


def test_an_older_try_does_not_overwrite_a_newer_one(table):
    table.take_ends([end(1, 0, **{"try": 2}), end(1, 1, **{"try": 1})])
    assert states(table)[0] == "DONE"


def test_a_later_round_begins_its_tasks_anew(table):
    table.take_ends([end(1, results={"y": 1}), end(2, 1, error="no", results={"y": 2}), end(3, results={"y": 3})])
    table.begin_round(SECOND)
    assert states(table) == ["DONE", "QUEUED", "QUEUED", "QUEUED"]
    assert frame(table)["y"].isna().tolist() == [False, True, True, True]
    assert table.errors == {}
    # Words of the earlier round come too late.
    table.take_ends([end(2, 1)])
    table.take_states(FIRST, status(R, R, R, R))
    assert states(table) == ["DONE", "QUEUED", "QUEUED", "RUNNING"]
    table.take_states(SECOND, status(R, QW))
    assert states(table) == ["DONE", "RUNNING", "QUEUED", "RUNNING"]
    table.take_ends([end(2, **{"round": 2, "try": 2})])
    assert states(table)[1] == "DONE"
    assert table.open_rounds() == {1, 2}


def test_the_table_has_all_that_is_known_and_what_is_not_is_missing(table):
    table.take_states(FIRST, status(R, R, QW, QW))
    table.take_ends([end(1, cpu=1.0, max_rss=100, results={"y": 1.5, "n": 3, "ok": True}, types={"model": "Forest"})])
    found = frame(table)
    assert found.index.tolist() == [1, 2, 3, 4]
    assert found.index.name == "task"
    assert list(found) == ["x", "state", "host", "wall", "memory", "exit", "error", "y", "n", "ok", "model"]
    assert found["state"].tolist() == ["DONE", "RUNNING", "QUEUED", "QUEUED"]
    assert found.loc[1, ["x", "host", "wall", "memory", "exit", "error"]].tolist() == [1, "h1", 1.5, 100, 0, ""]
    assert found["model"].tolist() == [("Forest", "model", 1), None, None, None]
    assert found["n"].tolist()[0] == 3.0
    assert found[["wall", "y", "n"]].isna().sum().tolist() == [3, 3, 3]
    assert found["exit"].isna().tolist() == [False, True, True, True]
    table.take_ends([end(task, results={"y": 1, "n": task, "ok": False}) for task in (2, 3, 4)])
    full = frame(table)
    assert full["n"].tolist() == [3, 2, 3, 4]
    assert full["n"].dtype == np.int64
    assert full["y"].dtype == np.float64
    assert full["ok"].dtype == bool


def test_a_frame_is_a_copy(table):
    table.take_ends([end(1, results={"y": 1.0})])
    found = frame(table)
    found.loc[:, ["wall", "y"]] = 7.0
    assert frame(table).loc[1, ["wall", "y"]].tolist() == [1.5, 1.0]


def test_names_that_clash_are_all_there(table):
    table.take_ends([end(1, max_rss=7, results={"x": 99, "error": 0.5})])
    found = frame(table, "x, memory=[(1, 10), (2, 20), (3, 30), (4, 40)]")
    assert found["x"].tolist() == [1, 2, 3, 4]
    assert found["memory"].tolist() == [10, 20, 30, 40]
    assert found.loc[1, ["task_memory", "error", "result_x", "result_error"]].tolist() == [7, "", 99, 0.5]


def test_names_that_are_still_taken_are_made_free(table):
    table.take_ends([end(1, max_rss=7, results={"result_wall": 1, "wall": 2, "error": "e"})])
    found = frame(table, "memory, task_memory=[(1, 2)] * 4")
    assert found.loc[1, ["memory", "task_memory", "task_task_memory"]].tolist() == [1, 2, 7]
    assert found.loc[1, ["wall", "result_wall", "result_result_wall", "result_error"]].tolist() == [1.5, 1, 2, "e"]
    assert found.columns.is_unique


def test_parameters_keep_their_types_and_lists_stay_lists():
    points = asked_points(CellOptions(over=["a, b, c, d=[(1, 1.5, 'p', [1, 2]), (2, 2, 'q', [3, 4])]"]), {})
    arrays = parameter_arrays(points)
    assert [str(array.dtype) for array in arrays.values()] == ["int64", "float64", "object", "object"]
    assert arrays["d"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2], "int64", [1, 2]),
        ([1, 2.5], "float64", [1.0, 2.5]),
        ([True, 2], "object", [True, 2]),
        (["a", 2], "object", ["a", 2]),
        ([1.5, "a"], "object", [1.5, "a"]),
        ([2**53, None], "float64", [float(2**53), math.nan]),
        ([2**60 + 1, None], "object", [2**60 + 1, None]),
        ([2**60 + 1, 0.5], "object", [2**60 + 1, 0.5]),
        ([None, 3], "object", [None, 3]),
        ([True, None], "object", [True, None]),
    ],
)
def test_a_column_is_as_narrow_as_its_values_allow(values, kind, expected):
    column = ResultColumn(len(values))
    for place, value in enumerate(values):
        column.put(place, value)
    array = column.array()
    assert str(array.dtype) == kind
    pd.testing.assert_series_equal(pd.Series(array), pd.Series(expected, dtype=kind))


def test_a_column_without_any_value_is_missing_throughout():
    assert pd.isna(ResultColumn(2).array()).all()


def test_usage_is_that_of_the_tasks_that_have_ended(table):
    table.take_ends([end(2, cpu=1.0, max_rss=10, max_vmem=20), end(4, 1, cpu=2.0, max_rss=30, max_vmem=40)])
    used = table.usage()
    assert used["task"].tolist() == [2, 4]
    assert used["cpu"].tolist() == [1.0, 2.0]
    assert used["max_rss"].tolist() == [10, 30]
    assert used["exit"].tolist() == [0, 1]


def test_a_strip_of_few_tasks_has_a_cell_each():
    some = np.array([JobState.DONE, JobState.RUNNING], np.uint8)
    strip, per_cell = strip_of(some)
    assert per_cell == 1
    assert [STATES[code] for code in strip] == ["DONE", "RUNNING"]


def test_a_cell_of_many_tasks_shows_what_somebody_should_look_at():
    many = np.full(100_000, JobState.DONE, np.uint8)
    many[7] = JobState.FAILED
    many[8] = JobState.RUNNING
    many[50] = JobState.QUEUED
    many[-1] = JobState.RUNNING
    strip, per_cell = strip_of(many)
    assert per_cell == 25
    assert len(strip) == 4_000
    named = [STATES[code] for code in strip]
    assert named[:3] == ["FAILED", "DONE", "QUEUED"]
    assert named[-1] == "RUNNING"
    assert set(named[3:-1]) == {"DONE"}


def test_ten_thousand_ends_are_taken_once(table):
    big = SweepTable(10_000, lambda *_: None)
    lines = [end(task, results={"y": task}) for task in range(1, 10_001)]
    assert big.take_ends(lines)
    assert big.state() is JobState.DONE
    assert big.results["y"].array().sum() == 50_005_000
