"""Jobs that wait for others (``qsub -hold_jid``, ``-hold_jid_ad``), for their time, and that end at a deadline."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from patience import wait_for

from gcs_lab.backends.embedded.timers import Timers
from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import Capability, JobState, TaskRange

WAIT_FOR_GO = "while [ ! -e go ]; do sleep 0.01; done"


def submit(lab, script, **attributes):
    return lab.system.jobs.submit(lab.template(script, **attributes))


def wait_state(lab, job_id, state):
    wait_for(lambda: lab.state(job_id).state is state, f"state {state.name} of {job_id}")


@pytest.mark.parametrize("end", ["exit 0", "exit 3"])
def test_a_job_starts_when_the_one_it_waits_for_has_left_the_queue_however_it_ended(lab, end):
    first = submit(lab, f"{WAIT_FOR_GO}; echo first >> order; {end}")
    second = submit(lab, "echo second >> order", hold_jid=[first])
    status = lab.state(second)
    assert (status.state, status.sub_state) == (JobState.QUEUED_HELD, "hqw")
    assert status.annotation == f"waits for job {first}"
    (lab.work / "go").touch()
    wait_state(lab, second, JobState.DONE)
    assert lab.read("order").split() == ["first", "second"]


def test_names_and_wildcards_mean_the_jobs_that_are_there_at_submission(lab):
    prep = [submit(lab, WAIT_FOR_GO, job_name=name) for name in ("prep1", "prep2", "other")]
    by_pattern = submit(lab, "true", hold_jid=["prep*"])
    by_list = submit(lab, "true", hold_jid=[f"other,{prep[0]}", "99999", "no_such_name"])
    late = submit(lab, "true", job_name="prep3", submit_as_hold=True)
    assert lab.state(by_pattern).annotation == f"waits for jobs {prep[0]}, {prep[1]}"
    assert lab.state(by_list).annotation == f"waits for jobs {prep[0]}, {prep[2]}"
    (lab.work / "go").touch()
    wait_state(lab, by_pattern, JobState.DONE)
    wait_state(lab, by_list, JobState.DONE)
    assert lab.state(late).state is JobState.QUEUED_HELD


def test_a_predecessor_that_has_ended_or_never_was_keeps_nothing_back(lab):
    done = submit(lab, "true")
    wait_state(lab, done, JobState.DONE)
    job = submit(lab, "true", hold_jid=[done, "12345", "gone*"])
    wait_state(lab, job, JobState.DONE)


def test_dependencies_survive_the_scheduler(lab):
    first = submit(lab, f"{WAIT_FOR_GO}; echo first >> order")
    second = submit(lab, "echo second >> order", hold_jid=[first])
    third = submit(lab, "echo third >> order", hold_jid=[second])
    lab.kill_scheduler()
    assert lab.state(third).annotation == f"waits for job {second}"
    (lab.work / "go").touch()
    lab.kill_scheduler()
    wait_state(lab, third, JobState.DONE)
    assert lab.read("order").split() == ["first", "second", "third"]


def test_a_predecessor_in_error_state_is_waited_for(lab):
    first = submit(lab, "exit 100")
    second = submit(lab, "true", hold_jid=[first])
    wait_for(lambda: lab.state(first).sub_state == "Eqw", "the error state")
    assert lab.state(second).sub_state == "hqw"
    lab.act(JobAction.TERMINATE, first)
    wait_state(lab, second, JobState.DONE)


def test_an_array_is_waited_for_with_all_its_tasks(lab):
    array = lab.array(f"[ $SGE_TASK_ID = 1 ] || {{ {WAIT_FOR_GO}; }}", TaskRange(1, 3))
    job = submit(lab, "true", hold_jid=[array])
    follower = lab.array("true", TaskRange(1, 2), hold_jid=[array])
    wait_for(lambda: lab.tasks(array).indices(JobState.DONE) == [1], "the first task")
    assert lab.state(job).sub_state == "hqw"
    assert lab.state(f"{follower}.2").annotation == f"waits for job {array}"
    (lab.work / "go").touch()
    wait_state(lab, job, JobState.DONE)
    assert lab.wait_array(follower).counts() == {JobState.DONE: 2}


def test_arrays_wait_for_each_other_task_by_task(lab):
    first = lab.array(f"[ $SGE_TASK_ID = 2 ] || {{ {WAIT_FOR_GO}; }}", TaskRange(1, 3), job_name="render")
    second = lab.array("echo $SGE_TASK_ID >> ran", TaskRange(1, 3), hold_jid_ad=["render"])
    wait_for(lambda: lab.tasks(second).indices(JobState.DONE) == [2], "the task whose like has ended")
    assert lab.tasks(second).indices(JobState.QUEUED_HELD) == [1, 3]
    assert lab.state(f"{second}.3").annotation == f"waits for task 3 of job {first}"
    lab.kill_scheduler()
    assert lab.tasks(second).indices(JobState.QUEUED_HELD) == [1, 3]
    (lab.work / "go").touch()
    assert lab.wait_array(second).counts() == {JobState.DONE: 3}
    assert lab.read("ran").split()[0] == "2"


def test_ending_many_tasks_at_once_lets_their_followers_go(lab):
    first = lab.array("true", TaskRange(1, 2000), submit_as_hold=True)
    second = lab.array("true", TaskRange(1, 2000), hold_jid_ad=[first], queue_name="all.q", max_parallel=1)
    lab.act(JobAction.TERMINATE, *(f"{first}.{index}" for index in range(1, 1001)))
    counts = lab.tasks(second).counts()
    assert counts[JobState.QUEUED_HELD] == 1000
    lab.act(JobAction.TERMINATE, first)
    assert lab.tasks(second).counts()[JobState.QUEUED_HELD] == 0
    lab.act(JobAction.TERMINATE, second)
    lab.wait_array(second)


@pytest.mark.parametrize(
    ("attributes", "match"),
    [
        ({"hold_jid": ["5.3"]}, "neither a job's id"),
        ({"hold_jid": ["a,,b"]}, "hold_jid"),
        ({"hold_jid_ad": ["1"]}, "is no array"),
    ],
)
def test_a_dependency_that_cannot_be_is_refused(lab, attributes, match):
    with pytest.raises(InvalidArgument, match=match):
        submit(lab, "true", **attributes)
    assert lab.system.jobs.job_ids() == []


def test_arrays_that_wait_task_by_task_must_be_alike(lab):
    array = lab.array("true", TaskRange(1, 5), submit_as_hold=True)
    single = submit(lab, "true", submit_as_hold=True)
    with pytest.raises(InvalidArgument, match=f"job {array} has the tasks 1-5:1, this one 1-6:1"):
        lab.array("true", TaskRange(1, 6), hold_jid_ad=[array])
    with pytest.raises(InvalidArgument, match=f"job {single} is no array"):
        lab.array("true", TaskRange(1, 5), hold_jid_ad=[single])


def test_what_only_a_dependency_holds_cannot_be_released(lab):
    first = submit(lab, "true", submit_as_hold=True)
    second = submit(lab, "true", hold_jid=[first])
    both = submit(lab, "true", hold_jid=[first], submit_as_hold=True)
    failure = lab.act(JobAction.RELEASE, second)[second]
    assert isinstance(failure, InvalidState)
    assert f"no one holds it, it waits for job {first}" in str(failure)
    assert lab.act(JobAction.RELEASE, both) == {}
    assert lab.state(both).sub_state == "hqw"
    lab.act(JobAction.RELEASE, first)
    wait_state(lab, both, JobState.DONE)


def test_long_chains_and_wide_fans_go_on(lab):
    lab.configure('[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=1\n')
    start = submit(lab, "true", submit_as_hold=True)
    chain = [lab.template("true", submit_as_hold=True, hold_jid=[str(int(start) + i)]) for i in range(3000)]
    fan = [lab.template("true", submit_as_hold=True, hold_jid=[start]) for _ in range(3000)]
    ids = lab.system.jobs.submit_many([*chain, *fan])
    lab.act(JobAction.TERMINATE, *ids[:1500], start)
    notes = {job_id: status.annotation for job_id, status in lab.system.jobs.status(ids[1500:]).items()}
    assert notes[ids[1500]] is None
    assert notes[ids[2999]] == f"waits for job {ids[2998]}"
    assert all(notes[job_id] is None for job_id in ids[3000:])


def test_a_job_does_not_start_before_its_time(lab):
    at = datetime.now().astimezone() + timedelta(seconds=1.5)
    job = submit(lab, "date +%s.%N > when", start_time=at)
    status = lab.state(job)
    assert (status.state, status.sub_state) == (JobState.QUEUED_HELD, "hqw")
    assert status.annotation == f"waits for its start time, {at:%Y-%m-%d %H:%M:%S}"
    assert isinstance(lab.act(JobAction.RELEASE, job)[job], InvalidState)
    lab.kill_scheduler()
    assert lab.state(job).sub_state == "hqw"
    wait_state(lab, job, JobState.DONE)
    assert at.timestamp() <= float(lab.read("when"))


def test_a_start_time_that_is_over_keeps_nothing_back(lab):
    job = submit(lab, "true", start_time=datetime.now().astimezone() - timedelta(hours=1))
    wait_state(lab, job, JobState.DONE)


def test_a_deadline_ends_a_job_that_runs_or_waits(lab):
    lab.one_slot()
    assert lab.system.jobs.supports(Capability.JT_DEADLINE)
    at = datetime.now().astimezone() + timedelta(seconds=1)
    running = submit(lab, "exec sleep 300", deadline_time=at)
    waiting = submit(lab, "exec sleep 300", deadline_time=at)
    array = lab.array("exec sleep 300", TaskRange(1, 1000), deadline_time=at)
    in_time = submit(lab, "true")
    wait_state(lab, running, JobState.RUNNING)
    lab.kill_scheduler()
    wait_state(lab, in_time, JobState.DONE)
    infos = lab.system.jobs.info([running, waiting, f"{array}.1000"])
    note = f"ended at its deadline ({at:%Y-%m-%d %H:%M:%S})"
    assert [(info.job_state, info.annotation, info.deleted_by) for info in infos.values()] == [
        (JobState.FAILED, note, None),
        (JobState.FAILED, f"{note} before it ran", None),
        (JobState.FAILED, f"{note} before it ran", None),
    ]
    assert infos[running].exit_status == 137


def test_timers_follow_the_wall_clock(monkeypatch):
    """What is due is told once, also when the clock was set back before or after."""
    timers: Timers[str] = Timers()
    now = time.time()
    timers.add(now + 100, "later")
    timers.add(now - 5, "now")
    assert timers.due() == ["now"]
    monkeypatch.setattr(time, "time", lambda: now - 1000)
    assert timers.due() == []
    assert not timers.is_due()
    monkeypatch.setattr(time, "time", lambda: now + 101)
    assert timers.is_due()
    assert timers.due() == ["later"]
    assert timers.due() == []
