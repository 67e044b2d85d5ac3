"""Why a job waits: what keeps it back is told by kind, and of whom it is (point 4 of the requirements)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from conformance.statements import attribute, clause, subject, together
from gcs_lab.errors import UnknownName
from gcs_lab.jobs.pending import REASON_SECONDS, PendingReasons
from gcs_lab.vocabulary import JobState, ReasonKind

if TYPE_CHECKING:
    from conformance.site import Run, Site
    from gcs_lab.vocabulary import PendingReason

WHY = clause("why a job waits")


def _first(site: Site, run: Run, *kinds: ReasonKind) -> PendingReason:
    """Return the weightiest reason of a job once it is of one of `kinds`: the scheduler may have to look first."""

    def look() -> PendingReason | None:
        found = site.jobs.backend.pending_reasons([run.id])[run.id]
        assert all(reason.text and not reason.text.endswith(".") for reason in found), found
        return found[0] if found and found[0].kind in kinds else None

    reason = wait_for(look, f"why job {run.id} waits: {[kind.value for kind in kinds]}", pause=site.pace)
    assert reason is not None
    return reason


@together
@WHY
@subject("Jobs.pending_reasons", "Job.pending_reasons")
def test_a_job_that_its_user_holds_says_so(site: Site) -> None:
    run = site.held()
    (reason,) = run.job.pending_reasons()
    assert (reason.kind, reason.subject, reason.lasting) == (ReasonKind.HOLD, "user", True)
    assert site.jobs.pending_reasons([run.id]) == {run.id: [reason]}
    site.end(run)


@together
@WHY
@subject("Jobs.pending_reasons")
@attribute("hold_jid", ["1"])
def test_a_job_that_waits_for_another_names_it_and_what_it_does(site: Site) -> None:
    held = site.held(job_name=site.name_of_a_job())
    running = site.running()
    run = site.shell("true", hold_jid=[running.id, held.id])
    reasons = {reason.subject: reason for reason in site.jobs.backend.pending_reasons([run.id])[run.id]}
    assert {reason.kind for reason in reasons.values()} == {ReasonKind.DEPENDENCY}
    assert reasons.keys() == {running.id, held.id}
    assert reasons[running.id].text.endswith("which runs")
    assert "held by its user" in reasons[held.id].text
    assert reasons[held.id].lasting
    site.end(run, held, running)


@together
@WHY
@subject("Jobs.pending_reasons")
@attribute("start_time", lambda _: datetime.now(UTC) + timedelta(hours=1))
def test_a_job_that_waits_for_its_start_time_says_when_that_is(site: Site) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    run = site.shell("true", start_time=at)
    reason = _first(site, run, ReasonKind.START_TIME)
    # Grid Engine takes whole seconds, the next one.
    assert any(f"{one.astimezone():%H:%M:%S}" in reason.text for one in (at, at + timedelta(seconds=1)))
    site.end(run)


@together
@WHY
@subject("Jobs.pending_reasons")
def test_a_request_that_nothing_can_fulfil_is_told_with_the_largest_offer(site: Site) -> None:
    run = site.shell("true", resource_requests={site.consumable: "7"})
    reason = _first(site, run, ReasonKind.REQUEST)
    assert (reason.subject, reason.lasting) == (site.consumable, True)
    assert reason.text.startswith(f"no host offers {site.consumable}=7; the largest offer is 2 on ")
    site.end(run)


@together
@WHY
@subject("Jobs.pending_reasons")
@attribute("parallel_environment", "smp")
def test_more_slots_than_there_are_is_a_request_that_nothing_can_fulfil(site: Site) -> None:
    pe = site.parallel_environments["$pe_slots"]
    run = site.shell("true", parallel_environment=pe, min_slots=900, max_slots=900)
    reason = _first(site, run, ReasonKind.REQUEST)
    assert reason.lasting
    assert f"-pe {pe} 900 fits nowhere" in reason.text
    site.end(run)


@WHY
@subject("Jobs.pending_reasons")
def test_slots_in_use_and_the_position_are_told(site: Site) -> None:
    with site.narrow() as blocker:
        first, second = (site.shell("true", queue_name=site.narrow_queue) for _ in range(2))
        reason = _first(site, first, ReasonKind.SLOTS)
        assert reason.text == f"the 1 slot of {site.narrow_queue} is in use"
        assert (reason.subject, reason.lasting) == (site.narrow_queue, False)
        wait_for(
            lambda: _position(site, second) == "1 job of yours is before it in the queue", "the second's position"
        )
        assert _position(site, first) == "first in line for the next slots that suit it"
        site.end(first, second)
    # The next file's statements find the narrow queue empty.
    blocker.ended()


def _position(site: Site, run: Run) -> str:
    reasons = site.jobs.backend.pending_reasons([run.id])[run.id]
    return next((reason.text for reason in reasons if reason.kind is ReasonKind.POSITION), "")


@together
@WHY
@subject("Jobs.pending_reasons")
def test_the_limit_of_an_array_on_its_tasks_is_told(site: Site) -> None:
    template = site.template("/bin/sleep", "600", output_path="/dev/null", error_path="/dev/null")
    array = site.jobs.submit_array(template, 1, 4, max_parallel=1)
    site.reached(array.job(1).id, JobState.RUNNING)
    found = wait_for(
        lambda: [
            reason
            for reason in site.jobs.backend.pending_reasons([array.id])[array.id]
            if reason.kind is ReasonKind.TASK_LIMIT
        ],
        "the limit on tasks",
        pause=site.pace,
    )
    assert found[0].text == "1 of its tasks runs, and -tc 1 lets no more run at once"
    site.end(site.jobs.job(array.id))


@together
@WHY
@subject("Jobs.pending_reasons", "Job.pending_reasons")
def test_a_job_that_runs_waits_for_nothing_and_one_that_never_was_is_left_out(site: Site) -> None:
    run = site.running()
    assert site.jobs.pending_reasons(run.id) == {run.id: []}
    assert run.job.pending_reasons() == []
    site.end(run)
    run.ended()
    assert site.jobs.backend.pending_reasons([run.id]) == {run.id: []}
    assert site.jobs.backend.pending_reasons(["987654"]) == {}
    with pytest.raises(UnknownName):
        site.jobs.job("987654").pending_reasons()


@together
@WHY
@subject("Jobs.pending_reasons")
def test_many_who_ask_are_one_question(site: Site) -> None:
    held = [site.held() for _ in range(2)]
    reasons = PendingReasons(site.jobs.backend, site.jobs.board)
    assert REASON_SECONDS == 10
    answers = [reasons.of([run.id for run in held]) for _ in range(5)]
    assert all(answer == answers[0] for answer in answers)
    assert reasons.questions == 1
    site.end(*held)
