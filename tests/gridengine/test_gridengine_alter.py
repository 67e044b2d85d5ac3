"""qalter, qmod -cj and qmod -rj: what their words mean, and an array in error state whose tasks run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from gcs_lab.backends.gridengine import alterations, control, operators
from gcs_lab.backends.gridengine.alterations import alter_jobs, outcome_of
from gcs_lab.backends.gridengine.commands import Answer
from gcs_lab.backends.gridengine.control import Orders, parse_complaints
from gcs_lab.backends.gridengine.sge_cell import SgeCell
from gcs_lab.backends.gridengine.state_codes import StateCodes
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.errors import DeniedByDrms, InvalidArgument, InvalidState
from gcs_lab.jobs import JobAction, JobChanges, Jobs
from gcs_lab.vocabulary import JobState, JobStatus, JobTemplate, TaskRange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.errors import GcsError

QUIET = {"output_path": "/dev/null", "error_path": "/dev/null"}


@pytest.fixture
def cell(tmp_path: Path) -> SgeCell:
    return SgeCell(tmp_path, "default", tmp_path, "lx-amd64", 1, 2)


def outcome(said: str, exit_status: int, *jobs: str, options: int = 1) -> dict[str, GcsError]:
    return outcome_of(Answer(["qalter"], exit_status, said.encode(), ""), jobs, options=options)


def test_what_qalter_refused_is_told_for_each_job() -> None:
    said = (
        'denied: "nobody" must be at least owner of job 10 to change job attributes\nmodified job name of job 16\n'
        'denied: job "99999" does not exist\n'
    )
    failures = outcome(said, 1, "10", "16", "99999")
    assert {job: type(error) for job, error in failures.items()} == {"10": DeniedByDrms, "99999": InvalidArgument}
    assert "must be at least owner of job 10" in str(failures["10"])


def test_a_refusal_that_names_no_job_is_of_those_that_were_not_altered() -> None:
    said = (
        'denied: "nobody" must be operator to increase job priority\n'
        "nobody@localhost sets scheduling priority of job 17 to 0\n"
    )
    failures = outcome(said, 1, "16", "17")
    assert list(failures) == ["16"]
    assert "must be operator to increase job priority" in str(failures["16"])
    # Of several options all are taken, or none: the first lines are not the last word.
    said = (
        "modified hard resource list of job 22\nmodified job name of job 22\n"
        'Job was rejected because job requests unknown queue "nosuch"\n'
    )
    assert "unknown queue" in str(outcome(said, 1, "22", options=3)["22"])
    assert outcome(said.rpartition("Job")[0], 0, "22", options=2) == {}


def test_a_priority_above_0_is_for_operators_alone(cell: SgeCell, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []

    def answer(_: SgeCell, argv: Sequence[str]) -> Answer:
        asked.append(argv)
        return Answer(argv, 0, b"someone-else\n", "")

    monkeypatch.setattr(operators, "run_command", answer)
    monkeypatch.setattr(alterations, "run_command", answer)
    with pytest.raises(DeniedByDrms, match="priority 5"):
        alter_jobs(cell, JobChanges(priority=5), ["1"])
    assert asked == [["qconf", "-sm"], ["qconf", "-so"]]
    asked.clear()
    assert alter_jobs(cell, JobChanges(priority=-5, name="a", queues=[]), ["1", "2"]) == {}
    assert asked == [["qalter", "-N", "a", "-p", "-5", "-q", "*", "1", "2"]]


def test_who_may_not_is_told_for_each_task_that_was_asked_for() -> None:
    said = 'nobody - you have no permission to modify job "20"\n'
    assert set(parse_complaints(said, {"20.1", "20.2", "21.1", "22"})) == {"20.1", "20.2"}
    assert set(parse_complaints(said, {"20", "20.2"})) == {"20"}


def order(cell: SgeCell, monkeypatch: pytest.MonkeyPatch, action: JobAction, said: str, exit_status: int) -> Orders:
    orders = Orders(action)
    for job_id in ("4", "5"):
        orders.add_job(job_id, JobStatus(*_FITTING[action]))
    monkeypatch.setattr(control, "run_command", lambda _, argv: Answer(argv, exit_status, said.encode(), ""))
    orders.run(cell)
    return orders


_FITTING = {JobAction.CLEAR_ERROR: (JobState.FAILED, "Eqw"), JobAction.REQUEUE: (JobState.RUNNING, "r")}


def test_what_qmod_says_is_understood_though_its_exit_status_is_the_wrong_one(
    cell: SgeCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "root@localhost cleared error state of job 4\nroot@localhost cleared error state of job 5\n"
    assert order(cell, monkeypatch, JobAction.CLEAR_ERROR, said, 1).failures == {}
    said = "root@localhost cleared error state of job 4\nJob 5 is not in error state\n"
    failures = order(cell, monkeypatch, JobAction.CLEAR_ERROR, said, 1).failures
    assert {job: type(error) for job, error in failures.items()} == {"5": InvalidState}
    for why in ("is not restartable", "is running in queue none where jobs are not rerunable."):
        said = f"Pushed rescheduling of job 4 on host localhost\nThe job 5 {why}\n"
        failures = order(cell, monkeypatch, JobAction.REQUEUE, said, 0).failures
        assert {job: type(error) for job, error in failures.items()} == {"5": InvalidState}
        assert why in str(failures["5"])


def test_an_array_of_which_no_task_is_rerunnable_is_told_as_a_whole(
    cell: SgeCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = StateCodes(TaskRange(1, 2))
    codes.put(range(1, 3), codes.code(JobState.RUNNING, "r"))
    said = "The job-array task 6.1 is running in queue none where jobs are not rerunable.\n"
    orders = Orders(JobAction.REQUEUE)
    orders.add_array("6", codes)
    monkeypatch.setattr(control, "run_command", lambda _, argv: Answer(argv, 0, said.encode(), ""))
    orders.run(cell)
    assert isinstance(orders.failures["6"], InvalidState)
    orders = Orders(JobAction.REQUEUE)
    orders.add_array("6", codes)
    said += "Pushed rescheduling of job-array task 6.2 on host localhost\n"
    orders.run(cell)
    assert orders.failures == {}


@pytest.mark.gridengine
def test_tasks_in_error_state_run_when_it_is_cleared(demo_cell: DemoState, tmp_path: Path) -> None:
    # What libdrmaa submits leaves the queue instead.
    system = GridEngineSystem("demo", demo_cell.cell(), "qsub")
    jobs, folder = Jobs(system.jobs), tmp_path / "made later"
    template = JobTemplate(remote_command="true", working_directory=str(folder), **QUIET)
    array = jobs.submit_array(template, 1, 3)
    backend = jobs.backend
    wait_for(lambda: "E" in backend.status([array.id])[array.id].sub_state, "the error state")
    folder.mkdir()
    array.clear_error([2])
    assert jobs.control(JobAction.CLEAR_ERROR, [f"{array.id}.2"]).keys() == {f"{array.id}.2"}
    array.clear_error()
    array.wait_terminated(60)
    assert array.status(0).counts() == {JobState.DONE: 3}
    system.close()
