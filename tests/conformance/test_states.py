"""States are true: what a job came to is told as it was, and nothing is guessed (GFD.231, 5.1 JobState)."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from patience import PATIENCE_SECONDS

from conformance.statements import clause, subject, together
from gcs_lab.errors import InvalidArgument, InvalidState
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from conformance.site import Run, Site
    from gcs_lab.vocabulary import JobStatus


@together
@clause("GFD.231 5.1 DONE")
@subject("JobState.DONE", "Job.state")
def test_a_job_that_ends_with_0_is_done(site: Site) -> None:
    info = site.shell("exit 0").ended(JobState.DONE)
    assert (info.exit_status, info.terminating_signal, info.annotation, info.failed) == (0, None, None, 0)


@together
@clause("GFD.231 5.1 FAILED")
@subject("JobState.FAILED", "Job.status")
@pytest.mark.parametrize("status", [1, 3, 127])
def test_a_job_that_ends_with_another_status_is_failed(site: Site, status: int) -> None:
    run = site.shell(f"exit {status}")
    info = run.ended(JobState.FAILED)
    assert (info.exit_status, info.terminating_signal) == (status, None)
    assert str(status) in (info.annotation or "")
    assert run.job.status().final


@together
@clause("GFD.231 5.1 QUEUED_HELD")
@subject("JobState.QUEUED_HELD")
def test_a_held_job_is_queued_held_with_the_letters_hqw(site: Site) -> None:
    run = site.held()
    status = run.status()
    assert (status.state, status.sub_state) == (JobState.QUEUED_HELD, "hqw")
    assert not status.final
    site.end(run)


@together
@clause("GFD.231 5.1 QUEUED, RUNNING, SUSPENDED")
@subject("JobState.QUEUED", "JobState.RUNNING", "JobState.SUSPENDED")
def test_a_job_goes_from_queued_to_running_to_suspended_and_back(site: Site) -> None:
    with site.narrow() as blocker:
        run = site.shell("exec sleep 600", queue_name=site.narrow_queue)
        assert (run.status().state, run.status().sub_state) == (JobState.QUEUED, "qw")
        site.end(blocker)
        status = run.reached(JobState.RUNNING)
        assert set(status.sub_state) <= set("rt")
        assert (status.queue_name, status.machine_name) == (site.narrow_queue, site.hosts[0])
        assert status.slots == 1
        run.job.suspend()
        suspended = run.reached(JobState.SUSPENDED)
        assert "s" in suspended.sub_state
        run.job.resume()
        run.reached(JobState.RUNNING)
        site.end(run)
        run.ended(JobState.FAILED)


@clause("GFD.231 5.1 REQUEUED, REQUEUED_HELD; sge_diagnostics(1): exit status 99")
@subject("JobState.REQUEUED", "JobState.REQUEUED_HELD")
def test_a_job_that_exits_with_99_is_requeued_can_be_held_and_runs_again(site: Site) -> None:
    narrow = {"queue_name": site.narrow_queue}
    script = '[ "$RESTARTED" = 1 ] && exec echo again; touch up; while [ ! -e go ]; do sleep 0.1; done; exit 99'
    with site.narrow_free():
        run = site.shell(script, priority=-100, **narrow)
        run.reached(JobState.RUNNING)
        other = site.shell("exec sleep 600", **narrow)
        (run.folder / "go").touch()
        status = run.reached(JobState.REQUEUED)
        assert status.sub_state == "Rq"
        _refuses(run, "release", "suspend", "resume")
        run.job.hold()
        held = run.reached(JobState.REQUEUED_HELD)
        # The table of sge_status(5) says hRwq; 8.1.9 prints hRq.
        assert set("hRq") <= set(held.sub_state) <= set("hRwq")
        _refuses(run, "hold", "suspend", "resume")
        run.job.release()
        run.reached(JobState.REQUEUED)
        site.end(other)
        assert run.done() == "again\n"
    assert run.job.info().exit_status == 0


def _refuses(run: Run, *actions: str) -> None:
    for action in actions:
        with pytest.raises(InvalidState, match=run.id):
            getattr(run.job, action)()


@together
@clause("sge_diagnostics(1): exit status 99")
@subject("JobState.DONE")
def test_a_job_may_ask_more_than_once_to_run_again(site: Site) -> None:
    run = site.shell("echo x >> tries; [ $(wc -l < tries) = 3 ] || exit 99")
    run.ended(JobState.DONE)
    assert run.read("tries") == "x\n" * 3


@together
@clause("sge_diagnostics(1): exit status 100")
@subject("JobState.FAILED")
def test_a_job_that_exits_with_100_is_in_error_with_a_reason(site: Site) -> None:
    run = site.shell("exit 100")
    run.in_error()
    site.end(run)
    run.ended(JobState.FAILED)


@together
@clause("GFD.231 5.5 JobInfo.terminatingSignal")
@subject("Job.info")
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGTERM", "SIGKILL", "SIGUSR1"])
def test_the_signal_that_ended_a_job_is_named(site: Site, name: str) -> None:
    info = site.shell(f"kill -{name.removeprefix('SIG')} $$; sleep 5").ended(JobState.FAILED)
    assert info.terminating_signal == name
    assert info.exit_status in (None, 128 + signal.Signals[name])


@together
@clause("issue 3, 5: deleted while pending")
@subject("JobState.FAILED", "Job.terminate")
def test_a_job_deleted_while_it_waits_is_failed_and_tells_who_deleted_it(site: Site) -> None:
    run = site.held()
    run.job.terminate()
    info = run.ended(JobState.FAILED)
    assert info.deleted_by == site.user
    assert site.user in (info.annotation or "")
    assert info.dispatch_time is None


@together
@clause("issue 3, 5: state truth")
@subject("JobState.FAILED", "Job.terminate")
def test_a_job_deleted_while_it_runs_is_failed_and_tells_who_deleted_it(site: Site) -> None:
    run = site.running()
    run.job.terminate()
    info = run.ended(JobState.FAILED)
    assert (info.terminating_signal, info.deleted_by) == ("SIGKILL", site.user)


@together
@clause("issue 3, 5: Eqw with its reason")
@subject("JobState.FAILED")
@pytest.mark.parametrize(
    "attributes",
    [
        {"working_directory": "/no/such/folder"},
        {"input_path": "/no/such/file"},
        {"output_path": "/no/such/folder/out"},
        {"error_path": "/no/such/folder/err"},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_what_the_owner_must_mend_is_an_error_with_its_reason(site: Site, attributes: dict[str, str]) -> None:
    run = site.shell("true", **attributes)
    run.in_error()
    site.end(run)


@together
@clause("issue 3, 5: state truth")
@subject("JobState.FAILED")
def test_a_command_that_is_not_there_fails_the_job(site: Site) -> None:
    run = site.run("/no/such/command")
    status = run.reached(JobState.FAILED)
    assert status.annotation
    site.end(run)


@together
@clause("issue 3, 5: h_rt")
@subject("JobState.FAILED")
def test_a_job_that_exceeds_h_rt_is_failed_and_says_so(site: Site) -> None:
    info = site.shell("exec sleep 600", resource_requests={"h_rt": "2"}).ended(JobState.FAILED)
    assert "h_rt" in (info.annotation or "")
    assert info.terminating_signal == "SIGKILL"


@together
@clause("issue 3, 5: gone from the queue but not yet in accounting")
@subject("JobState.UNDETERMINED")
def test_no_state_is_guessed_between_the_queue_and_accounting(site: Site) -> None:
    runs = [site.shell("exit 7") for _ in range(5)]
    seen = _all_states(site, runs)
    for statuses in seen.values():
        states = [status.state for status in statuses]
        assert JobState.DONE not in states, states
        assert states[-1] is JobState.FAILED
        for status in statuses:
            assert status.sub_state or status.state is not JobState.UNDETERMINED, status


def _all_states(site: Site, runs: list[Run]) -> dict[str, list[JobStatus]]:
    """Look at the jobs without a pause until all have ended; return what was seen of each."""
    seen: dict[str, list[JobStatus]] = {run.id: [] for run in runs}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all(found and found[-1].final for found in seen.values()):
        assert time.monotonic() < deadline, seen
        for job_id, status in site.jobs.backend.status(list(seen)).items():
            if not seen[job_id] or seen[job_id][-1] != status:
                seen[job_id].append(status)
    return seen


@together
@clause("issue 3, 5: the whole letter table")
@subject("Job.status")
def test_states_follow_from_the_letters(site: Site) -> None:
    runs = [site.shell("sleep 0.5"), site.shell("exit 1"), site.held("true")]
    runs[2].job.release()
    for statuses in _all_states(site, runs).values():
        for status in statuses:
            expected = _state_of(status.sub_state)
            assert expected is None or status.state is expected, status


def _state_of(letters: str) -> JobState | None:
    """Return the state that Grid Engine's letters stand for (sge_status(5)); None for words that are no letters."""
    if not letters or not set(letters) <= set("EdhRrtsSTqw"):
        return None
    if "E" in letters:
        return JobState.FAILED
    if set(letters) & set("sST"):
        return JobState.SUSPENDED
    if set(letters) & set("rt"):
        return JobState.RUNNING
    if "R" in letters:
        return JobState.REQUEUED_HELD if "h" in letters else JobState.REQUEUED
    return JobState.QUEUED_HELD if "h" in letters else JobState.QUEUED


@together
@clause("protocol: status")
@subject("JobState.UNDETERMINED", "Job.status")
def test_a_job_that_nobody_knows_is_undetermined_and_says_why(site: Site) -> None:
    status = site.status("999999")
    assert status.state is JobState.UNDETERMINED
    assert status.sub_state or status.annotation
    with pytest.raises(InvalidArgument):
        site.jobs.job("999999").info()


@together
@clause("protocol: status, info of many")
@subject("Jobs.job")
def test_one_question_answers_for_many_jobs(site: Site) -> None:
    held, done = site.held(), site.shell("true")
    array = site.jobs.submit_array(site.template("/bin/true", submit_as_hold=True), 1, 3)
    done.ended(JobState.DONE)
    ids = [held.id, done.id, array.id, f"{array.id}.2"]
    states = {job_id: status.state for job_id, status in site.jobs.backend.status(ids).items()}
    queued = JobState.QUEUED_HELD
    assert states == dict(zip(ids, [queued, JobState.DONE, queued, queued], strict=True))
    infos = site.jobs.backend.info([*ids, "999999"])
    assert {job_id: info.job_state for job_id, info in infos.items()} == states
    site.end(held, site.jobs.job(array.id))
