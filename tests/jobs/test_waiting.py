"""Waiting for jobs, tasks and arrays: what is returned, what it costs, and what silence of the system does."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from in_memory_backend import InMemoryJobs
from patience import wait_for

from gcs_lab.errors import DrmCommunication, GcsError, Internal, InvalidArgument, Timeout
from gcs_lab.jobs import Job, JobArray, Jobs, waiters
from gcs_lab.vocabulary import JobState, JobTemplate

TRUE = JobTemplate(remote_command="true")


@pytest.fixture
def backend() -> InMemoryJobs:
    return InMemoryJobs()


@pytest.fixture
def jobs(backend: InMemoryJobs) -> Jobs:
    return Jobs(backend)


WAITS = ["wait_any_started", "wait_any_terminated", "wait_all_started", "wait_all_terminated"]


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("timeout", [0, 0.05])
def test_a_wait_that_runs_out_raises_and_leaves_nothing_watched(
    jobs: Jobs, backend: InMemoryJobs, wait: str, timeout: float
) -> None:
    waited_for: list[Job | JobArray] = [jobs.run("true"), jobs.submit_array(TRUE, 1, 30)]
    with pytest.raises(Timeout, match=r"2 jobs did (start|end) within.*left: job 1, array job 2"):
        getattr(jobs, wait)(waited_for, timeout)
    other = jobs.run("true")
    backend.asked.clear()
    backend.arrays_asked.clear()
    other.status(max_age=0)
    assert (backend.asked, backend.arrays_asked) == ([{other.id}], [])


def test_a_timeout_of_zero_looks_once(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("true")
    with pytest.raises(Timeout, match="job 1 did not end within 0 s; it is QUEUED"):
        job.wait_terminated(0)
    assert len(backend.asked) == 1
    backend.states[job.id] = JobState.DONE
    time.sleep(jobs.board.interval)
    assert job.wait_terminated(0) is JobState.DONE
    assert len(backend.asked) == 2


@pytest.mark.parametrize("timeout", [-1, -0.1, True, "5", float("nan")])
def test_a_timeout_that_is_none_is_refused(jobs: Jobs, timeout: Any) -> None:
    with pytest.raises(InvalidArgument, match="the timeout is"):
        jobs.run("true").wait_started(timeout)


@pytest.mark.parametrize("wait", WAITS)
def test_there_must_be_jobs_and_nothing_else(jobs: Jobs, backend: InMemoryJobs, wait: str) -> None:
    job = jobs.run("true")
    with pytest.raises(InvalidArgument, match="the list is empty"):
        getattr(jobs, wait)([], 0)
    with pytest.raises(InvalidArgument, match="'1' is neither"):
        getattr(jobs, wait)(["1"], 0)
    with pytest.raises(InvalidArgument, match="expected a list"):
        getattr(jobs, wait)(job, 0)
    with pytest.raises(InvalidArgument, match="expected a list"):
        getattr(jobs, wait)(None, 0)
    with pytest.raises(InvalidArgument, match="another connection"):
        getattr(jobs, wait)([Jobs(InMemoryJobs()).job("1")], 0)
    assert backend.asked == []


def test_the_first_in_the_order_given_is_returned(jobs: Jobs, backend: InMemoryJobs) -> None:
    first, second, third = (jobs.run("true") for _ in range(3))
    backend.states.update({second.id: JobState.FAILED, third.id: JobState.DONE})
    assert jobs.wait_any_terminated([first, second, third], 5) == second
    assert jobs.wait_any_terminated([third, second, first], 5) == third
    assert jobs.wait_any_started([first, third], 5) == third


def test_an_array_stands_for_its_tasks(jobs: Jobs, backend: InMemoryJobs) -> None:
    job, array = jobs.run("true"), jobs.submit_array(TRUE, 1, 40)
    backend.task_states[array.id].update({7: JobState.RUNNING, 9: JobState.DONE, 20: JobState.FAILED})
    assert jobs.wait_any_started([job, array], 5) == array.job(7)
    assert jobs.wait_any_terminated(iter([job, array]), 5) == array.job(9)
    with pytest.raises(Timeout, match=r"array job 2 did not end within 0\.05 s; its tasks are 37 QUEUED, 1 RUNNING"):
        array.wait_terminated(0.05)


@pytest.mark.parametrize("timeout", [None, 30, float("inf")])
def test_all_means_each_job_and_each_task(jobs: Jobs, backend: InMemoryJobs, timeout: float | None) -> None:
    waited_for: list[Job | JobArray] = [jobs.run("true"), jobs.submit_array(TRUE, 1, 3), jobs.run("true")]
    waited_for.append(waited_for[0])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(jobs.wait_all_terminated, waited_for, timeout)
        wait_for(lambda: bool(backend.arrays_asked))
        backend.states.update({"1": JobState.DONE, "3": JobState.FAILED})
        backend.task_states["2"].update({1: JobState.DONE, 2: JobState.DONE})
        wait_for(lambda: backend.arrays_asked[-5:] == [{"2"}] * 5)
        assert not waiting.done()
        backend.task_states["2"][3] = JobState.FAILED
        assert waiting.result(20) is None


def test_what_has_ended_is_not_asked_for_while_the_others_are_waited_for(jobs: Jobs, backend: InMemoryJobs) -> None:
    ended, other = jobs.run("true"), jobs.run("true")
    backend.states[ended.id] = JobState.DONE
    with pytest.raises(Timeout):
        jobs.wait_all_terminated([ended, other], 0.2)
    assert backend.asked[0] == {ended.id, other.id}
    assert backend.asked[1:]
    assert all(ids == {other.id} for ids in backend.asked[1:])


def test_waiting_for_all_tasks_is_one_question_a_round(jobs: Jobs, backend: InMemoryJobs) -> None:
    array = jobs.submit_array(TRUE, 1, 100_000)
    with pytest.raises(Timeout):
        jobs.wait_all_terminated([array], 0.2)
    assert backend.asked == []
    assert all(ids == {array.id} for ids in backend.arrays_asked)


def test_many_tasks_waited_for_one_by_one_are_asked_for_as_an_array(jobs: Jobs, backend: InMemoryJobs) -> None:
    array = jobs.submit_array(TRUE, 1, 5000)
    with pytest.raises(Timeout):
        jobs.wait_all_terminated(array.jobs, 0.2)
    assert backend.asked == []
    assert all(ids == {array.id} for ids in backend.arrays_asked)


def test_few_tasks_waited_for_one_by_one_are_asked_for_by_themselves(jobs: Jobs, backend: InMemoryJobs) -> None:
    array = jobs.submit_array(TRUE, 1, 5000)
    with pytest.raises(Timeout):
        jobs.wait_any_started(array.jobs[:3], 0.1)
    assert backend.arrays_asked == []
    assert all(ids == {"1.1", "1.2", "1.3"} for ids in backend.asked)


@pytest.mark.parametrize("of_an_array", [False, True])
def test_thousands_of_waiters_cost_few_questions(backend: InMemoryJobs, of_an_array: bool) -> None:
    backend.poll_floor = 0.5
    jobs = Jobs(backend)
    number = 2000
    waited_for = list(jobs.submit_array(TRUE, 1, number).jobs) if of_an_array else jobs.submit_many([TRUE] * number)
    started = time.monotonic()
    threads = [threading.Thread(target=job.wait_terminated, args=(120,)) for job in waited_for]
    for thread in threads:
        thread.start()
    backend.states.update(dict.fromkeys(backend.states, JobState.DONE))
    for tasks in backend.task_states.values():
        tasks.update(dict.fromkeys(tasks, JobState.DONE))
    for thread in threads:
        thread.join(120)
    rounds = (time.monotonic() - started) / 0.5
    assert not any(thread.is_alive() for thread in threads)
    # Sixteen may look before they are many, then four looks a round do not wait for the next.
    assert jobs.board.questions <= 16 + 5 * (rounds + 1)


def test_silence_does_not_end_a_wait_and_is_logged_once(
    jobs: Jobs, backend: InMemoryJobs, caplog: pytest.LogCaptureFixture
) -> None:
    waited_for = [jobs.run("true") for _ in range(5)]
    backend.fault = DrmCommunication("the master does not answer.")
    with caplog.at_level(logging.INFO, "gcs_lab"), ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(job.wait_terminated) for job in waited_for]
        wait_for(lambda: len(backend.asked) >= 4)
        assert not any(wait.done() for wait in waiting)
        asked = len(backend.asked)
        backend.states.update(dict.fromkeys(backend.states, JobState.DONE))
        backend.fault = None
        assert [wait.result(20) for wait in waiting] == [JobState.DONE] * 5
    assert asked < 20
    assert [record.message for record in caplog.records] == [
        (
            "in-memory system does not answer: the master does not answer. Those who wait go on waiting; it is asked "
            "again, at least every 30 s."
        ),
        "in-memory system answers again.",
    ]


def test_a_silent_system_is_asked_after_pauses_that_grow(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("true")
    backend.fault = DrmCommunication("the master does not answer.")
    with pytest.raises(Timeout, match=r"as far as is known: no answer came\. the master does not answer") as ran_out:
        job.wait_terminated(0.5)
    assert isinstance(ran_out.value.__cause__, DrmCommunication)
    # 0.02 s, then twice as long each time: 0, 0.02, 0.06, 0.14, 0.3 and perhaps the last look.
    assert 2 <= len(backend.asked) <= 6


def test_a_look_at_a_silent_system_tells_its_silence(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("true")
    backend.fault = DrmCommunication("the master does not answer.")
    with pytest.raises(DrmCommunication):
        job.wait_started(0)


@pytest.mark.parametrize("error", [Internal("a fault"), InvalidArgument("no such job")])
def test_other_errors_end_a_wait(jobs: Jobs, backend: InMemoryJobs, error: GcsError) -> None:
    job = jobs.run("true")
    backend.fault = error
    with pytest.raises(type(error)):
        job.wait_terminated(10)


def test_while_nothing_happens_one_of_many_waiters_looks(backend: InMemoryJobs, monkeypatch: Any) -> None:
    jobs = Jobs(backend)
    waited_for = [jobs.run("true") for _ in range(20)]
    looks = []
    look = jobs.board.look
    monkeypatch.setattr(jobs.board, "look", lambda *ids, **how: looks.append(1) or look(*ids, **how))
    with ThreadPoolExecutor(200) as threads:
        waits = [threads.submit(waited_for[number % 20].wait_terminated) for number in range(200)]
        wait_for(lambda: len(looks) >= 200)
        looks.clear()
        asked = jobs.board.questions
        wait_for(lambda: jobs.board.questions >= asked + 10)
        seen = len(looks)
        # Each wakes for its own job alone, and the last ones find somebody who asks although the first have left.
        for job in waited_for:
            backend.states[job.id] = JobState.DONE
            wait_for(lambda job=job: sum(wait.done() for wait in waits) >= 10 * (waited_for.index(job) + 1))
        assert [wait.result(20) for wait in waits] == [JobState.DONE] * 200
    # One look a question, and a few of those that began to wait when the others did.
    assert seen < 10 + 1 + 50


def test_one_who_leads_and_fails_leaves_the_asking_to_another(
    jobs: Jobs, backend: InMemoryJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So long it would rest if nobody asked.
    monkeypatch.setattr(waiters, "_LONGEST_REST", 1000.0)
    first, second = jobs.run("true"), jobs.run("true")
    with ThreadPoolExecutor(2) as threads:
        leads = threads.submit(first.wait_terminated, 0.1)
        wait_for(lambda: bool(backend.asked))
        follows = threads.submit(second.wait_terminated, 60)
        with pytest.raises(Timeout):
            leads.result(20)
        backend.states[second.id] = JobState.DONE
        assert follows.result(60) is JobState.DONE
