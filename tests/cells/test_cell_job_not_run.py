"""A cell's job whose earlier job failed, and what a job that failed leaves for those that wait for it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from patience import wait_for
from test_cell_job import Recorder, cluster, finished, job, leave, say

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.dependents import Dependents
from gcs_lab.cells.errands import Errands, until_answered
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.cells.remote_error import rebuild_exception
from gcs_lab.cells.runner.job_end import end_of_job
from gcs_lab.errors import DrmCommunication, InvalidState, UpstreamFailed
from gcs_lab.vocabulary import JobInfo, JobState, JobStatus

__all__ = ["cluster", "job"]


def other(cluster, tmp_path, name, job_id, **spec) -> CellJob:
    with JobFolder.create(name) as folder:
        folder.write_spec({"outputs": [name], "source": "", "filename": "f", **spec})
    entry = JournalEntry(folder=str(folder.path), cluster="fake", job_id=job_id, name=name)
    return CellJob(cluster, entry, Journal(tmp_path / "journal.sqlite"))


def told(end):
    return (end.good, end.why)


def test_what_comes_after_it_was_ended_changes_nothing(job):
    seen = Recorder()
    job.listen(seen)
    job.conclude_not_run("not run: job 3 (a), whose result it needs, failed: ValueError: no", {"job_id": "3"})
    say(job, {"type": "started"}, finished())
    job.read_log()
    job.take_status(JobStatus(JobState.RUNNING, "r"))
    assert (job.state, seen.events, seen.statuses, seen.ends) == (JobState.FAILED, [], [], 1)
    error = rebuild_exception(job.error, job.folder, {})
    assert type(error) is UpstreamFailed
    assert str(error).startswith("not run: job 3")


def test_a_killed_job_leaves_its_end_for_others_and_one_that_spoke_does_not(job, cluster):
    cluster.backend.known["7"] = JobInfo(job_id="7", failed=37, annotation="killed: h_rt=2 s exceeded")
    say(job, {"type": "started"})
    job.read_log()
    job.take_status(JobStatus(JobState.FAILED, "z"))
    assert told(end_of_job(str(job.folder.path))) == (False, "failed: killed: h_rt=2 s exceeded")


def test_a_job_that_failed_by_its_own_word_needs_no_verdict(job):
    say(job, {"type": "started"}, {"type": "error", "ename": "ValueError", "evalue": "no"}, finished(1, "error"))
    job.read_log()
    assert not job.folder.verdict.exists()
    assert told(end_of_job(str(job.folder.path))) == (False, "failed: ValueError: no")


def test_another_kernel_s_word_that_it_was_not_run_is_kept(job, cluster):
    job.folder.write_verdict("was not run: job 3 (a), whose result it needs, failed: no", -1, {"job_id": "3"})
    cluster.backend.known["7"] = JobInfo(job_id="7", deleted_by="ann", failed=100)
    job.take_status(JobStatus(JobState.FAILED, "z"))
    assert job.message == "not run: job 3 (a), whose result it needs, failed: no"
    assert type(rebuild_exception(job.error, job.folder, {})) is UpstreamFailed


def test_a_value_that_a_later_job_was_to_replace_comes_back_when_that_one_fails(job, cluster, tmp_path):
    later = other(cluster, tmp_path, "x", "8")
    namespace = {}
    job.deliver_to(namespace)
    later.deliver_to(namespace)
    leave(job, x=1, y=2)
    say(job, finished())
    job.read_log()
    assert job.overtaken == []
    later.conclude_not_run("not run: …", {})
    assert namespace["x"] == 1


def test_a_value_arrives_although_a_later_job_that_was_to_replace_it_has_failed_already(job, cluster, tmp_path):
    later = other(cluster, tmp_path, "x", "8")
    namespace = {}
    job.deliver_to(namespace)
    later.deliver_to(namespace)
    later.conclude_not_run("not run: …", {})
    leave(job, x=1)
    say(job, finished())
    job.read_log()
    assert namespace["x"] == 1


# -- who ends them ------------------------------------------------------------------------------------------------


@pytest.fixture
def control(cluster):
    """Let jobs be deleted; the test sets what goes wrong."""
    failures, calls = [], []

    def control(action, job_ids):
        calls.append(sorted(job_ids))
        answer = failures.pop(0) if failures else {}
        if isinstance(answer, Exception):
            raise answer
        return answer

    cluster.backend.control = control
    return failures, calls


def test_those_that_wait_are_ended_with_one_command_and_their_own_followers_with_another(
    job, cluster, tmp_path, control
):
    needs = {"x": {**job.upstream().to_json(), "output": "x"}}
    first = other(cluster, tmp_path, "first", "8", from_jobs=needs)
    second = other(cluster, tmp_path, "second", "9", after=[job.upstream().to_json()])
    third = other(cluster, tmp_path, "third", "10", after=[first.upstream().to_json()])
    watch = Dependents()
    for waiting, upstream in ((first, job), (second, job), (third, first)):
        watch.watch(waiting, [upstream])
    say(job, {"type": "started"}, finished(3, "exit"))
    job.read_log()
    wait_for(third.concluded.is_set)
    assert control[1] == [["8", "9"], ["10"]]
    assert first.message == "not run: job 7 (x), whose result it needs, failed: the cell ended with exit status 3"
    assert second.message.startswith("not run: job 7 (x), after which it was to run, failed")
    assert third.message.startswith("not run: job 8 (first), after which it was to run, was not run: job 7 (x)")


def test_one_that_has_started_is_left_to_itself(job, cluster, tmp_path, control):
    first = other(cluster, tmp_path, "first", "8")
    second = other(cluster, tmp_path, "second", "9")
    say(first, {"type": "started"})
    first.read_log()
    watch = Dependents()
    for waiting in (first, second):
        watch.watch(waiting, [job])
    control[0].append({"9": InvalidState("it has ended")})
    say(job, finished(3, "exit"))
    job.read_log()
    wait_for(lambda: control[1])
    assert control[1] == [["9"]]
    assert not first.concluded.is_set()
    assert not second.concluded.is_set()


def test_one_that_failed_before_it_was_watched_ends_them_too(job, cluster, tmp_path, control):
    job.conclude_not_run("not run: …", {"job_id": "3"})
    first = other(cluster, tmp_path, "first", "8")
    Dependents().watch(first, [job])
    wait_for(first.concluded.is_set)
    assert Path(first.folder.verdict).exists()


def test_an_errand_is_tried_again_while_the_cluster_is_silent(monkeypatch):
    monkeypatch.setattr("gcs_lab.cells.errands._FIRST_PAUSE", 0.01)
    done, tries = threading.Event(), []

    def errand():
        tries.append(1)
        if len(tries) < 3:
            raise DrmCommunication("nobody answers")
        done.set()

    errands = Errands()
    errands.after(0.0, until_answered(errand))
    errands.after(0.0, until_answered(lambda: 1 / 0))
    assert done.wait(10)
