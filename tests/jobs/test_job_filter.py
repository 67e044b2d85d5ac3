"""The filters of monitoring, and what the area lists with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from in_memory_backend import InMemoryJobs, InMemoryReservations

from gcs_lab.errors import InvalidArgument, InvalidState, UnknownName, UnsupportedOperation
from gcs_lab.jobs import Jobs
from gcs_lab.jobs.job_filter import fits, reservation_fits
from gcs_lab.vocabulary import JobInfo, JobState, ReservationInfo, ReservationTemplate, SlotInfo

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
FULL = JobInfo(
    job_id="5", job_state=JobState.RUNNING, job_sub_state="r", exit_status=0, terminating_signal="SIGKILL",
    annotation="late", allocated_machines=[SlotInfo("node1", 2), SlotInfo("node2", 1)], submission_machine="login",
    job_owner="ann", slots=3, queue_name="all.q", wallclock_time=60.0, cpu_time=30.0, submission_time=NOON,
    dispatch_time=NOON, finish_time=NOON, job_name="fit", max_vmem=100, max_rss=50, failed=1, deleted_by="root",
    resource_requests={"h_rt": "60", "h_vmem": "4G"}, raw={"granted_pe": "smp"},
)  # fmt: skip
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("attribute", "matching", "other"),
    [
        ("job_id", ["5"], ["5.1", "6"]),
        ("job_state", [JobState.RUNNING, JobState.UNDETERMINED], [JobState.QUEUED, JobState.DONE]),
        ("job_sub_state", ["r", ""], ["qw"]),
        ("exit_status", [0, None, -1], [1]),
        ("terminating_signal", ["SIGKILL", None, ""], ["SIGTERM"]),
        ("annotation", ["late"], ["lat"]),
        ("allocated_machines", [[], [SlotInfo("node2", 0)], [SlotInfo("node1", 2)], [SlotInfo("node1", -1)]],
         [[SlotInfo("node3", 0)], [SlotInfo("node1", 1)], [SlotInfo("node1", 2), SlotInfo("node3", 1)]]),
        ("submission_machine", ["login"], ["node1"]),
        ("job_owner", ["ann"], ["bob"]),
        ("slots", [3, -1], [2, 4]),
        ("queue_name", ["all.q"], ["short.q"]),
        ("wallclock_time", [0, 60, 59.9, -1], [60.1]),
        ("cpu_time", [30], [31]),
        ("submission_time", [NOON, NOON - SECOND, (NOON - SECOND).astimezone().replace(tzinfo=None)], [NOON + SECOND]),
        ("dispatch_time", [NOON], [NOON + SECOND]),
        ("finish_time", [NOON], [(NOON + SECOND).astimezone().replace(tzinfo=None)]),
        ("job_name", ["fit"], ["f*"]),
        ("max_vmem", [99, 100], [101]),
        ("max_rss", [50], [51]),
        ("failed", [1], [2]),
        ("deleted_by", ["root"], ["ann"]),
        ("resource_requests", [{}, {"h_rt": "60"}], [{"h_rt": "61"}, {"mem": "1"}]),
        ("raw", [{"granted_pe": "smp"}], [{"granted_pe": "mpi"}]),
    ],
)  # fmt: skip
def test_what_is_set_in_a_filter_must_match(attribute: str, matching: list[Any], other: list[Any]) -> None:
    assert all(fits(FULL, JobInfo(**{attribute: value})) for value in matching)
    assert not any(fits(FULL, JobInfo(**{attribute: value})) for value in other)
    # What the system does not tell matches nothing that is asked for.
    assert not any(fits(JobInfo(), JobInfo(**{attribute: value})) for value in other)


def test_a_filter_asks_for_everything_in_it_at_once() -> None:
    assert fits(FULL, JobInfo())
    assert fits(FULL, FULL)
    assert not fits(FULL, JobInfo(job_owner="ann", slots=2))


def test_reservations_are_filtered_alike() -> None:
    info = ReservationInfo(
        reservation_id="1", reservation_name="course", reserved_start_time=NOON, reserved_end_time=NOON, owner="ann",
        users_acl=["ann", "bob"], reserved_slots=4, reserved_machines=[SlotInfo("node1", 4)], state="r",
    )  # fmt: skip
    assert reservation_fits(info, info)
    assert reservation_fits(info, ReservationInfo(reservation_id="", users_acl=["bob"], reserved_start_time=NOON))
    for change in (
        {"users_acl": ["eve"]},
        {"reserved_slots": 3},
        {"reserved_end_time": NOON + SECOND},
        {"state": "w"},
    ):
        assert not reservation_fits(info, ReservationInfo(**{"reservation_id": "", **change}))  # type: ignore[arg-type]


def test_all_jobs_of_all_users_are_found_by_a_filter() -> None:
    backend = InMemoryJobs()
    jobs = Jobs(backend, cluster="memory")
    jobs.run("true")
    backend.others = [FULL]
    assert [info.job_id for info in jobs.find()] == ["1", "5"]
    assert jobs.find(JobInfo(job_owner="ann")) == [FULL]
    with pytest.raises(InvalidArgument, match="expected a JobInfo"):
        jobs.find({"job_owner": "ann"})  # type: ignore[arg-type]
    assert jobs.cluster == "memory"


def test_queues_and_machines_by_name() -> None:
    jobs = Jobs(InMemoryJobs())
    assert [queue.name for queue in jobs.queues()] == ["all.q", "short.q"]
    assert [queue.name for queue in jobs.queues(["short.q", "none.q"])] == ["short.q"]
    assert [machine.name for machine in jobs.machines(("node2",))] == ["node2"]
    assert jobs.machines([]) == []
    for names in ("all.q", [1]):
        with pytest.raises(InvalidArgument, match="expected a list of names"):
            jobs.queues(names)  # type: ignore[arg-type]


def test_reservations_are_made_found_and_given_back() -> None:
    backend = InMemoryJobs()
    backend.reservations = InMemoryReservations()
    area = Jobs(backend).reservations
    mine = area.request(ReservationTemplate(reservation_name="course", duration=60, min_slots=2))
    backend.reservations.infos["2"] = ReservationInfo(reservation_id="2", owner="somebody else")
    assert area.list() == [mine] == [area.reservation("1")]
    assert [info.reservation_id for info in area.find()] == ["1", "2"]
    assert [info.reservation_id for info in area.find(ReservationInfo(reservation_id="", reserved_slots=2))] == ["1"]
    assert mine.info().reservation_name == "course"
    mine.terminate()
    with pytest.raises(InvalidState):
        mine.terminate()
    with pytest.raises(UnknownName, match=r"no reservation is called '1'.*There is: 2"):
        mine.info()
    with pytest.raises(InvalidArgument, match="expected a ReservationInfo"):
        area.find(JobInfo())  # type: ignore[arg-type]


def test_a_system_without_reservations_says_so() -> None:
    with pytest.raises(UnsupportedOperation, match="in-memory system has no advance reservations"):
        _ = Jobs(InMemoryJobs()).reservations
