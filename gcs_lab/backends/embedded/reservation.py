"""An advance reservation as the scheduler knows it, with Grid Engine's letters for its state (``qrstat(1)``)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.placement import Instance  # noqa: TC001
from gcs_lab.backends.embedded.queue_states import in_words
from gcs_lab.backends.embedded.timetable import Booking
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Reservation", "ReservationPhase", "ReservationWish"]


class ReservationPhase(StrEnum):
    """Where a reservation is: the letter that Grid Engine has for it."""

    WAITING = "w"
    RUNNING = "r"
    ENDED = "x"
    DELETED = "d"


@dataclass(frozen=True, kw_only=True)
class ReservationWish:
    """What is asked of a reservation, as it travels; the words are those of ``ReservationTemplate``.

    Times are seconds since the epoch, `duration` is seconds; what is None was not said. `token` makes a question
    that is asked twice harmless.
    """

    token: str
    name: str | None = None
    start: float | None = None
    end: float | None = None
    duration: float | None = None
    min_slots: int = 1
    max_slots: int = 1
    users: list[str] = field(default_factory=list)
    queues: list[str] = field(default_factory=list)
    environment: str | None = None
    candidate_machines: list[str] = field(default_factory=list)
    min_phys_memory: int = 0
    machine_os: str | None = None
    machine_arch: str | None = None

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> ReservationWish:
        """Return the wish that was sent as JSON data. Raises InvalidArgument if it is no such data."""
        names = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or "token" not in data or not set(data) <= names:
            raise InvalidArgument(f"a reservation has the entries {', '.join(sorted(names))}; got {sorted(data)}.")
        return cls(**data)


@dataclass
class Reservation:
    """A granted reservation. Times are seconds since the epoch."""

    number: int
    owner: str
    submitted: float
    start: float
    end: float
    slots: dict[Instance, int]
    name: str | None = None
    environment: str | None = None
    users: list[str] = field(default_factory=list)
    phase: ReservationPhase = ReservationPhase.WAITING

    @property
    def reservation_id(self) -> str:
        """Its id, as jobs name it."""
        return str(self.number)

    @property
    def over(self) -> bool:
        """Whether it keeps nothing any more."""
        return self.phase in (ReservationPhase.ENDED, ReservationPhase.DELETED)

    def booking(self, now: float) -> Booking:
        """Return what it keeps; one that has begun keeps it now, even if the clock was put back since."""
        start = min(self.start, now) if self.phase is ReservationPhase.RUNNING else self.start
        end = max(self.end, start)
        return Booking(self.reservation_id, start, end, self.slots, self.environment)

    def report(self, states: Mapping[Instance, str]) -> dict[str, Any]:
        """Return all that is known of it, as JSON data; `states` are those of the queue instances, by their letters.

        As in Grid Engine it is in error state (``E``, or ``W`` before it begins) while a reserved instance cannot run
        jobs.
        """
        shut = [] if self.over else [place for place in self.slots if states.get(place)]
        state = self.phase.value
        if shut:
            state = "W" if self.phase is ReservationPhase.WAITING else "E"
        by_host: dict[str, int] = {}
        for place, count in self.slots.items():
            by_host[place.host] = by_host.get(place.host, 0) + count
        return {
            "reservation_id": self.reservation_id,
            "name": self.name,
            "start": self.start,
            "end": self.end,
            "users": self.users,
            "slots": sum(self.slots.values()),
            "machines": list(by_host.items()),
            "state": state,
            "owner": self.owner,
            "message": "; ".join(f"reserved queue {place} is {in_words(states[place])}" for place in shut) or None,
        }
