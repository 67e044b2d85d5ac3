"""Hold, release, suspend, resume, terminate: what each state allows, and what it does (GFD.231, 8.3 Job)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from conformance.statements import clause, subject, together
from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from conformance.site import Run, Site

HOLD, RELEASE, SUSPEND, RESUME, TERMINATE, CLEAR_ERROR, REQUEUE = JobAction
#: What each state allows, of a job that is not rerunnable; everything else is an InvalidState.
ALLOWED = {
    JobState.QUEUED: {HOLD, TERMINATE},
    JobState.QUEUED_HELD: {RELEASE, TERMINATE},
    JobState.RUNNING: {SUSPEND, TERMINATE},
    JobState.SUSPENDED: {RESUME, TERMINATE},
    JobState.DONE: set(),
    JobState.FAILED: set(),
}


def _in_state(site: Site, state: JobState) -> Run:
    """Return a job in `state`; for QUEUED the narrow queue must be full."""
    if state is JobState.QUEUED_HELD:
        return site.held()
    if state is JobState.QUEUED:
        return site.shell("true", queue_name=site.narrow_queue)
    if state in {JobState.DONE, JobState.FAILED}:
        run = site.shell("true" if state is JobState.DONE else "false")
        run.ended(state)
        return run
    run = site.running()
    if state is JobState.SUSPENDED:
        run.job.suspend()
        run.reached(JobState.SUSPENDED)
    return run


@clause("GFD.231 8.3 Job: InvalidState")
@subject("Job.hold", "Job.release", "Job.suspend", "Job.resume", "Job.terminate")
@pytest.mark.parametrize("state", list(ALLOWED), ids=lambda state: state.name)
@together
def test_what_a_state_does_not_allow_is_an_invalid_state_and_changes_nothing(site: Site, state: JobState) -> None:
    if state is not JobState.QUEUED:
        _check_refusals(_in_state(site, state), state)
        return
    with site.narrow():
        _check_refusals(_in_state(site, state), state)


def _check_refusals(run: Run, state: JobState) -> None:
    assert run.state is state
    for action in JobAction:
        if action in ALLOWED[state]:
            continue
        with pytest.raises(InvalidState) as caught:
            getattr(run.job, action.name.lower())()
        assert run.id in str(caught.value), (action, caught.value)
        assert run.state is state, action
    run.site.end(run)


@together
@clause("GFD.231 8.3 hold, release")
@subject("Job.hold", "Job.release")
def test_hold_keeps_a_waiting_job_from_starting_and_release_lets_it_start(site: Site) -> None:
    with site.narrow() as blocker:
        run = site.shell("echo it ran", queue_name=site.narrow_queue)
        run.job.hold()
        assert run.state is JobState.QUEUED_HELD
        site.end(blocker)
        blocker.ended()
        # One that came later starts, so the slot was free.
        site.shell("true", queue_name=site.narrow_queue).done()
        assert run.state is JobState.QUEUED_HELD
        run.job.release()
        assert run.done() == "it ran\n"


@together
@clause("GFD.231 8.3 suspend, resume")
@subject("Job.suspend", "Job.resume")
def test_suspend_stops_all_processes_of_a_job_and_resume_lets_them_go_on(site: Site) -> None:
    script = "(while :; do echo x >> child; sleep 0.05; done) & while :; do echo x >> out2; sleep 0.05; done"
    run = site.running(script)
    files = [run.folder / "child", run.folder / "out2"]
    wait_for(lambda: all(path.exists() for path in files), "both processes writing")
    run.job.suspend()
    assert run.reached(JobState.SUSPENDED)
    wait_for(lambda: _still(files), "both processes stopped")
    assert run.state is JobState.SUSPENDED
    run.job.resume()
    assert run.state is JobState.RUNNING
    before = [path.stat().st_size for path in files]
    wait_for(
        lambda: all(path.stat().st_size > size for path, size in zip(files, before, strict=True)),
        "both processes going on",
    )
    site.end(run)


def _still(files: list[Path]) -> bool:
    before = [path.stat().st_size for path in files]
    time.sleep(0.4)
    return before == [path.stat().st_size for path in files]


@together
@clause("GFD.231 8.3 terminate")
@subject("Job.terminate")
@pytest.mark.parametrize(
    "state", [JobState.QUEUED_HELD, JobState.RUNNING, JobState.SUSPENDED], ids=lambda state: state.name
)
def test_terminate_ends_a_job_whatever_it_is_doing(site: Site, state: JobState) -> None:
    run = _in_state(site, state)
    run.job.terminate()
    run.ended(JobState.FAILED)
    assert run.id not in site.jobs.backend.job_ids()


@together
@clause("GFD.231 8.3 terminate")
@subject("Job.terminate")
def test_terminate_ends_all_processes_of_a_job(site: Site) -> None:
    run = site.running("trap '' TERM HUP INT; (trap '' TERM HUP INT; exec sleep 600) & echo $! $$; wait")
    run.wait_text("\n")
    pids = run.read().split()
    assert len(pids) == 2
    run.job.terminate()
    run.ended(JobState.FAILED)
    wait_for(lambda: not any(_lives(pid) for pid in pids), "the processes' end")


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@together
@clause("protocol: control")
@subject("Jobs.control")
def test_one_request_acts_on_many_jobs_and_tells_what_failed_for_each(site: Site) -> None:
    held = [site.held() for _ in range(3)]
    done = site.shell("true")
    done.ended(JobState.DONE)
    failures = site.jobs.control(JobAction.RELEASE, [*(run.id for run in held), done.id, "999999", "not-an-id"])
    assert failures.keys() == {done.id, "999999", "not-an-id"}
    assert isinstance(failures[done.id], InvalidState)
    assert isinstance(failures["999999"], InvalidArgument)
    assert isinstance(failures["not-an-id"], InvalidArgument)
    for run in held:
        run.ended(JobState.DONE)


@together
@clause("protocol: control")
@subject("Jobs.control")
def test_nothing_to_control_is_no_failure(site: Site) -> None:
    assert site.jobs.control(JobAction.TERMINATE, []) == {}


@together
@clause("GFD.231 8.3 Job: an unknown job")
@subject("Job.hold", "Job.release", "Job.suspend", "Job.resume", "Job.terminate")
@pytest.mark.parametrize("action", list(JobAction))
def test_controlling_a_job_that_nobody_knows_is_an_invalid_argument(site: Site, action: JobAction) -> None:
    with pytest.raises(InvalidArgument, match="999999"):
        getattr(site.jobs.job("999999"), action.name.lower())()


@together
@clause("issue 3, 5: a job in error state can be terminated")
@subject("Job.terminate")
def test_a_job_in_error_state_can_be_terminated(site: Site) -> None:
    run = site.shell("exit 100")
    run.in_error()
    if site.keeps_in_error:
        assert run.id in site.jobs.backend.job_ids()
        run.job.terminate()
    wait_for(lambda: run.id not in site.jobs.backend.job_ids(), "its leaving the queue", pause=site.pace)
    assert run.job.wait_terminated(60) is JobState.FAILED
    with pytest.raises(InvalidState):
        run.job.terminate()
