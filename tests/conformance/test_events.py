"""Notification of what happens to jobs (GFD.231, 8.1.7 registerEventNotification)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from patience import wait_for

from conformance.statements import clause, subject
from gcs_lab.vocabulary import Event, JobState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.site import Site
    from gcs_lab.vocabulary import JobEvent

#: No state is told after one that stands later in a job's life.
LIFE = (JobState.QUEUED_HELD, JobState.QUEUED, JobState.RUNNING, JobState.UNDETERMINED, JobState.DONE)


class _Listener:
    """Keeps what a callback is told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: list[JobEvent] = []

    def __call__(self, event: JobEvent) -> None:
        with self._lock:
            self._told.append(event)

    def of(self, *job_ids: str) -> list[JobEvent]:
        with self._lock:
            return [event for event in self._told if event.job_id in job_ids]

    def states(self, job_id: str) -> list[JobState]:
        return [event.job_state for event in self.of(job_id) if event.event is Event.NEW_STATE]


def _heard(listener: _Listener, job_id: str, state: JobState) -> None:
    wait_for(lambda: state in listener.states(job_id), f"{state} of {job_id}; told so far: {listener.of(job_id)}")


@clause("GFD.231 4 drmaa2_event NEW_STATE")
@subject("Jobs.on_event", "Event.NEW_STATE")
def test_new_states_are_told_in_order_and_each_once(site: Site) -> None:
    listener = _Listener()
    subscription = site.jobs.on_event(listener)
    try:
        runs = [site.held("while [ ! -e go ]; do sleep 0.05; done") for _ in range(3)]
        for run in runs:
            _heard(listener, run.id, JobState.QUEUED_HELD)
            run.job.release()
        for run in runs:
            _heard(listener, run.id, JobState.RUNNING)
            (run.folder / "go").touch()
        for run in runs:
            _heard(listener, run.id, JobState.DONE)
    finally:
        subscription.close()
    for run in runs:
        states = listener.states(run.id)
        assert [LIFE.index(state) for state in states] == sorted({LIFE.index(state) for state in states}), states
        times = [event.time for event in listener.of(run.id)]
        assert all(time.tzinfo is not None for time in times)
        assert times == sorted(times)


@clause("GFD.231 4 drmaa2_event NEW_STATE")
@subject("Jobs.on_event", "Event.NEW_STATE")
def test_suspension_and_deletion_are_new_states(site: Site) -> None:
    listener = _Listener()
    subscription = site.jobs.on_event(listener)
    try:
        run = site.running()
        _heard(listener, run.id, JobState.RUNNING)
        run.job.suspend()
        _heard(listener, run.id, JobState.SUSPENDED)
        run.job.terminate()
        _heard(listener, run.id, JobState.FAILED)
    finally:
        subscription.close()
    states = listener.states(run.id)
    assert states[-1] is JobState.FAILED
    assert states.count(JobState.SUSPENDED) == states.count(JobState.FAILED) == 1


@clause("GFD.231 8.1.7 registerEventNotification")
@subject("Jobs.on_event")
def test_what_happened_before_registration_is_not_told(site: Site) -> None:
    run, later = site.shell("true"), site.held()
    run.ended(JobState.DONE)
    listener = _Listener()
    subscription = site.jobs.on_event(listener)
    try:
        later.job.release()
        _heard(listener, later.id, JobState.DONE)
    finally:
        subscription.close()
    assert listener.of(run.id) == []
    assert JobState.QUEUED_HELD not in listener.states(later.id)


@clause("GFD.231 8.1.7 registerEventNotification")
@subject("Jobs.on_event")
def test_several_callbacks_are_told_and_a_closed_or_broken_one_does_not_disturb_the_others(site: Site) -> None:
    kept, closed = _Listener(), _Listener()

    def broken(event: JobEvent) -> None:
        raise RuntimeError(f"a callback's own fault at {event}")

    subscriptions = [site.jobs.on_event(callback) for callback in (broken, kept, closed)]
    try:
        subscriptions[2].close()
        run = site.shell("true")
        _heard(kept, run.id, JobState.DONE)
    finally:
        for subscription in subscriptions:
            subscription.close()
    assert closed.of(run.id) == []


@clause("protocol: events of arrays")
@subject("Jobs.on_event")
def test_the_tasks_of_an_array_are_told_of_together_or_one_by_one(site: Site) -> None:
    listener = _Listener()
    subscription = site.jobs.on_event(listener)
    try:
        array = site.jobs.submit_array(
            site.template("/bin/true", output_path="/dev/null", error_path="/dev/null"), 1, 2
        )
        tasks = [f"{array.id}.1", f"{array.id}.2"]
        wait_for(
            lambda: all(_ended(listener.of(task, array.id)) for task in tasks),
            f"the end of both tasks: {listener.of(array.id, *tasks)}",
        )
    finally:
        subscription.close()
    for task in tasks:
        states = listener.states(task)
        assert len(states) == len(set(states)), states


def _ended(events: Iterable[JobEvent]) -> bool:
    return any(event.job_state is JobState.DONE for event in events)


@clause("GFD.231 4 drmaa2_event MIGRATED")
@subject("Event.MIGRATED")
def test_a_job_that_runs_again_on_another_machine_has_migrated(site: Site) -> str | None:
    if len(site.hosts) == 1:
        return "not shown: one host"
    listener = _Listener()
    subscription = site.jobs.on_event(listener)
    try:
        run = site.running("exec sleep 600", rerunnable=True, priority=-100, resource_requests={site.consumable: "2"})
        here = run.status().machine_name
        assert here is not None
        # It waits for a share of what the job has, and gets it when the run is lost.
        other = site.shell("exec sleep 600", resource_requests={site.consumable: "1", "hostname": here})
        site.lose(run.id)
        other.reached(JobState.RUNNING)
        wait_for(lambda: run.status().machine_name not in {None, here}, "the run on another host", pause=site.pace)
        wait_for(
            lambda: [event for event in listener.of(run.id) if event.event is Event.MIGRATED],
            f"the event; told so far: {listener.of(run.id)}",
        )
        site.end(run, other)
        _heard(listener, run.id, JobState.FAILED)
    finally:
        subscription.close()
    assert len([event for event in listener.of(run.id) if event.event is Event.MIGRATED]) == 1
    return None


@clause("GFD.231 4 drmaa2_event ATTRIBUTE_CHANGE, MIGRATED")
@subject("Event.ATTRIBUTE_CHANGE", "Event.MIGRATED")
def test_a_job_to_which_nothing_else_happens_tells_of_new_states_only(site: Site) -> None:
    listener = _Listener()
    subscription = site.jobs.on_event(listener)
    try:
        run = site.held("true")
        _heard(listener, run.id, JobState.QUEUED_HELD)
        run.job.release()
        _heard(listener, run.id, JobState.DONE)
    finally:
        subscription.close()
    assert {event.event for event in listener.of(run.id)} == {Event.NEW_STATE}
