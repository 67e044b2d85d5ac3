"""Advance reservations (GFD.231, 9 ReservationSession; qrsub(1))."""

from __future__ import annotations

import contextlib
import platform
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from conformance.statements import REFUSED, attribute, clause, reservation_attribute, subject, together
from gcs_lab.errors import DeniedByDrms, GcsError, InvalidArgument, InvalidState, UnsupportedOperation
from gcs_lab.vocabulary import (
    Capability,
    CpuArchitecture,
    JobState,
    OperatingSystem,
    ReservationInfo,
    ReservationTemplate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.site import Site
    from gcs_lab.jobs import Reservation

TEMPLATE = clause("GFD.231 5.7 ReservationTemplate")
ARCHITECTURES = {"x86_64": CpuArchitecture.X64, "aarch64": CpuArchitecture.ARM64, "i686": CpuArchitecture.X86}
ROUNDING = timedelta(seconds=2)


def _soon(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


@contextlib.contextmanager
def _reserved(site: Site, **attributes: Any) -> Iterator[Reservation]:
    """Yield a reservation, given back afterwards unless it has ended; two minutes from now if nothing else is said."""
    times = {"duration": 120} if not attributes.keys() & {"end_time", "duration"} else {}
    reservation = site.jobs.reservations.request(ReservationTemplate(**(times | attributes)))
    try:
        yield reservation
    finally:
        with contextlib.suppress(GcsError):
            reservation.terminate()


@together
@clause("GFD.231 9.1 requestReservation, getReservation, getReservations")
@subject(
    "Jobs.reservations",
    "Reservations.request",
    "Reservations.reservation",
    "Reservations.list",
    "Reservations.find",
    "Reservation.info",
    "Reservation.terminate",
)
def test_a_reservation_is_requested_found_and_given_back(site: Site) -> str | None:
    if not site.jobs.supports(Capability.ADVANCE_RESERVATION):
        with pytest.raises(UnsupportedOperation) as caught:
            assert site.jobs.reservations
        assert site.jobs.system in str(caught.value)
        return REFUSED
    reservation = site.jobs.reservations.request(ReservationTemplate(duration=120))
    info = reservation.info()
    assert (info.reservation_id, info.owner) == (reservation.id, site.user)
    assert reservation.id in [found.id for found in site.jobs.reservations.list()]
    assert reservation.id in [found.reservation_id for found in site.jobs.reservations.find(None)]
    wanted = ReservationInfo(reservation_id=reservation.id)
    assert [found.reservation_id for found in site.jobs.reservations.find(wanted)] == [reservation.id]
    assert site.jobs.reservations.reservation(reservation.id).info().reservation_id == reservation.id
    reservation.terminate()
    wait_for(
        lambda: reservation.id not in [found.id for found in site.jobs.reservations.list()],
        "its end",
        pause=site.pace,
    )
    with pytest.raises((InvalidState, InvalidArgument)):
        reservation.terminate()
    return None


@together
@clause("GFD.231 9.2 Reservation of an unknown id")
@subject("Reservation.info", "Reservation.terminate")
def test_an_unknown_reservation_is_an_invalid_argument(site: Site) -> None:
    unknown = site.jobs.reservations.reservation("999999")
    with pytest.raises(InvalidArgument, match="999999"):
        unknown.info()
    with pytest.raises(InvalidArgument, match="999999"):
        unknown.terminate()


@together
@TEMPLATE
@reservation_attribute("reservation_name", "name")
def test_reservation_name_is_the_name_of_the_reservation(site: Site) -> None:
    name = site.name_of_a_job()
    with _reserved(site, reservation_name=name) as reservation:
        assert reservation.info().reservation_name == name
        found = site.jobs.reservations.find(ReservationInfo(reservation_id="", reservation_name=name))
        assert [info.reservation_id for info in found] == [reservation.id]


@together
@TEMPLATE
@reservation_attribute("end_time", lambda _: _soon(60))
@reservation_attribute("start_time", lambda _: _soon(60))
def test_start_time_and_end_time_are_when_it_is_reserved(site: Site) -> None:
    start, end = _soon(3600), _soon(7200)
    with _reserved(site, start_time=start, end_time=end) as reservation:
        info = reservation.info()
        assert (info.reserved_start_time, info.reserved_end_time) == (start, end)


@together
@TEMPLATE
@reservation_attribute("duration", 60)
def test_duration_counts_from_the_start(site: Site) -> None:
    start = _soon(3600)
    with _reserved(site, start_time=start, duration=1800) as reservation:
        info = reservation.info()
        assert (info.reserved_start_time, info.reserved_end_time) == (start, start + timedelta(seconds=1800))


@together
@TEMPLATE
@reservation_attribute("duration", 60)
def test_a_reservation_without_a_start_time_begins_now(site: Site) -> None:
    now = datetime.now(UTC)
    with _reserved(site, duration=60) as reservation:
        info = reservation.info()
        assert info.reserved_start_time is not None
        assert info.reserved_end_time is not None
        assert abs(info.reserved_start_time - now) <= 2 * ROUNDING
        assert info.reserved_end_time - info.reserved_start_time == timedelta(seconds=60)
        wait_for(lambda: reservation.info().state == "r", "its beginning", pause=site.pace)


@together
@TEMPLATE
@reservation_attribute("parallel_environment", "smp")
@reservation_attribute("min_slots", 2)
def test_min_slots_are_reserved(site: Site) -> None:
    pe = site.parallel_environments["$pe_slots"]
    with _reserved(site, start_time=_soon(3600), min_slots=3, parallel_environment=pe) as reservation:
        info = reservation.info()
        assert info.reserved_slots == 3
        assert sum(slot.slots for slot in info.reserved_machines) == 3
        assert {slot.machine_name for slot in info.reserved_machines} <= set(site.hosts)


@together
@TEMPLATE
@reservation_attribute("max_slots", 2)
def test_max_slots_are_reserved_at_the_most(site: Site) -> None:
    pe = site.parallel_environments["$pe_slots"]
    with _reserved(site, start_time=_soon(3600), min_slots=2, max_slots=4, parallel_environment=pe) as reservation:
        slots = reservation.info().reserved_slots
        assert slots is not None
        assert 2 <= slots <= 4


@together
@TEMPLATE
@reservation_attribute("queue_name", "all.q")
def test_what_is_reserved_is_for_jobs_with_the_reservation_alone(site: Site) -> None:
    with site.narrow_free():
        with _reserved(site, queue_name=site.narrow_queue, duration=600) as reservation:
            wait_for(lambda: reservation.info().state == "r", "its beginning", pause=site.pace)
            other = site.shell("true", queue_name=site.narrow_queue)
            mine = site.shell("true", queue_name=site.narrow_queue, reservation_id=reservation.id)
            assert mine.ended(JobState.DONE).queue_name == site.narrow_queue
            assert other.state is JobState.QUEUED, other.status()
            with pytest.raises(DeniedByDrms), _reserved(site, queue_name=site.narrow_queue, duration=60):
                pass
        other.ended(JobState.DONE)


@together
@clause("GFD.231 5.4 reservationId")
@attribute("reservation_id", "1")
def test_a_job_of_a_reservation_waits_for_its_start_and_is_ended_with_it(site: Site) -> None:
    start = _soon(5)
    with _reserved(site, start_time=start, duration=6) as reservation:
        run = site.shell("date +%s; exec sleep 600", reservation_id=reservation.id)
        assert run.state in {JobState.QUEUED, JobState.QUEUED_HELD}
        info = run.ended(JobState.FAILED)
    assert int(run.shown()) >= start.timestamp() - 1
    assert info.finish_time is not None
    assert info.finish_time >= start + timedelta(seconds=5)


@together
@clause("GFD.231 9.2 terminate")
@attribute("reservation_id", "1")
def test_terminating_a_reservation_ends_its_jobs(site: Site) -> None:
    reservation = site.jobs.reservations.request(ReservationTemplate(duration=600))
    runs = [site.running(reservation_id=reservation.id), site.held(reservation_id=reservation.id)]
    reservation.terminate()
    for run in runs:
        assert run.job.wait_terminated(60) is JobState.FAILED


@together
@clause("GFD.231 5.4 reservationId")
@attribute("reservation_id", "1")
def test_an_unknown_or_ended_reservation_id_is_refused(site: Site) -> None:
    reservation = site.jobs.reservations.request(ReservationTemplate(duration=600))
    reservation.terminate()
    wait_for(
        lambda: reservation.id not in [found.id for found in site.jobs.reservations.list()],
        "its end",
        pause=site.pace,
    )
    name = site.name_of_a_job()
    for wrong in ("999999", reservation.id):
        with pytest.raises(InvalidArgument, match=wrong):
            site.shell("true", job_name=name, reservation_id=wrong)
    assert site.ids_with_name(name) == []


@together
@TEMPLATE
@reservation_attribute("candidate_machines", ["node"])
def test_candidate_machines_are_where_it_is_reserved(site: Site) -> None:
    host = site.hosts[-1]
    with _reserved(site, candidate_machines=[host]) as reservation:
        assert [slot.machine_name for slot in reservation.info().reserved_machines] == [host]
    with pytest.raises((DeniedByDrms, InvalidArgument)), _reserved(site, candidate_machines=["not-of-this-cluster"]):
        pass


@together
@TEMPLATE
@reservation_attribute("min_phys_memory", 1)
def test_min_phys_memory_is_what_the_reserved_machine_has(site: Site) -> None:
    with _reserved(site, min_phys_memory=1024) as reservation:
        assert reservation.info().reserved_slots == 1
    with pytest.raises(DeniedByDrms), _reserved(site, min_phys_memory=2**40):
        pass


@together
@TEMPLATE
@reservation_attribute("machine_os", OperatingSystem.LINUX)
def test_machine_os_is_that_of_the_reserved_machine(site: Site) -> None:
    with _reserved(site, machine_os=OperatingSystem.LINUX) as reservation:
        assert reservation.info().reserved_slots == 1
    with pytest.raises(DeniedByDrms), _reserved(site, machine_os=OperatingSystem.SUNOS):
        pass


@together
@TEMPLATE
@reservation_attribute("machine_arch", CpuArchitecture.X64)
def test_machine_arch_is_that_of_the_reserved_machine(site: Site) -> None:
    mine = ARCHITECTURES[platform.machine()]
    with _reserved(site, machine_arch=mine) as reservation:
        assert reservation.info().reserved_slots == 1
    other = CpuArchitecture.ARM64 if mine is CpuArchitecture.X64 else CpuArchitecture.X64
    with pytest.raises(DeniedByDrms), _reserved(site, machine_arch=other):
        pass


@together
@TEMPLATE
@reservation_attribute("users_acl", ["user"])
def test_users_acl_are_those_who_may_use_it(site: Site) -> None:
    with _reserved(site, users_acl=[site.user]) as reservation:
        assert reservation.info().users_acl == [site.user]
        site.shell("true", reservation_id=reservation.id).ended(JobState.DONE)


@together
@TEMPLATE
@reservation_attribute("job_category", "room")
def test_job_category_of_a_reservation_is_one_that_there_is(site: Site) -> None:
    with _reserved(site, job_category=site.category_of_reservations) as reservation:
        assert reservation.info().reserved_slots == 1
    with pytest.raises(InvalidArgument), _reserved(site, job_category="nowhere-defined"):
        pass


@together
@clause("implementation-specific: qrsub")
@reservation_attribute("native_specification", "-N name")
def test_native_specification_of_a_reservation_is_options_of_qrsub(site: Site) -> None:
    name = site.name_of_a_job()
    with _reserved(site, native_specification=f"-N {name}") as reservation:
        assert reservation.info().reservation_name == name
    with pytest.raises(GcsError), _reserved(site, native_specification="-nosuchoption"):
        pass


@together
@clause("GFD.231 9.1 requestReservation: DeniedByDrms")
@subject("Reservations.request")
def test_what_cannot_be_granted_is_denied_and_nothing_is_reserved(site: Site) -> None:
    name = site.name_of_a_job()
    pe = site.parallel_environments["$pe_slots"]
    with (
        pytest.raises(DeniedByDrms),
        _reserved(site, reservation_name=name, min_slots=900, parallel_environment=pe),
    ):
        pass
    assert name not in [info.reservation_name for info in site.jobs.reservations.find(None)]


@together
@clause("GFD.231 9.1 requestReservation: InvalidArgument")
@subject("Reservations.request", "Reservations.check")
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"start_time": datetime(2001, 1, 1, tzinfo=UTC), "end_time": datetime(2001, 1, 2, tzinfo=UTC)},
        {"start_time": datetime(2101, 1, 2, tzinfo=UTC), "end_time": datetime(2101, 1, 1, tzinfo=UTC)},
        {"duration": 0},
        {"duration": -5},
        {"duration": "long"},
        {"duration": 60, "min_slots": 0},
        {"duration": 60, "min_slots": 4, "max_slots": 2},
        {"duration": 60, "reservation_name": "a\nb"},
        {"duration": 60, "queue_name": "no-such.q"},
    ],
    ids=str,
)
def test_a_reservation_that_makes_no_sense_is_an_invalid_argument(site: Site, attributes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        site.jobs.reservations.check(ReservationTemplate(**attributes))
    with pytest.raises(InvalidArgument), _reserved_as_it_stands(site, attributes):
        pass


@contextlib.contextmanager
def _reserved_as_it_stands(site: Site, attributes: dict[str, Any]) -> Iterator[None]:
    reservation = site.jobs.reservations.request(ReservationTemplate(**attributes))
    reservation.terminate()
    yield


@together
@clause("issue 3, 3: every attribute is honoured or refused")
@subject("Reservations.request")
def test_the_backend_says_of_every_reservation_attribute_whether_it_honours_it(site: Site) -> None:
    from dataclasses import fields

    backend = site.jobs.backend.reservations
    assert backend is not None
    every = {f.name for f in fields(ReservationTemplate)}
    assert backend.supported_attributes | backend.refusals.keys() == every
    assert not backend.supported_attributes & backend.refusals.keys()
