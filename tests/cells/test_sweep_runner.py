"""The runner as a task of a sweep: a real process in a real folder, with the environment of an array's task."""

from __future__ import annotations

import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_runner import make_folder

from gcs_lab.cells import runner
from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.plan import CellOptions
from gcs_lab.cells.sweep_ends import EndLines, end_in_log
from gcs_lab.cells.sweep_points import asked_points
from gcs_lab.cells.sweep_rounds import add_round, note_submitted, read_rounds


def sweep_folder(source, over=("x=range(5)",), outputs=(), **spec) -> JobFolder:
    points = asked_points(CellOptions(over=list(over)), {})
    path = make_folder(
        source,
        outputs=list(outputs),
        sweep={"tasks": len(points), "parameters": points.names, "variable": "sweep"},
        **spec,
    )
    folder = JobFolder(path)
    points.write(folder.points)
    return folder


def run_task(folder: JobFolder, index: int, number: int = 1) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SGE_TASK_ID": str(index), "JOB_ID": str(40 + number)}
    return subprocess.run(
        [sys.executable, str(folder.runner), str(folder.path), str(number)],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def ends(folder: JobFolder) -> list[dict]:
    return EndLines(folder.path).read()


def test_a_task_has_its_own_parameters_folder_log_and_outputs():
    folder = sweep_folder("y = x * 10\nprint('task', x)", outputs=["y"])
    for task in (1, 4):
        assert run_task(folder, task).returncode == 0
    assert not folder.events.exists()
    for task in (1, 4):
        own = folder.of_task(task)
        assert runner.read_payload(str(own.outputs))[0] == {"y": 10 * (task - 1)}
        assert [e.body["text"] for e in EventLog(own.events).read() if e.type == "stream"] == [f"task {task - 1}\n"]
        for place in (own.path, own.path.parent, own.path.parent.parent):
            assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert [end["task"] for end in ends(folder)] == [1, 4]


def test_an_end_says_how_it_went_and_has_the_plain_results():
    source = (
        "import numpy as np\nn = 3\nf = float('nan')\nt = 'text'\nlong = 'x' * 1000\nb = True\nnone = None\n"
        "s = np.float64(1.5)\nk = np.int32(7)\na = np.zeros(3)\nz = np.array(2)\nhuge = 1 << 80\n"
        "def f2(): pass\nclass C: pass\nobject_ = C()"
    )
    names = ["np", "n", "f", "t", "long", "b", "none", "s", "k", "a", "z", "huge", "f2", "C", "object_"]
    folder = sweep_folder(source, outputs=names)
    assert run_task(folder, 2).returncode == 0
    (end,) = ends(folder)
    assert (end["task"], end["round"], end["try"], end["exit_status"], end["reason"]) == (2, 1, 1, 0, "done")
    assert end["wall"] > 0
    assert end["max_rss"] > 1_000_000
    assert end["host"] == os.uname().nodename
    assert math.isnan(end["results"].pop("f"))
    assert end["results"] == {"n": 3, "t": "text", "b": True, "none": None, "s": 1.5, "k": 7, "z": 2}
    assert end["types"] == {"long": "str", "a": "numpy.ndarray", "huge": "int", "object_": "C"}


def test_a_failed_task_says_why_in_a_line_and_keeps_what_it_had():
    folder = sweep_folder("y = x\nif x: raise ValueError('no good\\nat all')", outputs=["y"])
    assert run_task(folder, 2).returncode == 1
    (end,) = ends(folder)
    assert (end["exit_status"], end["reason"], end["error"]) == (1, "error", "ValueError: no good")
    assert end["results"] == {"y": 1}
    assert folder.of_task(2).exception.exists()


def test_a_killed_task_tells_the_signal():
    folder = sweep_folder("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert run_task(folder, 1).returncode == 137
    (end,) = ends(folder)
    assert (end["signal"], end["reason"], end["exit_status"]) == ("SIGKILL", "killed", 137)


def test_a_later_round_maps_its_indices_and_the_log_goes_on():
    source = "import os\ny = x\nprint(os.environ['SGE_TASK_ID'], os.environ['SGE_TASK_LAST'])"
    folder = sweep_folder(source, outputs=["y"])
    for task in range(1, 6):
        run_task(folder, task) if task in (1, 4) else None
    add_round(folder, 1, np.arange(1, 6))
    made = add_round(folder, 2, np.array([2, 4]))
    note_submitted(folder, made, "42")
    assert run_task(folder, 2, number=2).returncode == 0
    assert [(end["task"], end["round"], end["try"]) for end in ends(folder)] == [(1, 1, 1), (4, 1, 1), (4, 2, 2)]
    events = EventLog(folder.of_task(4).events).read()
    assert [event.seq for event in events] == list(range(len(events)))
    started = [event.body for event in events if event.type == "started"]
    assert [(body["try"], body["task_id"], body["job_id"]) for body in started] == [(1, "4", "41"), (2, "2", "42")]
    # The cell sees the sweep's numbers.
    assert [event.body["text"] for event in events if event.type == "stream"][-1] == "4 5\n"
    first, second = read_rounds(folder, 5)
    assert first.job_id == ""
    assert (second.job_id, second.tasks.tolist(), second.index_of(4)) == ("42", [2, 4], 2)
    with pytest.raises(KeyError):
        second.index_of(3)


@pytest.mark.parametrize("index", ["", "undefined", "6", "0"])
def test_a_task_that_is_none_of_the_sweep_says_so(index):
    folder = sweep_folder("y = x")
    environment = {**os.environ, "SGE_TASK_ID": index}
    done = subprocess.run(
        [sys.executable, str(folder.runner), str(folder.path), "1"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == runner.EXIT_NO_SPEC
    assert "cannot start" in done.stderr


def test_a_sweep_s_folder_that_takes_no_more_lines_leaves_the_task_s_own_log():
    folder = sweep_folder("y = x", outputs=["y"])
    # A folder of that name: appending to it fails for root too.
    (folder.path / f"ends-{os.uname().nodename}.jsonl").mkdir()
    done = run_task(folder, 3)
    assert done.returncode == 0
    assert "the end of task 3 could not be written" in done.stderr
    end = end_in_log(folder.of_task(3).events)
    assert end is not None
    assert end["exit_status"] == 0


def test_many_tasks_at_once_keep_their_lines_apart():
    folder = sweep_folder("y = x", over=["x=range(24)"], outputs=["y"])
    environment = {**os.environ, "JOB_ID": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, str(folder.runner), str(folder.path), "1"], env={**environment, "SGE_TASK_ID": str(task)}
        )
        for task in range(1, 25)
    ]
    assert [process.wait(60) for process in running] == [0] * 24
    assert sorted(end["task"] for end in ends(folder)) == list(range(1, 25))


def test_torn_lines_hurt_only_themselves(tmp_path):
    good = {"task": 1, "round": 1, "try": 1, "exit_status": 0}
    reader = EndLines(tmp_path)
    file = tmp_path / "ends-a.jsonl"
    file.write_text(
        "\n" + json.dumps(good) + "\n" + '\n{"task": 2, "rou' + "\n" + json.dumps({**good, "task": 3}) + "\n"
    )
    (tmp_path / "ends-b.jsonl").write_text(
        "\n" + json.dumps({**good, "task": 4}) + "\n\n" + json.dumps({**good, "task": 5})
    )
    assert [end["task"] for end in reader.read()] == [1, 3, 4]
    assert reader.damaged == 1
    with (tmp_path / "ends-b.jsonl").open("a") as other:
        other.write("\n")
    assert [end["task"] for end in reader.read()] == [5]
    assert reader.read() == []


def test_a_task_s_metadata_is_less_than_a_kilobyte():
    folder = sweep_folder("y = x * 1.5", over=["x=range(10)"], outputs=["y"])
    before = folder.size()
    for task in range(1, 11):
        run_task(folder, task)
    outputs = sum(folder.of_task(task).outputs.stat().st_size for task in range(1, 11))
    assert (folder.size() - before - outputs) / 10 < 1000
    assert Path(folder.path / "stdout").exists() is False
