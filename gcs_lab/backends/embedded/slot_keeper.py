"""What reservations and queue states mean for jobs: the scheduler's arm for :mod:`reservation_book`.

As the scheduler, it writes within the caller's transaction and leaves what touches the world to ``effects``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded import placement
from gcs_lab.backends.embedded.reservation_book import ReservationBook
from gcs_lab.errors import GcsError, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.backends.embedded.allocation import Slots
    from gcs_lab.backends.embedded.placement import Request, Room, WaitingList
    from gcs_lab.backends.embedded.queue_states import QueueAction
    from gcs_lab.backends.embedded.reservation import Reservation, ReservationWish
    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.task import Task

__all__ = ["SlotKeeper"]

#: The timer's word for the beginning or end of a reservation.
ALARM = "reservation"


class SlotKeeper:
    """Places jobs by the rules of reservations and queue states, and ends or suspends those that these concern.

    Parameters
    ----------
    scheduler
        Whose jobs they are.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.book = ReservationBook(scheduler.database.reservations, scheduler.layout)

    def load(self) -> None:
        """Take all from the database, before jobs are: at the start, and when a transaction was rolled back."""
        self.book.load()
        for made in self.book.live.values():
            self._set_timers(made)

    # --- for the scheduler ---

    def place(self, waiting: WaitingList, room: Room) -> list[tuple[Any, Slots]]:
        """Return what starts now, with its slots, as :func:`placement.place` does."""
        now = time.time()
        active = self._scheduler.active.values()
        holdings = (self.book.holding(task.slots, task.request, task.dispatched or now) for task in active)
        with self.book.rules(room, now, holdings):
            return placement.place(waiting, room)

    def halt(self, task: Task) -> None:
        """Note what the states of its queues mean for a task that has slots."""
        task.halted = self.book.job_letters(task.slots)

    def why_waits(self, request: Request, room: Room) -> str | None:
        """Return why jobs wait that ask for `request`, if it is because of reservations or queue states."""
        return self.book.why_waits(request, room)

    def ring(self) -> None:
        """Let reservations begin and end whose time has come, and end the jobs of those that ended."""
        for made in self.book.turn(time.time()):
            self._end_jobs(made, f"ended with its reservation {made.reservation_id}", None)

    def submitted(self, reservation_id: str | None) -> float | None:
        """Return when a reservation was asked for (seconds since the epoch), if it is remembered."""
        made = None if reservation_id is None else self.book.find(reservation_id)
        return None if made is None else made.submitted

    # --- what users ask for ---

    def reserve(self, wish: ReservationWish, owner: str) -> str:
        """Grant a reservation and return its id.

        Raises
        ------
        InvalidArgument
            If it cannot work.
        DeniedByDrms
            If there is no room for it.
        """
        now = time.time()
        active = self._scheduler.active.values()
        holdings = [self.book.holding(task.slots, task.request, task.dispatched or now) for task in active]
        made = self.book.request(wish, owner, now, holdings)
        self._set_timers(made)
        return made.reservation_id

    def give_back(self, reservation_id: str, by: str) -> None:
        """End a reservation with its jobs. Raises InvalidArgument or InvalidState if that cannot be."""
        made = self.book.delete(reservation_id, time.time())
        self._end_jobs(made, f"deleted with its reservation {reservation_id} by {by}", by)

    def reports(self, reservation_ids: Iterable[str] | None) -> dict[str, dict[str, Any]]:
        """Return what is known of some reservations as JSON data; None: of all that are not over."""
        if reservation_ids is None:
            return {key: self.book.report(made) for key, made in self.book.live.items()}
        found = {key: self.book.find(key) for key in reservation_ids}
        return {key: self.book.report(made) for key, made in found.items() if made is not None}

    def control_queues(self, action: QueueAction, names: Iterable[str]) -> dict[str, GcsError]:
        """Change the states of queue instances, and suspend or resume what runs there; return what went wrong."""
        failures: dict[str, GcsError] = {}
        for name in names:
            try:
                self.book.set_state(action, name)
            except InvalidArgument as error:
                failures[name] = error
        for task in list(self._scheduler.active.values()):
            if self.book.job_letters(task.slots) != task.halted:
                self._scheduler.rehalt(task)
        return failures

    def _set_timers(self, made: Reservation) -> None:
        for moment in (made.start, made.end):
            self._scheduler.timers.add(moment, (ALARM, made.number))

    def _end_jobs(self, made: Reservation, why: str, by: str | None) -> None:
        wanted = made.reservation_id
        entries = list(self._scheduler.jobs.values())
        for entry in entries:
            if entry.job.shared.request.reservation_id == wanted:
                self._scheduler.end_job(entry.job.job_id, why, by)
