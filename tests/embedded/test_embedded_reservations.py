"""Advance reservations, on a real embedded cluster."""

from __future__ import annotations

import getpass
import itertools
import os
import random
import signal
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest
from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.backends.embedded.cluster_file import parse_layout
from gcs_lab.backends.embedded.reservation import ReservationWish
from gcs_lab.backends.embedded.reservation_book import ReservationBook
from gcs_lab.backends.embedded.reservation_table import ReservationTable
from gcs_lab.errors import DeniedByDrms, InvalidArgument, InvalidState, UnknownName, UnsupportedAttribute
from gcs_lab.vocabulary import (
    Capability,
    CpuArchitecture,
    JobState,
    JobTemplate,
    OperatingSystem,
    ReservationTemplate,
    SlotInfo,
)

TWO_HOSTS = """
[[hosts]]
name = "node1"
mem_total = "8G"
[[hosts]]
name = "node2"
mem_total = "64G"
arch = "lx-arm64"
[[queues]]
name = "all.q"
slots = 2
[[parallel_environments]]
name = "mpi"
slots = 3
allocation_rule = "$fill_up"
"""


def reserve(lab, seconds=60.0, after=0.0, **asked):
    """Reserve slots for some seconds from so many seconds on."""
    if after:
        asked["start_time"] = datetime.now(UTC) + timedelta(seconds=after)
    if seconds == int(seconds):
        asked.setdefault("duration", int(seconds))
    else:
        asked["end_time"] = asked.get("start_time", datetime.now(UTC)) + timedelta(seconds=seconds)
    return lab.jobs.reservations.request(ReservationTemplate(**asked))


def accounting(lab, job):
    fields = [line.split(":") for line in lab.places.accounting.read_text().splitlines() if not line.startswith("#")]
    return next(entry for entry in fields if entry[5] == job.id)


def test_a_reservation_is_granted_and_tells_what_it_has(lab):
    lab.configure(TWO_HOSTS)
    before = datetime.now(UTC)
    made = reserve(lab, 60, reservation_name="talk", min_slots=3, users_acl=[getpass.getuser()])
    info = made.info()
    assert before <= info.reserved_start_time <= datetime.now(UTC)
    assert info.reserved_end_time - info.reserved_start_time == timedelta(seconds=60)
    assert (info.reservation_name, info.reserved_slots, info.state) == ("talk", 3, "r")
    assert info.reserved_machines == [SlotInfo("node1", 2), SlotInfo("node2", 1)]
    assert (info.owner, info.users_acl, info.message) == (getpass.getuser(), [getpass.getuser()], None)
    later = reserve(lab, 60, after=3600)
    assert later.info().state == "w"
    assert [found.id for found in lab.jobs.reservations.list()] == [made.id, later.id]


def test_other_jobs_leave_its_slots_alone_and_say_why_they_wait(lab):
    lab.configure(TWO_HOSTS)
    made = reserve(lab, 60, min_slots=3)
    free = lab.submit("sleep", "60")
    lab.wait_letters(free, "r")
    waits = lab.submit("true")
    status = lab.status(waits)
    assert status.sub_state == "qw"
    assert f"slots are kept for reservation {made.id}" in status.annotation
    made.terminate()
    assert lab.ended(waits).job_state is JobState.DONE


def test_a_job_runs_before_a_reservation_if_it_ends_in_time(lab):
    lab.one_slot()
    made = reserve(lab, 60, after=30)
    endless = lab.submit("true")
    too_long = lab.submit("true", resource_requests={"h_rt": "0:01:00"})
    short = lab.submit("true", resource_requests={"h_rt": "5"})
    assert lab.ended(short).job_state is JobState.DONE
    assert "it may run 60 s" in lab.status(too_long).annotation
    assert "without end, as it has no h_rt" in lab.status(endless).annotation
    made.terminate()
    assert lab.ended(too_long).job_state is JobState.DONE
    assert lab.ended(endless).job_state is JobState.DONE


def test_a_reservation_waits_for_nobody_a_running_job_without_limit_denies_it(lab):
    lab.one_slot()
    job = lab.submit("sleep", "60")
    lab.wait_letters(job, "r")
    with pytest.raises(DeniedByDrms, match="without h_rt for ever"):
        reserve(lab, 60, after=3600)
    job.terminate()
    lab.ended(job)
    limited = lab.submit("sleep", "60", resource_requests={"h_rt": "100"})
    lab.wait_letters(limited, "r")
    with pytest.raises(DeniedByDrms, match="none is free"):
        reserve(lab, 60, after=60)
    assert reserve(lab, 60, after=120).info().state == "w"


def test_reservations_do_not_overlap(lab):
    lab.one_slot()
    reserve(lab, 60, after=100)
    with pytest.raises(DeniedByDrms):
        reserve(lab, 60, after=50)
    assert reserve(lab, 30, after=50).info().state == "w"
    assert len(lab.jobs.reservations.list()) == 2


def test_its_jobs_run_in_its_slots_alone_and_stand_in_accounting_with_it(lab):
    lab.configure(TWO_HOSTS)
    made = reserve(lab, 60, min_slots=1, candidate_machines=["node2"])
    jobs = [lab.submit("sleep", "60", reservation_id=made.id) for _ in range(2)]
    lab.wait_letters(jobs[0], "r")
    assert lab.status(jobs[0]).machine_name == "node2"
    assert lab.letters(jobs[1]) == "qw"
    jobs[0].terminate()
    lab.wait_letters(jobs[1], "r")
    lab.ended(jobs[0])
    wait_for(lab.places.accounting.exists, "accounting")
    fields = accounting(lab, jobs[0])
    assert len(fields) == 45
    assert fields[43] == made.id
    assert int(fields[44]) == int(made.info().reserved_start_time.timestamp())


def test_its_jobs_wait_until_it_begins_and_are_ended_with_it(lab):
    lab.one_slot()
    made = reserve(lab, 2.0, after=2.5)
    runs = lab.submit("sleep", "60", reservation_id=made.id)
    waits = lab.submit("sleep", "60", reservation_id=made.id)
    free = lab.submit("true")
    status = lab.status(runs)
    assert (status.state, status.sub_state) == (JobState.QUEUED, "qw")
    assert f"reservation {made.id} begins at" in status.annotation
    lab.wait_letters(runs, "r")
    assert made.info().state == "r"
    ended, deleted = lab.ended(runs), lab.ended(waits)
    assert (ended.job_state, ended.annotation) == (JobState.FAILED, f"ended with its reservation {made.id}")
    assert deleted.job_state is JobState.FAILED
    assert deleted.annotation == f"ended with its reservation {made.id} before it ran"
    assert ended.dispatch_time >= made.info().reserved_start_time
    assert made.info().state == "x"
    assert lab.jobs.reservations.list() == []
    assert lab.ended(free).job_state is JobState.DONE


def test_giving_it_back_ends_its_jobs_and_frees_its_slots(lab):
    lab.one_slot()
    made = reserve(lab, 60)
    runs = lab.submit("sleep", "60", reservation_id=made.id)
    array = lab.jobs.submit_array(
        JobTemplate(remote_command="true", reservation_id=made.id, working_directory=str(lab.work)), 1, 2000
    )
    free = lab.submit("true")
    lab.wait_letters(runs, "r")
    made.terminate()
    info = lab.ended(runs)
    assert (info.job_state, info.deleted_by) == (JobState.FAILED, getpass.getuser())
    assert info.annotation == f"deleted with its reservation {made.id} by {getpass.getuser()}"
    assert array.counts() == {JobState.FAILED: 2000}
    assert lab.ended(free).job_state is JobState.DONE
    assert made.info().state == "d"
    with pytest.raises(InvalidState, match="is over"):
        made.terminate()
    with pytest.raises(InvalidArgument, match="no reservation '99'"):
        lab.jobs.reservations.reservation("99").terminate()


def test_a_job_cannot_be_submitted_to_a_reservation_that_is_not_or_is_over(lab):
    lab.one_slot()
    with pytest.raises(InvalidArgument, match="no reservation '7'"):
        lab.submit("true", reservation_id="7")
    made = reserve(lab, 60)
    made.terminate()
    with pytest.raises(InvalidArgument, match=f"reservation {made.id} was given back"):
        lab.submit("true", reservation_id=made.id)
    over = reserve(lab, 0.3)
    wait_for(lambda: over.info().state == "x", "the end of the reservation")
    with pytest.raises(InvalidArgument, match=f"reservation {over.id} ended at"):
        lab.submit("true", native_specification=f"-ar {over.id}")
    assert lab.jobs.list() == []


def test_reservations_and_their_jobs_survive_the_scheduler(lab):
    lab.one_slot()
    made = reserve(lab, 3.5)
    later = reserve(lab, 5.0, after=4.0)
    inside = lab.submit("sleep", "60", reservation_id=made.id)
    in_later = lab.submit("true", reservation_id=later.id)
    lab.wait_letters(inside, "r")
    before = made.info()
    lab.kill_scheduler()
    assert made.info() == before
    assert lab.letters(inside) == "r"
    assert lab.ended(inside).annotation == f"ended with its reservation {made.id}"
    assert lab.ended(in_later).job_state is JobState.DONE


def test_what_ended_while_no_scheduler_was_there_is_over_when_one_comes(lab):
    lab.one_slot()
    made = reserve(lab, 2.0)
    inside = lab.submit("sleep", "60", reservation_id=made.id)
    waits = lab.submit("true", reservation_id=made.id)
    lab.wait_letters(inside, "r")
    lab.kill_scheduler()
    over = datetime.now(UTC) + timedelta(seconds=2.0)
    wait_for(lambda: datetime.now(UTC) > over, "the end of the reservation")
    assert lab.ended(waits).job_state is JobState.FAILED
    assert lab.ended(inside).annotation == f"ended with its reservation {made.id}"
    assert made.info().state == "x"


def test_a_question_that_is_asked_twice_reserves_once(lab):
    lab.one_slot()
    asked = {"token": "a" * 32, "duration": 60.0}
    client = lab.system._client
    assert client.ask("reserve", **asked) == client.ask("reserve", **asked)
    assert len(lab.jobs.reservations.list()) == 1


def test_machines_environments_and_queues_are_honoured(lab):
    lab.configure(TWO_HOSTS)

    def machines(**asked):
        made = reserve(lab, 60, **asked)
        found = {machine.machine_name for machine in made.info().reserved_machines}
        made.terminate()
        return found

    assert machines(min_phys_memory=32 * 2**20) == {"node2"}
    assert machines(machine_arch=CpuArchitecture.ARM64, machine_os=OperatingSystem.LINUX) == {"node2"}
    assert machines(queue_name="all.q@node2") == {"node2"}
    assert machines(parallel_environment="mpi", min_slots=2, max_slots=9) == {"node1", "node2"}
    with pytest.raises(DeniedByDrms, match="machine_arch=SPARC"):
        machines(machine_arch=CpuArchitecture.SPARC)
    with pytest.raises(UnknownName):
        machines(candidate_machines=["nowhere"])


def test_an_environment_gives_reserved_slots_to_its_jobs_alone(lab):
    lab.configure(TWO_HOSTS)
    made = reserve(lab, 60, parallel_environment="mpi", min_slots=2)
    outside = lab.submit("true", parallel_environment="mpi", min_slots=2)
    inside = lab.submit("sleep", "60", parallel_environment="mpi", min_slots=1, max_slots=9, reservation_id=made.id)
    lab.wait_letters(inside, "r")
    assert lab.status(inside).slots == 2
    assert lab.letters(outside) == "qw"
    too_big = lab.submit("true", parallel_environment="mpi", min_slots=3, reservation_id=made.id)
    assert lab.status(too_big).annotation == f"it asks for 3 slots, and reservation {made.id} has 2"


def test_a_reservation_says_when_its_queue_cannot_run_jobs(lab):
    lab.one_slot()
    made, later = reserve(lab, 30), reserve(lab, 30, after=100)
    lab.system.queue_control("disable", ["all.q"])
    assert (made.info().state, later.info().state) == ("E", "W")
    assert made.info().message == "reserved queue all.q@node is disabled"
    job = lab.submit("true", reservation_id=made.id)
    assert lab.status(job).annotation == "all.q is disabled"
    lab.system.queue_control("enable", ["all.q"])
    assert lab.ended(job).job_state is JobState.DONE
    assert (made.info().state, made.info().message) == ("r", None)


@pytest.mark.parametrize(
    ("asked", "error", "match"),
    [
        ({"users_acl": ["nobody-else"]}, InvalidArgument, "nobody-else"),
        ({"job_category": "quick"}, (UnsupportedAttribute, UnknownName), "categor"),
        ({"native_specification": "-l h=x"}, UnsupportedAttribute, "native_specification"),
        ({"min_slots": 2}, DeniedByDrms, "at most 1 is free"),
        ({"parallel_environment": "nope"}, UnknownName, "nope"),
        ({"queue_name": "nope.q"}, UnknownName, "nope"),
    ],
)
def test_what_cannot_be_reserved_is_refused_and_reserves_nothing(lab, asked, error, match):
    lab.one_slot()
    with pytest.raises(error, match=match):
        reserve(lab, 60, **asked)
    assert lab.jobs.reservations.list() == []


def test_the_system_says_that_it_can_reserve(lab):
    wanted = (
        Capability.ADVANCE_RESERVATION,
        Capability.RESERVE_SLOTS,
        Capability.RT_STARTNOW,
        Capability.RT_DURATION,
        Capability.RT_MACHINEOS,
        Capability.RT_MACHINEARCH,
    )
    assert all(lab.jobs.supports(capability) for capability in wanted)
    backend = lab.system.jobs.reservations
    named = backend.supported_attributes | set(backend.refusals)
    assert named == set(ReservationTemplate.__dataclass_fields__)


def make_book():
    connection = sqlite3.connect(":memory:")
    layout = parse_layout('[[hosts]]\nname="node"\n[[queues]]\nname="all.q"\nslots=1\n')
    return connection, ReservationBook(ReservationTable(connection), layout)


def test_what_has_begun_or_ended_stays_so_when_the_clock_is_put_back():
    connection, book = make_book()
    made = book.request(ReservationWish(token="t", start=1100.0, duration=100.0), "me", 1000.0, [])
    assert (book.turn(1100.0), made.phase.value) == ([], "r")
    assert (book.turn(1050.0), made.phase.value) == ([], "r")
    assert made.booking(1050.0).start == 1050.0
    assert book.due_at() == 1200.0
    assert book.turn(1201.0) == [made]
    assert (book.turn(1150.0), book.due_at()) == ([], None)
    book.load()
    assert book.live == {}
    assert book.find(made.reservation_id).phase.value == "x"
    connection.close()


def test_old_reservations_are_forgotten_and_their_numbers_do_not_come_again():
    connection, book = make_book()
    first = book.request(ReservationWish(token="t", duration=10.0), "me", 1000.0, [])
    book.turn(1010.0)
    ReservationTable(connection).forget(2000.0)
    assert book.find(first.reservation_id) is None
    assert book.request(ReservationWish(token="u", duration=10.0), "me", 1020.0, []).number == first.number + 1
    connection.close()


def test_a_reservation_whose_queue_was_taken_out_of_the_file_says_so(lab):
    lab.configure(TWO_HOSTS)
    made = reserve(lab, 60, candidate_machines=["node2"])
    lab.kill_scheduler()
    lab.one_slot()
    info = made.info()
    assert (info.state, info.message) == ("E", "reserved queue all.q@node2 is not in cluster.toml any more")
    job = lab.submit("true", reservation_id=made.id)
    assert "they are on all.q@node2" in lab.status(job).annotation
    made.terminate()
    assert lab.ended(job).job_state is JobState.FAILED


@pytest.mark.parametrize("seed", range(3))
def test_whenever_the_scheduler_is_killed_nothing_is_lost_and_nothing_done_twice(lab, seed):
    """Reserve, give back and set queue states while the scheduler dies again and again; compare with a model."""
    lab.configure(TWO_HOSTS)
    chance = random.Random(seed)
    reserved, shut = [], set()
    over, killed = threading.Event(), set()

    def kill_now_and_then():
        pauses = random.Random(seed + 100)
        while not over.wait(pauses.uniform(0.02, 0.15)):
            if pid := service.status().pid:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        for number in itertools.count():
            if len(killed) >= 6:
                break
            what = chance.choice(["reserve", "give back", "disable", "enable"])
            if what == "reserve":
                reserved.append(reserve(lab, 10, after=1000.0 + 20 * number).id)
            elif what == "give back" and reserved:
                lab.jobs.reservations.reservation(reserved.pop(chance.randrange(len(reserved)))).terminate()
            elif what in {"disable", "enable"}:
                host = chance.choice(["node1", "node2"])
                assert lab.system.queue_control(what, [f"all.q@{host}"]) == {}
                (shut.add if what == "disable" else shut.discard)(host)
    finally:
        over.set()
        killer.join()
    assert [made.id for made in lab.jobs.reservations.list()] == reserved
    table = lab.system.queue_instances()
    assert {host for host, state in zip(table["host"], table["state"], strict=True) if state} == shut
