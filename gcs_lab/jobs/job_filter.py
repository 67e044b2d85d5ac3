"""The filters of monitoring (GFD.231: ``getAllJobs``, ``getJobs``, ``getAllReservations`` and their like)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import UNSET_NUM, JobInfo, JobState, ReservationInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from gcs_lab.vocabulary import SlotInfo

__all__ = ["fits", "reservation_fits", "select_jobs", "select_named", "select_reservations"]

_EQUAL = (
    "job_id", "exit_status", "terminating_signal", "annotation", "job_sub_state", "submission_machine", "job_owner",
    "slots", "queue_name", "job_name", "failed", "deleted_by",
)  # fmt: skip
_AT_LEAST = ("wallclock_time", "cpu_time", "max_vmem", "max_rss")
_NOT_BEFORE = ("submission_time", "dispatch_time", "finish_time")
_PARTS = ("resource_requests", "raw")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def fits(info: JobInfo, wanted: JobInfo) -> bool:
    """Tell whether a job is one that a filter asks for.

    What is set in the filter (not None, not empty, a state other than UNDETERMINED) must match: machines are a
    superset, durations and memory at least as much, times not before, everything else equal. What the system does not
    tell of a job matches nothing. Naive times are this machine's local time.
    """
    state_fits = wanted.job_state in (JobState.UNDETERMINED, info.job_state)
    return state_fits and (
        all(_is_equal(getattr(info, name), getattr(wanted, name)) for name in _EQUAL)
        and all(_is_at_least(getattr(info, name), getattr(wanted, name)) for name in _AT_LEAST)
        and all(_is_not_before(getattr(info, name), getattr(wanted, name)) for name in _NOT_BEFORE)
        and _has_machines(info.allocated_machines, wanted.allocated_machines)
        and all((getattr(wanted, name) or {}).items() <= (getattr(info, name) or {}).items() for name in _PARTS)
    )


def reservation_fits(info: ReservationInfo, wanted: ReservationInfo) -> bool:
    """Tell whether a reservation is one that a filter asks for; as :func:`fits`."""
    equal = ("reservation_id", "reservation_name", "reserved_slots", "state", "owner", "message")
    times = ("reserved_start_time", "reserved_end_time")
    return (
        all(_is_equal(getattr(info, name), getattr(wanted, name)) for name in equal)
        and all(_is_not_before(getattr(info, name), getattr(wanted, name)) for name in times)
        and set(wanted.users_acl or ()) <= set(info.users_acl or ())
        and _has_machines(info.reserved_machines, wanted.reserved_machines)
    )


def select_jobs(jobs: Callable[[], Iterable[JobInfo]], wanted: JobInfo | None) -> list[JobInfo]:
    """Return the jobs that a filter asks for. Raises InvalidArgument, before `jobs` is called, if it is none."""
    if wanted is not None and not isinstance(wanted, JobInfo):
        raise InvalidArgument(f"the filter is {wanted!r}; expected a JobInfo, or None for all jobs.")
    return [info for info in jobs() if wanted is None or fits(info, wanted)]


def select_reservations(
    reservations: Callable[[], Iterable[ReservationInfo]], wanted: ReservationInfo | None
) -> list[ReservationInfo]:
    """Return the reservations that a filter asks for; as :func:`select_jobs`."""
    if wanted is not None and not isinstance(wanted, ReservationInfo):
        raise InvalidArgument(f"the filter is {wanted!r}; expected a ReservationInfo, or None for all reservations.")
    return [info for info in reservations() if wanted is None or reservation_fits(info, wanted)]


def select_named(found: Callable[[], Iterable[_N]], names: Collection[str] | None) -> list[_N]:
    """Return those whose name is one of `names` (None: all), in the system's order.

    Raises
    ------
    InvalidArgument
        If `names` is no list of names.
    """
    if names is None:
        return list(found())
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise InvalidArgument(f"the names are {names!r}; expected a list of names, or None for all.")
    wanted = set(names)
    return [one for one in found() if one.name in wanted]


def _is_set(value: object) -> bool:
    return value is not None and value != "" and not (value == UNSET_NUM and not isinstance(value, bool))


def _is_equal(value: object, wanted: object) -> bool:
    return not _is_set(wanted) or value == wanted


def _is_at_least(value: float | None, wanted: float | None) -> bool:
    return wanted is None or wanted < 0 or (value is not None and value >= wanted)


def _is_not_before(value: datetime | None, wanted: datetime | None) -> bool:
    return wanted is None or (value is not None and value.astimezone() >= wanted.astimezone())


def _has_machines(machines: Collection[SlotInfo], wanted: Collection[SlotInfo]) -> bool:
    """Tell whether every machine that is wanted is there, with as many slots if the filter says how many."""
    slots = {machine.machine_name: machine.slots for machine in machines or ()}
    return all(
        machine.machine_name in slots and machine.slots in (0, UNSET_NUM, None, slots[machine.machine_name])
        for machine in wanted or ()
    )
