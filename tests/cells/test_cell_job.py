"""CellJob and Follower against a fake cluster (states are set by the test) and real job folders and logs."""

from __future__ import annotations

import json
import threading

import pytest

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.follower import Follower
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.cells.placeholder import is_placeholder
from gcs_lab.cells.runner import write_payload
from gcs_lab.errors import DrmCommunication
from gcs_lab.jobs import Jobs
from gcs_lab.vocabulary import JobInfo, JobState, JobStatus


class FakeBackend:
    """Answers what the test tells it to."""

    system = "a fake"
    supported_attributes = frozenset()
    poll_floor = 0.01

    def __init__(self):
        self.state = JobStatus(JobState.QUEUED, "qw")
        self.known = {}
        self.dead = False

    def status(self, job_ids):
        if self.dead:
            raise DrmCommunication("nobody answers")
        return dict.fromkeys(job_ids, self.state)

    def job_ids(self):
        return []

    def info(self, job_ids):
        return {job_id: self.known[job_id] for job_id in job_ids if job_id in self.known}


class FakeCluster:
    name = "fake"
    system = "a fake"

    def __init__(self):
        self.backend = FakeBackend()
        self.jobs = Jobs(self.backend)


class Recorder:
    def __init__(self):
        self.events, self.statuses, self.silences, self.ends = [], [], [], 0
        self.silent = threading.Event()

    def on_event(self, job, event):
        self.events.append(event.type)

    def on_status(self, job, status):
        self.statuses.append(status.sub_state)

    def on_silence(self, job, since):
        self.silences.append(since)
        self.silent.set()

    def on_concluded(self, job):
        self.ends += 1


@pytest.fixture
def cluster():
    return FakeCluster()


@pytest.fixture
def job(cluster, tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    with JobFolder.create("x") as folder:
        folder.write_spec({"outputs": ["x", "y"], "source": "", "filename": "f"})
    entry = JournalEntry(folder=str(folder.path), cluster="fake", job_id="7", name="x")
    journal.add(entry)
    return CellJob(cluster, entry, journal)


def say(job, *events):
    with job.folder.events.open("a") as log:
        for event in events:
            seq = say.seq = getattr(say, "seq", -1) + 1
            log.write(json.dumps({"seq": seq, "t": 1.0, **event}) + "\n")


def finished(status=0, reason="done", **more):
    return {"type": "finished", "exit_status": status, "reason": reason, "signal": None, **more}


def leave(job, **values):
    write_payload(str(job.folder.outputs), values, {})


def test_outputs_replace_their_placeholders_when_the_log_says_finished(job):
    namespace = {}
    job.deliver_to(namespace)
    assert is_placeholder(namespace["x"])
    leave(job, x=1, y=2)
    say(job, {"type": "started"}, finished())
    job.read_log()
    assert (job.state, namespace) == (JobState.DONE, {"x": 1, "y": 2})


def test_names_that_did_not_come_back_have_their_old_value_again_or_go(job):
    namespace = {"x": "old"}
    job.deliver_to(namespace)
    leave(job)
    say(job, finished())
    job.read_log()
    assert namespace == {"x": "old"}


def test_after_a_failure_names_without_an_old_value_say_why(job):
    namespace = {"x": "old"}
    job.deliver_to(namespace)
    say(job, {"type": "error", "ename": "ValueError", "evalue": "no"}, finished(1, "error"))
    job.read_log()
    assert namespace["x"] == "old"
    assert "never computed: job 7 (x) failed: ValueError: no" in repr(namespace["y"])


def test_a_job_that_the_scheduler_calls_ended_waits_for_the_last_words_of_a_late_log(job):
    job.take_status(JobStatus(JobState.DONE, "z"))
    assert not job.concluded.is_set()
    say(job, {"type": "started"}, finished())
    job.read_log()
    assert job.state is JobState.DONE


def test_a_killed_job_is_concluded_at_once_with_the_scheduler_s_words(job, cluster):
    cluster.backend.known["7"] = JobInfo(job_id="7", failed=37, annotation="killed: h_rt=2 s exceeded (ran 2.0 s)")
    say(job, {"type": "started"})
    job.read_log()
    job.take_status(JobStatus(JobState.FAILED, "z"))
    assert (job.state, job.message) == (JobState.FAILED, "killed: h_rt=2 s exceeded (ran 2.0 s)")


def test_exit_99_is_not_the_end_because_the_scheduler_runs_the_job_again(job):
    say(job, {"type": "started"}, finished(99, "exit"))
    job.read_log()
    assert not job.concluded.is_set()
    say(job, {"type": "started"}, finished(0))
    job.read_log()
    assert job.state is JobState.DONE


def test_a_job_is_concluded_once_whoever_says_so_first(job, cluster):
    recorder = Recorder()
    job.listen(recorder)
    say(job, {"type": "started"}, finished())
    job.read_log()
    cluster.backend.known["7"] = JobInfo(job_id="7", failed=100)
    job.take_status(JobStatus(JobState.FAILED, "z"))
    assert (recorder.ends, job.state) == (1, JobState.DONE)


def test_what_shows_a_job_cannot_keep_its_results_from_coming(job):
    class Broken(Recorder):
        def on_event(self, job, event):
            raise RuntimeError

        on_concluded = on_status = on_event

    job.listen(Broken())
    namespace = {}
    job.deliver_to(namespace)
    leave(job, x=1)
    say(job, {"type": "started"}, finished())
    job.read_log()
    assert job.concluded.is_set()
    assert namespace["x"] == 1


def test_the_follower_tells_silence_and_ends_it_when_the_cluster_answers_again(job, cluster):
    recorder = Recorder()
    job.listen(recorder)
    cluster.backend.dead = True
    Follower().follow(job)
    assert recorder.silent.wait(10)
    assert recorder.silences[0] > 0
    cluster.backend.dead = False
    while recorder.silences[-1] != 0.0:
        recorder.silent.clear()
        assert recorder.silent.wait(10)
    say(job, {"type": "started"}, finished())
    assert job.concluded.wait(10)


def test_a_log_that_cannot_be_followed_does_not_keep_anyone_waiting(job, monkeypatch):
    def broken(*_):
        raise RuntimeError("nonsense")

    monkeypatch.setattr(job, "read_log", broken)
    Follower().follow(job)
    assert job.concluded.wait(10)
    assert "nonsense" in job.message


def test_a_handle_that_takes_over_brings_the_outputs_and_keeps_old_values(job, cluster):
    namespace = {"x": "old"}
    job.deliver_to(namespace)
    later = CellJob(cluster, job.entry, job._journal)
    later.take_over(job)
    later.deliver_to(namespace, replace=False)
    leave(job, y=2)
    say(job, finished())
    job.read_log()
    later.read_log()
    assert namespace == {"x": "old", "y": 2}


def test_events_reach_listeners_in_order_and_each_once(job):
    recorder = Recorder()
    job.listen(recorder)
    say(job, {"type": "started"}, {"type": "stream", "name": "stdout", "text": "a"})
    job.read_log()
    say(job, {"type": "progress", "n": 1})
    job.read_log()
    job.read_log()
    assert recorder.events == ["started", "stream", "progress"]


@pytest.mark.parametrize(
    ("sub_state", "reason"), [("Eqw", "its working folder is missing"), ("z", "deleted by ann before it ran")]
)
def test_the_scheduler_s_reason_for_a_job_that_never_ran_is_kept(job, cluster, monkeypatch, sub_state, reason):
    monkeypatch.setattr("gcs_lab.cells.cell_job._LOG_GRACE", -1.0)
    cluster.backend.known["7"] = JobInfo(job_id="7", annotation=reason)
    job.take_status(JobStatus(JobState.FAILED, sub_state, annotation=reason))
    assert job.state is JobState.FAILED
    assert job.message.startswith(reason)


def test_an_interpreter_that_ended_before_the_runner_spoke_is_told_by_its_last_words(job, cluster, monkeypatch):
    monkeypatch.setattr("gcs_lab.cells.cell_job._LOG_GRACE", -1.0)
    job.folder.stderr.write_text("python: cannot open shared object\n")
    cluster.backend.known["7"] = JobInfo(
        job_id="7", exit_status=127, failed=0, annotation="ended with exit status 127"
    )
    job.take_status(JobStatus(JobState.FAILED, "z"))
    assert "(exit status 127): python: cannot open shared object" in job.message
