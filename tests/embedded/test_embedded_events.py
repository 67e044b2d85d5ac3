"""What happened: each change of a state once, in order, and a gap where some may be missing."""

from __future__ import annotations

from patience import wait_for

from gcs_lab.backends.embedded.event_ring import EventRing
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import Event, JobState, TaskRange

Q, H, R, S = JobState.QUEUED, JobState.QUEUED_HELD, JobState.RUNNING, JobState.SUSPENDED


class Listener:
    def __init__(self, lab):
        self.jobs = lab.system.jobs
        self.cursor = self.jobs.events(None).cursor
        self.events = []
        self.gaps = 0

    def listen(self):
        batch = self.jobs.events(self.cursor)
        self.cursor = batch.cursor
        self.events += batch.events
        self.gaps += batch.gap
        return self.events

    def states(self, job_id):
        return [
            event.job_state for event in self.listen() if event.job_id == job_id and event.event is Event.NEW_STATE
        ]


def test_each_new_state_is_told_once_and_in_order(lab):
    before = lab.shell("true", submit_as_hold=True)
    listener = Listener(lab)
    job = lab.shell("exec sleep 300", submit_as_hold=True)
    job.release()
    lab.wait_letters(job, "r")
    job.suspend()
    job.resume()
    job.terminate()
    wait_for(lambda: listener.states(job.id)[-1:] == [JobState.FAILED], "the last event")
    assert listener.states(job.id) == [H, Q, R, S, R, JobState.FAILED]
    assert all(event.job_id == job.id for event in listener.events)
    times = [event.time for event in listener.events]
    assert times == sorted(times)
    assert listener.listen()[-1].sub_state == "z"
    assert before.id not in {event.job_id for event in listener.events}


def test_what_happens_to_a_whole_array_is_one_event(lab):
    lab.one_slot()
    listener = Listener(lab)
    array = lab.array("true", TaskRange(1, 50_000), submit_as_hold=True)
    lab.act(JobAction.TERMINATE, array)
    assert [(event.job_id, event.job_state) for event in listener.listen()] == [(array, H), (array, JobState.FAILED)]
    few = lab.array("true", TaskRange(1, 3), submit_as_hold=True)
    lab.act(JobAction.RELEASE, f"{few}.2")
    wait_for(lambda: listener.states(f"{few}.2")[-1:] == [JobState.DONE], "the end of the task")
    assert listener.states(f"{few}.2") == [Q, R, JobState.DONE]
    assert listener.states(f"{few}.1") == []


def test_a_dependency_that_is_over_is_a_new_state(lab):
    listener = Listener(lab)
    first = lab.shell("true", submit_as_hold=True)
    second = lab.shell("true", hold_jid=[first.id])
    first.terminate()
    wait_for(lambda: listener.states(second.id)[-1:] == [JobState.DONE], "the end")
    assert listener.states(second.id) == [H, Q, R, JobState.DONE]


def test_a_run_on_another_host_than_before_is_a_migration(lab):
    lab.configure('[[hosts]]\nname="a"\n[[hosts]]\nname="b"\n[[queues]]\nname="all.q"\nslots=1\n')
    listener = Listener(lab)
    wait = "while [ ! -e go ]; do sleep 0.01; done"
    job = lab.shell(f"[ $RESTARTED = 1 ] && exec sleep 300; touch up; {wait}; exit 99")
    wait_for((lab.work / "up").exists, "the first run")
    other = lab.shell("exec sleep 300")
    taker = lab.shell("exec sleep 300", priority=10, queue_name="all.q@a")
    lab.wait_letters(other, "r")
    (lab.work / "go").touch()
    lab.wait_letters(taker, "r")
    other.terminate()
    lab.wait_letters(job, "Rr")
    wait_for(lambda: any(event.event is Event.MIGRATED for event in listener.listen()), "the event")
    (migrated,) = [event for event in listener.events if event.event is Event.MIGRATED]
    assert (migrated.job_id, migrated.job_state) == (job.id, R)
    assert listener.states(job.id) == [Q, R, JobState.REQUEUED, R]


def test_letters_that_change_within_a_state_are_an_attribute_change(lab):
    job = lab.shell("exec sleep 300")
    lab.wait_letters(job, "r")
    listener = Listener(lab)
    job.suspend()
    lab.system.queue_control("suspend", ["all.q"])
    lab.system.queue_control("unsuspend", ["all.q"])
    job.resume()
    told = [(event.event, event.job_state, event.sub_state) for event in listener.listen()]
    assert told == [
        (Event.NEW_STATE, S, "s"),
        (Event.ATTRIBUTE_CHANGE, S, "Ss"),
        (Event.ATTRIBUTE_CHANGE, S, "s"),
        (Event.NEW_STATE, R, "r"),
    ]


def test_after_the_death_of_the_scheduler_there_is_a_gap(lab):
    lab.shell("true", submit_as_hold=True)
    listener = Listener(lab)
    lab.kill_scheduler()
    listener.listen()
    assert listener.gaps == 1
    job = lab.shell("true", submit_as_hold=True)
    assert listener.states(job.id) == [H]
    assert listener.gaps == 1


def test_the_ring_tells_of_a_gap_when_it_was_not_asked_for_long():
    ring = EventRing(size=10)
    start = ring.since(None)
    assert (start["events"], start["gap"]) == ([], False)
    ring.extend((number, 0, Event.NEW_STATE, Q, "qw", float(number)) for number in range(10))
    told = ring.since(start["cursor"])
    assert ([event[0] for event in told["events"]], told["gap"]) == (list(range(10)), False)
    ring.extend((number, 0, Event.NEW_STATE, R, "r", float(number)) for number in range(10, 15))
    assert [event[0] for event in ring.since(told["cursor"])["events"]] == list(range(10, 15))
    late = ring.since(start["cursor"])
    assert (late["events"], late["gap"]) == ([], True)
    assert ring.since(late["cursor"])["events"] == []
    assert ring.since("another:3")["gap"]
