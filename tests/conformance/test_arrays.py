"""Array jobs: ranges, tasks, and control of some or all of them (GFD.231, 8.2.6 runBulkJobs, 8.4 JobArray)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from patience import PATIENCE_SECONDS, wait_for

from conformance.statements import attribute, clause, subject, together
from gcs_lab.errors import InvalidArgument, InvalidState, UnsupportedAttribute
from gcs_lab.vocabulary import Capability, JobState, TaskRange

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.site import Site
    from gcs_lab.jobs import JobArray

BULK = clause("GFD.231 8.2.6 runBulkJobs")
MANY = 100_000


def _array(  # noqa: PLR0917
    site: Site, script: str, begin: int, end: int, step: int = 1, max_parallel: int | None = None, **attributes: Any
) -> tuple[JobArray, Path]:
    folder = site.folder()
    defaults = {"output_path": str(folder / "out.$DRMAA2_INDEX$"), "error_path": "/dev/null"}
    template = site.template("/bin/sh", "-c", script, folder=folder, **(defaults | attributes))
    return site.jobs.submit_array(template, begin, end, step, max_parallel), folder


def _end(site: Site, array: JobArray) -> None:
    site.end(site.jobs.job(array.id))


def _states(array: JobArray) -> list[JobState]:
    status = array.status(0)
    return [status.at(index)[0] for index in array.tasks.indices]


def _become(site: Site, array: JobArray, *expected: JobState) -> None:
    wait_for(lambda: _states(array) == list(expected), f"{expected} of array {array.id}", pause=site.pace)


@together
@BULK
@subject("Jobs.submit_array", "JobArray.wait_terminated")
@attribute("output_path", "/tmp/$DRMAA2_INDEX$")
def test_run_bulk_jobs_gives_each_task_its_index(site: Site) -> None:
    words = "$SGE_TASK_ID $SGE_TASK_FIRST $SGE_TASK_LAST $SGE_TASK_STEPSIZE"
    array, folder = _array(site, f"echo {words}", 2, 9, 3)
    array.wait_terminated(PATIENCE_SECONDS)
    assert _states(array) == [JobState.DONE] * 3
    # The last index is the last one that there is: 2-9:3 has 2, 5, 8. Grid Engine tells the end that was given.
    for index in (2, 5, 8):
        said = (folder / f"out.{index}").read_text().split()
        assert said[:2] + said[3:] == [str(index), "2", "3"]
        assert said[2] in {"8", "9"}


@together
@BULK
@subject("JobArray.jobs", "JobArray.job", "Jobs.array")
def test_the_jobs_of_an_array_are_its_tasks_in_order(site: Site) -> None:
    array, _ = _array(site, "true", 2, 9, 3, submit_as_hold=True)
    assert array.tasks in (TaskRange(2, 9, 3), TaskRange(2, 8, 3))
    assert [job.id for job in array.jobs] == [f"{array.id}.{index}" for index in (2, 5, 8)]
    assert (len(array.jobs), array.jobs[-1].id, array.job(5).id) == (3, f"{array.id}.8", f"{array.id}.5")
    again = site.jobs.array(array.id)
    assert list(again.tasks.indices) == [2, 5, 8]
    assert [job.id for job in again.jobs] == [job.id for job in array.jobs]
    with pytest.raises(InvalidArgument):
        array.job(3)
    _end(site, array)


@together
@BULK
@subject("Jobs.submit_array")
@pytest.mark.parametrize(
    ("begin", "end", "step"), [(0, 5, 1), (-1, 5, 1), (5, 4, 1), (1, 5, 0), (1, 5, -1), (True, 2, 1), ("1", 2, 1)]
)
def test_a_range_that_is_none_is_an_invalid_argument(site: Site, begin: int, end: int, step: int) -> None:
    name = site.name_of_a_job()
    with pytest.raises(InvalidArgument):
        site.jobs.submit_array(site.template("/bin/true", job_name=name), begin, end, step)
    assert site.ids_with_name(name) == []


@together
@BULK
@subject("Jobs.submit_array")
@pytest.mark.parametrize("max_parallel", [0, -1, "2", True, 1.5])
def test_a_max_parallel_that_is_none_is_an_invalid_argument(site: Site, max_parallel: Any) -> None:
    name = site.name_of_a_job()
    with pytest.raises(InvalidArgument):
        site.jobs.submit_array(site.template("/bin/true", job_name=name), 1, 5, 1, max_parallel)
    assert site.ids_with_name(name) == []


@together
@clause("GFD.231 8.2.6 maxParallel")
@subject("Jobs.submit_array")
def test_at_most_max_parallel_tasks_run_at_once(site: Site) -> None:
    if not site.jobs.supports(Capability.BULK_JOBS_MAXPARALLEL):
        with pytest.raises(UnsupportedAttribute):
            _array(site, "true", 1, 4, max_parallel=2)
        return
    array, folder = _array(site, "echo + >> log; sleep 0.5; echo - >> log", 1, 5, max_parallel=2)
    array.wait_terminated(PATIENCE_SECONDS)
    running = most = 0
    for sign in (folder / "log").read_text().split():
        running += 1 if sign == "+" else -1
        most = max(most, running)
    assert most <= 2
    assert (folder / "log").read_text().count("+") == 5


@together
@clause("GFD.231 8.3 Job of an array")
@subject("JobArray.status", "JobArray.counts", "JobArray.info")
def test_each_task_has_a_state_and_an_end_of_its_own(site: Site) -> None:
    array, _ = _array(site, "exit $((SGE_TASK_ID - 1))", 1, 3)
    array.wait_terminated(PATIENCE_SECONDS)
    status = array.status(0)
    assert [status.at(index)[0] for index in (1, 2, 3)] == [JobState.DONE, JobState.FAILED, JobState.FAILED]
    assert status.terminated
    assert array.counts() == {JobState.DONE: 1, JobState.FAILED: 2}
    assert [array.job(index).info().exit_status for index in (1, 2, 3)] == [0, 1, 2]
    assert [array.job(index).info().job_id for index in (1, 2, 3)] == [f"{array.id}.{index}" for index in (1, 2, 3)]
    assert list(site.jobs.array(array.id).tasks.indices) == [1, 2, 3]
    whole = array.info()
    parts = [array.job(index).info() for index in (1, 2, 3)]
    assert (whole.job_id, whole.job_state) == (array.id, JobState.FAILED)
    assert site.status(array.id).state is JobState.FAILED
    assert whole.dispatch_time == min(part.dispatch_time for part in parts if part.dispatch_time)
    assert whole.finish_time == max(part.finish_time for part in parts if part.finish_time)


@together
@clause("protocol: status of a whole array")
@subject("JobArray.status")
def test_an_array_is_in_the_state_of_its_task_that_is_furthest(site: Site) -> None:
    array, _ = _array(site, '[ "$SGE_TASK_ID" = 1 ] || exec sleep 600', 1, 3, submit_as_hold=True)
    assert site.status(array.id).state is JobState.QUEUED_HELD
    array.release([2])
    _become(site, array, JobState.QUEUED_HELD, JobState.RUNNING, JobState.QUEUED_HELD)
    assert site.status(array.id).state is JobState.RUNNING
    array.release([1])
    _become(site, array, JobState.DONE, JobState.RUNNING, JobState.QUEUED_HELD)
    array.terminate([2])
    _become(site, array, JobState.DONE, JobState.FAILED, JobState.QUEUED_HELD)
    assert site.status(array.id).state is JobState.QUEUED_HELD
    array.terminate()
    _become(site, array, JobState.DONE, JobState.FAILED, JobState.FAILED)
    wait_for(lambda: site.status(array.id).state is JobState.FAILED, "the array's state FAILED", pause=site.pace)


@together
@clause("GFD.231 8.4 hold, release, suspend, resume, terminate")
@subject("JobArray.hold", "JobArray.release", "JobArray.suspend", "JobArray.resume", "JobArray.terminate")
def test_some_tasks_and_all_tasks_can_be_controlled(site: Site) -> None:
    held, running, suspended, failed = (
        JobState.QUEUED_HELD,
        JobState.RUNNING,
        JobState.SUSPENDED,
        JobState.FAILED,
    )
    array, _ = _array(site, "exec sleep 600", 1, 4, submit_as_hold=True)
    assert _states(array) == [held] * 4
    array.release([2, 3])
    _become(site, array, held, running, running, held)
    array.suspend([3])
    _become(site, array, held, running, suspended, held)
    array.suspend()  # stands for those tasks whose state allows it
    _become(site, array, held, suspended, suspended, held)
    array.resume([2])
    _become(site, array, held, running, suspended, held)
    array.resume()
    _become(site, array, held, running, running, held)
    with pytest.raises(InvalidState):
        array.resume()
    array.terminate([1, 2])
    _become(site, array, failed, failed, running, held)
    array.terminate()
    _become(site, array, *[failed] * 4)
    with pytest.raises(InvalidState):
        array.terminate()


@together
@clause("GFD.231 8.3 Job of an array")
@subject("Job.hold", "Job.release", "Job.terminate", "JobArray.job", "Job.status")
def test_one_task_is_a_job_with_state_and_control(site: Site) -> None:
    array, folder = _array(site, "exec sleep 600", 1, 3, submit_as_hold=True)
    task = array.jobs[1]
    assert task.state is JobState.QUEUED_HELD
    with pytest.raises(InvalidState):
        task.hold()
    task.release()
    assert task.wait_started(PATIENCE_SECONDS) is JobState.RUNNING
    task.suspend()
    site.reached(task.id, JobState.SUSPENDED)
    task.resume()
    site.reached(task.id, JobState.RUNNING)
    task.terminate()
    assert task.wait_terminated(PATIENCE_SECONDS) is JobState.FAILED
    assert task.info().deleted_by == site.user
    assert [array.job(index).state for index in (1, 3)] == [JobState.QUEUED_HELD] * 2
    _end(site, array)
    assert folder.exists()


@together
@clause("GFD.231 8.3 Job of an array: an unknown task")
@subject("JobArray.hold", "JobArray.terminate")
def test_an_index_that_the_array_does_not_have_is_an_invalid_argument(site: Site) -> None:
    array, _ = _array(site, "true", 2, 6, 2, submit_as_hold=True)
    for indices in ([3], [1], [8], [2, 3]):
        with pytest.raises(InvalidArgument):
            array.terminate(indices)
    assert _states(array) == [JobState.QUEUED_HELD] * 3
    _end(site, array)


@together
@clause("GFD.231 8.4 hold of waiting tasks")
@subject("JobArray.hold")
def test_waiting_tasks_can_be_held(site: Site) -> None:
    with site.narrow() as blocker:
        array, _ = _array(site, "true", 1, 3, queue_name=site.narrow_queue)
        array.hold([2])
        _become(site, array, JobState.QUEUED, JobState.QUEUED_HELD, JobState.QUEUED)
        array.hold()
        _become(site, array, *[JobState.QUEUED_HELD] * 3)
        array.release([1, 2])
        site.end(blocker)
        _become(site, array, JobState.DONE, JobState.DONE, JobState.QUEUED_HELD)
    _end(site, array)


@together
@clause("issue 3, 5: state truth of tasks")
@subject("JobArray.status")
def test_a_task_in_error_tells_its_reason_and_the_others_go_on(site: Site) -> None:
    array, _ = _array(site, '[ "$SGE_TASK_ID" != 2 ] || exit 100', 1, 3)
    _become(site, array, JobState.DONE, JobState.FAILED, JobState.DONE)
    status = array.status(0)
    assert status.at(2)[1].startswith("E") is site.keeps_in_error
    assert status.annotations.get(2)
    assert status.terminated is not site.keeps_in_error
    _end(site, array)


@together
@clause("GFD.231 8.4 wait of an array")
@subject("JobArray.wait_started")
def test_an_array_has_started_when_all_of_its_tasks_have(site: Site) -> None:
    from gcs_lab.errors import Timeout

    array, _ = _array(site, "exec sleep 600", 1, 3, submit_as_hold=True)
    array.release([1, 2])
    array.jobs[0].wait_started(PATIENCE_SECONDS)
    with pytest.raises(Timeout):
        array.wait_started(0)
    array.release([3])
    array.wait_started(PATIENCE_SECONDS)
    assert _states(array) == [JobState.RUNNING] * 3
    with pytest.raises(Timeout):
        array.wait_terminated(0)
    array.terminate()
    array.wait_terminated(PATIENCE_SECONDS)


@clause("issue 3, 4: 100,000 tasks")
@subject("Jobs.submit_array", "JobArray.counts", "JobArray.terminate", "JobArray.release", "Jobs.list")
@pytest.mark.timeout(240)
def test_a_hundred_thousand_tasks_are_submitted_listed_and_controlled(site: Site) -> None:
    half = MANY // 2
    array, _ = _array(site, "true", 1, MANY, submit_as_hold=True, output_path="/dev/null")
    assert len(array.tasks) == len(array.jobs) == MANY
    assert [job.id for job in site.jobs.list()].count(array.id) == 1
    assert array.counts() == {JobState.QUEUED_HELD: MANY}
    assert array.jobs[MANY - 1].state is JobState.QUEUED_HELD
    # What waits stands together in a list of all jobs.
    assert len([info for info in site.jobs.find() if info.job_id.partition(".")[0] == array.id]) == 1
    array.terminate(range(1, half + 1))
    wait_for(lambda: array.status(0).counts()[JobState.FAILED] == half, "half of the tasks ended", pause=site.pace)
    assert array.status(0).counts() == {JobState.FAILED: half, JobState.QUEUED_HELD: half}
    array.release([half + 1, half + 2])
    wait_for(lambda: array.status(0).counts()[JobState.DONE] == 2, "two tasks done", pause=site.pace)
    array.terminate()
    array.wait_terminated(PATIENCE_SECONDS)
    status = array.status(0)
    assert status.counts() == {JobState.FAILED: MANY - 2, JobState.DONE: 2}
    assert status.indices(JobState.DONE) == [half + 1, half + 2]
    assert array.id not in site.jobs.backend.job_ids()
