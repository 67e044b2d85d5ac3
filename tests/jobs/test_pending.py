"""Why jobs wait, asked through the area: seldom, together, and never of what does not wait."""

from __future__ import annotations

import threading
import time

import pytest
from in_memory_backend import InMemoryJobs

from gcs_lab.errors import DrmCommunication, InvalidArgument, UnknownName
from gcs_lab.jobs import Jobs, pending
from gcs_lab.vocabulary import JobState, JobTemplate, PendingReason, ReasonKind

FULL = PendingReason(ReasonKind.SLOTS, "all 8 slots of all.q are in use", "all.q")
HELD = PendingReason(ReasonKind.HOLD, "held by its user", "user", lasting=True)


@pytest.fixture
def backend() -> InMemoryJobs:
    return InMemoryJobs()


@pytest.fixture
def jobs(backend: InMemoryJobs) -> Jobs:
    return Jobs(backend)


def submit(jobs: Jobs, backend: InMemoryJobs, *reasons: PendingReason) -> str:
    job = jobs.submit(JobTemplate(remote_command="true"))
    backend.reasons[job.id] = list(reasons)
    return job.id


def test_several_jobs_are_one_question(jobs: Jobs, backend: InMemoryJobs) -> None:
    one, two = submit(jobs, backend, FULL), submit(jobs, backend, HELD)
    assert jobs.pending_reasons([one, two]) == {one: [FULL], two: [HELD]}
    assert backend.reasons_asked == [{one, two}]


def test_the_same_job_is_asked_for_once_in_ten_seconds(
    jobs: Jobs, backend: InMemoryJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = submit(jobs, backend, FULL), submit(jobs, backend, HELD)
    for _ in range(3):
        assert jobs.pending_reasons(one) == {one: [FULL]}
    assert jobs.job(one).pending_reasons() == [FULL]
    # Another one is a question of its own; it does not bring the first along.
    assert jobs.pending_reasons([one, two]) == {one: [FULL], two: [HELD]}
    assert backend.reasons_asked == [{one}, {two}]
    monkeypatch.setattr(pending, "REASON_SECONDS", 0.0)
    backend.reasons[one] = [HELD]
    assert jobs.pending_reasons(one) == {one: [HELD]}


def test_the_age_of_an_answer_is_known(jobs: Jobs, backend: InMemoryJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = submit(jobs, backend, FULL), submit(jobs, backend, HELD)
    assert jobs.reasons_age([one]) == 0.0
    now = time.monotonic()
    monkeypatch.setattr(pending.time, "monotonic", lambda: now)
    jobs.pending_reasons(one)
    now += 6
    jobs.pending_reasons([one, two])
    assert [jobs.reasons_age(ids) for ids in ([one], [two], [two, f"{one}.3"])] == [6.0, 0.0, 6.0]


def test_many_threads_are_one_question(jobs: Jobs, backend: InMemoryJobs) -> None:
    one = submit(jobs, backend, FULL)
    start = threading.Barrier(8)
    answers = []

    def ask() -> None:
        start.wait()
        answers.append(jobs.pending_reasons(one))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{one: [FULL]}] * 8
    assert backend.reasons_asked == [{one}]


def test_a_task_has_the_reasons_of_its_array_unless_it_runs(jobs: Jobs, backend: InMemoryJobs) -> None:
    array = jobs.submit_array(JobTemplate(remote_command="true"), 1, 3)
    backend.reasons[array.id] = [FULL]
    backend.task_states[array.id][1] = JobState.RUNNING
    tasks = [f"{array.id}.{index}" for index in (1, 2, 3)]
    assert jobs.pending_reasons(tasks) == {tasks[0]: [], tasks[1]: [FULL], tasks[2]: [FULL]}
    assert backend.reasons_asked == [{array.id}]


def test_a_job_that_started_since_waits_for_nothing(jobs: Jobs, backend: InMemoryJobs) -> None:
    one = submit(jobs, backend, FULL)
    array = jobs.submit_array(JobTemplate(remote_command="true"), 1, 3)
    backend.reasons[array.id] = [FULL]
    assert jobs.pending_reasons([one, array.id]) == {one: [FULL], array.id: [FULL]}
    backend.states[one] = backend.states[array.id] = backend.task_states[array.id][1] = JobState.RUNNING
    jobs.board.expire()
    array.counts()
    # Of the array only a task has started.
    assert jobs.pending_reasons([one, array.id]) == {one: [], array.id: [FULL]}
    assert len(backend.reasons_asked) == 1


def test_a_system_that_does_not_answer_is_not_asked_again_at_once(jobs: Jobs, backend: InMemoryJobs) -> None:
    one = submit(jobs, backend, FULL)
    backend.reasons_fault = DrmCommunication("no answer")
    for _ in range(3):
        with pytest.raises(DrmCommunication, match="no answer"):
            jobs.pending_reasons(one)
    assert len(backend.reasons_asked) == 1


def test_an_unknown_job_is_left_out(jobs: Jobs, backend: InMemoryJobs) -> None:
    one = submit(jobs, backend, FULL)
    assert jobs.pending_reasons([one, "77"]) == {one: [FULL]}
    assert jobs.pending_reasons([]) == {}
    with pytest.raises(UnknownName, match="77"):
        jobs.job("77").pending_reasons()
    with pytest.raises(InvalidArgument):
        jobs.pending_reasons([""])
