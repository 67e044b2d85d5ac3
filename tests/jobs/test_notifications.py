"""Event callbacks: each event once, in order, from the system's own events or from states compared."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from in_memory_backend import InMemoryJobs
from patience import wait_for

from gcs_lab.errors import DrmCommunication, InvalidArgument
from gcs_lab.jobs import Jobs, Subscription
from gcs_lab.jobs.tracked_states import TrackedStates
from gcs_lab.vocabulary import ArrayStatus, Event, JobEvent, JobState, JobStatus, JobTemplate, TaskRange

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUE = JobTemplate(remote_command="true")
Heard = tuple[Event, str, JobState]


@pytest.fixture
def backend() -> InMemoryJobs:
    return InMemoryJobs(poll_floor=0.01)


@pytest.fixture
def jobs(backend: InMemoryJobs) -> Iterator[Jobs]:
    yield Jobs(backend)
    wait_for(lambda: not _threads())


@pytest.fixture(autouse=True)
def _only_our_own_threads() -> None:
    """Leave out the threads of areas that tests before these still listen to."""
    _OTHERS.clear()
    _OTHERS.extend(_threads())


_OTHERS: list[threading.Thread] = []


def _threads() -> list[threading.Thread]:
    named = [thread for thread in threading.enumerate() if thread.name == "gcs_lab job events"]
    return [thread for thread in named if thread not in _OTHERS]


def _short(events: list[JobEvent]) -> list[Heard]:
    return [(event.event, event.job_id, event.job_state) for event in events]


def _new(job_id: str, state: JobState) -> Heard:
    return (Event.NEW_STATE, job_id, state)


def _event(job_id: str, state: JobState, kind: Event = Event.NEW_STATE, sub_state: str = "") -> JobEvent:
    return JobEvent(kind, job_id, state, sub_state, datetime.now(UTC))


def test_states_are_told_as_they_change_and_none_from_before(jobs: Jobs, backend: InMemoryJobs) -> None:
    heard: list[JobEvent] = []
    before = jobs.run("true")
    backend.states[before.id] = JobState.RUNNING
    with jobs.on_event(heard.append):
        after = jobs.run("true")
        wait_for(lambda: len(heard) == 1)
        backend.states[after.id] = JobState.RUNNING
        wait_for(lambda: len(heard) == 2)
        backend.states.update({before.id: JobState.DONE, after.id: JobState.UNDETERMINED})
        wait_for(lambda: len(heard) == 3)
        backend.states[after.id] = JobState.FAILED
        wait_for(lambda: len(heard) == 4)
    assert _short(heard) == [
        _new("2", JobState.QUEUED),
        _new("2", JobState.RUNNING),
        _new("1", JobState.DONE),
        _new("2", JobState.FAILED),
    ]
    assert heard[0].time.tzinfo is not None


def test_a_job_that_runs_elsewhere_has_migrated(jobs: Jobs, backend: InMemoryJobs) -> None:
    heard: list[JobEvent] = []
    job = jobs.run("true")
    steps = [
        JobStatus(JobState.RUNNING, "r", "all.q", "node1", 1),
        JobStatus(JobState.RUNNING, "r", "all.q", "node2", 1),
        JobStatus(JobState.REQUEUED, "Rq"),
        JobStatus(JobState.RUNNING, "Rr", "all.q", "node1", 1),
        JobStatus(JobState.RUNNING, "hRr", "all.q", "node1", 1),
        JobStatus(JobState.RUNNING, "hRr", "all.q", "node1", 2),
    ]
    told = [1, 2, 3, 5, 6, 7]
    with jobs.on_event(heard.append):
        for step, number in zip(steps, told, strict=True):
            backend.places[job.id] = step
            wait_for(lambda number=number: len(heard) >= number)  # type: ignore[misc]
    assert _short(heard) == [
        _new("1", JobState.RUNNING),
        (Event.MIGRATED, "1", JobState.RUNNING),
        _new("1", JobState.REQUEUED),
        _new("1", JobState.RUNNING),
        (Event.MIGRATED, "1", JobState.RUNNING),
        (Event.ATTRIBUTE_CHANGE, "1", JobState.RUNNING),
        (Event.ATTRIBUTE_CHANGE, "1", JobState.RUNNING),
    ]


def test_letters_that_spell_the_same_state_are_no_change() -> None:
    tracked = TrackedStates()
    tracked.add("1")
    kinds = []
    for state, letters in [
        (JobState.QUEUED, "qw"),
        (JobState.RUNNING, "t"),
        (JobState.RUNNING, "r"),
        (JobState.RUNNING, "dr"),
        (JobState.FAILED, "Eqw"),
        (JobState.QUEUED, "qw"),
        (JobState.DONE, ""),
        (JobState.DONE, ""),
    ]:
        kinds.append([event.event for event in tracked.compare({"1": JobStatus(state, letters)}, {})])
    new, change = [Event.NEW_STATE], [Event.ATTRIBUTE_CHANGE]
    assert kinds == [new, new, [], change, new, new, new, []]
    assert tracked.jobs == []


def test_an_array_is_told_as_one_where_all_its_tasks_change(jobs: Jobs, backend: InMemoryJobs) -> None:
    heard: list[JobEvent] = []
    with jobs.on_event(heard.append):
        array = jobs.submit_array(TRUE, 1, 50_000)
        states = backend.task_states[array.id]
        wait_for(lambda: len(heard) == 1)
        states.update({2: JobState.RUNNING, 4: JobState.RUNNING})
        wait_for(lambda: len(heard) == 3)
        backend.task_states[array.id] = dict.fromkeys(states, JobState.FAILED)
        wait_for(lambda: len(heard) == 4)
    assert _short(heard) == [
        _new("1", JobState.QUEUED),
        _new("1.2", JobState.RUNNING),
        _new("1.4", JobState.RUNNING),
        _new("1", JobState.FAILED),
    ]
    assert backend.asked == []


def test_the_first_look_at_an_array_tells_that_it_waited() -> None:
    tracked = TrackedStates()
    tracked.add_array("1", TaskRange(1, 4))
    palette = ((JobState.QUEUED, "qw"), (JobState.RUNNING, "r"), (JobState.UNDETERMINED, "?"))
    events = tracked.compare({}, {"1": ArrayStatus(TaskRange(1, 4), palette, bytes([1, 0, 0, 2]), {})})
    assert _short(events) == [_new("1", JobState.QUEUED), _new("1.1", JobState.RUNNING)]


def test_the_palette_of_an_array_never_runs_over() -> None:
    tracked = TrackedStates()
    tracked.add_array("1", TaskRange(1, 2))
    for number in range(1000):
        palette = ((JobState.RUNNING, "r" + chr(0x4E00 + number)), (JobState.QUEUED, "qw"))
        events = tracked.compare({}, {"1": ArrayStatus(TaskRange(1, 2), palette, bytes([0, 1]), {})})
        assert len(events) == (2 if number == 0 else 1)


def test_jobs_of_others_are_heard_of_when_they_are_watched(backend: InMemoryJobs, jobs: Jobs) -> None:
    backend.submit(TRUE)
    backend.submit_array(TRUE, TaskRange(1, 3))
    heard: list[JobEvent] = []
    with jobs.on_event(heard.append) as subscription:
        subscription.watch(["1", "77"], ["2"])
        backend.states["1"] = JobState.RUNNING
        backend.task_states["2"][3] = JobState.DONE
        wait_for(lambda: len(heard) == 2)
    assert sorted(_short(heard)) == [_new("1", JobState.RUNNING), _new("2.3", JobState.DONE)]


def test_a_listener_and_those_who_wait_share_one_question(backend: InMemoryJobs) -> None:
    backend.poll_floor = 0.1
    jobs = Jobs(backend)
    first, _ = jobs.run("true"), jobs.run("true")
    with jobs.on_event(lambda _: None):
        questions, began = jobs.board.questions, time.monotonic()
        with pytest.raises(Exception, match="did not end"):
            first.wait_terminated(1)
        rounds = (time.monotonic() - began) / 0.1
        assert jobs.board.questions - questions <= rounds + 3
    wait_for(lambda: not _threads())


def test_a_callback_that_raises_is_logged_and_the_others_hear_all(
    jobs: Jobs, backend: InMemoryJobs, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[JobEvent] = []

    def fail(event: JobEvent) -> None:
        raise SystemExit(event.job_id)

    with jobs.on_event(fail), jobs.on_event(heard.append):
        jobs.run("true")
        wait_for(lambda: len(heard) == 1)
        jobs.run("true")
        wait_for(lambda: len(heard) == 2)
    assert _short(heard) == [_new("1", JobState.QUEUED), _new("2", JobState.QUEUED)]
    assert [record.message for record in caplog.records if "a callback for events" in record.message]


@pytest.mark.parametrize("keeps_events", [True, False])
def test_each_listener_hears_from_its_registration_to_its_close(
    jobs: Jobs, backend: InMemoryJobs, keeps_events: bool
) -> None:
    backend.keeps_events = keeps_events
    heard: dict[str, list[JobEvent]] = {"early": [], "late": []}

    def happen(state: JobState) -> None:
        backend.states["1"] = state
        backend.log.append(_event("1", state))

    jobs.run("true")
    happen(JobState.QUEUED)
    early = jobs.on_event(heard["early"].append)
    happen(JobState.RUNNING)
    late = jobs.on_event(heard["late"].append)
    happen(JobState.SUSPENDED)
    wait_for(lambda: len(heard["late"]) == 1)
    early.close()
    early.close()
    happen(JobState.DONE)
    wait_for(lambda: len(heard["late"]) == 2)
    late.close()
    assert [event.job_state for event in heard["early"]] == [JobState.RUNNING, JobState.SUSPENDED]
    assert [event.job_state for event in heard["late"]] == [JobState.SUSPENDED, JobState.DONE]
    assert len(_threads()) <= 1
    wait_for(lambda: not _threads())


def test_a_callback_may_register_and_close(jobs: Jobs, backend: InMemoryJobs) -> None:
    heard: list[JobEvent] = []
    inner = []

    def once(_: JobEvent) -> None:
        inner.append(jobs.on_event(heard.append))
        outer.close()

    outer = jobs.on_event(once)
    jobs.run("true")
    wait_for(lambda: bool(inner))
    jobs.run("true")
    wait_for(lambda: len(heard) == 1)
    inner[0].close()
    assert _short(heard) == [_new("2", JobState.QUEUED)]


def test_events_of_the_system_are_told_as_they_are(jobs: Jobs, backend: InMemoryJobs) -> None:
    backend.keeps_events = True
    backend.log.append(_event("9", JobState.DONE))
    heard: list[JobEvent] = []
    events = [
        _event("7", state) for state in (JobState.QUEUED, JobState.RUNNING, JobState.REQUEUED, JobState.RUNNING)
    ]
    events += [
        _event("7", JobState.RUNNING, Event.MIGRATED),
        _event("8.3", JobState.FAILED),
        _event("7", JobState.DONE),
    ]
    with jobs.on_event(heard.append):
        for event in events:
            backend.log.append(event)
        wait_for(lambda: len(heard) == len(events))
    assert heard == events
    assert backend.asked == []


def test_after_a_gap_present_states_are_compared_and_nothing_is_told_twice(jobs: Jobs, backend: InMemoryJobs) -> None:
    backend.keeps_events = True
    heard: list[JobEvent] = []
    known, lost, quiet = (jobs.run("true").id for _ in range(3))
    array = jobs.submit_array(TRUE, 1, 3)
    with jobs.on_event(heard.append):
        backend.log += [_event(known, JobState.RUNNING), _event(f"{array.id}.2", JobState.RUNNING)]
        wait_for(lambda: len(heard) == 2)
        backend.states.update({known: JobState.RUNNING, lost: JobState.DONE})
        backend.task_states[array.id].update({2: JobState.RUNNING, 3: JobState.DONE})
        lost_events = [_event(lost, JobState.RUNNING), _event(f"{array.id}.3", JobState.DONE)]
        backend.gap_at = len(backend.log) + len(lost_events)
        backend.log += [*lost_events, _event(lost, JobState.DONE)]
        wait_for(lambda: len(heard) >= 4)
        backend.states[quiet] = JobState.RUNNING
        backend.log.append(_event(quiet, JobState.RUNNING))
        wait_for(lambda: len(heard) >= 5)
    assert _short(heard[2:]) == [
        _new(lost, JobState.DONE),
        _new(f"{array.id}.3", JobState.DONE),
        _new(quiet, JobState.RUNNING),
    ]


@pytest.mark.parametrize("keeps_events", [True, False])
def test_silence_loses_no_event_and_is_logged_once(
    jobs: Jobs, backend: InMemoryJobs, keeps_events: bool, caplog: pytest.LogCaptureFixture
) -> None:
    backend.keeps_events = keeps_events
    heard: list[JobEvent] = []
    job = jobs.run("true")
    with caplog.at_level(logging.INFO, "gcs_lab"), jobs.on_event(heard.append):
        backend.fault = DrmCommunication("the master does not answer.")
        wait_for(lambda: bool(caplog.records))
        backend.states[job.id] = JobState.RUNNING
        backend.log.append(_event(job.id, JobState.RUNNING))
        backend.fault = None
        wait_for(lambda: len(heard) == 1)
    assert _short(heard) == [_new(job.id, JobState.RUNNING)]
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "in-memory system does not tell of its jobs",
        "in-memory system tells of its jobs again.",
    ]


def test_who_registers_with_a_silent_system_is_told(jobs: Jobs, backend: InMemoryJobs) -> None:
    backend.fault = DrmCommunication("the master does not answer.")
    jobs.run("true")
    with pytest.raises(DrmCommunication):
        jobs.on_event(print)
    with pytest.raises(InvalidArgument, match="expected a function"):
        jobs.on_event("print")  # type: ignore[arg-type]


def test_a_program_that_listens_ends(tmp_path: Path) -> None:
    script = tmp_path / "listens.py"
    script.write_text(
        "from in_memory_backend import InMemoryJobs\n"
        "from gcs_lab.jobs import Jobs\n"
        "jobs = Jobs(InMemoryJobs())\n"
        "subscription = jobs.on_event(print)\n"
        "jobs.run('true')\n"
        "print('end')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "end\n" in ended.stdout


def test_a_closed_area_asks_and_tells_nothing_more(jobs: Jobs, backend: InMemoryJobs) -> None:
    heard: list[JobEvent] = []
    subscription = jobs.on_event(heard.append)
    job = jobs.run("true")
    wait_for(lambda: len(heard) == 1)
    jobs.close()
    assert subscription.closed
    assert not _threads()
    backend.states[job.id] = JobState.RUNNING
    jobs.close()
    # The area can be used on: whoever listens now hears what follows.
    with jobs.on_event(heard.append):
        backend.states[job.id] = JobState.DONE
        wait_for(lambda: len(heard) == 2)
    assert _short(heard) == [_new("1", JobState.QUEUED), _new("1", JobState.DONE)]


def test_who_registers_while_the_area_is_closed_is_not_left_waiting(jobs: Jobs, backend: InMemoryJobs) -> None:
    jobs.run("true")
    backend.answer_may_go.clear()
    made: list[Subscription] = []
    registers = threading.Thread(target=lambda: made.append(jobs.on_event(lambda _: None)))
    registers.start()
    wait_for(lambda: bool(backend.asked))
    # The system does not answer, and so the thread ends a little later.
    jobs.close()
    registers.join(10)
    assert [subscription.closed for subscription in made] == [True]
    backend.answer_may_go.set()
    wait_for(lambda: not _threads())


def test_a_callback_may_close_the_area(jobs: Jobs) -> None:
    heard: list[JobEvent] = []

    def last(event: JobEvent) -> None:
        heard.append(event)
        jobs.close()

    jobs.on_event(last)
    jobs.run("true")
    wait_for(lambda: not _threads())
    assert len(heard) == 1


def test_what_has_ended_for_good_is_followed_no_longer() -> None:
    tracked = TrackedStates()
    tracked.add("1")
    tracked.add_array("2", TaskRange(1, 2))
    for job_id, state, letters, news in [
        ("1", JobState.DONE, "", True),
        ("2", JobState.QUEUED, "qw", True),
        ("2.1", JobState.FAILED, "Eqw", True),
        ("2.2", JobState.DONE, "", True),
        ("2.2", JobState.DONE, "", False),
        ("2.1", JobState.QUEUED, "qw", True),
    ]:
        assert tracked.take_event(_event(job_id, state, sub_state=letters)) is news
    assert (tracked.jobs, tracked.arrays) == ([], ["2"])
    assert tracked.take_event(_event("2.1", JobState.DONE))
    assert tracked.arrays == []
