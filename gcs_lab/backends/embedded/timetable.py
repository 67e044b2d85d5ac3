"""Who holds slots when: what advance reservations keep free, and for whom. Times are seconds since the epoch.

The rule is Grid Engine's (``qrsub(1)``): a reservation has its slots from its start to its end for jobs that ask for
it, and those jobs get no others. A job that asks for none starts only where its slots stay unreserved for as long as
it can run: its ``h_rt`` or its queue's, without end if it has neither.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping  # noqa: TC003  (dataclass fields are inspected at run time)
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.backends.embedded.placement import Instance, Request, Room

__all__ = ["Booking", "Holding", "Timetable"]

#: A job that should have ended is expected to be gone so much later.
_OVERDUE_SECONDS = 1.0


@dataclass(frozen=True)
class Booking:
    """What a reservation keeps from ``start`` to ``end``; ``environment`` gives its slots, if it asked for one."""

    reservation_id: str
    start: float
    end: float
    slots: Mapping[Instance, int]
    environment: str | None = None


@dataclass(frozen=True)
class Holding:
    """What a job has that runs; it runs until ``until`` at the latest."""

    slots: Mapping[Instance, int]
    until: float = math.inf
    reservation: str | None = None
    environment: str | None = None


class Timetable:
    """Slots that are free now and later.

    Parameters
    ----------
    now
        The moment for which it is asked.
    total
        All that there is to give out.
    bookings
        Reservations that have not ended.
    holdings
        Jobs that run.
    limits
        Seconds that a job may run in a queue, by queue, where there is a limit.
    """

    def __init__(
        self,
        now: float,
        total: Room,
        bookings: Iterable[Booking],
        holdings: Iterable[Holding] = (),
        limits: Mapping[str, float] | None = None,
    ) -> None:
        self._now = now
        self._total = total
        self._limits = limits or {}
        self._bookings = {booking.reservation_id: booking for booking in bookings}
        self._starts = sorted({booking.start for booking in self._bookings.values() if booking.start > now})
        # By instance, and by name for parallel environments.
        self._booked: dict[Instance | str, list[tuple[float, float, int]]] = defaultdict(list)
        self._held: dict[Instance | str, list[tuple[float, int]]] = defaultdict(list)
        self._left: dict[tuple[str, Instance], int] = defaultdict(int)
        for booking in self._bookings.values():
            for instance, count in booking.slots.items():
                self._booked[instance].append((booking.start, booking.end, count))
                self._left[booking.reservation_id, instance] = count
            if booking.environment is not None:
                total_count = sum(booking.slots.values())
                self._booked[booking.environment].append((booking.start, booking.end, total_count))
        for holding in holdings:
            self._hold(holding, 1)

    def free_slots(self, instance: Instance, request: Request) -> int:
        """Return how many slots are unreserved for as long as `request` can run, or are reserved for it."""
        if request.reservation is None:
            until = self._now + min(request.runtime, self._limits.get(instance.queue, math.inf))
            return self.unreserved(instance, self._now, until)
        booking = self._bookings.get(request.reservation)
        if booking is None or not booking.start <= self._now < booking.end:
            return 0
        return max(0, self._left[booking.reservation_id, instance])

    def free_in_environment(self, name: str, request: Request) -> int:
        """Return how many slots of a parallel environment are unreserved for `request`, or reserved for it."""
        booking = self._bookings.get(request.reservation or "")
        if booking is not None and booking.environment == name:
            return sum(max(0, self._left[booking.reservation_id, instance]) for instance in booking.slots)
        return self.unreserved(name, self._now, self._now + request.runtime)

    def unreserved(self, what: Instance | str, begin: float, end: float) -> int:
        """Return the slots of an instance or parallel environment that nobody has at any time in an interval.

        Parameters
        ----------
        what
            The instance, or the name of the environment.
        begin, end
            The interval; `begin` is not before the moment of the timetable.
        """
        total = self._total.environments[what] if isinstance(what, str) else self._total.slots[what]
        # What is held only ever ends, so the least is free at the beginning or where a reservation starts.
        moments = [begin, *(start for start in self._starts if begin < start < end)]
        return max(0, total - max(self._load(what, moment) for moment in moments))

    def next_shorter(self, runtime: float) -> float:
        """Return the longest time to run that ends before one more reservation begins than `runtime` does.

        Jobs alike that can run for a time between the two find as many slots free. It is below 0 if there is none.
        """
        end = self._now + runtime
        begins = next((start for start in reversed(self._starts) if start < end), None)
        if begins is None:
            return -1.0
        # By the same sum as for the slots, which may round.
        longest = begins - self._now
        return longest if self._now + longest <= begins else math.nextafter(longest, 0.0)

    def ends(self, begin: float, end: float) -> list[float]:
        """Return the moments after `begin` and up to `end` at which slots are given back, in order."""
        booked = {booking.end for booking in self._bookings.values()}
        held = {until for some in self._held.values() for until, _ in some}
        return sorted(moment for moment in booked | held if begin < moment <= end)

    def take(self, slots: Mapping[Instance, int], request: Request, sign: int = 1) -> None:
        """Take note of slots that `request` gets now; with `sign` -1, that it does not."""
        limits = [self._limits.get(instance.queue, math.inf) for instance in slots]
        until = self._now + min([request.runtime, *limits])
        self._hold(Holding(slots, until, request.reservation, request.environment), sign)

    def _load(self, what: Instance | str, moment: float) -> int:
        booked = sum(count for start, end, count in self._booked.get(what, ()) if start <= moment < end)
        return booked + sum(count for until, count in self._held.get(what, ()) if until > moment)

    def _hold(self, holding: Holding, sign: int) -> None:
        until = max(holding.until, self._now + _OVERDUE_SECONDS)
        booking = self._bookings.get(holding.reservation or "")
        for instance, count in holding.slots.items():
            if booking is None:
                self._held[instance].append((until, sign * count))
            else:
                # These slots are booked already.
                self._left[booking.reservation_id, instance] -= sign * count
        if holding.environment is not None and (booking is None or booking.environment != holding.environment):
            self._held[holding.environment].append((until, sign * sum(holding.slots.values())))
