"""Clear error, requeue, alter: what DRMAA2 has no word for, and users need (qmod(1), qalter(1))."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from conformance.statements import clause, subject, together
from gcs_lab.errors import GcsError, InvalidArgument, InvalidState, UnknownName
from gcs_lab.jobs import JobAction, JobChanges
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from conformance.site import Site


@together
@clause("qmod(1) -cj")
@subject("Job.clear_error")
def test_a_job_whose_error_is_cleared_runs_again(site: Site) -> None:
    run = site.shell("[ -e mended ] || exit 100")
    run.in_error()
    if not site.keeps_in_error:
        # It has failed for good.
        with pytest.raises(InvalidState, match=run.id):
            run.job.clear_error()
        return
    (run.folder / "mended").touch()
    run.job.clear_error()
    run.ended(JobState.DONE)


@together
@clause("qmod(1) -cj")
@subject("Job.clear_error", "JobArray.clear_error")
def test_a_job_that_is_not_in_error_state_has_no_error_to_clear(site: Site) -> None:
    run = site.held()
    with pytest.raises(InvalidState, match=rf"{run.id}.*error state"):
        run.job.clear_error()
    assert run.state is JobState.QUEUED_HELD
    array = site.jobs.submit_array(site.template("true", submit_as_hold=True), 1, 3)
    with pytest.raises(InvalidState, match="error state"):
        array.clear_error()
    with pytest.raises(InvalidState, match=rf"{array.id}\.2"):
        array.clear_error([2])
    array.terminate()
    site.end(run)


# Not together with others: 8.1.9 may let a run go on if jobs start and end beside it while it is requeued.
@clause("qmod(1) -rj")
@subject("Job.requeue")
def test_a_rerunnable_job_that_is_requeued_starts_anew(site: Site) -> None:
    run = site.running("echo $$ >> runs; [ $(wc -l < runs) -gt 1 ] || exec sleep 600", rerunnable=True)
    run.wait_text("\n", "runs")
    run.job.requeue()
    # It cannot be done before it has run a second time.
    run.ended(JobState.DONE)
    assert len(run.read("runs").split()) == 2


@clause("qmod(1) -rj")
@subject("Job.requeue")
def test_a_suspended_job_can_be_requeued(site: Site) -> None:
    run = site.running("echo $$ >> runs; [ $(wc -l < runs) -gt 1 ] || exec sleep 600", rerunnable=True)
    run.wait_text("\n", "runs")
    run.job.suspend()
    run.reached(JobState.SUSPENDED)
    run.job.requeue()
    run.ended(JobState.DONE)


@together
@clause("qmod(1) -rj")
@subject("Job.requeue", "JobArray.requeue")
def test_what_is_not_rerunnable_is_not_requeued_and_runs_on(site: Site) -> None:
    run = site.running(rerunnable=False)
    with pytest.raises(InvalidState, match=rf"{run.id}.*not restartable"):
        run.job.requeue()
    array = site.jobs.submit_array(site.template("sleep", "600", rerunnable=False), 1, 2)
    array.wait_started(60)
    with pytest.raises(InvalidState, match="not restartable"):
        array.requeue()
    with pytest.raises(InvalidState, match="not restartable"):
        array.requeue([1])
    assert run.state is JobState.RUNNING
    array.terminate()
    site.end(run)


@clause("qmod(1) -rj")
@subject("JobArray.requeue")
def test_tasks_are_requeued_alone(site: Site) -> None:
    folder = site.folder()
    script = "echo >> runs.$SGE_TASK_ID; [ $(wc -l < runs.$SGE_TASK_ID) -gt 1 ] || exec sleep 600"
    template = site.template("/bin/sh", "-c", script, folder=folder, rerunnable=True)
    array = site.jobs.submit_array(template, 1, 3)
    wait_for(lambda: all((folder / f"runs.{index}").exists() for index in (1, 2, 3)), "three tasks")
    array.requeue([2])
    array.job(2).wait_terminated(60)
    assert [len((folder / f"runs.{index}").read_text().splitlines()) for index in (1, 2, 3)] == [1, 2, 1]
    array.requeue()
    array.wait_terminated(60)
    assert array.status(0).counts() == {JobState.DONE: 3}


@together
@clause("qalter(1)")
@subject("Job.alter")
def test_what_a_waiting_job_asks_for_can_be_altered(site: Site) -> None:
    run = site.held(resource_requests={"h_rt": "3600", "h_fsize": "1G"})
    name = site.name_of_a_job()
    run.job.alter(name=name, priority=-5, requests={"h_rt": "600", "h_vmem": "2G", "h_fsize": None})
    info = run.job.info()
    assert info.job_name == name
    assert info.resource_requests == {"h_rt": "600", "h_vmem": "2G"}
    assert site.ids_with_name(name) == [run.id]
    run.job.alter(requests={"h_rt": None, "h_vmem": None})
    assert run.job.info().resource_requests == {}
    run.job.release()
    run.ended(JobState.DONE)


@clause("qalter(1) -q")
@subject("Job.alter")
def test_a_job_runs_in_the_queues_that_it_was_given_later(site: Site) -> None:
    with site.narrow_free():
        run = site.held(queue_name=site.queue)
        run.job.alter(queues=[site.narrow_queue])
        run.job.release()
        assert run.ended(JobState.DONE).queue_name == site.narrow_queue
        run = site.held(queue_name=site.narrow_queue)
        run.job.alter(queues=[])
        run.job.release()
        run.ended(JobState.DONE)


@together
@clause("qalter(1)")
@subject("Job.alter")
def test_name_and_priority_of_a_running_job_can_be_altered(site: Site) -> None:
    run, name = site.running(), site.name_of_a_job()
    run.job.alter(name=name, priority=-9)
    assert run.job.info().job_name == name
    assert run.state is JobState.RUNNING
    site.end(run)


@together
@clause("qalter(1)")
@subject("JobArray.alter", "Jobs.alter")
def test_many_jobs_are_altered_at_once_and_what_failed_is_told_for_each(site: Site) -> None:
    held = [site.held(resource_requests={"h_rt": "3600"}), site.held(resource_requests={"h_vmem": "2G"})]
    array = site.jobs.submit_array(site.template("true", submit_as_hold=True), 1, 3)
    done = site.shell("true")
    done.ended(JobState.DONE)
    name = site.name_of_a_job()
    wanted = [*(run.id for run in held), array.id, f"{array.id}.2", done.id, "999999", "not-an-id"]
    failures = site.jobs.alter(JobChanges(name=name, requests={"h_rt": "600"}), wanted)
    assert failures.keys() == {f"{array.id}.2", done.id, "999999", "not-an-id"}
    assert isinstance(failures[done.id], InvalidState)
    for unknown in (f"{array.id}.2", "999999", "not-an-id"):
        assert isinstance(failures[unknown], InvalidArgument), unknown
    assert sorted(site.ids_with_name(name)) == sorted([*(run.id for run in held), array.id])
    requests = [run.job.info().resource_requests for run in held]
    assert requests == [{"h_rt": "600"}, {"h_rt": "600", "h_vmem": "2G"}]
    array.alter(name=f"{name}b")
    assert array.info().job_name == f"{name}b"
    array.terminate()
    site.end(*held)


@together
@clause("contract: names are checked before anything is sent")
@subject("Job.alter")
@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"queues": ["nosuch.q"]}, UnknownName),
        ({"requests": {"nosuch": "1"}}, UnknownName),
        ({"requests": {"h_rt": "x"}}, InvalidArgument),
        ({"requests": {"h_stack": None}}, InvalidArgument),
        ({"priority": 5000}, InvalidArgument),
        ({"name": "a/b"}, InvalidArgument),
        ({}, InvalidArgument),
    ],
)
def test_what_cannot_work_changes_nothing(site: Site, changes: dict[str, object], kind: type[GcsError]) -> None:
    run = site.held(job_name=(name := site.name_of_a_job()))
    more = {"name": f"{name}x"} if changes and "name" not in changes else {}
    with pytest.raises(kind):
        run.job.alter(**{**more, **changes})  # type: ignore[arg-type]
    assert run.job.info().job_name == name
    site.end(run)


@together
@clause("protocol: control")
@subject("Jobs.control")
@pytest.mark.parametrize("action", [JobAction.CLEAR_ERROR, JobAction.REQUEUE])
def test_new_actions_tell_what_failed_for_each(site: Site, action: JobAction) -> None:
    held, done = site.held(), site.shell("true")
    done.ended(JobState.DONE)
    failures = site.jobs.control(action, [held.id, done.id, "999999", "not-an-id"])
    kinds = {job_id: type(error) for job_id, error in failures.items()}
    assert kinds == {
        held.id: InvalidState, done.id: InvalidState, "999999": InvalidArgument, "not-an-id": InvalidArgument,
    }  # fmt: skip
    site.end(held)
