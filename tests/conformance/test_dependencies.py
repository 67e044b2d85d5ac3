"""Jobs that wait for others: ``hold_jid`` and ``hold_jid_ad`` of qsub(1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from patience import PATIENCE_SECONDS

from conformance.statements import attribute, clause, together
from gcs_lab.errors import DeniedByDrms, InvalidArgument, InvalidState
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from conformance.site import Run, Site

HOLD_JID = clause("qsub(1) -hold_jid")


def _waits_then_runs(site: Site, run: Run, *predecessors: Run) -> None:
    """Make sure that `run` waits until all `predecessors` (held, so far) have ended."""
    status = run.status()
    assert (status.state, status.sub_state) == (JobState.QUEUED_HELD, "hqw")
    for number, first in enumerate(predecessors, 1):
        first.job.release()
        first.ended(JobState.DONE)
        if number < len(predecessors):
            assert run.state is JobState.QUEUED_HELD
    run.ended(JobState.DONE)


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_job_waits_for_the_ids_that_it_names(site: Site) -> None:
    first, second = site.held(), site.held()
    run = site.shell("true", hold_jid=[first.id, second.id])
    _waits_then_runs(site, run, first, second)
    started, ended = run.job.info().dispatch_time, second.job.info().finish_time
    assert started is not None
    assert ended is not None
    assert started.replace(microsecond=0) >= ended.replace(microsecond=0)


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_job_waits_for_the_names_that_it_names(site: Site) -> None:
    name = site.name_of_a_job()
    first = site.held(job_name=name)
    _waits_then_runs(site, site.shell("true", hold_jid=[name]), first)


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_job_waits_for_all_whose_name_matches_a_wildcard(site: Site) -> None:
    name = site.name_of_a_job()
    firsts = [site.held(job_name=f"{name}_{letter}") for letter in "ab"]
    other = site.held(job_name=f"other_{name}")
    _waits_then_runs(site, site.shell("true", hold_jid=[f"{name}_*"]), *firsts)
    site.end(other)


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_predecessor_that_fails_lets_the_job_start(site: Site) -> None:
    for how in ("exit 3", "deleted"):
        first = site.held("exit 3")
        run = site.shell("true", hold_jid=[first.id])
        assert run.state is JobState.QUEUED_HELD
        if how == "deleted":
            site.end(first)
        else:
            first.job.release()
        run.ended(JobState.DONE)
        assert first.ended().job_state is JobState.FAILED


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_predecessor_in_error_is_waited_for_as_long_as_it_is_in_the_queue(site: Site) -> None:
    first = site.held("exit 100")
    run = site.shell("true", hold_jid=[first.id])
    first.job.release()
    first.in_error()
    if site.keeps_in_error:
        site.shell("true").done()
        assert run.state is JobState.QUEUED_HELD
        site.end(first)
    run.ended(JobState.DONE)


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_job_that_has_ended_is_not_waited_for(site: Site) -> None:
    ended = site.shell("true")
    ended.ended(JobState.DONE)
    site.shell("true", hold_jid=[ended.id]).ended(JobState.DONE)


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_release_of_a_job_that_only_waits_for_others_is_an_invalid_state_that_says_so(site: Site) -> None:
    first = site.held()
    run = site.shell("true", hold_jid=[first.id])
    with pytest.raises(InvalidState) as caught:
        run.job.release()
    assert run.id in str(caught.value)
    assert run.state is JobState.QUEUED_HELD
    _waits_then_runs(site, run, first)


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_job_that_is_held_and_waits_for_others_needs_both(site: Site) -> None:
    first = site.held()
    run = site.held(hold_jid=[first.id])
    run.job.release()
    assert run.state is JobState.QUEUED_HELD
    first.job.release()
    run.ended(JobState.DONE)


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_job_waits_for_all_tasks_of_an_array(site: Site) -> None:
    array = site.jobs.submit_array(_template(site, submit_as_hold=True), 1, 2)
    run = site.shell("true", hold_jid=[array.id])
    array.release([1])
    array.job(1).wait_terminated(PATIENCE_SECONDS)
    assert run.state is JobState.QUEUED_HELD
    array.release([2])
    run.ended(JobState.DONE)


@together
@clause("qsub(1) -hold_jid_ad")
@attribute("hold_jid_ad", ["1"])
def test_each_task_waits_for_the_task_of_the_same_index(site: Site) -> None:
    first = site.jobs.submit_array(_template(site, submit_as_hold=True), 1, 3)
    second = site.jobs.submit_array(_template(site, hold_jid_ad=[first.id]), 1, 3)
    assert {second.job(index).state for index in (1, 2, 3)} == {JobState.QUEUED_HELD}
    first.release([2])
    assert second.job(2).wait_terminated(PATIENCE_SECONDS) is JobState.DONE
    assert [second.job(index).state for index in (1, 3)] == [JobState.QUEUED_HELD] * 2
    first.release([1, 3])
    second.wait_terminated(PATIENCE_SECONDS)
    assert second.counts() == {JobState.DONE: 3}


@together
@clause("qsub(1) -hold_jid_ad")
@attribute("hold_jid_ad", ["1"])
def test_arrays_of_different_ranges_cannot_wait_task_by_task(site: Site) -> None:
    first = site.jobs.submit_array(_template(site, submit_as_hold=True), 1, 3)
    name = site.name_of_a_job()
    with pytest.raises((InvalidArgument, DeniedByDrms)):
        site.jobs.submit_array(_template(site, hold_jid_ad=[first.id], job_name=name), 1, 4)
    assert site.ids_with_name(name) == []
    site.end(site.jobs.job(first.id))


@together
@HOLD_JID
@attribute("hold_jid", ["1"])
def test_a_chain_of_jobs_runs_in_its_order(site: Site) -> None:
    folder = site.folder()
    runs = [site.held("echo 0 >> order", folder=folder)]
    for number in range(1, 4):
        runs.append(site.shell(f"echo {number} >> order", folder=folder, hold_jid=[runs[-1].id]))
    runs[0].job.release()
    site.all_ended(runs)
    assert (folder / "order").read_text().split() == ["0", "1", "2", "3"]


def _template(site: Site, **attributes: Any) -> Any:
    return site.template("/bin/true", output_path="/dev/null", error_path="/dev/null", **attributes)
