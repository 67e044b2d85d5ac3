"""The jobs area, its handle on a job, and the status board, over a fake system in memory."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from in_memory_backend import InMemoryJobs
from patience import wait_for

from gcs_lab.errors import InvalidArgument, InvalidState, Timeout, UnknownName, UnsupportedAttribute
from gcs_lab.jobs import JobAction, Jobs, JobsBackend
from gcs_lab.jobs.status_board import StatusBoard
from gcs_lab.vocabulary import JobState, JobStatus, JobTemplate


@pytest.fixture
def backend() -> InMemoryJobs:
    return InMemoryJobs()


@pytest.fixture
def jobs(backend: InMemoryJobs) -> Jobs:
    return Jobs(backend)


def test_the_fake_follows_the_protocol(backend: InMemoryJobs) -> None:
    assert isinstance(backend, JobsBackend)


def test_run_submits_a_command_with_its_arguments(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("sleep", "60", job_name="nap")
    assert (backend.templates[job.id].remote_command, backend.templates[job.id].args) == ("sleep", ["60"])
    assert backend.templates[job.id].job_name == "nap"


def test_a_template_without_a_command_is_refused(jobs: Jobs) -> None:
    with pytest.raises(InvalidArgument, match="say which program"):
        jobs.submit(JobTemplate())


def test_an_attribute_that_the_system_cannot_honour_is_refused_never_ignored(
    jobs: Jobs, backend: InMemoryJobs
) -> None:
    with pytest.raises(
        UnsupportedAttribute, match=r"in-memory system does not honour email, priority\. email: use something else"
    ):
        jobs.run("true", priority=3, email=["ann@example.org"])
    assert not backend.templates


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"queue_name": "al.q"}, r"no queue is called 'al.q'.*Did you mean all.q"),
        ({"queue_name": "all.q,fast.q"}, "no queue is called 'fast.q'"),
        ({"parallel_environment": "smq"}, r"no parallel environment is called 'smq'.*Did you mean smp"),
        ({"resource_requests": {"h_vmen": "4G"}}, r"no complex is called 'h_vmen'.*Did you mean h_vmem"),
    ],
)
def test_an_unknown_name_is_refused_before_anything_is_sent(
    jobs: Jobs, backend: InMemoryJobs, attributes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnknownName, match=message):
        jobs.run("true", **attributes)
    assert not backend.templates


@pytest.mark.parametrize("queue", ["all.q", "all.q@node1", "short.q,all.q@@big", "*@node1", "@node1", "[as]*.q"])
def test_queues_may_be_named_in_all_of_grid_engines_ways(jobs: Jobs, queue: str) -> None:
    assert jobs.run("true", queue_name=queue).id


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("h_vmem", "4GB", "-l h_vmem=4GB: '4GB' is not a memory value"),
        ("h_rt", "1h", "-l h_rt=1h: '1h' is not a time"),
        ("num_proc", "two", "'two' is not a number, and num_proc is of type INT"),
        ("la", "high", "'high' is not a number, and la is of type DOUBLE"),
        ("exclusive", "yes", "'yes' is neither TRUE nor FALSE"),
        ("slots", "2", "-l slots: jobs may not request slots"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_before_anything_is_sent(
    jobs: Jobs, backend: InMemoryJobs, name: str, value: str, message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        jobs.run("true", resource_requests={name: value})
    assert not backend.templates


@pytest.mark.parametrize(
    "requests",
    [{"h_vmem": "4G"}, {"h_rt": "1:00:00"}, {"p": "2"}, {"la": "0.5"}, {"excl": "true"}, {"arch": "lx*"}],
)
def test_right_requests_pass_by_name_and_by_shortcut(jobs: Jobs, requests: dict[str, str]) -> None:
    assert jobs.run("true", resource_requests=requests).id


def test_the_catalogue_is_asked_for_once_a_minute_and_only_when_names_are_used(
    jobs: Jobs, backend: InMemoryJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.run("true")
    assert backend.catalogue_questions == 0
    for _ in range(3):
        jobs.run("true", queue_name="all.q")
    assert backend.catalogue_questions == 1
    now = time.monotonic()
    monkeypatch.setattr("gcs_lab.jobs.area.time.monotonic", lambda: now + 61)
    jobs.run("true", queue_name="all.q")
    assert backend.catalogue_questions == 2


def test_list_gives_the_jobs_that_have_not_ended(jobs: Jobs, backend: InMemoryJobs) -> None:
    first, second = jobs.run("true"), jobs.run("true")
    backend.states[first.id] = JobState.DONE
    assert jobs.list() == [second]


def test_two_handles_on_one_job_are_equal(jobs: Jobs, backend: InMemoryJobs) -> None:
    assert jobs.job("7") == jobs.job("7")
    assert len({jobs.job("7"), jobs.job("7"), jobs.job("8")}) == 2
    assert jobs.job("7") != Jobs(backend).job("7")


def test_info_of_a_job_that_the_system_does_not_know_names_those_it_knows(jobs: Jobs) -> None:
    jobs.run("true")
    with pytest.raises(UnknownName, match=r"no job is called '99'.*There is: 1\."):
        jobs.job("99").info()


def test_info_is_what_the_system_tells(jobs: Jobs) -> None:
    assert jobs.run("true").info().job_state is JobState.QUEUED


@pytest.mark.parametrize("action", list(JobAction))
def test_every_control_operation_reaches_the_system(jobs: Jobs, backend: InMemoryJobs, action: JobAction) -> None:
    getattr(jobs.run("true"), action.name.lower())()
    assert backend.actions == {action: 1}


def test_a_refused_control_operation_raises_what_the_system_said(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("true")
    backend.states[job.id] = JobState.DONE
    with pytest.raises(InvalidState, match="has ended"):
        job.terminate()


def test_wait_started_is_over_when_the_job_runs(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("true")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(job.wait_started, 10)
        wait_for(lambda: bool(backend.asked))
        backend.states[job.id] = JobState.RUNNING
        assert waiting.result(10) is JobState.RUNNING


@pytest.mark.parametrize("end", [JobState.DONE, JobState.FAILED])
def test_wait_terminated_returns_how_the_job_ended(jobs: Jobs, backend: InMemoryJobs, end: JobState) -> None:
    job = jobs.run("true")
    backend.states[job.id] = end
    assert job.wait_terminated(10) is end


def test_a_job_that_is_neither_in_the_queue_nor_accounted_has_not_ended(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("true")
    backend.states[job.id] = JobState.UNDETERMINED
    with pytest.raises(Timeout, match="it is UNDETERMINED"):
        job.wait_terminated(0.05)


def test_a_wait_that_runs_out_of_time_says_in_which_state_the_job_is(jobs: Jobs) -> None:
    with pytest.raises(Timeout, match=r"job 1 did not end within 0.05 s; it is QUEUED\. Wait longer"):
        jobs.run("true").wait_terminated(0.05)


def test_a_wait_that_is_over_leaves_nothing_watched(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("true")
    with pytest.raises(Timeout):
        job.wait_started(0)
    other = jobs.run("true")
    other.status(max_age=0)
    assert backend.asked[-1] == {other.id}


def test_a_thousand_waiters_cost_one_question_an_interval(backend: InMemoryJobs) -> None:
    backend.poll_floor = 0.2
    jobs = Jobs(backend)
    waited_for = [jobs.run("true") for _ in range(1000)]
    started = time.monotonic()
    threads = [threading.Thread(target=job.wait_terminated, args=(60,)) for job in waited_for]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(backend.asked[-1:] and backend.asked[-1]) == 1000)
    backend.states.update(dict.fromkeys(backend.states, JobState.DONE))
    for thread in threads:
        thread.join(60)
    elapsed = time.monotonic() - started
    assert not any(thread.is_alive() for thread in threads)
    # The first waiter asks for itself; those who come before everyone watches find their own id unknown.
    whole = [ids for ids in backend.asked if len(ids) == 1000]
    assert len(whole) <= elapsed / 0.2 + 2


def test_all_who_wait_while_a_question_is_under_way_take_its_answer(backend: InMemoryJobs) -> None:
    board = StatusBoard(backend)
    ids = [backend.submit(JobTemplate(remote_command="true")) for _ in range(50)]
    board.watch(ids)
    backend.answer_may_go.clear()
    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(board.status, [job_id]) for job_id in ids]
        wait_for(lambda: len(backend.asked) == 1)
        backend.answer_may_go.set()
        assert all(answer.result(10) for answer in answers)
    assert backend.asked == [set(ids)]


def test_a_terminal_state_is_never_asked_for_again(backend: InMemoryJobs) -> None:
    board = StatusBoard(backend)
    ended, running = (backend.submit(JobTemplate(remote_command="true")) for _ in range(2))
    backend.states.update({ended: JobState.DONE, running: JobState.RUNNING})
    board.watch([ended, running])
    board.status([ended, running], max_age=0)
    board.status([ended, running], max_age=0)
    board.status([ended], max_age=0)
    assert backend.asked == [{ended, running}, {running}]


def test_an_answer_is_used_again_until_it_is_too_old(backend: InMemoryJobs) -> None:
    backend.poll_floor = 60
    board = StatusBoard(backend)
    job_id = backend.submit(JobTemplate(remote_command="true"))
    board.status([job_id])
    board.status([job_id])
    assert board.questions == 1
    board.status([job_id], max_age=0)
    assert board.questions == 2


def test_a_slow_system_is_asked_more_seldom(backend: InMemoryJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    board = StatusBoard(backend)
    job_id = backend.submit(JobTemplate(remote_command="true"))
    # Asked, question begins, question ends; twice: one slow answer alone (the first, mostly) says little.
    clock = iter([1.0, 1.0, 1.6, 2.0, 2.0, 2.5])
    monkeypatch.setattr("gcs_lab.jobs.status_board.time.monotonic", lambda: next(clock))
    board.status([job_id], max_age=0)
    assert board.interval == backend.poll_floor
    board.status([job_id], max_age=0)
    assert board.interval == pytest.approx(10.0)


def test_a_job_that_the_system_says_nothing_of_is_undetermined(backend: InMemoryJobs) -> None:
    assert StatusBoard(backend).status(["99"]) == {
        "99": JobStatus(JobState.UNDETERMINED, "the system says nothing of it")
    }


def test_two_watchers_of_one_job_are_counted(backend: InMemoryJobs) -> None:
    board = StatusBoard(backend)
    watched, other = (backend.submit(JobTemplate(remote_command="true")) for _ in range(2))
    board.watch([watched])
    board.watch([watched])
    board.unwatch([watched])
    board.status([other], max_age=0)
    board.unwatch([watched])
    board.status([other], max_age=0)
    assert backend.asked == [{watched, other}, {other}]


@pytest.mark.parametrize(
    ("state", "terminated", "started", "held"),
    [
        (JobState.UNDETERMINED, False, False, False),
        (JobState.QUEUED, False, False, False),
        (JobState.QUEUED_HELD, False, False, True),
        (JobState.RUNNING, False, True, False),
        (JobState.SUSPENDED, False, True, False),
        (JobState.REQUEUED, False, False, False),
        (JobState.REQUEUED_HELD, False, False, True),
        (JobState.DONE, True, True, False),
        (JobState.FAILED, True, True, False),
    ],
)
def test_what_the_states_mean(state: JobState, terminated: bool, started: bool, held: bool) -> None:
    assert (state.terminated, state.started, state.held) == (terminated, started, held)


def test_a_template_knows_which_attributes_ask_for_something() -> None:
    template = JobTemplate(remote_command="true", args=[], rerunnable=False, resource_requests={})
    assert template.attributes_set() == {"remote_command", "args", "rerunnable"}
