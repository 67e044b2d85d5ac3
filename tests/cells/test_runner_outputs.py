"""What a cell's job sends back."""

from __future__ import annotations

import numpy as np
import pytest
from test_runner import folders, run

from gcs_lab.cells import runner

__all__ = ["folders", "run"]


def test_what_was_bound_before_an_exception_comes_back(run):
    job = run("x = 1\ny = x / 0\nz = 2", outputs=["x", "y", "z"])
    assert job.outputs == {"x": 1}
    assert job.of("outputs")[0]["missing"] == ["y", "z"]
    assert job.status == 1


def test_what_cannot_be_pickled_is_skipped_with_the_reason_and_the_rest_comes_back(run):
    job = run("import threading\nx = 1\nbad = threading.Lock()\ny = [2]", outputs=["x", "bad", "y"])
    body = job.of("outputs")[0]
    assert body["names"] == ["x", "y"]
    assert body["skipped"]["bad"]["type"] == "_thread.lock"
    assert "pickle" in body["skipped"]["bad"]["why"]
    assert job.outputs == {"x": 1, "y": [2]}
    assert job.status == 0


def test_what_the_user_asked_for_must_be_picklable(run):
    job = run("import threading\nx = 1\nbad = threading.Lock()", outputs=["x", "bad"], explicit_outputs=["bad"])
    assert job.status == 1
    assert job.error["ename"] == "PicklingError"
    assert "'bad'" in job.error["evalue"]
    assert job.outputs == {"x": 1}


def test_what_the_user_asked_for_must_be_bound(run):
    job = run("x = 1", outputs=["x", "y"], explicit_outputs=["y"])
    assert job.status == 1
    assert job.error["ename"] == "NameError"
    assert "y" in job.error["evalue"]


def test_modules_come_back_by_name(run):
    job = run("import os.path as p\nx = 1", outputs=["p", "x"])
    values, header = runner.read_payload(str(job.folder / "outputs.payload"))
    assert values == {"x": 1}
    assert header["modules"] == {"p": "posixpath"}


def test_shared_objects_stay_shared_and_arrays_are_writable(run):
    job = run(
        "a[0] = 7\nb = a\nc = a[:2]",
        inputs={"a": np.zeros(300_000)},
        outputs=["a", "b"],
    )
    values = job.outputs
    assert values["a"] is values["b"]
    values["a"][1] = 5
    assert values["a"][:2].tolist() == [7, 5]


def test_notebook_modules_travel_as_code(run, tmp_path):
    (tmp_path / "mymod.py").write_text("def f():\n    return 3\nclass K:\n    v = 4\n")
    job = run(
        "import mymod\nf = mymod.f\nk = mymod.K()",
        outputs=["f", "k"],
        sys_path=[str(tmp_path)],
        notebook_modules=["mymod"],
    )
    assert job.outputs["f"]() == 3
    assert job.outputs["k"].v == 4


def test_an_output_file_that_cannot_be_written_is_told_and_gives_its_own_status(run):
    job = run("import os\nos.mkdir(os.path.join('..', 'outputs.payload'))\nx = 1", outputs=["x"])
    assert job.error["ename"] == "IsADirectoryError"
    assert job.status == runner.EXIT_OUTPUT_LOST
    assert not list(job.folder.glob("*.tmp"))


@pytest.mark.parametrize("size", [100, 1_000_000])
def test_values_of_any_size_come_back(run, size):
    job = run(f"x = b'a' * {size}\ny = bytearray({size})\nz = 'ü' * {size}", outputs=["x", "y", "z"])
    assert job.outputs == {"x": b"a" * size, "y": bytearray(size), "z": "ü" * size}


def test_code_of_another_python_stays_in_the_job_with_the_reason(run):
    job = run("def f(): pass\nclass K: pass\nx = 1", outputs=["f", "K", "x"], python_version=[3, 8])
    body = job.of("outputs")[0]
    assert body["names"] == ["x"]
    assert set(body["skipped"]) == {"f", "K"}
    assert "cannot run in the notebook's Python 3.8" in body["skipped"]["f"]["why"]
    assert job.outputs == {"x": 1}
