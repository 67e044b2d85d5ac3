"""Whether a reservation can be granted, and on which slots: a function of who holds slots when (``qrsub(1)``)."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.allocation import Slots, fit
from gcs_lab.backends.embedded.matching import MachineWishes, check_queues, suit
from gcs_lab.backends.embedded.placement import Request, Room
from gcs_lab.errors import DeniedByDrms, InvalidArgument, UnknownName

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.reservation import ReservationWish
    from gcs_lab.backends.embedded.timetable import Timetable

__all__ = ["clock_text", "grant"]

#: A start so many seconds ago is meant as now: the question took its time.
_JUST_NOW_SECONDS = 5.0
#: The beginning of the year 9000, so that every time has a date.
_LATEST = 221_845_392_000.0


def grant(wish: ReservationWish, now: float, timetable: Timetable, layout: Layout) -> tuple[float, float, Slots]:
    """Return start, end (seconds since the epoch) and slots of the reservation that `wish` asks for.

    Of a start, an end and a duration that is shorter than what lies between them, it is the first time that fits.

    Raises
    ------
    InvalidArgument
        If the times cannot work, or a name does not exist.
    DeniedByDrms
        If there is no room: the message says how much there is.
    """
    earliest, latest, length = _window(wish, now)
    request = _request(wish, layout)
    for start in [earliest, *timetable.ends(earliest, latest)]:
        slots = fit(request, _room(timetable, request, start, start + length))
        if slots:
            return start, start + length, slots
    raise DeniedByDrms(_why_denied(request, timetable, layout, earliest, length))


def _window(wish: ReservationWish, now: float) -> tuple[float, float, float]:
    """Return the earliest start, the latest start and the length in seconds."""
    start, end, length = wish.start, wish.end, wish.duration
    if start is not None and now - _JUST_NOW_SECONDS <= start < now:
        start = now
    if length is None:
        if end is None:
            raise InvalidArgument("a reservation needs a duration or an end_time.")
        start = now if start is None else start
        length = end - start
        latest = start
    else:
        if start is None:
            start = now if end is None else end - length
        latest = start if end is None else end - length
    if start < now:
        raise InvalidArgument(
            f"the reservation would begin at {clock_text(start)}, which is over; it is {clock_text(now)}."
        )
    if length <= 0 or latest < start:
        raise InvalidArgument(
            "the reservation would end before it begins; expected end_time after start_time, and a duration that "
            "fits between them."
        )
    if max(start, latest) + length > _LATEST:
        raise InvalidArgument("the reservation would end after the year 9000; expected an earlier end.")
    return start, latest, length


def _request(wish: ReservationWish, layout: Layout) -> Request:
    """Return what is asked for, in the placement's terms; without an environment, slots may lie anywhere."""
    check_queues(wish.queues, layout)
    environment = layout.parallel_environment(wish.environment or "")
    if wish.environment is not None and environment is None:
        known = [pe.name for pe in layout.parallel_environments]
        raise UnknownName("parallel environment", wish.environment, known, where="embedded")
    hosts = {host.name.lower() for host in layout.hosts}
    for name in wish.candidate_machines:
        if name.lower() not in hosts:
            raise UnknownName("host", name, [host.name for host in layout.hosts], where="embedded")
    machines = MachineWishes(tuple(wish.candidate_machines), wish.min_phys_memory, wish.machine_os, wish.machine_arch)
    match = suit({}, wish.queues, layout, machines)
    if match.why_not:
        raise DeniedByDrms(f"the reservation cannot be granted: {match.why_not}.")
    if not 1 <= wish.min_slots <= wish.max_slots:
        raise InvalidArgument(f"slots {wish.min_slots}-{wish.max_slots}: expected 1 <= min_slots <= max_slots.")
    return Request(
        key=(0, 0),
        places=match.places,
        least=wish.min_slots,
        most=wish.max_slots,
        environment=wish.environment,
        rule="$fill_up" if environment is None else environment.rule,
    )


def _room(timetable: Timetable, request: Request, start: float, end: float) -> Room:
    """Return what nobody has at any time from `start` to `end`."""
    name = request.environment
    return Room(
        Counter({place: timetable.unreserved(place, start, end) for place in request.places}),
        environments=Counter({} if name is None else {name: timetable.unreserved(name, start, end)}),
    )


def _why_denied(request: Request, timetable: Timetable, layout: Layout, start: float, length: float) -> str:
    end = start + length
    what = f"{request.least} slot{'s' if request.least > 1 else ''}"
    if request.environment is not None:
        what += f" of {request.environment} ({request.rule})"
    total = sum(queue.slots for queue, _ in layout.instances())
    for count in range(min(request.least - 1, total), 0, -1):
        smaller = dataclasses.replace(request, least=count, most=count)
        if fit(smaller, _room(timetable, smaller, start, end)):
            most = f"at most {count} {'are' if count > 1 else 'is'}"
            break
    else:
        most = "none is"
    return (
        f"{what} cannot be reserved from {clock_text(start)} to {clock_text(end)}: {most} free for all of that time "
        f"(the cluster has {total}). Running jobs count until their h_rt is over, and without h_rt for ever. Ask for "
        "less, for another time, or end jobs."
    )


def clock_text(moment: float) -> str:
    """Return a time (seconds since the epoch) as this machine's clock shows it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
