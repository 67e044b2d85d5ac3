"""What a reservation template must be before any system sees it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.template_checks import SHARED_CHECKS, check_slots, check_values
from gcs_lab.jobs.value_checks import listing, moment, pattern, refuse, whole_number
from gcs_lab.vocabulary import ReservationTemplate

__all__ = ["check_reservation", "reserved_period"]

_HUNDRED_YEARS = 100 * 366 * 86_400

_CHECKS = {
    **SHARED_CHECKS,
    "reservation_name": SHARED_CHECKS["job_name"],
    "start_time": moment,
    "end_time": moment,
    "duration": whole_number(1, _HUNDRED_YEARS, "(seconds)"),
    "users_acl": listing(
        pattern(re.compile(r"@?[A-Za-z0-9_][A-Za-z0-9_.$\-]*"), "the name of a user, or of a list as @name.", 255)
    ),
}


def check_reservation(template: ReservationTemplate) -> None:
    """Check everything in a reservation template that does not depend on the system.

    Raises
    ------
    InvalidArgument
        If a value cannot work; the message names the attribute.
    """
    check_values(template, ReservationTemplate, _CHECKS)
    check_slots(template)
    now = datetime.now(UTC)
    start, end = reserved_period(template, now)
    if end <= start:
        raise refuse("end_time", template.end_time, f"a time after the start, which is {start.isoformat()}.")
    if end <= now:
        raise InvalidArgument(f"the reservation ends at {end.isoformat()}; expected a time to come.")


def reserved_period(template: ReservationTemplate, now: datetime) -> tuple[datetime, datetime]:
    """Return when a reservation begins and ends (UTC), from whichever two of start, end and duration are given.

    Without a start it begins at `now`; with end and duration alone it begins so much before its end.

    Raises
    ------
    InvalidArgument
        If they are not enough, or contradict each other.
    """
    start = None if template.start_time is None else template.start_time.astimezone(UTC)
    end = None if template.end_time is None else template.end_time.astimezone(UTC)
    duration = None if template.duration is None else timedelta(seconds=template.duration)
    if end is None:
        if duration is None:
            raise InvalidArgument(
                "neither end_time nor duration is set; expected one of them, or how long to reserve for is not known."
            )
        return start or now, (start or now) + duration
    if duration is None:
        return start or now, end
    if start is not None and start + duration != end:
        raise InvalidArgument(
            f"duration is {template.duration} s, but from start_time to end_time are "
            f"{(end - start).total_seconds():g} s; give two of the three."
        )
    return end - duration, end
