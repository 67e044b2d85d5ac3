"""Advance reservations: how qrsub is told, what qrstat says, and both on a real Grid Engine."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from gcs_lab.backends.gridengine.qrstat_xml import parse_reservation_ids, parse_reservations
from gcs_lab.backends.gridengine.reservations import (
    RESERVATION_CAPABILITIES,
    GridEngineReservations,
    reservation_options,
)
from gcs_lab.backends.gridengine.sge_cell import SgeCell
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.cluster import Cluster
from gcs_lab.errors import (
    DeniedByDrms,
    DrmCommunication,
    InvalidArgument,
    InvalidState,
    UnknownName,
    UnsupportedAttribute,
)
from gcs_lab.vocabulary import (
    CpuArchitecture,
    JobState,
    JobTemplate,
    OperatingSystem,
    ReservationInfo,
    ReservationTemplate,
    SlotInfo,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.jobs.reservations import Reservation, Reservations

SUMMARY = b"""<?xml version='1.0'?>
<qrstat xmlns:xsd="http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qrstat/qrstat.xsd">
   <ar_summary>
      <id>4</id>
      <name>err</name>
      <owner>root</owner>
      <state>E</state>
      <start_time>2026-11-21T06:04:00</start_time>
      <end_time>2026-11-21T06:05:40</end_time>
      <duration>00:01:40</duration>
      <message>reserved queue all.q@localhost is disabled</message>
      <submission_time>2026-11-21T06:04:00</submission_time>
      <group>root</group>
      <account>acc</account>
      <granted_slots_list>
         <granted_slots  queue_instance="all.q@localhost" slots="4"/>
         <granted_slots  queue_instance="short.q@localhost" slots="2"/>
         <granted_slots  queue_instance="all.q@node2" slots="1"/>
      </granted_slots_list>
      <acl_list>
         <acl  user="@arusers"/>
         <acl  user="root"/>
      </acl_list>
   </ar_summary>
   <ar_unknown>
      <id>99</id>
   </ar_unknown>
</qrstat>
"""


def options_of(**attributes: Any) -> list[str]:
    return reservation_options(ReservationTemplate(**attributes))


def test_what_qrstat_prints_is_read() -> None:
    assert parse_reservations(SUMMARY) == {
        "4": ReservationInfo(
            reservation_id="4",
            reservation_name="err",
            reserved_start_time=datetime(2026, 11, 21, 6, 4, tzinfo=UTC),
            reserved_end_time=datetime(2026, 11, 21, 6, 5, 40, tzinfo=UTC),
            users_acl=["@arusers", "root"],
            reserved_slots=7,
            reserved_machines=[SlotInfo("localhost", 6), SlotInfo("node2", 1)],
            state="E",
            owner="root",
            message="reserved queue all.q@localhost is disabled",
        )
    }
    assert parse_reservation_ids(SUMMARY) == ["4"]


def test_a_cell_without_reservations_says_nothing(recorded: Path) -> None:
    document = (recorded / "qrstat.xml").read_bytes()
    assert parse_reservation_ids(document) == []
    assert parse_reservations(document) == {}


def test_all_attributes_become_options() -> None:
    zone = datetime.now().astimezone().tzinfo
    words = options_of(
        reservation_name="week",
        start_time=datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC).astimezone(zone),
        duration=3600,
        min_slots=2,
        max_slots=4,
        parallel_environment="smp",
        users_acl=["ann", "@lab", "ann"],
        candidate_machines=["n1", "n2"],
        min_phys_memory=1000,
        machine_os=OperatingSystem.LINUX,
        machine_arch=CpuArchitecture.ARM64,
        queue_name="all.q",
        native_specification="-he yes",
    )
    assert words == [
        "-pe", "smp", "2-4", "-l", "hostname=n1|n2", "-l", "mem_total=1000K", "-l", "arch=*lx-arm64",
        "-a", "203101020304.05", "-d", "3600", "-N", "week", "-q", "all.q", "-u", "ann,@lab", "-he", "yes",
    ]  # fmt: skip


def test_a_reservation_from_now_on_names_no_start() -> None:
    assert options_of(duration=60) == ["-d", "60"]
    assert options_of(duration=60, start_time=datetime.now(UTC)) == ["-d", "60"]
    end = datetime.now(UTC) + timedelta(hours=1)
    assert options_of(start_time=end - timedelta(seconds=60), end_time=end, duration=60)[::2] == ["-a", "-e"]


@pytest.mark.parametrize(
    "native", ["-w v", "-N other", "-d 70", "-now y", "-help", "no_option", "-N 'open", "-pe smp 2"]
)
def test_native_options_that_would_be_misunderstood_are_refused(native: str) -> None:
    with pytest.raises(InvalidArgument):
        options_of(reservation_name="mine", duration=60, max_slots=1, native_specification=native)


def test_slots_without_an_environment_are_refused() -> None:
    with pytest.raises(UnsupportedAttribute, match="parallel environment"):
        options_of(duration=60, min_slots=2)


def test_every_attribute_is_honoured() -> None:
    template = ReservationTemplate()
    assert GridEngineReservations.supported_attributes == set(vars(template))
    assert not GridEngineReservations.refusals


@pytest.fixture(scope="module")
def reservations(cluster: Cluster) -> Reservations:
    return cluster.jobs.reservations


@pytest.fixture
def granted(reservations: Reservations) -> Iterator[Any]:
    """Yield a function that reserves; what it made is given back at the end."""
    made: list[Reservation] = []

    def reserve(**attributes: Any) -> Reservation:
        made.append(reservations.request(ReservationTemplate(**attributes)))
        return made[-1]

    yield reserve
    reservations.backend.terminate([each.id for each in made])


@pytest.mark.gridengine
def test_what_is_granted_is_told(reservations: Reservations, granted: Any) -> None:
    start = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    mine = granted(
        reservation_name="tomorrow",
        start_time=start,
        end_time=start + timedelta(minutes=5),
        min_slots=2,
        max_slots=3,
        parallel_environment="smp",
        queue_name="short.q",
        users_acl=[getpass.getuser(), "daemon"],
    )
    info = mine.info()
    assert (info.reservation_id, info.reservation_name, info.state) == (mine.id, "tomorrow", "w")
    assert (info.reserved_start_time, info.reserved_end_time) == (start, start + timedelta(minutes=5))
    assert info.reserved_slots == 3
    assert info.reserved_machines == [SlotInfo("localhost", 3)]
    assert info.users_acl == [getpass.getuser(), "daemon"]
    assert mine in reservations.list()
    assert info in reservations.find()


@pytest.mark.gridengine
def test_a_reservation_starts_now_or_so_that_it_ends_in_time(granted: Any) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    info = granted(duration=600).info()
    assert before <= info.reserved_start_time <= datetime.now(UTC)
    assert info.reserved_end_time - info.reserved_start_time == timedelta(seconds=600)
    assert info.state == "r"
    end = (datetime.now(UTC) + timedelta(hours=3)).replace(microsecond=0)
    info = granted(end_time=end, duration=600).info()
    assert (info.reserved_start_time, info.reserved_end_time) == (end - timedelta(seconds=600), end)


@pytest.mark.gridengine
def test_machines_are_chosen_by_name_memory_and_kind(cluster: Cluster, granted: Any) -> None:
    (machine,) = cluster.jobs.machines()
    mine = granted(
        duration=60,
        candidate_machines=[machine.name],
        min_phys_memory=1000,
        machine_os=machine.machine_os,
        machine_arch=machine.machine_arch,
    )
    assert mine.info().reserved_machines == [SlotInfo(machine.name, 1)]
    for impossible in ({"min_phys_memory": 10**12}, {"machine_os": OperatingSystem.SUNOS}):
        with pytest.raises(DeniedByDrms, match=r"not granted.*no suitable queues"):
            granted(duration=60, **impossible)


@pytest.mark.gridengine
def test_what_does_not_fit_is_denied(granted: Any) -> None:
    with pytest.raises(DeniedByDrms, match=r"not granted.*qrstat"):
        granted(duration=60, min_slots=1000, parallel_environment="smp")
    with pytest.raises(InvalidArgument, match="not known as a user"):
        granted(duration=60, users_acl=["nosuchuser"])
    with pytest.raises(UnknownName, match="nosuch"):
        granted(duration=60, queue_name="nosuch")


@pytest.mark.gridengine
def test_a_reserved_slot_is_kept_free(cluster: Cluster, granted: Any, reservations: Reservations) -> None:
    (queue,) = cluster.jobs.queues(["short.q"])
    whole = granted(duration=600, queue_name="short.q", parallel_environment="smp", min_slots=queue.slots)
    assert whole.info().reserved_slots == queue.slots
    job = cluster.jobs.run("true", queue_name="short.q", output_path="/dev/null", error_path="/dev/null")
    other = cluster.jobs.run("true", queue_name="all.q", output_path="/dev/null", error_path="/dev/null")
    assert other.wait_terminated(30) is JobState.DONE
    assert job.status(0).state is JobState.QUEUED
    whole.terminate()
    assert job.wait_terminated(30) is JobState.DONE
    assert whole.id not in reservations.backend.info(None)


@pytest.mark.gridengine
def test_a_running_job_goes_with_its_reservation(cluster: Cluster, granted: Any, reservations: Reservations) -> None:
    mine = granted(duration=600, parallel_environment="smp", min_slots=2)
    job = cluster.jobs.run(
        "sleep", "100", reservation_id=mine.id, parallel_environment="smp", min_slots=2,
        output_path="/dev/null", error_path="/dev/null",
    )  # fmt: skip
    assert job.wait_started(30) is JobState.RUNNING
    assert job.info().slots == 2
    mine.terminate()
    assert job.wait_terminated(60) is JobState.FAILED
    wait_for(lambda: mine.id not in reservations.backend.info(None), "the end of the reservation")


@pytest.mark.gridengine
def test_what_is_in_a_reservation_ends_with_it(
    cluster: Cluster, demo_cell: DemoState, granted: Any, reservations: Reservations
) -> None:
    mine = granted(duration=5, parallel_environment="smp", min_slots=2)
    end = mine.info().reserved_end_time
    quiet = {"reservation_id": mine.id, "output_path": "/dev/null", "error_path": "/dev/null"}
    runs = cluster.jobs.run("sleep", "100", **quiet)
    waits = cluster.jobs.run("sleep", "100", submit_as_hold=True, **quiet)
    array = cluster.jobs.submit_array(JobTemplate(remote_command="sleep", args=["100"], **quiet), 1, 3)
    system = GridEngineSystem("demo", demo_cell.cell(), "qsub")
    other = Cluster(system).jobs.job(runs.id)
    other.status(0)
    assert runs.wait_started(30) is JobState.RUNNING
    said = f"ended with its reservation {mine.id}"
    for job in (runs, waits, other):
        assert job.wait_terminated(15) is JobState.FAILED
        info = job.info()
        assert (info.job_state, info.job_sub_state, info.finish_time) == (JobState.FAILED, said, end)
        assert (info.annotation or "").startswith(said)
    wait_for(lambda: array.status(0).terminated, "the array's end")
    assert {array.status(0).at(index) for index in (1, 2, 3)} == {(JobState.FAILED, said)}
    assert array.info().job_state is JobState.FAILED
    assert mine.id not in reservations.backend.info(None)
    system.close()


@pytest.mark.gridengine
def test_a_reservation_that_is_gone_or_never_was_is_told_apart(reservations: Reservations, granted: Any) -> None:
    mine, other = granted(duration=600), granted(duration=600)
    mine.terminate()
    failures = reservations.backend.terminate([mine.id, "987654", "x y", other.id])
    assert {key: type(error) for key, error in failures.items()} == {
        mine.id: InvalidState,
        "987654": InvalidArgument,
        "x y": InvalidArgument,
    }
    with pytest.raises(InvalidArgument, match="no reservation is called"):
        other.info()
    assert reservations.backend.info(["987654", "x", mine.id]) == {}


@pytest.mark.gridengine
def test_a_category_says_what_to_reserve(cluster: Cluster, demo_cell: DemoState, granted: Any) -> None:
    qtask = demo_cell.cell().common / "qtask"
    qtask.write_text("wide -pe smp 2 -q short.q\nheavy -p -5\n")
    try:
        cluster.jobs.catalogue(0)
        info = granted(duration=60, job_category="wide").info()
        assert info.reserved_slots == 2
        with pytest.raises(InvalidArgument, match=r"'heavy' has -p"):
            granted(duration=60, job_category="heavy")
    finally:
        qtask.unlink()


@pytest.mark.gridengine
def test_the_abilities_are_told(cluster: Cluster) -> None:
    assert all(cluster.jobs.supports(capability) for capability in RESERVATION_CAPABILITIES)


def test_a_cell_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "default" / "common").mkdir(parents=True)
    (tmp_path / "default" / "common" / "act_qmaster").write_text("localhost\n")
    cell = SgeCell(tmp_path, "default", tmp_path / "bin", "lx-amd64", 1, 2)
    with pytest.raises(DrmCommunication):
        GridEngineReservations(cell).request(ReservationTemplate(duration=60))
    with pytest.raises(DrmCommunication):
        GridEngineReservations(cell).info(None)
