"""Sessions of the DRMAA2 face on real systems: they outlive programs, and many programs use one at once."""

from __future__ import annotations

import gc
import getpass
import threading
import time
from typing import TYPE_CHECKING

import pytest
from patience import wait_for

from gcs_lab import drmaa2
from gcs_lab.drmaa2 import (
    JobSession,
    JobState,
    MonitoringSession,
    Notification,
    ReservationSession,
    Time,
)
from gcs_lab.vocabulary import Capability

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drmaa2.drmaa2_lab import Site

SLEEP = {"remote_command": "/bin/sleep", "args": ["60"], "output_path": "/dev/null", "join_files": True}
TRUE = {"remote_command": "/bin/true", "output_path": "/dev/null", "join_files": True}


@pytest.fixture
def session(site: Site) -> Iterator[JobSession]:
    with JobSession(contact=site.cluster) as made:
        yield made


def test_a_job_goes_through_its_life(session: JobSession) -> None:
    job = session.run_job({**SLEEP, "args": ["1"], "job_name": "nap"})
    assert str(job) == str({"id": job.id, "job_name": "nap", "session_name": session.name})
    job.wait_started(60)
    assert job.get_state()[0] in (JobState.RUNNING, JobState.DONE)
    job.wait_terminated(60)
    assert job.get_state()[0] is JobState.DONE
    info = job.get_info()
    assert (info.job_id, info.job_name, info.exit_status, info.job_state) == (job.id, "nap", 0, JobState.DONE)
    assert job.get_template().job_name == "nap"


def test_a_job_is_controlled_and_refuses_what_its_state_does_not_allow(session: JobSession) -> None:
    job = session.run_job({**SLEEP, "submit_as_hold": True})
    assert job.get_state()[0] is JobState.QUEUED_HELD
    with pytest.raises(drmaa2.InvalidState):
        job.suspend()
    with pytest.raises(drmaa2.InvalidState):
        job.reap()
    with pytest.raises(drmaa2.TimeoutError):
        job.wait_started(Time.ZERO_TIME)
    job.release()
    job.wait_started(60)
    with pytest.raises(drmaa2.InvalidState):
        job.hold()
    job.suspend()
    wait_for(lambda: job.get_state()[0] is JobState.SUSPENDED, "the suspension")
    job.resume()
    wait_for(lambda: job.get_state()[0] is JobState.RUNNING, "the resumption")
    job.terminate_forced()
    job.wait_terminated(60)
    assert job.get_state()[0] is JobState.FAILED
    with pytest.raises(drmaa2.InvalidState):
        job.terminate()


def test_a_reaped_job_is_unknown(session: JobSession) -> None:
    job = session.run_job(TRUE)
    other = session.run_job(TRUE)
    session.wait_all_terminated([job, other], 60)
    job.reap()
    assert [one.id for one in session.get_jobs()] == [other.id]
    for use in (job.reap, job.get_state, job.get_info, job.get_template, job.suspend, lambda: job.wait_started(0)):
        with pytest.raises(drmaa2.InvalidArgument, match="was reaped"):
            use()
    with pytest.raises(drmaa2.InvalidArgument):
        session.wait_any_terminated([other, job], 0)


def test_an_array_has_its_tasks(session: JobSession) -> None:
    array = session.run_bulk_jobs({**TRUE, "job_name": "many"}, 2, 8, 3, 2)
    assert [job.id for job in array.job_list] == [f"{array.id}.{index}" for index in (2, 5, 8)]
    assert array.job_list[1:] == [array.job_list[1], array.job_list[2]]
    assert session.wait_any_terminated(array.job_list, 60) in array.job_list
    assert session.wait_all_terminated([array], 60) == [array]
    assert {job.get_state()[0] for job in array.job_list} == {JobState.DONE}
    again = session.get_job_array(array.id)
    assert (again, again.job_list, again.get_template().job_name) == (array, array.job_list, "many")
    array.job_list[0].reap()
    assert [job.id for job in session.get_jobs()] == [f"{array.id}.5", f"{array.id}.8"]
    with pytest.raises(drmaa2.InvalidArgument):
        array.job_list[0].get_info()
    assert session.wait_any_terminated([array], 0) == array.job_list[1]
    assert session.wait_any_terminated(array.job_list, 0) == array.job_list[1], "a reaped task is not waited for"
    array.reap()
    assert session.get_jobs() == []
    with pytest.raises(drmaa2.InvalidArgument):
        session.get_job_array(array.id)


def test_the_jobs_of_an_array_are_a_list_of_the_readers_own(session: JobSession) -> None:
    array = session.run_bulk_jobs({**SLEEP, "submit_as_hold": True}, 1, 4)
    one, two, three, four = array.job_list
    jobs = array.job_list
    jobs.remove(two)
    assert two not in jobs
    assert [*jobs] == [one, three, four]
    assert jobs.pop() == four
    jobs.append(four)
    jobs.sort(key=lambda job: job.id, reverse=True)
    assert jobs == [four, three, one]
    jobs[0], jobs[1:] = one, []
    assert (jobs, jobs.copy()) == ([one], [one])
    assert (jobs + jobs, [two] + jobs) == ([one, one], [two, one])  # noqa: RUF005  (the operator is what is tested)
    assert array.job_list == [one, two, three, four]
    assert (two in array.job_list, session in array.job_list, array.job_list.index(three)) == (True, False, 2)
    with pytest.raises(drmaa2.TimeoutError):
        session.wait_any_started(jobs, 0)
    two.terminate_forced()
    assert session.wait_any_terminated(array.job_list, 60) == two
    del jobs[0]
    with pytest.raises(drmaa2.InvalidArgument):
        session.wait_any_terminated(jobs, 0)


def test_an_array_is_controlled_as_one(session: JobSession) -> None:
    array = session.run_bulk_jobs({**SLEEP, "submit_as_hold": True}, 1, 3)
    assert {job.get_state()[0] for job in array.job_list} == {JobState.QUEUED_HELD}
    with pytest.raises(drmaa2.InvalidState):
        array.suspend()
    with pytest.raises(drmaa2.InvalidState):
        array.reap()
    array.job_list[2].terminate_forced_all()
    session.wait_all_terminated(array.job_list, 60)
    assert {job.get_state()[0] for job in array.job_list} == {JobState.FAILED}


def test_a_filter_finds_jobs_that_have_ended_too(session: JobSession) -> None:
    good, bad = session.run_jobs([{**TRUE, "job_name": "good"}, {**TRUE, "remote_command": "/bin/false"}])
    held = session.run_job({**SLEEP, "submit_as_hold": True})
    array = session.run_bulk_jobs({**TRUE, "job_name": "good"}, 1, 2)
    session.wait_all_terminated([good, bad, array], 60)
    tasks = list(array.job_list)
    assert list(session.get_jobs()) == [good, bad, held, *tasks]
    assert list(session.get_jobs({"job_id": tasks[1].id})) == [tasks[1]]
    assert list(session.get_jobs({"job_name": "good"})) == [good, *tasks]
    assert list(session.get_jobs({"job_state": JobState.QUEUED_HELD})) == [held]
    assert list(session.get_jobs({"exit_status": 1})) == [bad]
    assert list(session.get_jobs({"exit_status": 0, "job_name": "good", "job_state": "DONE"})) == [good, *tasks]
    assert list(session.get_jobs({"job_name": "there-is-none"})) == []
    assert list(session.get_jobs({"job_owner": getpass.getuser()})) == [good, bad, held, *tasks]
    assert list(session.get_jobs({"job_owner": getpass.getuser(), "exit_status": 0})) == [good, *tasks]
    assert list(session.get_jobs({"job_owner": getpass.getuser(), "job_id": tasks[0].id})) == [tasks[0]]
    assert list(session.get_jobs({"job_owner": "nobody-else"})) == []
    assert list(session.get_jobs(bad.get_info())) == [bad], "what is known of a job is a filter that finds it"
    assert list(session.get_jobs(tasks[1].get_info())) == [tasks[1]]
    assert list(session.get_jobs({"uge_ji_failed": "37"})) == []


def test_jobs_of_another_session_are_refused(site: Site, session: JobSession) -> None:
    with JobSession(contact=site.cluster) as other:
        job = other.run_job(TRUE)
        with pytest.raises(drmaa2.InvalidArgument, match="is not in job session"):
            session.wait_any_terminated([job], 5)
        with pytest.raises(drmaa2.InvalidArgument):
            session.get_job_array(job.id)
        with pytest.raises(drmaa2.InvalidArgument, match="expected a list of jobs"):
            session.wait_any_terminated(job, 5)
        with pytest.raises(drmaa2.InvalidArgument):
            session.wait_any_terminated([], 5)


def test_a_closed_session_is_an_invalid_session(session: JobSession) -> None:
    job = session.run_job(TRUE)
    session.close()
    session.close()
    for use in (lambda: session.run_job(TRUE), session.get_jobs, job.get_state, job.reap, session.get_job_categories):
        with pytest.raises(drmaa2.InvalidSession, match="was closed"):
            use()
    session.open()
    job.wait_terminated(60)
    session.destroy()
    with pytest.raises(drmaa2.InvalidSession, match="was destroyed"):
        job.get_state()


def test_a_session_destroyed_elsewhere_is_an_invalid_session(session: JobSession) -> None:
    job = session.run_job(TRUE)
    drmaa2.destroy_job_session(session.name)
    for use in (lambda: session.run_job(TRUE), session.get_jobs, job.get_state):
        with pytest.raises(drmaa2.InvalidSession, match="was destroyed"):
            use()


def test_a_session_goes_with_its_object_unless_it_is_to_stay(site: Site) -> None:
    session = JobSession("goes", contact=site.cluster)
    job = session.run_job({**SLEEP, "submit_as_hold": True})
    del session
    gc.collect()
    assert drmaa2.get_job_session_names() == ["goes"], "a job that is in use keeps its session"
    assert job.get_state()[0] is JobState.QUEUED_HELD
    job_id = job.id
    del job
    gc.collect()
    assert drmaa2.get_job_session_names() == []
    assert job_id in [one.id for one in site.jobs.list()], "the job goes on"
    stays = JobSession("stays", contact=site.cluster, destroy_on_exit=False)
    del stays
    gc.collect()
    assert drmaa2.get_job_session_names() == ["stays"]
    JobSession.destroy_by_name("stays")


def test_the_standards_functions_make_open_and_destroy(site: Site) -> None:
    made = drmaa2.create_job_session("fit", site.cluster)
    with pytest.raises(drmaa2.InvalidArgument, match="already"):
        drmaa2.create_job_session("fit", site.cluster)
    opened = drmaa2.open_job_session("fit")
    assert (opened.name, opened.contact, opened == made) == ("fit", site.cluster, True)
    with pytest.raises(drmaa2.InvalidArgument, match=f"is on the cluster '{site.cluster}'"):
        JobSession("fit", contact="elsewhere")
    drmaa2.close_job_session(opened)
    with pytest.raises(drmaa2.InvalidArgument):
        drmaa2.close_job_session("fit")
    drmaa2.destroy_job_session("fit")
    with pytest.raises(drmaa2.InvalidArgument, match="no job session is called 'fit'"):
        drmaa2.open_job_session("fit")
    with pytest.raises(drmaa2.InvalidArgument):
        drmaa2.destroy_job_session("fit")


def test_the_standards_functions_make_open_and_destroy_reservation_sessions(site: Site) -> None:
    made = drmaa2.create_reservation_session("room", site.cluster)
    with pytest.raises(drmaa2.InvalidArgument, match="already"):
        drmaa2.create_reservation_session("room", site.cluster)
    opened = drmaa2.open_reservation_session("room")
    assert (opened == made, opened.closed, drmaa2.get_reservation_session_names()) == (True, False, ["room"])
    drmaa2.close_reservation_session(opened)
    with pytest.raises(drmaa2.InvalidSession):
        opened.get_reservations()
    with pytest.raises(drmaa2.InvalidArgument, match="expected a ReservationSession"):
        drmaa2.close_reservation_session(drmaa2.open_monitoring_session(site.cluster))
    drmaa2.destroy_reservation_session("room")
    with pytest.raises(drmaa2.InvalidArgument):
        drmaa2.open_reservation_session("room")


def test_the_manager_of_sessions_knows_the_system(site: Site) -> None:
    manager = drmaa2.SessionManager()
    assert (manager.drms_name, manager.drmaa_name) == (drmaa2.get_drms_name(), "gcs_lab DRMAA2")
    assert manager.drms_name in site.jobs.system
    assert (manager.drms_version, manager.drmaa_version.major) == (drmaa2.get_drms_version(), "2")
    assert drmaa2.supports("ADVANCE_RESERVATION") is site.jobs.supports(Capability.ADVANCE_RESERVATION)
    assert not drmaa2.supports(drmaa2.Capability.UNSET_CAPABILITY)
    with pytest.raises(drmaa2.InvalidArgument, match="no capability"):
        drmaa2.supports("TELEPORTATION")
    looking = drmaa2.open_monitoring_session(site.cluster)
    assert looking.contact == site.cluster
    drmaa2.close_monitoring_session(looking)
    with pytest.raises(drmaa2.InvalidSession):
        looking.get_all_queues()


def test_nobody_elses_rights_are_taken(session: JobSession) -> None:
    with pytest.raises(drmaa2.AuthorizationError):
        session.run_job(TRUE, auth={"username": "nobody-else"})
    assert session.get_jobs() == []


def test_what_cannot_be_submitted_leaves_nothing_behind(session: JobSession) -> None:
    for template in ({}, {"remote_command": ""}, {**TRUE, "queue_name": "no.such.q"}, {**TRUE, "job_name": "1/x"}):
        with pytest.raises(drmaa2.InvalidArgument):
            session.run_job(template)
    with pytest.raises(drmaa2.InvalidArgument):
        session.run_bulk_jobs(TRUE, 0, 3)
    assert session.get_jobs() == []
    assert session.core._jobs.unresolved() == {}


def test_a_monitoring_session_sees_everything_and_touches_nothing(site: Site, session: JobSession) -> None:
    job = session.run_job({**SLEEP, "submit_as_hold": True, "job_name": "seen"})
    monitoring = MonitoringSession(contact=site.cluster)
    (seen,) = monitoring.get_all_jobs({"job_name": "seen"})
    assert (seen.id, seen.job_name, seen.session_name) == (job.id, "seen", session.name)
    assert seen == job
    assert seen.get_state()[0] is JobState.QUEUED_HELD
    assert seen.get_info().job_name == "seen"
    assert seen.get_template().job_name == "seen"
    for use in (seen.release, seen.terminate, seen.reap, seen.terminate_all):
        with pytest.raises(drmaa2.UnsupportedOperation, match="read-only"):
            use()
    assert job.get_state()[0] is JobState.QUEUED_HELD
    assert "all.q" in [queue.name for queue in monitoring.get_all_queues()]
    assert [queue.name for queue in monitoring.get_all_queues(["all.q"])] == ["all.q"]
    machines = monitoring.get_all_machines()
    assert monitoring.get_all_machines([machines[0].name]) == machines[:1]
    assert monitoring.get_all_machines(["there-is-none"]) == []
    monitoring.close()
    with pytest.raises(drmaa2.InvalidSession):
        monitoring.get_all_jobs()
    monitoring.open()
    assert monitoring.get_all_jobs({"job_name": "there-is-none"}) == []


def test_a_callback_hears_of_a_jobs_states_with_its_session(session: JobSession) -> None:
    heard: list[Notification] = []
    with pytest.raises(drmaa2.InvalidArgument):
        Notification.register_event_notification("no function")
    Notification.register_event_notification(heard.append)
    try:
        job = session.run_job(TRUE)
        mine = lambda: [one for one in heard if one.job_id == job.id]  # noqa: E731
        wait_for(lambda: any(one.job_state == JobState.DONE for one in mine()), "the news of the end")
    finally:
        Notification.unregister_event_notification()
    assert {one.session_name for one in mine()} == {session.name}
    states = [one.job_state for one in mine() if one.event == "NEW_STATE"]
    assert states == list(dict.fromkeys(states)), "each once"
    assert states[-1] == "DONE"
    count = len(heard)
    session.run_job(TRUE).wait_terminated(60)
    assert len(heard) == count


def test_a_callback_may_open_a_session_while_another_one_is_registered(session: JobSession) -> None:
    entered, replaced, ended = threading.Event(), threading.Event(), threading.Event()

    def opening(_: Notification) -> None:
        entered.set()
        if replaced.wait(60) and not ended.is_set():
            time.sleep(0.2)  # the other registration is waiting by now
            JobSession(contact=session.contact).destroy()
            ended.set()

    def register_another() -> None:
        Notification.unregister_event_notification()
        replaced.set()
        Notification.register_event_notification(lambda _: None)

    Notification.register_event_notification(opening)
    try:
        session.run_job(TRUE)
        assert entered.wait(60)
        other = threading.Thread(target=register_another, daemon=True)
        other.start()
        other.join(30)
        assert not other.is_alive()
        assert ended.is_set()
    finally:
        Notification.unregister_event_notification()


def test_a_reservation_is_made_found_and_given_back(site: Site) -> None:
    with ReservationSession("kept", contact=site.cluster) as session:
        made = session.request_reservation({"reservation_name": "res", "duration": 3600})
        assert str(made) == str({"id": made.id, "session_name": "kept"})
        assert made.get_template().to_dict() == {"duration": 3600, "reservation_name": "res"}
        info = made.get_info()
        assert (info.reservation_id, info.reservation_name) == (made.id, "res")
        assert (info.reserved_end_time - info.reserved_start_time).total_seconds() == 3600
        other = site.python(
            "-c",
            "from gcs_lab.drmaa2 import *; s = ReservationSession('kept', destroy_on_exit=False)\n"
            "print(s.get_reservations(), s.get_reservations()[0].get_template())",
        )
        assert other.stdout == f"[{made!r}] {made.get_template()}\n", other.stderr
        (seen,) = MonitoringSession(contact=site.cluster).get_all_reservations({"reservation_name": "res"})
        assert seen == made
        assert MonitoringSession(contact=site.cluster).get_all_reservations(seen.get_info()) == [made]
        assert MonitoringSession(contact=site.cluster).get_all_reservations({"uge_ri_ar_json": "{}"}) == []
        with pytest.raises(drmaa2.UnsupportedOperation, match="read-only"):
            seen.terminate()
        made.terminate()
        assert session.get_reservations() == []
        with pytest.raises(drmaa2.InvalidArgument):
            made.terminate()
        with pytest.raises(drmaa2.InvalidArgument):
            session.get_reservation(made.id)
        with pytest.raises(drmaa2.InvalidArgument):
            session.request_reservation({"duration": 0})
        session.close()
        with pytest.raises(drmaa2.InvalidSession):
            session.get_reservations()
    assert ReservationSession.list_session_names() == []


def test_a_job_runs_in_a_reservation(site: Site, session: JobSession) -> None:
    with ReservationSession(contact=site.cluster) as reservations:
        reservation = reservations.request_reservation({"duration": 3600})
        job = session.run_job({**TRUE, "reservation_id": reservation.id})
        job.wait_terminated(60)
        assert job.get_state()[0] is JobState.DONE
        reservation.terminate()
