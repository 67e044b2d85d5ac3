"""The book of advance reservations and of queue states: what slots are there to be given out now, and to whom.

It decides and remembers; the scheduler acts: it ends the jobs of a reservation that is over, and suspends those of a
queue that is suspended. Times are seconds since the epoch, by the wall clock. What has begun or ended stays so, even
if the clock is put back.
"""

from __future__ import annotations

import dataclasses
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.allocation import fit
from gcs_lab.backends.embedded.needs import empty_room
from gcs_lab.backends.embedded.queue_states import (
    GONE,
    QueueAction,
    changed,
    in_words,
    instances_named,
    job_letters,
    why_closed,
)
from gcs_lab.backends.embedded.reservation import Reservation, ReservationPhase, ReservationWish
from gcs_lab.backends.embedded.reservation_grant import clock_text, grant
from gcs_lab.backends.embedded.timetable import Booking, Holding, Timetable
from gcs_lab.errors import InvalidArgument, InvalidState

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.placement import Instance, Request, Room
    from gcs_lab.backends.embedded.reservation_table import ReservationTable

__all__ = ["ReservationBook"]


class ReservationBook:
    """All reservations that are not over, and the queue states.

    Parameters
    ----------
    table
        Where they are kept. Every method that changes something writes within the caller's transaction.
    layout
        Queues, hosts and parallel environments.

    Raises
    ------
    sqlite3.Error
        Every method, if the database cannot be read or written.
    """

    def __init__(self, table: ReservationTable, layout: Layout) -> None:
        self._table = table
        self._layout = layout
        self._total = empty_room(layout)
        self._limits = {queue.name: queue.limits["h_rt"] for queue in layout.queues if "h_rt" in queue.limits}
        self.live: dict[str, Reservation] = {}
        #: The letters of the queue instances that have any.
        self.states: dict[Instance, str] = {}
        #: How reservations stood when jobs were placed last, and what was said of it since.
        self._last: Timetable | None = None
        self._reasons: dict[Hashable, str | None] = {}
        self.load()

    def load(self) -> None:
        """Take all from the database: at the start, and when a transaction was rolled back."""
        self.live = {made.reservation_id: made for made in self._table.live()}
        # A queue that was taken out of the file, and comes back one day, comes back as it was.
        states = self._table.queue_states()
        self.states = {place: letters for place, letters in states.items() if place in self._total.slots}

    # --- reservations ---

    def request(self, wish: ReservationWish, owner: str, now: float, holdings: Iterable[Holding]) -> Reservation:
        """Grant a reservation and return it.

        Parameters
        ----------
        wish
            What is asked for.
        owner
            Who asks.
        now
            The present time.
        holdings
            The jobs that run.

        Raises
        ------
        InvalidArgument
            If it cannot work.
        DeniedByDrms
            If there is no room for it.
        """
        others = sorted(set(wish.users) - {owner})
        if others:
            raise InvalidArgument(
                f"users_acl names {', '.join(others)}: nobody but {owner} can use this embedded cluster. "
                f"Leave users_acl out, or name {owner} alone."
            )
        timetable = Timetable(now, self._total, self._bookings(now), holdings, self._limits)
        start, end, slots = grant(wish, now, timetable, self._layout)
        made = Reservation(
            0, owner, now, start, end, slots, name=wish.name, environment=wish.environment, users=list(wish.users)
        )
        if start <= now:
            made.phase = ReservationPhase.RUNNING
        self._table.add(made)
        self.live[made.reservation_id] = made
        return made

    def find(self, reservation_id: str) -> Reservation | None:
        """Return a reservation by its id, also one that is over, as long as it is remembered."""
        return self.live.get(reservation_id) or self._table.find(reservation_id)

    def check_usable(self, reservation_id: str) -> None:
        """Make sure that jobs may ask for a reservation. Raises InvalidArgument if there is none, or it is over."""
        if reservation_id in self.live:
            return
        known = self._table.find(reservation_id)
        there = ", ".join(self.live) or "none"
        if known is None:
            raise InvalidArgument(f"there is no reservation {reservation_id!r}; there is {there}.")
        how = "was given back" if known.phase is ReservationPhase.DELETED else f"ended at {clock_text(known.end)}"
        raise InvalidArgument(f"reservation {reservation_id} {how}; there is {there}.")

    def delete(self, reservation_id: str, now: float) -> Reservation:
        """Give a reservation back and return it; what is to become of its jobs is the caller's affair.

        Raises
        ------
        InvalidArgument
            If there is none with this id.
        InvalidState
            If it is over.
        """
        found = self.find(reservation_id)
        if found is None:
            raise InvalidArgument(f"the embedded cluster knows no reservation {reservation_id!r}.")
        if found.over:
            raise InvalidState(f"reservation {reservation_id} is over; only one that is not can be given back.")
        if found.phase is ReservationPhase.RUNNING:
            found.end = min(found.end, max(now, found.start))
        self._finish(found, ReservationPhase.DELETED)
        return found

    def turn(self, now: float) -> list[Reservation]:
        """Let reservations begin and end whose time has come; return those that ended."""
        ended = []
        for made in list(self.live.values()):
            if made.end <= now:
                self._finish(made, ReservationPhase.ENDED)
                ended.append(made)
            elif made.phase is ReservationPhase.WAITING and made.start <= now:
                made.phase = ReservationPhase.RUNNING
                self._table.save_phase(made)
        return ended

    def report(self, made: Reservation) -> dict[str, Any]:
        """Return all that is known of a reservation, as JSON data."""
        gone = {place: GONE for place in made.slots if place not in self._total.slots}
        return made.report({**self.states, **gone})

    def due_at(self) -> float | None:
        """Return when the next reservation begins or ends; None if there is none."""
        moments = [m.start if m.phase is ReservationPhase.WAITING else m.end for m in self.live.values()]
        return min(moments, default=None)

    def _finish(self, made: Reservation, phase: ReservationPhase) -> None:
        made.phase = phase
        self._table.save_phase(made)
        self.live.pop(made.reservation_id, None)

    def _bookings(self, now: float) -> list[Booking]:
        return [made.booking(now) for made in self.live.values()]

    # --- queue states ---

    def set_state(self, action: QueueAction, name: str) -> list[Instance]:
        """Change the state of the queue instances that `name` means, and return those that changed.

        Raises
        ------
        InvalidArgument
            If it means none.
        """
        found = instances_named(name, self._layout)
        new = {place: changed(self.states.get(place, ""), action) for place in found}
        new = {place: letters for place, letters in new.items() if letters != self.states.get(place, "")}
        self._table.save_queue_states(new)
        self.states = {place: letters for place, letters in {**self.states, **new}.items() if letters}
        return list(new)

    def job_letters(self, slots: Iterable[Instance]) -> str:
        """Return what the queue states mean for a job on these instances: ``""``, ``"S"``, ``"T"`` or ``"ST"``."""
        return job_letters(self.states.get(place, "") for place in slots) if self.states else ""

    def why_halted(self, slots: Iterable[Instance]) -> str | None:
        """Return which queue instances suspend a job that runs on `slots`, in words; None if none does."""
        shut = [place for place in slots if job_letters([self.states.get(place, "")])]
        return "; ".join(f"{place} is {in_words(self.states[place])}" for place in shut) or None

    # --- for the placement ---

    @contextmanager
    def rules(self, room: Room, now: float, holdings: Iterable[Holding]) -> Iterator[None]:
        """Let `room` know which instances give no slots, and which slots are kept for whom, while jobs are placed."""
        room.closed = frozenset(self.states)
        self._last = None
        self._reasons.clear()
        if self.live:
            self._last = Timetable(now, self._total, self._bookings(now), holdings, self._limits)
        room.timetable = self._last
        try:
            yield
        finally:
            # What is given back is no affair of the timetable: the next one is made anew.
            room.timetable = None

    def holding(self, slots: Mapping[Instance, int], request: Request, dispatched: float) -> Holding:
        """Return what a job holds that was dispatched at a time, and until when at the latest."""
        limits = [self._limits.get(place.queue, math.inf) for place in slots]
        until = dispatched + min([request.runtime, *limits])
        return Holding(slots, until, request.reservation, request.environment)

    def why_waits(self, request: Request, room: Room) -> str | None:
        """Return why a job waits, in words, if it is because of reservations or of queue states.

        `room` is what is free now; reservations count as they did when jobs were placed last.
        """
        if request.reservation is None:
            return why_closed(request.places, self.states) or self._why_kept(request, room)
        made = self.live.get(request.reservation)
        if made is None:
            return f"its reservation {request.reservation} is over"
        if made.phase is ReservationPhase.WAITING:
            return f"reservation {made.reservation_id} begins at {clock_text(made.start)}"
        places = [place for place in request.places if place in made.slots]
        if not places:
            has = ", ".join(map(str, made.slots))
            return f"none of the slots of reservation {made.reservation_id} suits it: they are on {has}"
        if request.least > (has_slots := sum(made.slots[place] for place in places)):
            return f"it asks for {request.least} slots, and reservation {made.reservation_id} has {has_slots}"
        return why_closed(places, self.states)

    def _why_kept(self, request: Request, room: Room) -> str | None:
        """Return for whom the slots are kept that a job would get otherwise; None if it waits for another reason."""
        if self._last is None:
            return None
        asked = request.group, request.runtime
        if asked not in self._reasons:
            self._reasons[asked] = self._reason(request, room, self._last)
        return self._reasons[asked]

    def _reason(self, request: Request, room: Room, timetable: Timetable) -> str | None:
        plain = dataclasses.replace(room, closed=frozenset(self.states), timetable=None)
        if not fit(request, plain) or fit(request, dataclasses.replace(plain, timetable=timetable)):
            return None
        kept = [made for made in self.live.values() if set(made.slots) & set(request.places)]
        if not kept:
            return None
        first = min(kept, key=lambda made: made.start)
        how_long = f"{request.runtime:g} s" if math.isfinite(request.runtime) else "without end, as it has no h_rt"
        return (
            f"it may run {how_long}, and slots are kept for reservation {first.reservation_id} from "
            f"{clock_text(first.start)} to {clock_text(first.end)}"
        )
