"""The points of a sweep: what `--over` accepts, what it refuses, and the file that tasks read."""

from __future__ import annotations

import itertools
import pickle
import stat
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gcs_lab.cells.placeholder import Placeholder
from gcs_lab.cells.plan import CellOptions
from gcs_lab.cells.runner.point_file import read_point
from gcs_lab.cells.sweep_points import Points, asked_points
from gcs_lab.errors import GcsError, InvalidArgument, NotPicklable, NotReady


def points_of(*over, namespace=None, side_by_side=False) -> Points:
    found = asked_points(CellOptions(over=list(over), side_by_side=side_by_side), namespace or {})
    assert found is not None
    return found


def test_axes_are_combined_and_the_last_runs_fastest():
    points = points_of("x=range(2)", "model=['a', 'b', 'c']")
    assert len(points) == 6
    assert points.names == ["x", "model"]
    expected = [{"x": x, "model": model} for x, model in itertools.product(range(2), "abc")]
    assert list(points) == expected
    assert [points.of_task(task) for task in range(1, 7)] == expected
    assert points[-1] == {"x": 1, "model": "c"}


def test_zip_walks_the_axes_side_by_side():
    points = points_of("x=[1, 2]", "y=['a', 'b']", side_by_side=True)
    assert list(points) == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]


def test_several_names_are_given_together():
    points = points_of("lr, depth=[(0.1, 3), (0.2, 4)]", "seed=range(2)")
    assert points.names == ["lr", "depth", "seed"]
    assert points[1] == {"lr": 0.1, "depth": 3, "seed": 1}
    assert points[2] == {"lr": 0.2, "depth": 4, "seed": 0}


def test_a_data_frame_gives_a_row_each_and_python_s_scalars():
    grid = pd.DataFrame({"lr": [0.1, 0.2], "n": [1, 2], "name": ["a", "b"], "flag": [True, False]})
    points = points_of("grid", namespace={"grid": grid})
    assert list(points) == grid.to_dict("records")
    assert [type(value) for value in points[0].values()] == [float, int, str, bool]


def test_a_list_of_dicts_gives_a_dict_each_whatever_the_order_of_its_keys():
    points = points_of("grid", namespace={"grid": [{"a": 1, "b": 2}, {"b": 4, "a": 3}]})
    assert list(points) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_an_expression_sees_the_notebook_and_leaves_it_as_it_is():
    namespace = {"np": np, "low": 1}
    points = points_of("x=np.arange(low, (top := 4))", namespace=namespace)
    assert [point["x"] for point in points] == [1, 2, 3]
    assert type(points[0]["x"]) is int
    assert set(namespace) == {"np", "low"}


def test_code_of_the_notebook_travels_by_value():
    namespace = {"__name__": "__main__"}
    exec("def double(v): return 2 * v", namespace)
    points = points_of("f=[double, abs]", namespace=namespace)
    assert [point["f"](-3) for point in points] == [-6, 3]


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (["x=[1,"], "is not Python"),
        (["x"], "Nothing was sent"),
        (["x.y=[1]"], "no assignment to a name"),
        (["x=y=[1]"], "no assignment to a name"),
        (["x=1; z=2"], "no assignment to a name"),
        (["lambda=[1]"], "is not Python"),
        (["x=nothing_there"], "NameError"),
        (["x=1/0"], "ZeroDivisionError"),
        (["x=[]"], "no values"),
        (["x=5"], "not an int"),
        (["x='abc'"], "one text"),
        (["x={'a': 1}"], "not a dict"),
        (["[1, 2]"], "a list of an int"),
        (["[{'a': 1}, {'b': 2}]"], "dict 2 has other keys"),
        (["[{'a b': 1}]"], "cannot be the name of a variable"),
        (["[{'if': 1}]"], "cannot be the name of a variable"),
        (["a, b=[(1, 2), (3,)]"], "value 2 is (3,); expected 2 values"),
        (["a, b=['xy']"], "expected 2 values"),
        (["a, a=[(1, 2)]"], "more than once"),
        (["x=[1]", "x=[2]"], "each parameter comes from one"),
        (["x=__import__('itertools').count()"], "no end at all"),
        (["x=(1/0 for _ in range(3))"], "going through its values failed"),
        (["x=range(2000)", "y=range(2000)"], "4,000,000 points"),
    ],
)
def test_what_cannot_be_a_sweep_is_refused_with_the_reason(over, said):
    with pytest.raises(InvalidArgument) as refused:
        points_of(*over)
    assert said in str(refused.value)
    assert "Nothing was sent" in str(refused.value)


def test_lists_of_different_lengths_cannot_go_side_by_side():
    with pytest.raises(InvalidArgument, match="x: 2, y: 3"):
        points_of("x=[1, 2]", "y=[1, 2, 3]", side_by_side=True)


def test_a_value_that_cannot_travel_is_named():
    with pytest.raises(NotPicklable, match=r"value 2, a _thread.lock"):
        points_of("x=[1, lock]", namespace={"lock": threading.Lock()})


def test_a_value_that_is_still_computed_is_waited_for():
    with pytest.raises(NotReady, match="job 7"):
        points_of("x=later", namespace={"later": Placeholder("later", lambda name: f"{name} comes from job 7.")})


@pytest.mark.parametrize("options", [{"max_parallel": 3}, {"side_by_side": True}])
def test_flags_of_sweeps_need_points(options):
    with pytest.raises(GcsError, match="Nothing was sent"):
        asked_points(CellOptions(**options), {})


def test_no_sweep_has_no_points():
    assert asked_points(CellOptions(), {}) is None


def test_the_limit_of_tasks_is_one_or_more():
    with pytest.raises(InvalidArgument, match="-tc 0"):
        asked_points(CellOptions(over=["x=[1]"], max_parallel=0), {})


def test_a_task_reads_its_own_point_from_the_file(tmp_path):
    points = points_of("x=range(7)", "a, b=[(1, 'p'), (2, 'q'), (3, 'r')]", "z=[None, [1, 2]]")
    path = tmp_path / "points.bin"
    points.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [read_point(str(path), task) for task in range(1, len(points) + 1)] == list(points)
    again = Points.read(path)
    assert list(again) == list(points)
    assert again.names == points.names
    assert again.digest == points.digest


def test_the_file_has_each_value_once(tmp_path):
    big = "v" * 100_000
    points = points_of("big=[big, 'small']", "x=range(1000)", namespace={"big": big})
    path = tmp_path / "points.bin"
    points.write(path)
    assert path.stat().st_size < 150_000
    assert read_point(str(path), 5) == {"big": big, "x": 4}


def test_a_file_that_is_cut_short_or_of_another_kind_is_told(tmp_path):
    path = tmp_path / "points.bin"
    points_of("x=range(100)").write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(ValueError, match="cut short"):
        read_point(str(path), 100)
    path.write_bytes(b"something else entirely")
    with pytest.raises(ValueError, match="no file of points"):
        read_point(str(path), 1)
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="no point 101"):
        read_point(str(path), 101)


def test_a_file_that_others_can_write_is_not_read(tmp_path):
    path = tmp_path / "points.bin"
    points_of("x=range(3)").write(path)
    path.chmod(0o666)
    with pytest.raises(GcsError, match="may be written by everybody"):
        Points.read(Path(path))


def test_equal_points_have_equal_digests_and_others_do_not():
    digests = {
        points_of("x=[1, 2]", "y=[1, 2]").digest,
        points_of("x=[1, 2]", "y=[1, 2]", side_by_side=True).digest,
        points_of("y=[1, 2]", "x=[1, 2]").digest,
        points_of("x=[1, 2]", "y=[1, 3]").digest,
    }
    assert len(digests) == 4
    assert points_of("x=range(1, 3)", "y=[1, 2]").digest in digests


def test_columns_say_the_same_as_the_points():
    for side_by_side in (False, True):
        points = points_of(
            "a=range(3)", "b, c=[(1, 2), (3, 4), (5, 6)]", "d='x y z'.split()", side_by_side=side_by_side
        )
        columns = points.columns()
        rows = [{name: columns[name][place] for name in columns} for place in range(len(points))]
        assert rows == list(points)


def test_a_million_points_cost_little(tmp_path):
    points = points_of("x=range(1000)", "y=range(1000)")
    assert len(points) == 1_000_000
    points.write(tmp_path / "points.bin")
    assert (tmp_path / "points.bin").stat().st_size < 50_000
    assert read_point(str(tmp_path / "points.bin"), 1_000_000) == {"x": 999, "y": 999}


def test_points_are_plain_pickles_for_an_older_python(tmp_path):
    (axis,) = points_of("x=[1.5]").axes
    assert pickle.loads(axis.pickles[0]) == 1.5
    assert axis.pickles[0][:2] == b"\x80\x05"
