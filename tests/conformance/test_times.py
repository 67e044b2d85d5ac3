"""Times and usage that a job's information tells (GFD.231, 5.5 JobInfo)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from conformance.statements import attribute, clause, subject, together
from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from conformance.site import Site
    from gcs_lab.vocabulary import JobInfo

#: Grid Engine tells whole seconds, and daemons round differently.
ROUNDING = timedelta(seconds=2)


def _times(info: JobInfo) -> tuple[datetime, datetime, datetime]:
    assert info.submission_time is not None
    assert info.dispatch_time is not None
    assert info.finish_time is not None
    return info.submission_time, info.dispatch_time, info.finish_time


@together
@clause("GFD.231 5.5 submissionTime, dispatchTime, finishTime")
@subject("Job.info")
def test_times_are_aware_in_order_and_of_now(site: Site) -> None:
    before = datetime.now(UTC)
    info = site.shell("sleep 1").ended(JobState.DONE)
    after = datetime.now(UTC)
    times = _times(info)
    assert all(moment.tzinfo is not None and not moment.utcoffset() for moment in times)
    submitted, dispatched, finished = times
    assert before - ROUNDING <= submitted <= dispatched <= finished <= after + ROUNDING


@together
@clause("GFD.231 5.5 wallclockTime, cpuTime")
@subject("Job.info")
def test_wallclock_and_cpu_time_are_what_the_job_took(site: Site) -> None:
    burn = "import time; e = time.process_time() + 0.5\nwhile time.process_time() < e: pass\ntime.sleep(1)"
    run = site.shell(f'python3 -c "{burn}"')
    info = run.ended(JobState.DONE)
    _, dispatched, finished = _times(info)
    assert info.wallclock_time is not None
    assert info.cpu_time is not None
    assert 0.5 <= info.wallclock_time <= (finished - dispatched).total_seconds() + 2
    assert 0.4 <= info.cpu_time <= info.wallclock_time + 2


@together
@clause("GFD.231 5.5 JobInfo of a job that has not ended")
@subject("Job.info")
def test_a_waiting_job_has_no_dispatch_time_and_a_running_one_no_finish_time(site: Site) -> None:
    held, running = site.held(), site.running()
    info = held.job.info()
    assert info.submission_time is not None
    assert (info.dispatch_time, info.finish_time, info.exit_status, info.allocated_machines) == (None, None, None, [])
    info = running.job.info()
    assert info.dispatch_time is not None
    assert (info.finish_time, info.exit_status) == (None, None)
    assert [slot.slots for slot in info.allocated_machines] == [1]
    assert info.allocated_machines[0].machine_name in site.hosts
    assert (info.slots, info.job_state, info.job_owner) == (1, JobState.RUNNING, site.user)
    assert info.queue_name
    assert info.submission_machine
    site.end(held, running)


@together
@clause("GFD.231 5.4 startTime")
@attribute("start_time", datetime.now(UTC) + timedelta(hours=1))
def test_a_start_time_that_has_passed_is_now(site: Site) -> None:
    site.shell("true", start_time=datetime.now(UTC) - timedelta(hours=1)).ended(JobState.DONE)


@together
@clause("GFD.231 5.4 startTime")
@attribute("start_time", datetime.now(UTC) + timedelta(hours=1))
def test_release_of_a_job_that_waits_for_its_start_time_is_an_invalid_state(site: Site) -> None:
    run = site.shell("true", start_time=datetime.now(UTC) + timedelta(hours=1))
    assert run.state in {JobState.QUEUED, JobState.QUEUED_HELD}
    with pytest.raises(InvalidState):
        run.job.release()
    site.end(run)
    run.ended(JobState.FAILED)


@together
@clause("GFD.231 5.4 deadlineTime")
@attribute("deadline_time", datetime.now(UTC) + timedelta(hours=1))
def test_a_deadline_that_has_passed_or_lies_before_the_start_is_an_invalid_argument(site: Site) -> None:
    now = datetime.now(UTC)
    name = site.name_of_a_job()
    for times in (
        {"deadline_time": now - timedelta(hours=1)},
        {"deadline_time": now + timedelta(hours=1), "start_time": now + timedelta(hours=2)},
    ):
        with pytest.raises(InvalidArgument):
            site.shell("true", job_name=name, **times)
    assert site.ids_with_name(name) == []


@together
@clause("GFD.231 5.4 deadlineTime")
@attribute("deadline_time", datetime.now(UTC) + timedelta(hours=1))
def test_a_job_that_ends_before_its_deadline_is_as_any_other(site: Site) -> None:
    run = site.shell("true", deadline_time=datetime.now(UTC) + timedelta(minutes=10))
    run.ended(JobState.DONE)


@together
@clause("GFD.231 5.4 startTime, deadlineTime")
@attribute("start_time", lambda _: datetime.now(UTC) + timedelta(hours=1))
def test_a_job_does_not_start_before_its_start_time(site: Site) -> None:
    start = datetime.now().astimezone().replace(microsecond=0) + timedelta(seconds=4)
    run = site.shell("date +%s", start_time=start)
    assert run.state in {JobState.QUEUED, JobState.QUEUED_HELD}
    assert int(run.done()) >= start.timestamp()


@together
@clause("GFD.231 5.4 startTime, deadlineTime")
@attribute("deadline_time", lambda _: datetime.now(UTC) + timedelta(hours=1))
def test_a_job_is_ended_at_its_deadline_time_running_or_waiting(site: Site) -> None:
    deadline = datetime.now().astimezone() + timedelta(seconds=4)
    runs = [site.shell("exec sleep 600", deadline_time=deadline), site.held(deadline_time=deadline)]
    runs[0].reached(JobState.RUNNING)
    for run in runs:
        info = run.ended(JobState.FAILED)
        assert info.finish_time is not None
        assert info.finish_time >= deadline - timedelta(seconds=1)
        assert "deadline" in (info.annotation or "")
