"""Sessions that outlive their process (GFD.231, 8.1 SessionManager, 8.2 JobSession, 9 ReservationSession, 10)."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from patience import PATIENCE_SECONDS

from conformance.statements import clause, subject, together
from gcs_lab.errors import (
    DeniedByDrms,
    InvalidArgument,
    InvalidSession,
    InvalidState,
    Timeout,
    UnsupportedOperation,
)
from gcs_lab.jobs.job_session import JobSession
from gcs_lab.jobs.session_store import SessionKind, user_sessions
from gcs_lab.vocabulary import JobInfo, JobState, TaskRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.site import Site

#: Begins what a further process runs: it connects to the same cluster and has its own view of the session.
PREAMBLE = """
import json, os, signal, sys
import gcs_lab
from gcs_lab.jobs.job_session import JobSession
from gcs_lab.vocabulary import JobTemplate
cluster, session, folder = sys.argv[1:4]
area = gcs_lab.connect(cluster).jobs
held = JobTemplate(
    remote_command="/bin/sleep", args=["600"], submit_as_hold=True, output_path="/dev/null", error_path="/dev/null",
    working_directory=folder, job_name="of_a_session",
)
"""


@pytest.fixture
def session(site: Site) -> Iterator[JobSession]:
    made = JobSession.create(site.jobs, uuid.uuid4().hex)
    yield made
    ids = {job.id.partition(".")[0] for job in JobSession.open(site.jobs, made.name).get_jobs()}
    site.end(*(site.jobs.job(job_id) for job_id in ids))
    user_sessions().destroy(SessionKind.JOB, made.name)


def _other_process(site: Site, session: str, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + script, site.jobs.cluster, session, str(site.folder())],
        stdout=subprocess.PIPE,
        text=True,
    )


def _said(process: subprocess.Popen[str], status: int = 0) -> Any:
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == status, out
    return json.loads(out)


@clause("GFD.231 8.1 createJobSession, getJobSessionNames, openJobSession, destroyJobSession")
@subject("JobSession.create", "JobSession.open")
def test_a_session_is_created_listed_opened_and_destroyed_from_another_process(site: Site) -> None:
    name = uuid.uuid4().hex
    created = _said(_other_process(site, name, "s = JobSession.create(area, session); print(json.dumps(s.name))"))
    assert created == name
    assert name in user_sessions().names(SessionKind.JOB)
    JobSession.open(site.jobs, name).close()
    with pytest.raises(InvalidArgument, match=name):
        JobSession.create(site.jobs, name)
    user_sessions().destroy(SessionKind.JOB, name)
    script = "from gcs_lab.jobs.session_store import *; print(json.dumps(session in user_sessions().names(SessionKind.JOB)))"
    assert _said(_other_process(site, name, script)) is False
    with pytest.raises(InvalidArgument, match=name):
        JobSession.open(site.jobs, name)


@clause("issue 3, 2: jobs, templates and arrays are there after kill -9")
@subject(
    "JobSession.run_job",
    "JobSession.run_bulk_jobs",
    "JobSession.template_of",
    "JobSession.get_job_array",
    "JobSession.get_job",
)
def test_a_killed_programs_session_has_its_jobs_their_templates_and_arrays(site: Site, session: JobSession) -> None:
    script = """
s = JobSession.open(area, session)
job = s.run_job(held)
array = s.run_bulk_jobs(held, 2, 9, 3, 2)
print(json.dumps([job.id, array.id]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    job_id, array_id = _said(_other_process(site, session.name, script), status=-9)
    opened = JobSession.open(site.jobs, session.name)
    tasks = [f"{array_id}.{index}" for index in (2, 5, 8)]
    assert [job.id for job in opened.get_jobs()] == [job_id, *tasks]
    assert opened.template_of(opened.get_job(job_id)).args == ["600"]
    array = opened.get_job_array(array_id)
    assert array.tasks in (TaskRange(2, 9, 3), TaskRange(2, 8, 3))
    assert opened.template_of(array).job_name == "of_a_session"
    assert opened.get_job(job_id).state is JobState.QUEUED_HELD


@clause("issue 3, 2: two processes using one session at once")
@subject("JobSession.run_job", "JobSession.run_jobs")
def test_two_processes_use_one_session_at_once(site: Site, session: JobSession) -> None:
    script = """
s = JobSession.open(area, session)
print(json.dumps([s.run_job(held).id for _ in range(10)] + [job.id for job in s.run_jobs([held] * 10)]))
"""
    both = [_other_process(site, session.name, script) for _ in range(2)]
    ids = [job_id for process in both for job_id in _said(process)]
    assert len(set(ids)) == 40
    assert sorted(job.id for job in session.get_jobs()) == sorted(ids)


@clause("GFD.231 8.2.3 getJobs")
@subject("JobSession.get_jobs")
def test_get_jobs_has_ended_ones_and_follows_its_filter(site: Site, session: JobSession) -> None:
    name = site.name_of_a_job()
    ended = session.run_job(site.template("/bin/true", job_name=name))
    held = session.run_job(site.template("/bin/true", submit_as_hold=True))
    session.wait_all_terminated([ended], PATIENCE_SECONDS)
    assert [job.id for job in session.get_jobs()] == [ended.id, held.id]
    assert [job.id for job in session.get_jobs(JobInfo(job_id="", job_name=name))] == [ended.id]
    assert [job.id for job in session.get_jobs(JobInfo(job_id="", job_state=JobState.QUEUED_HELD))] == [held.id]
    assert list(session.get_jobs(JobInfo(job_id="", job_name="no-such-name"))) == []


@clause("GFD.231 8.3 reap")
@subject("JobSession.reap", "JobSession.wait_any_terminated")
def test_reap_forgets_a_job_that_has_ended_and_no_other(site: Site, session: JobSession) -> None:
    job = session.run_job(site.template("/bin/true", submit_as_hold=True))
    with pytest.raises(InvalidState):
        session.reap(job)
    job.release()
    assert session.wait_any_terminated([job], PATIENCE_SECONDS) == job
    session.reap(job)
    with pytest.raises(InvalidArgument):
        session.reap(job)
    with pytest.raises(InvalidArgument):
        session.get_job(job.id)
    assert job.id not in [other.id for other in session.get_jobs()]


@clause("GFD.231 8.1 closeJobSession: InvalidSession")
@subject("JobSession.close")
def test_a_closed_session_cannot_be_used_and_its_jobs_go_on(site: Site, session: JobSession) -> None:
    job = session.run_job(site.template("/bin/true", submit_as_hold=True))
    session.close()
    for use in (
        session.get_jobs,
        lambda: session.run_job(site.template("/bin/true")),
        lambda: session.job_categories,
    ):
        with pytest.raises(InvalidSession):
            use()
    assert job.state is JobState.QUEUED_HELD


@clause("GFD.231 8.2.1 jobCategories")
@subject("JobSession.job_categories")
def test_job_categories_are_those_that_operators_configured(site: Site, session: JobSession) -> None:
    assert site.category in session.job_categories


@clause("GFD.231 8.2.7 waitAny: InvalidArgument")
@subject("JobSession.get_job", "JobSession.wait_any_started")
def test_jobs_of_another_session_are_refused(site: Site, session: JobSession) -> None:
    other = site.held()
    with pytest.raises(InvalidArgument, match=other.id):
        session.wait_any_started([other.job], 0)
    with pytest.raises(InvalidArgument, match=other.id):
        session.get_job(other.id)
    site.end(other)


@clause("GFD.231 8.2.7 waitAny; issue 3, 6: wait_all")
@subject(
    *(f"JobSession.wait_{which}" for which in ("any_started", "any_terminated", "all_started", "all_terminated"))
)
def test_a_session_waits_for_any_and_all_of_its_jobs(site: Site, session: JobSession) -> None:
    template = site.template(
        "/bin/sleep", "600", submit_as_hold=True, output_path="/dev/null", error_path="/dev/null"
    )
    job, array = session.run_job(template), session.run_bulk_jobs(template, 1, 2)
    with pytest.raises(Timeout):
        session.wait_any_started([job, array], 0)
    array.release([2])
    assert session.wait_any_started([job, array], PATIENCE_SECONDS).id == f"{array.id}.2"
    array.release([1])
    session.wait_all_started([array], PATIENCE_SECONDS)
    with pytest.raises(Timeout):
        session.wait_any_terminated([job, array], 0)
    array.terminate([1])
    assert session.wait_any_terminated([job, array], PATIENCE_SECONDS).id == f"{array.id}.1"
    with pytest.raises(Timeout):
        session.wait_all_terminated([job, array], 0)
    site.end(job, site.jobs.job(array.id))
    session.wait_all_terminated([job, array], PATIENCE_SECONDS)


@clause("GFD.231 8.1 createJobSession: InvalidArgument")
@subject("JobSession.create")
@pytest.mark.parametrize("name", ["a\nb", "a" * 5000, "\0", 5])
@together
def test_what_cannot_be_a_sessions_name_is_an_invalid_argument(site: Site, name: Any) -> None:
    with pytest.raises(InvalidArgument):
        JobSession.create(site.jobs, name)


@clause("GFD.231 9 ReservationSession")
@subject(
    "ReservationSession.create",
    "ReservationSession.open",
    "ReservationSession.close",
    "ReservationSession.request_reservation",
    "ReservationSession.get_reservation",
    "ReservationSession.get_reservations",
    "ReservationSession.template_of",
    "ReservationSession.terminate",
)
def test_reservations_persist_in_their_session(site: Site) -> None:
    from gcs_lab.jobs.reservation_session import ReservationSession
    from gcs_lab.vocabulary import ReservationTemplate

    name = uuid.uuid4().hex
    session = ReservationSession.create(site.jobs, name)
    try:
        reservation = session.request_reservation(ReservationTemplate(duration=600))
        session.close()
        with pytest.raises(InvalidSession):
            session.get_reservations()
        again = ReservationSession.open(site.jobs, name)
        assert [found.id for found in again.get_reservations()] == [reservation.id]
        assert again.template_of(reservation.id).duration == 600
        assert again.get_reservation(reservation.id).info().owner == site.user
        with pytest.raises(InvalidArgument):
            again.get_reservation("999999")
        again.terminate(reservation.id)
    finally:
        user_sessions().destroy(SessionKind.RESERVATION, name)


@clause("GFD.231 10 MonitoringSession: jobs are read-only")
def test_jobs_seen_by_a_monitoring_session_cannot_be_controlled(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from gcs_lab import connect, drmaa2

    monkeypatch.setenv("GCS_LAB_CLUSTER", site.jobs.cluster)
    run = site.held(job_name=site.name_of_a_job())
    monitor = drmaa2.MonitoringSession(uuid.uuid4().hex)
    name = run.job.info().job_name
    (job,) = monitor.get_all_jobs(drmaa2.JobInfo({"job_name": name}))
    assert job.get_state()[0] == JobState.QUEUED_HELD
    for action in ("hold", "release", "suspend", "resume", "terminate"):
        with pytest.raises((UnsupportedOperation, InvalidState, DeniedByDrms)):
            getattr(job, action)()
    assert run.state is JobState.QUEUED_HELD
    assert {site.queue, site.narrow_queue} <= {queue.name for queue in monitor.get_all_queues(None)}
    assert set(site.hosts) <= {machine.name for machine in monitor.get_all_machines(None)}
    connect(site.jobs.cluster).close()
    site.end(run)
