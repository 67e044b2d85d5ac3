"""What happens when the helper or the qmaster is killed: nothing is lost, nothing runs twice."""

from __future__ import annotations

import getpass
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from patience import wait_for

from gcs_lab.backends.gridengine import demo
from gcs_lab.backends.gridengine.drmaa_transport import DrmaaTransport
from gcs_lab.backends.gridengine.qstat_xml import parse_jobs
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.cluster import Cluster
from gcs_lab.errors import CommandFailed, DrmCommunication
from gcs_lab.vocabulary import JobState, JobTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState

pytestmark = pytest.mark.gridengine

QUIET = {"output_path": "/dev/null", "error_path": "/dev/null"}


@pytest.fixture
def system(demo_cell: DemoState) -> Iterator[GridEngineSystem]:
    connected = GridEngineSystem("demo", demo_cell.cell(), "drmaa")
    yield connected
    connected.close()


def helper_of(system: GridEngineSystem) -> DrmaaTransport:
    transport = system.jobs.submitter.drmaa
    assert transport is not None
    return transport


def named(system: GridEngineSystem, name: str) -> list[str]:
    """Return the ids of all jobs of that name, ended ones included."""
    from gcs_lab.backends.gridengine.commands import ask

    documents = [ask(system.cell, ["qstat", "-u", "*", *more, "-xml"]).stdout for more in ([], ["-s", "z"])]
    return sorted({row.job_id for document in documents for row in parse_jobs(document) if row.name == name})


def test_a_helper_that_was_killed_is_started_again(system: GridEngineSystem) -> None:
    jobs = Cluster(system).jobs
    jobs.run("true", **QUIET)
    first, contact = helper_of(system).helper_pid, helper_of(system).contact
    assert first is not None
    os.kill(first, signal.SIGKILL)
    job = jobs.run("true", **QUIET)
    assert helper_of(system).helper_pid != first
    assert helper_of(system).contact.partition(".")[0] == contact.partition(".")[0]
    assert job.wait_terminated(30) is JobState.DONE


@pytest.mark.parametrize("command", [["sleep", "100"], ["true"]])
def test_a_helper_killed_after_the_job_was_taken_loses_and_doubles_nothing(
    system: GridEngineSystem, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    jobs = Cluster(system).jobs
    jobs.run("true", **QUIET)
    name = f"crash{time.monotonic_ns()}"
    real = DrmaaTransport.submit
    deaths: list[str] = []

    def die_with_the_answer(self: DrmaaTransport, batch: Any, _: list[str]) -> None:
        real(self, batch, deaths)
        (job_id,) = deaths
        if command == ["true"]:
            wait_for(lambda: job_id not in jobs.backend.job_ids(), "the job's end")
        raise CommandFailed(["drmaa_helper"], None, "the helper was lost: it died.")

    monkeypatch.setattr(DrmaaTransport, "submit", die_with_the_answer)
    job = jobs.run(*command, job_name=name, **QUIET)
    assert deaths == [job.id]
    assert named(system, name) == [job.id]
    if command != ["true"]:
        job.terminate()


def test_a_helper_killed_before_the_job_was_taken_leads_to_one_job(
    system: GridEngineSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Cluster(system).jobs
    name = f"crash{time.monotonic_ns()}"
    real = DrmaaTransport.submit
    calls: list[str] = []

    def die_once(self: DrmaaTransport, batch: Any, ids: list[str]) -> None:
        calls.extend(batch.markers)
        if len(calls) == 1:
            raise CommandFailed(["drmaa_helper"], None, "the helper was lost: it died.")
        real(self, batch, ids)

    monkeypatch.setattr(DrmaaTransport, "submit", die_once)
    job = jobs.run("true", job_name=name, **QUIET)
    assert len(calls) == 2
    assert calls[0] == calls[1]
    assert named(system, name) == [job.id]


def test_killing_the_helper_all_the_time_loses_and_doubles_no_job(system: GridEngineSystem) -> None:
    jobs = Cluster(system).jobs
    name = f"storm{time.monotonic_ns()}"
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(0.12):
            pid = helper_of(system).helper_pid
            if pid is not None:
                os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        ids = [jobs.run("true", job_name=name, submit_as_hold=True, **QUIET).id for _ in range(30)]
    finally:
        stop.set()
        killer.join()
    assert len(set(ids)) == 30
    assert named(system, name) == sorted(ids)
    assert jobs.control(jobs_terminate(), ids) == {}


def jobs_terminate() -> Any:
    from gcs_lab.jobs.protocol import JobAction

    return JobAction.TERMINATE


def test_a_helper_that_does_not_start_leaves_the_work_to_qsub(
    demo_cell: DemoState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gcs_lab.backends.gridengine.drmaa_transport._TUNABLE", "glibc.malloc.check=0")
    system = GridEngineSystem("demo", demo_cell.cell(), "drmaa")
    try:
        job = Cluster(system).jobs.run("true", **QUIET)
        assert job.wait_terminated(30) is JobState.DONE
    finally:
        system.close()


def test_the_helper_ends_with_its_owner(system: GridEngineSystem) -> None:
    Cluster(system).jobs.run("true", **QUIET)
    pid = helper_of(system).helper_pid
    assert pid is not None
    helper = psutil.Process(pid)
    system.close()
    assert not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE


def test_a_site_without_libdrmaa_submits_by_qsub(demo_cell: DemoState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcs_lab.backends.gridengine.sge_cell._LIBDRMAA", ())
    system = GridEngineSystem("demo", demo_cell.cell())
    assert system.jobs.submitter.transport == "qsub"
    assert Cluster(system).jobs.run("true", **QUIET).wait_terminated(30) is JobState.DONE


def test_a_cell_without_a_readable_accounting_file_is_asked_by_qacct(
    demo_cell: DemoState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("gcs_lab.backends.gridengine.accounting_file.AccountingFile._open", unreadable)
    system = GridEngineSystem("demo", demo_cell.cell(), "qsub")
    job = Cluster(system).jobs.run("sh", "-c", "exit 5", **QUIET)
    assert job.wait_terminated(30) is JobState.FAILED
    assert job.info().exit_status == 5


def test_who_deleted_a_waiting_job_outside_of_gcs_lab_is_told(system: GridEngineSystem) -> None:
    from gcs_lab.backends.gridengine.commands import ask

    jobs = Cluster(system).jobs
    job, array = (
        jobs.run("sleep", "100", submit_as_hold=True, **QUIET),
        jobs.submit_array(JobTemplate(remote_command="sleep", args=["100"], submit_as_hold=True, **QUIET), 1, 9),
    )
    assert {job.status(0).state, array.status(0).at(1)[0]} == {JobState.QUEUED_HELD}
    ask(system.cell, ["qdel", job.id, f"{array.id}.2-4"])
    assert job.wait_terminated(30) is JobState.FAILED
    info, user = job.info(), getpass.getuser()
    assert (info.job_sub_state, info.deleted_by, info.annotation) == (
        "deleted",
        user,
        f"deleted by {user} before it ran",
    )
    wait_for(lambda: array.status(0).indices(JobState.FAILED) == [2, 3, 4], "the tasks' end")
    assert array.job(3).info().deleted_by == user
    array.terminate()


def test_a_job_that_others_delete_while_it_waits_is_never_done(
    system: GridEngineSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gcs_lab.backends.gridengine import ended_jobs
    from gcs_lab.backends.gridengine.commands import ask
    from gcs_lab.backends.gridengine.deletions import Deletions

    monkeypatch.setattr(Deletions, "read_messages", lambda _: None)  # as on a cell whose master notes errors alone
    monkeypatch.setattr(ended_jobs, "GRACE_OF_PENDING_SECONDS", 1.0)
    job = Cluster(system).jobs.run("sleep", "100", submit_as_hold=True, **QUIET)
    job.status(0)
    ask(system.cell, ["qdel", job.id])
    status = job.status(0)
    assert (status.state, status.sub_state) == (JobState.UNDETERMINED, "gone, awaiting accounting")
    assert job.wait_terminated(30) is JobState.FAILED
    assert "deleted before it ran" in (job.status().annotation or "")


@pytest.fixture
def own_system(own_home: Path) -> Iterator[GridEngineSystem]:
    """Yield a cell of the test's own, connected."""
    connected = GridEngineSystem("demo", demo.start().cell(), "drmaa")
    yield connected
    connected.close()


def kill_master() -> None:
    pid = demo.status()[0].daemons["sge_qmaster"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: demo.status()[0].state == "broken", "the notice of the death")


def test_a_killed_master_is_told_with_words(own_system: GridEngineSystem) -> None:
    jobs = Cluster(own_system).jobs
    waiting = jobs.run("sleep", "100", submit_as_hold=True, **QUIET)
    done = jobs.run("true", **QUIET)
    assert done.wait_terminated(30) is JobState.DONE
    kill_master()
    for action in (lambda: waiting.status(0), lambda: jobs.run("true", **QUIET), waiting.terminate, jobs.catalogue):
        with pytest.raises(DrmCommunication, match="gcs-lab demo start"):
            action()
    again = demo.start()
    assert (again.state, again.found) == ("running", False)
    assert waiting.status(0).state is JobState.QUEUED_HELD
    job = jobs.run("true", **QUIET)
    assert int(job.id) > int(done.id)
    assert job.wait_terminated(30) is JobState.DONE


def test_a_running_job_survives_the_death_of_the_master(own_system: GridEngineSystem, tmp_path: Path) -> None:
    jobs = Cluster(own_system).jobs
    seen = tmp_path / "ended"
    running = jobs.run("sh", "-c", f"sleep 3; touch {seen}; exit 6", **QUIET)
    running.wait_started(30)
    kill_master()
    demo.start()
    assert running.status(0).state is JobState.RUNNING
    wait_for(seen.exists, "the job's own end")
    # The new execution daemon looks after jobs that it did not start itself once a minute.
    assert running.wait_terminated(90) is JobState.FAILED
    assert running.info().exit_status == 6


def test_no_job_number_comes_twice_though_the_master_was_killed(own_system: GridEngineSystem) -> None:
    jobs = Cluster(own_system).jobs
    ended = [jobs.run("true", **QUIET) for _ in range(3)]
    assert [job.wait_terminated(30) for job in ended] == [JobState.DONE] * 3
    deleted = jobs.run("true", submit_as_hold=True, **QUIET)
    deleted.terminate()
    kill_master()
    demo.start()
    assert int(jobs.run("true", **QUIET).id) > max(int(job.id) for job in [*ended, deleted])
