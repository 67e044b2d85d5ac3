"""Sweep and SweepJob on a cluster whose answers the test gives, with real folders, logs and journal."""

from __future__ import annotations

import copy
import json
import math
import pickle
import threading
import time
from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from in_memory_backend import InMemoryJobs

from gcs_lab.cells.follower import Follower
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal
from gcs_lab.cells.later_result import LaterResult
from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
from gcs_lab.cells.runner import write_payload
from gcs_lab.cells.sweep import Sweep
from gcs_lab.cells.sweep_points import asked_points
from gcs_lab.cells.sweep_submission import add_points, submit_sweep, sweep_template
from gcs_lab.errors import (
    CellSourceError,
    DrmCommunication,
    GcsError,
    InvalidArgument,
    InvalidState,
    NotReady,
    Timeout,
)
from gcs_lab.jobs import Jobs
from gcs_lab.models.sweep_feed import SweepFeed
from gcs_lab.vocabulary import ArrayStatus, JobInfo, JobState, JobTemplate, TaskRange

QW, R, GONE = (JobState.QUEUED, "qw"), (JobState.RUNNING, "r"), (JobState.FAILED, "z")


class Backend(InMemoryJobs):
    """Takes arrays, and says of their tasks what the test tells it to."""

    def __init__(self):
        super().__init__()
        self.supported_attributes = frozenset(field.name for field in fields(JobTemplate))
        self.states: dict[str, list] = {}
        self.infos: dict[str, JobInfo] = {}
        self.questions = Counter()
        self.templates = []
        self.refuses: GcsError | None = None
        self.controlled = []

    def submit_array(self, template, tasks, max_parallel=None, token=None):
        if self.refuses:
            raise self.refuses
        self.templates.append((template, tasks, max_parallel, token))
        job_id = str(100 + len(self.templates))
        self.states[job_id] = [QW] * len(tasks)
        return job_id

    def array_status(self, array_ids):
        self.questions["array_status"] += 1
        if self.refuses:
            raise self.refuses
        found = {}
        for array_id in array_ids:
            states = self.states[array_id]
            palette = tuple(dict.fromkeys(states))
            codes = bytes(map(palette.index, states))
            found[array_id] = ArrayStatus(TaskRange(1, len(states)), palette, codes, {})
        return found

    def info(self, job_ids):
        self.questions["info"] += 1
        return {job_id: self.infos[job_id] for job_id in job_ids if job_id in self.infos}

    def control(self, action, job_ids):
        self.controlled.append((action.value, list(job_ids)))
        return {}


class OneCluster:
    name = "one"
    system = "one cluster"

    def __init__(self):
        self.backend = Backend()
        self.jobs = Jobs(self.backend)


@pytest.fixture
def cluster() -> OneCluster:
    return OneCluster()


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch):
    monkeypatch.setattr("gcs_lab.cells.unexplained_ends._GRACE", -1.0)


def make_sweep(cluster, journal, over=("x=range(1, 6)",), source="y = x * 2", **options) -> Sweep:
    asked = CellOptions(over=list(over), name="grid", **options)
    points = asked_points(asked, {})
    request = CellRequest(
        source=source, filename="<cell>", display_name="Cell In[1]", display_source=source, namespace={},
        options=asked, parameters=points.names,
    )  # fmt: skip
    plan = plan_cell(request)
    add_points(plan, points)
    return submit_sweep(plan, cluster, journal)


@pytest.fixture
def sweep(cluster, journal) -> Sweep:
    return make_sweep(cluster, journal)


def say_end(sweep: Sweep, task: int, exit_status: int = 0, *, number: int = 1, host: str = "h", **more) -> None:
    line = {
        "task": task,
        "round": number,
        "try": number,
        "exit_status": exit_status,
        "wall": 1.0,
        "host": host,
        **more,
    }
    with (sweep.folder.path / f"ends-{host}.jsonl").open("a") as file:
        file.write(f"\n{json.dumps(line)}\n")


def test_a_sweep_is_one_folder_and_one_array_job(sweep, cluster, journal):
    ((template, tasks, limit, token),) = cluster.backend.templates
    assert (tasks, limit) == (TaskRange(1, 5), None)
    assert template.args[-2:] == [str(sweep.folder.path), "1"]
    assert (template.output_path, template.error_path, template.join_files) == (str(sweep.folder.stdout), None, True)
    (entry,) = journal.everything()
    assert (entry.kind, entry.tasks, entry.job_id, entry.name) == ("sweep", 5, "101", "grid")
    assert sweep.rounds[0].token == token
    assert sweep.spec["sweep"]["parameters"] == ["x"]
    assert len(sweep) == 5
    assert not sweep.folder.inputs.exists()


def test_a_refused_sweep_leaves_nothing(cluster, journal):
    cluster.backend.refuses = DrmCommunication("not today")
    with pytest.raises(DrmCommunication):
        make_sweep(cluster, journal)
    assert journal.everything() == []


def test_tasks_limit_and_hold_are_asked_for(cluster, journal):
    sweep = make_sweep(cluster, journal, max_parallel=2, hold=True)
    assert cluster.backend.templates[0][2] == 2
    assert cluster.backend.templates[0][0].submit_as_hold
    assert sweep.counts() == {"QUEUED_HELD": 5}


def test_a_parameter_cannot_come_back(cluster, journal):
    with pytest.raises(CellSourceError, match="parameter"):
        make_sweep(cluster, journal, source="x = x + 1", outputs=["x"])


def test_a_parameter_that_the_cell_does_not_use_is_told(cluster):
    asked = CellOptions(over=["x=[1]", "lr=[1]"])
    points = asked_points(asked, {})
    request = CellRequest(
        source="y = x", filename="<cell>", display_name="Cell In[1]", display_source="", namespace={},
        options=asked, parameters=points.names,
    )  # fmt: skip
    plan = plan_cell(request)
    add_points(plan, points)
    assert [text for text in plan.warnings if "lr" in text]
    assert sweep_template(plan, "F", "F/runner.pyz", "F/stdout").args[-1] == "1"


def test_ends_make_the_table_and_conclude_the_sweep(sweep, journal):
    say_end(sweep, 2, results={"y": 4})
    assert sweep.read_log(now=True)
    assert sweep.frame.loc[2, ["x", "state", "y"]].tolist() == [2, "DONE", 4.0]
    assert math.isnan(sweep.frame.loc[1, "y"])
    assert not sweep.concluded.is_set()
    for task in (1, 3, 4, 5):
        say_end(sweep, task, host=f"h{task}", results={"y": 2 * task})
    assert sweep.frame["y"].tolist() == [2, 4, 6, 8, 10]
    assert sweep.concluded.is_set()
    assert sweep.state is JobState.DONE
    assert sweep.message == ""
    assert journal.everything()[0].state == "DONE"


def test_failures_are_summed_up(sweep, journal):
    for task in (1, 2, 3):
        say_end(sweep, task)
    say_end(sweep, 5, 1, error="KeyError: 'z'")
    say_end(sweep, 4, 1, error="ValueError: no good")
    sweep.read_log(now=True)
    assert sweep.message == "2 of 5 failed; first: task 4: ValueError: no good"
    assert journal.everything()[0].state == "FAILED"
    assert journal.everything()[0].message == sweep.message
    assert sweep[4].error == "ValueError: no good"


def test_one_question_tells_how_those_ended_that_said_nothing(sweep, cluster):
    say_end(sweep, 1)
    say_end(sweep, 2)
    sweep.read_log(now=True)
    cluster.backend.states["101"] = [GONE] * 5
    cluster.backend.infos = {
        "101.3": JobInfo(job_id="101.3", exit_status=137, failed=100, annotation="killed: h_rt=60 s exceeded"),
        "101.4": JobInfo(job_id="101.4", exit_status=1, failed=0),
        "101.5": JobInfo(job_id="101.5", deleted_by="ann", annotation="deleted by ann"),
    }
    sweep.folder.stdout.write_text("python: cannot open shared object\n")
    sweep.take_state()
    assert cluster.backend.questions["info"] == 1
    assert sweep.concluded.is_set()
    assert sweep.frame["error"].tolist()[2:] == [
        "killed: h_rt=60 s exceeded",
        "the task ended before its code began (exit status 1): python: cannot open shared object",
        "deleted by ann",
    ]
    assert sweep.frame["exit"].tolist()[2:4] == [137, 1]
    assert sweep.message.startswith("3 of 5 failed; first: task 3: killed: h_rt")


def test_an_end_that_accounting_does_not_know_is_waited_for(sweep, cluster, monkeypatch):
    cluster.backend.states["101"] = [R, R, R, R, GONE]
    sweep.take_state()
    assert not sweep.table.ended[4]
    monkeypatch.setattr("gcs_lab.cells.unexplained_ends._PATIENCE", -1.0)
    sweep.cluster.jobs.board.expire()
    sweep.take_state()
    assert sweep[5].error == "the task ended before its code began"
    assert sweep.counts() == {"RUNNING": 4, "FAILED": 1}


def test_a_line_that_was_lost_is_made_good_from_the_task_s_own_log(sweep, cluster):
    own = sweep.folder.of_task(2)
    own.path.mkdir(parents=True)
    finished = {"seq": 1, "t": 1.0, "type": "finished", "exit_status": 0, "reason": "done", "wall": 2.5}
    own.events.write_text(json.dumps({"seq": 0, "t": 0.5, "type": "started"}) + "\n" + json.dumps(finished) + "\n")
    cluster.backend.states["101"] = [QW, (JobState.DONE, "z"), QW, QW, QW]
    sweep.take_state()
    assert cluster.backend.questions["info"] == 0
    assert sweep.frame.loc[2, ["state", "wall"]].tolist() == ["DONE", 2.5]


def end_all(sweep, failed=()):
    for task in range(1, len(sweep) + 1):
        say_end(sweep, task, int(task in failed), error="no" if task in failed else "", results={"y": task})
    sweep.read_log(now=True)
    assert sweep.concluded.is_set()


def test_failed_tasks_run_again_as_an_array_of_their_own(sweep, cluster, journal):
    end_all(sweep, failed=(2, 5))
    sweep.rerun(failed=True)
    template, tasks, _, _ = cluster.backend.templates[1]
    assert tasks == TaskRange(1, 2)
    assert template.args[-1] == "2"
    assert not sweep.concluded.is_set()
    assert sweep.id == "102"
    assert sweep.counts() == {"DONE": 3, "QUEUED": 2}
    assert journal.everything()[0].finished == 0.0
    assert sweep.job_id_of(5) == "102.2"
    assert sweep.job_id_of(1) == "101.1"
    cluster.backend.states["102"] = [QW, R]
    sweep.cluster.jobs.board.expire()
    sweep.take_state()
    assert sweep[5].state is JobState.RUNNING
    say_end(sweep, 2, number=2, results={"y": 20})
    say_end(sweep, 5, number=2, results={"y": 50})
    sweep.wait(10)
    assert sweep.frame["y"].tolist() == [1, 20, 3, 4, 50]
    assert sweep.message == ""
    assert journal.everything()[0].state == "DONE"


def test_a_sweep_is_the_same_after_a_restart(sweep, cluster, journal):
    end_all(sweep, failed=(2, 5))
    sweep.rerun(tasks=[5, 2])
    say_end(sweep, 5, number=2, results={"y": 50})
    (entry,) = journal.everything()
    again = Sweep(cluster, entry, journal)
    assert not again.concluded.is_set()
    assert again.frame["y"].fillna(-1).tolist() == [1, -1, 3, 4, 50]
    assert again.id == "102"
    assert again.rounds[1].tasks.tolist() == [2, 5]
    say_end(sweep, 2, 1, number=2, error="again")
    again.rerun(failed=True) if again.wait(60) else None
    assert cluster.backend.templates[2][0].args[-1] == "3"
    assert again.rounds[2].tasks.tolist() == [2]
    say_end(sweep, 2, number=3)
    assert again.wait(60) is JobState.DONE


@pytest.mark.parametrize(
    "case",
    [("token", 1.0), ("log", 1.0), ("nothing", 1.0), ("nothing", None)],
    ids=lambda case: f"{case[0]}-{case[1]}",
)
def test_a_round_whose_id_was_never_noted_is_found_or_forgotten(sweep, cluster, journal, monkeypatch, case):
    known_by, at = case
    submitted = time.time() if at is None else at
    end_all(sweep, failed=(2,))
    sweep.rerun(failed=True)
    record = sweep.folder.rounds / "2.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "job_id": "", "submitted": submitted}))
    token = sweep.rounds[1].token
    answer = {token: "102"} if known_by == "token" else {}
    monkeypatch.setattr(cluster.backend, "find_submissions", lambda tokens: answer, raising=False)
    if known_by == "log":
        own = sweep.folder.of_task(2)
        own.path.mkdir(parents=True)
        lines = [{"seq": n, "t": 1.0, "type": "started", "job_id": str(101 + n)} for n in range(2)]
        own.events.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    again = Sweep(cluster, journal.everything()[0], journal)
    if known_by == "nothing":
        assert [ran.job_id for ran in again.rounds] == ["101"]
        # One that another kernel may be submitting at this moment is not touched.
        assert record.exists() == (submitted > 1.0)
    else:
        assert [ran.job_id for ran in again.rounds] == ["101", "102"]
    say_end(sweep, 2, number=2)
    sweep.wait(10)


def test_what_cannot_run_again_is_refused_and_nothing_changes(sweep, cluster):
    with pytest.raises(InvalidState, match="have not ended"):
        sweep.rerun(tasks=[1])
    with pytest.raises(InvalidState, match="no task"):
        sweep.rerun(failed=True)
    with pytest.raises(InvalidArgument, match="say what"):
        sweep.rerun()
    with pytest.raises(InvalidArgument, match="say what"):
        sweep.rerun(failed=True, tasks=[1])
    end_all(sweep, failed=(1,))
    with pytest.raises(InvalidArgument, match="6"):
        sweep.rerun(tasks=[6])
    with pytest.raises(InvalidArgument, match="boolean for each"):
        sweep.rerun(points=lambda frame: frame.y)
    cluster.backend.refuses = DrmCommunication("not now")
    with pytest.raises(DrmCommunication):
        sweep.rerun(failed=True)
    assert sweep.concluded.is_set()
    assert len(sweep.rounds) == 1
    assert sorted(path.name for path in sweep.folder.rounds.iterdir()) == ["1.json"]


def test_a_rerun_may_ask_for_more_and_later_ones_ask_for_the_same(sweep, cluster, journal):
    before = dict(sweep.requested)
    end_all(sweep, failed=(2,))
    sweep.rerun(failed=True, requests="-l h_vmem=4G")
    assert cluster.backend.templates[1][0].resource_requests == {**before, "h_vmem": "4G"}
    say_end(sweep, 2, number=2)
    sweep.wait(10)
    again = Sweep(cluster, journal.everything()[0], journal)
    assert again.requested == {**before, "h_vmem": "4G"}
    sweep.rerun(tasks=[1], requests={"h_rt": "60"})
    assert cluster.backend.templates[2][0].resource_requests == {**before, "h_vmem": "4G", "h_rt": "60"}
    with pytest.raises(InvalidArgument, match="not a request"):
        sweep.rerun(tasks=[2], requests="h_vmem 4G")
    say_end(sweep, 1, number=3)
    sweep.wait(10)


def test_points_chosen_from_the_table_run_again(sweep):
    end_all(sweep)
    sweep.rerun(points=lambda frame: frame.x > 3)
    assert sweep.rounds[1].tasks.tolist() == [4, 5]
    say_end(sweep, 4, number=2)
    say_end(sweep, 5, number=2)
    sweep.wait(10)


def test_control_reaches_the_arrays_that_have_tasks_left(sweep, cluster):
    sweep.hold()
    sweep.release()
    sweep.cancel()
    assert cluster.backend.controlled == [("hold", ["101"]), ("release", ["101"]), ("terminate", ["101"])]
    end_all(sweep, failed=(1,))
    with pytest.raises(InvalidState, match="all tasks"):
        sweep.cancel()
    sweep.rerun(failed=True)
    sweep.cancel()
    assert cluster.backend.controlled[-1] == ("terminate", ["102"])
    say_end(sweep, 1, number=2)
    sweep.wait(10)


def test_a_wait_runs_out(sweep):
    with pytest.raises(Timeout, match="has not ended"):
        sweep.wait(0.01)
    end_all(sweep)


def test_results_that_are_not_plain_are_loaded_when_they_are_asked_for(sweep):
    own = sweep.folder.of_task(3)
    own.path.mkdir(parents=True, mode=0o700)
    write_payload(str(own.outputs), {"model": [1, 2, 3], "y": 6}, {})
    say_end(sweep, 3, results={"y": 6}, types={"model": "list"})
    cell = sweep.frame.loc[3, "model"]
    assert isinstance(cell, LaterResult)
    assert repr(cell) == "<list of task 3; .load() reads it>"
    assert cell.load() == [1, 2, 3]
    task = sweep[3]
    assert (task.model, task.y, task.load("model")) == ([1, 2, 3], 6, [1, 2, 3])
    assert task.parameters == {"x": 3}
    assert task.results["y"] == 6
    assert sweep.load("y").dropna().tolist() == [6]
    assert sweep.load("model")[3] == [1, 2, 3]
    with pytest.raises(NotReady, match="has left no nothing_there"):
        task.load("nothing_there")
    with pytest.raises(AttributeError):
        _ = task.nothing_there
    with pytest.raises(NotReady, match="has left other"):
        sweep.load("other")
    with pytest.raises(NotReady, match="QUEUED"):
        sweep[1].load("model")


def test_tasks_count_from_one(sweep):
    assert [task.number for task in sweep] == [1, 2, 3, 4, 5]
    for wrong in (0, 6, -1, "1", True):
        with pytest.raises(IndexError, match="1 to 5"):
            _ = sweep[wrong]


def test_the_variable_is_bound_and_another_value_is_left_alone(sweep):
    namespace = {}
    assert sweep.deliver_to(namespace)
    assert namespace == {"sweep": sweep}
    namespace["sweep"] = 7
    assert not sweep.deliver_to(namespace, replace=False)
    assert namespace == {"sweep": 7}


def test_the_follower_follows_sweeps_and_hears_of_silence(sweep, cluster):
    told = []
    silent = threading.Event()

    class Listener:
        def on_change(self, sweep):
            told.append("change")

        def on_silence(self, sweep, since):
            told.append("silence" if since else "again")
            silent.set()

        def on_concluded(self, sweep):
            told.append("end")

    sweep.listen(Listener())
    follower = Follower()
    cluster.backend.refuses = DrmCommunication("away")
    follower.follow(sweep)
    assert silent.wait(10)
    cluster.backend.refuses = None
    for task in range(1, 6):
        say_end(sweep, task)
    assert sweep.concluded.wait(10)
    # The one who waits may be woken before the listeners are told.
    deadline = time.monotonic() + 10
    while "end" not in told and time.monotonic() < deadline:
        time.sleep(0.01)
    assert told.count("end") == 1
    assert "silence" in told


def test_a_folder_that_is_gone_ends_the_sweep(sweep):
    sweep.folder.remove()
    sweep.take_state()
    assert sweep.concluded.is_set()
    assert "was deleted" in sweep.message


def test_the_model_follows_the_sweep(sweep):
    feed = SweepFeed(sweep)
    model = feed.model
    assert (model.tasks, model.counts, model.parameters, model.ended) == (5, {"QUEUED": 5}, ["x"], False)
    end_all(sweep, failed=(3,))
    assert model.ended
    assert model.counts == {"DONE": 4, "FAILED": 1}
    assert model.strip == bytes([7, 7, 8, 7, 7])
    assert model.message.startswith("1 of 5 failed")
    sweep.rerun(failed=True)
    feed.feed()
    assert not model.ended
    assert model.message == ""
    assert model.job_id == "102"
    say_end(sweep, 3, number=2)
    sweep.wait(10)


def test_what_was_seen_before_the_end_is_not_told_after_it(sweep, monkeypatch):
    feed = SweepFeed(sweep)
    job_id, looked, may_go = sweep.id, threading.Event(), threading.Event()

    def slowly(_):
        if threading.current_thread() is early:
            looked.set()
            may_go.wait(10)
        return job_id

    early, late = threading.Thread(target=feed.feed), threading.Thread(target=end_all, args=[sweep])
    with monkeypatch.context() as patched:
        patched.setattr(Sweep, "id", property(slowly))
        early.start()
        assert looked.wait(10)
        late.start()
        # It has ended, or waits for its turn.
        late.join(0.1)
        may_go.set()
        early.join(10)
        late.join(10)
    assert feed.model.ended
    assert feed.model.counts == {"DONE": 5}


def test_a_dependency_by_task_is_by_job_when_tasks_run_again(sweep, cluster):
    end_all(sweep, failed=(1,))
    sweep.template.hold_jid_ad = ["55"]
    sweep.rerun(failed=True)
    template = cluster.backend.templates[1][0]
    assert (template.hold_jid, template.hold_jid_ad) == (["55"], None)
    say_end(sweep, 1, number=2)
    sweep.wait(10)


def test_a_verdict_is_left_for_jobs_that_wait(sweep, cluster):
    (sweep.folder.of_task(2).path).mkdir(parents=True)
    cluster.backend.states["101"] = [R, GONE, R, R, R]
    cluster.backend.infos = {"101.2": JobInfo(job_id="101.2", failed=100, annotation="killed by SIGKILL")}
    sweep.take_state()
    assert JobFolder(sweep.folder.of_task(2).path).read_verdict()["why"] == "failed: killed by SIGKILL"
    for task in (1, 3, 4, 5):
        say_end(sweep, task)
    sweep.read_log(now=True)
    assert sweep.folder.verdict.exists()
    sweep.rerun(failed=True)
    assert not sweep.folder.verdict.exists()
    assert not sweep.folder.of_task(2).verdict.exists()
    say_end(sweep, 2, number=2)
    sweep.wait(10)


def test_a_card_s_rows_have_the_failed_tasks_first(sweep):
    from gcs_lab.magics.sweep_view import SweepActions

    end_all(sweep, failed=(3,))
    feed = SweepFeed(sweep)
    actions = SweepActions(sweep, feed)
    assert [row["task"] for row in actions.tasks_of_cell(2)] == [3]
    feed.model.tasks_per_cell = 5
    rows = actions.tasks_of_cell(0)
    assert [row["task"] for row in rows] == [3, 1, 2, 4, 5]
    assert rows[0] == {
        "task": 3, "state": "FAILED", "parameters": "x=3", "host": "h", "wall": 1.0, "memory": -1, "error": "no",
    }  # fmt: skip
    assert actions.task_output(1, 10) == ""
    actions.rerun_failed()
    assert sweep.rounds[1].tasks.tolist() == [3]
    say_end(sweep, 3, number=2)
    sweep.wait(10)


def test_usage_is_there_for_advice(sweep):
    say_end(sweep, 2, cpu=0.5, max_rss=100, max_vmem=200)
    sweep.read_log(now=True)
    used = sweep.usage()
    assert {name: array.tolist() for name, array in used.items()} == {
        "task": [2], "wall": [1.0], "cpu": [0.5], "max_rss": [100], "max_vmem": [200], "exit": [0],
    }  # fmt: skip
    assert all(isinstance(array, np.ndarray) for array in used.values())


def test_what_the_scheduler_has_forgotten_has_ended(sweep, cluster, journal, monkeypatch):
    """After a restart a Grid Engine knows of an array that left the queue only what accounting has."""
    monkeypatch.setattr("gcs_lab.cells.unexplained_ends._PATIENCE", -1.0)
    for task in (2, 4):
        say_end(sweep, task)
    again = Sweep(cluster, journal.everything()[0], journal)
    recorded = ArrayStatus(TaskRange(2, 4), (GONE, (JobState.DONE, "")), bytes([1, 0, 1]), {})
    monkeypatch.setattr(cluster.backend, "array_status", lambda _: {"101": recorded})
    cluster.backend.infos = {"101.3": JobInfo(job_id="101.3", failed=100, annotation="killed by SIGKILL")}
    again.read_log(now=True)
    again.take_state()
    assert again.counts() == {"DONE": 2, "FAILED": 3}
    assert again[3].error == "killed by SIGKILL"
    assert "before its code began" in again[1].error
    # Of a whole array that was deleted before a task ran, nothing is known at all.
    other = make_sweep(cluster, journal)
    monkeypatch.setattr(cluster.backend, "array_status", lambda _: {})
    other.take_state()
    assert other.counts() == {"FAILED": 5}


def test_another_array_s_states_are_not_taken(sweep, cluster, monkeypatch):
    larger = ArrayStatus(TaskRange(1, 6), (R,), bytes(6), {})
    monkeypatch.setattr(cluster.backend, "array_status", lambda _: {"101": larger})
    sweep.take_state()
    assert sweep.counts() == {"QUEUED": 5}


def test_rounds_of_another_kernel_are_taken_before_tasks_run_again(sweep, cluster, journal):
    end_all(sweep, failed=(2, 4))
    other = Sweep(cluster, journal.everything()[0], journal)
    other.read_log(now=True)
    other.rerun(tasks=[2])
    with pytest.raises(InvalidState, match="1 of 2 tasks have not ended yet, the first is task 2"):
        sweep.rerun(failed=True)
    assert sweep.id == other.id == "102"
    assert sweep.counts() == {"DONE": 3, "FAILED": 1, "QUEUED": 1}
    sweep.rerun(tasks=[4])
    assert cluster.backend.templates[2][0].args[-1] == "3"
    say_end(sweep, 2, number=2)
    say_end(sweep, 4, number=3)
    assert sweep.wait(60) is JobState.DONE
    other.look_for_rounds()
    assert other.wait(60) is JobState.DONE


def test_a_sweep_without_its_folder_does_not_run_again(sweep, cluster):
    end_all(sweep, failed=(2,))
    sweep.folder.remove()
    with pytest.raises(InvalidState, match="was deleted"):
        sweep.rerun(failed=True)
    assert not sweep.folder.path.exists()
    assert len(cluster.backend.templates) == 1


def test_tasks_that_run_again_are_not_held(cluster, journal):
    sweep = make_sweep(cluster, journal, hold=True)
    assert sweep.counts() == {"QUEUED_HELD": 5}
    end_all(sweep, failed=(2,))
    sweep.rerun(failed=True)
    assert not cluster.backend.templates[1][0].submit_as_hold
    assert sweep.counts()["QUEUED"] == 1
    again = Sweep(cluster, journal.everything()[0], journal)
    again.read_log(now=True)
    assert again.counts() == {"DONE": 4, "QUEUED": 1}
    say_end(sweep, 2, number=2)
    sweep.wait(60)


def test_a_sweep_that_is_shown_again_ended_when_it_did(sweep, cluster, journal):
    for task in range(1, 6):
        say_end(sweep, task, started=1000.0 + task)
    # Nobody looked while it ended.
    first = Sweep(cluster, journal.everything()[0], journal)
    first.read_log(now=True)
    assert first.finished_at == journal.everything()[0].finished == 1006.0
    journal.update(sweep.entry.folder, finished=1007.0)
    second = Sweep(cluster, journal.everything()[0], journal)
    second.read_log(now=True)
    assert second.finished_at == journal.everything()[0].finished == 1007.0
    second.rerun(tasks=[1])
    say_end(sweep, 1, number=2, started=2000.0)
    second.wait(60)
    assert second.finished_at == 2001.0


def test_an_end_that_was_seen_is_not_told_when_tasks_run_again_meanwhile(sweep):
    end_all(sweep)
    sweep.concluded.clear()
    sweep.table.ended[0] = False
    sweep._conclude()
    assert not sweep.concluded.is_set()


@pytest.mark.parametrize("tasks", [3, "3", ["a"], [2.0], [True], [2**80], np.array([True, False])])
def test_what_is_no_number_of_a_task_is_refused(sweep, cluster, tasks):
    end_all(sweep)
    with pytest.raises(InvalidArgument, match=r"rerun\(tasks="):
        sweep.rerun(tasks=tasks)
    assert len(cluster.backend.templates) == 1


def test_numbers_of_tasks_may_be_numpy_s_and_conditions_pandas_own(sweep):
    end_all(sweep, failed=(2, 4))
    best = sweep.frame.query("exit == 1").y.index.to_numpy()[1]
    assert sweep[best].parameters == {"x": 4}
    sweep.rerun(tasks=sweep.frame.index[[1]])
    assert sweep.rounds[1].tasks.tolist() == [2]
    # The exit status of task 2 is missing now.
    sweep.rerun(points=lambda frame: frame.exit == 1)
    assert sweep.rounds[2].tasks.tolist() == [4]
    say_end(sweep, 2, number=2)
    say_end(sweep, 4, number=3)
    sweep.wait(60)


def test_sweeps_and_tasks_say_why_they_cannot_be_pickled(sweep):
    with pytest.raises(TypeError, match="a sweep cannot be copied or pickled"):
        pickle.dumps(sweep)
    with pytest.raises(TypeError, match="task 2 of sweep grid cannot be copied"):
        copy.deepcopy(sweep[2])


def test_a_job_after_a_sweep_waits_for_all_of_its_rounds(sweep, cluster, journal):
    say_end(sweep, 2, 1, error="no")
    sweep.rerun(failed=True)
    source = "z = len(grid)"
    request = CellRequest(
        source=source, filename="<cell>", display_name="Cell In[2]", display_source=source,
        namespace={"grid": sweep}, options=CellOptions(),
    )  # fmt: skip
    template = plan_cell(request).template("runner.pyz", "folder", "stdout", "stderr")
    assert template.hold_jid == ["101", "102"]
    for task in (1, 3, 4, 5):
        say_end(sweep, task)
    say_end(sweep, 2, number=2)
    sweep.wait(60)


@pytest.mark.parametrize("lost", [False, True], ids=["deleted", "line lost"])
def test_the_end_of_an_earlier_round_is_not_taken_for_that_of_a_later_one(sweep, cluster, journal, lost):
    end_all(sweep)
    place = sweep.folder.of_task(2).path
    place.mkdir(parents=True)
    finished = {"type": "finished", "seq": 1, "exit_status": 0, "wall": 1.0}
    lines = [{"type": "started", "seq": 0, "try": 1}, finished]
    if lost:
        lines += [{"type": "started", "seq": 2, "try": 2}, {**finished, "seq": 3, "exit_status": 3}]
    (place / "events.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    sweep.rerun(tasks=[2])
    cluster.backend.states["102"] = [GONE]
    cluster.backend.infos = {"102.1": JobInfo(job_id="102.1", annotation="deleted by me before it ran")}
    told = "exit status 3" if lost else "deleted by me before it ran"
    for one in (sweep, Sweep(cluster, journal.everything()[0], journal)):
        one.read_log(now=True)
        one.take_state()
        assert (one[2].state, one[2].error) == (JobState.FAILED, told)
