"""The runner of a job that needs earlier ones: their values, their failures, their tasks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from test_runner import end, folders, make_folder, run, start

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.runner import EXIT_UPSTREAM_FAILED
from gcs_lab.cells.runner.job_end import end_of_job
from gcs_lab.cells.runner.point_file import pickled_point_value, write_points
from gcs_lab.cells.runner.sweep_end import end_of_sweep, end_of_task
from gcs_lab.cells.runner.upstream import UpstreamFailed, check_upstreams

__all__ = ["folders", "run"]


def told(end):
    return (end.good, end.why)


def upstream(folder, name="prepare", job_id="12", **more) -> dict[str, Any]:
    return {"job_id": job_id, "name": name, "folder": str(folder), "tasks": 0, **more}


def test_a_value_travels_from_folder_to_folder(run):
    first = run("x = [1, 2]\nother = 'unused'", outputs=["x", "other"])
    job = run("y = values + [3]", from_jobs={"values": upstream(first.folder, output="x")}, outputs=["y"])
    assert job.outputs == {"y": [1, 2, 3]}


def test_functions_and_modules_travel_too(run):
    first = run("import math as m\ndef double(x):\n    return 2 * m.floor(x)", outputs=["m", "double"])
    values = {name: upstream(first.folder, output=name) for name in ("m", "double")}
    assert run("y = double(2.5) + m.floor(1.5)", from_jobs=values, outputs=["y"]).outputs == {"y": 5}


def test_a_job_whose_upstream_failed_is_not_run_and_says_why(run):
    first = run("raise ValueError('bad day\\nsecond line')")
    job = run("print('never')", from_jobs={"x": upstream(first.folder, output="x")})
    assert job.status == EXIT_UPSTREAM_FAILED
    assert job.text() == ""
    assert job.error["ename"] == "UpstreamFailed"
    assert job.error["evalue"] == "not run: job 12 (prepare), whose result it needs, failed: ValueError: bad day"
    assert job.error["upstream"] == {"job_id": "12", "name": "prepare", "folder": str(first.folder)}


def test_a_chain_says_which_job_began_it(run):
    first = run("import sys\nsys.exit(3)")
    second = run("pass", after=[upstream(first.folder)])
    third = run("pass", from_jobs={"x": upstream(second.folder, "fit", "13", output="x")})
    assert third.error["evalue"] == (
        "not run: job 13 (fit), whose result it needs, was not run: job 12 (prepare), after which it was to run, "
        "failed with exit status 3"
    )


def test_a_killed_upstream_names_its_signal(run):
    first = run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert "failed: killed by SIGKILL" in run("pass", after=[upstream(first.folder)]).error["evalue"]


def test_a_value_that_was_never_bound_names_the_job(run):
    first = run("x = 1", outputs=["x", "y"])
    job = run("z = y", from_jobs={"y": upstream(first.folder, output="y")})
    assert job.status == EXIT_UPSTREAM_FAILED
    assert job.error["evalue"] == "not run: job 12 (prepare) ended well and did not leave y: it never bound that name"


def test_a_value_that_could_not_be_pickled_names_the_job_and_why(run):
    first = run("g = (i for i in range(3))", outputs=["g"])
    said = run("z = g", from_jobs={"g": upstream(first.folder, output="g")}).error["evalue"]
    assert "job 12 (prepare) ended well and could not leave g: it is a generator that could not be pickled" in said


def test_a_value_whose_module_is_not_here_says_which(run, tmp_path):
    (tmp_path / "only_there.py").write_text("class Thing:\n    pass\n")
    first = run("import only_there\nt = only_there.Thing()", outputs=["t"], sys_path=[str(tmp_path)])
    job = run("u = t", from_jobs={"t": upstream(first.folder, output="t")})
    assert job.error["missing_module"] == "only_there"
    assert "`t`" in job.error["evalue"]


def test_a_deleted_folder_and_a_folder_of_others_are_refused(run, tmp_path):
    gone = run("pass", after=[upstream(tmp_path / "gone")])
    assert f"failed: its job folder {tmp_path / 'gone'} was deleted" in gone.error["evalue"]
    first = run("x = 1", outputs=["x"])
    (first.folder / "outputs.payload").chmod(0o666)
    job = run("y = x", from_jobs={"x": upstream(first.folder, output="x")}, outputs=["y"])
    assert job.error["ename"] == "PermissionError"


def test_the_end_may_be_seen_late(folders):
    first = make_folder("import time\ntime.sleep(0.6)\nx = 4", outputs=["x"])
    second = make_folder("y = x", from_jobs={"x": upstream(first, output="x")}, outputs=["y"])
    folders += [first, second]
    # As on a network file system that shows the end of the first after the scheduler has started the second.
    earlier, later = start(first), start(second)
    assert end(second, later).outputs == {"y": 4}
    end(first, earlier)


def test_an_upstream_that_left_no_word_is_given_up_on(run, tmp_path):
    begun = time.monotonic()
    with pytest.raises(UpstreamFailed, match=r"has left no word: .* does not say that it ever started"):
        check_upstreams({"after": [upstream(tmp_path)]}, patience=0.2)
    killed = {"type": "started", "seq": 0, "t": 1.0, "host": "some-other-host"}
    (tmp_path / "events.jsonl").write_text(json.dumps(killed) + "\n")
    with pytest.raises(UpstreamFailed, match="it was killed on some-other-host, or it still runs"):
        check_upstreams({"after": [upstream(tmp_path)]}, patience=0.2)
    assert time.monotonic() - begun >= 0.4


def test_the_notebook_s_verdict_stands_in_for_a_job_that_could_not_tell(tmp_path):
    folder = JobFolder(tmp_path)
    folder.write_verdict("failed: killed: h_rt=60 s exceeded", -1)
    assert told(end_of_job(str(tmp_path))) == (False, "failed: killed: h_rt=60 s exceeded")
    # What the job says later counts more: it was cleared from its error state and ran.
    started, finished = {"type": "started", "seq": 0, "t": 1.0}, {"type": "finished", "seq": 1, "t": 2.0}
    folder.events.write_text(json.dumps(started) + "\n")
    assert end_of_job(str(tmp_path)) is None
    folder.events.write_text(json.dumps(started) + "\n" + json.dumps({**finished, "exit_status": 0}) + "\n")
    assert told(end_of_job(str(tmp_path))) == (True, "")


@pytest.mark.parametrize("size", [0, 10, 65_500, 65_535, 65_536, 65_537, 200_000])
def test_the_end_is_found_whatever_stands_before_it(tmp_path, size):
    error = {"type": "error", "seq": 1, "t": 1.0, "ename": "KeyError", "evalue": "'k'", "traceback": "x" * size}
    finished = {"type": "finished", "seq": 2, "t": 2.0, "exit_status": 1, "reason": "error"}
    lines = [json.dumps(line) for line in ({"type": "started", "seq": 0, "t": 0.0}, error, finished)]
    log = tmp_path / "events.jsonl"
    log.write_text("\n".join(lines) + "\n")
    assert told(end_of_job(str(tmp_path))) == (False, "failed: KeyError: 'k'")
    log.write_text("\n".join(lines))  # its last line is not whole yet
    assert end_of_job(str(tmp_path)) is None


def test_a_job_that_runs_again_has_no_end_until_it_has_one(tmp_path):
    events = [("started", {}), ("finished", {"exit_status": 1}), ("started", {})]
    lines = [json.dumps({"type": kind, "seq": seq, "t": 1.0, **more}) for seq, (kind, more) in enumerate(events)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    assert end_of_job(str(tmp_path)) is None


# -- sweeps -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sweep(folders):
    """A sweep of three tasks whose runner ran as the scheduler runs it; task 3 is told apart by its parameter."""

    def make(source, tasks=(1, 2, 3), names=("y", "big"), parameters=("x",)):
        folder = make_folder(source, outputs=[*names], sweep={"tasks": 3})
        folders.append(folder)
        axes = [((name,), [pickled_point_value(n) for n in (10, 20, 30)]) for name in parameters]
        write_points(str(folder / "points.bin"), axes, side_by_side=True)
        for task in tasks:
            run_task(folder, task)
        return folder

    return make


def run_task(folder, task):
    command = [sys.executable, str(folder / "runner.pyz"), str(folder)]
    subprocess.run(command, env={**os.environ, "SGE_TASK_ID": str(task)}, check=False, timeout=60)


def test_a_reduce_step_sees_the_whole_sweep(run, sweep):
    folder = sweep("y = x + 1\nbig = list(range(x))")
    whole = upstream(folder, "scan", "14", tasks=3)
    job = run(
        "ys = s.load('y')\nn = len(s)\nplain = s.results('y')\nbig = len(s[2]['big'])\nxs = s.load('x')\n"
        "table = s.frame[['x', 'y', 'state']].to_dict('list')",
        from_jobs={"s": whole},
        outputs=["ys", "n", "plain", "big", "xs", "table"],
    )
    assert job.outputs == {
        "ys": [11, 21, 31],
        "n": 3,
        "plain": {1: 11, 2: 21, 3: 31},
        "big": 20,
        "xs": [10, 20, 30],
        "table": {"x": [10, 20, 30], "y": [11, 21, 31], "state": ["DONE"] * 3},
    }


def test_names_that_clash_in_the_table_of_a_sweep_are_told_apart_as_in_the_notebook(run, sweep):
    folder = sweep("memory = x + 1\nx = 0", names=["memory", "x"], parameters=("x", "state"))
    job = run(
        "f = s.frame\nnames = list(f)\nleft = f[['x', 'state', 'task_state', 'result_memory', 'error']].iloc[2].tolist()",
        from_jobs={"s": upstream(folder, "scan", "14", tasks=3)},
        outputs=["names", "left"],
    )
    known = ["task_state", "host", "wall", "memory", "exit", "error"]
    assert job.outputs["names"] == ["x", "state", *known, "result_memory", "result_x"]
    assert job.outputs["left"] == [30, 30, "DONE", 31, ""]


def test_a_sweep_whose_task_was_killed_says_so(sweep):
    folder = sweep("import os, signal\nif x == 20: os.kill(os.getpid(), signal.SIGKILL)")
    end = end_of_sweep(str(folder), 3)
    assert end is not None
    assert end.why == "failed: 1 of 3 tasks failed; first: task 2: killed by SIGKILL"


def test_a_sweep_of_which_a_task_failed_is_no_good_as_a_whole(run, sweep):
    folder = sweep("assert x != 30, 'too much'\ny = x")
    job = run("pass", after=[upstream(folder, "scan", "14", tasks=3)])
    assert job.error["evalue"] == (
        "not run: sweep 14 (scan), after which it was to run, failed: 1 of 3 tasks failed; first: task 3: "
        "AssertionError: too much"
    )


def test_task_by_task_each_takes_its_own_value_and_only_its_own_failure(folders, sweep):
    first = sweep("assert x != 30, 'too much'\ny = x")
    each = upstream(first, "scan", "14", tasks=3)
    names = {name: {**each, "output": name} for name in ("x", "y")}
    second = make_folder("z = y + x", outputs=["z"], sweep={"tasks": 3}, after_each=each, from_jobs=names)
    folders.append(second)
    write_points(str(second / "points.bin"), [(("p",), [pickled_point_value(n) for n in "abc"])], side_by_side=False)
    for task in (1, 2, 3):
        run_task(second, task)
    assert told(end_of_task(str(second), 2)) == (True, "")
    found = end_of_task(str(second), 3)
    assert found.why.endswith(
        "not run: task 3 of sweep 14 (scan), whose result it needs, failed: AssertionError: too much"
    )
    from gcs_lab.cells.runner.result_files import read_outputs
    from gcs_lab.cells.runner.task_place import task_folder

    assert read_outputs(task_folder(str(second), 2))[0] == {"z": 40}


def test_what_one_task_has_seen_to_be_good_the_others_do_not_look_at_again(run, folders, sweep):
    first = run("v = 5", outputs=["v"])
    second = make_folder("z = x", outputs=["z"], sweep={"tasks": 2}, after=[upstream(first.folder)])
    folders.append(second)
    write_points(str(second / "points.bin"), [(("x",), [pickled_point_value(n) for n in "ab"])], side_by_side=False)
    run_task(second, 1)
    (first.folder / "events.jsonl").unlink()
    run_task(second, 2)
    assert told(end_of_sweep(str(second), 2)) == (True, "")


def test_tasks_that_have_not_told_their_end_leave_it_open(sweep):
    folder = sweep("y = x", tasks=(1, 3))
    assert end_of_sweep(str(folder), 3) is None
    assert end_of_task(str(folder), 2) is None
    (folder / "rounds").mkdir()
    (folder / "rounds" / "1.json").write_text("{}")
    JobFolder(folder).write_verdict("failed: 1 of 3 failed; first: task 2: killed", 1)
    assert told(end_of_task(str(folder), 2)) == (False, "failed: 1 of 3 failed; first: task 2: killed")
    assert told(end_of_task(str(folder), 3)) == (True, "")


def test_the_end_of_a_task_that_runs_again_is_that_of_its_latest_round(sweep):
    folder = sweep("y = x", tasks=(1, 2, 3))
    (folder / "rounds").mkdir()
    (folder / "rounds" / "2.map").write_bytes((3).to_bytes(4, "little"))
    assert told(end_of_task(str(folder), 2)) == (True, "")
    assert end_of_task(str(folder), 3) is None
    assert end_of_sweep(str(folder), 3) is None
