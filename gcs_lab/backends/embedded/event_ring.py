"""What happened to jobs lately: the last changes, in a ring of fixed size."""

from __future__ import annotations

import secrets
from array import array
from typing import TYPE_CHECKING, Any

from gcs_lab.vocabulary import Event, JobState

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Change", "EventRing"]

#: Job id, task id (0: a job that is no array, or all tasks of one), event, state, letters, seconds since the epoch.
Change = tuple[int, int, Event, JobState, str, float]

RING_SIZE = 200_000
#: So many are told in one answer.
MOST_AT_ONCE = 20_000


class EventRing:
    """The last changes since this scheduler began.

    Parameters
    ----------
    size
        How many are kept.
    """

    def __init__(self, size: int = RING_SIZE) -> None:
        self._size = size
        #: It differs for each scheduler: numbers of another one mean nothing here.
        self.epoch = secrets.token_hex(8)
        self._next = 0
        self._jobs, self._tasks = array("q"), array("l")
        self._kinds, self._times = array("H"), array("d")
        self._palette: list[tuple[Event, JobState, str]] = []
        self._numbers: dict[tuple[Event, JobState, str], int] = {}

    def extend(self, changes: Iterable[Change]) -> None:
        """Add changes, in the order in which they happened."""
        for job_id, task_id, event, state, letters, when in changes:
            kind = (event, state, letters)
            number = self._numbers.get(kind)
            if number is None:
                number = self._numbers[kind] = len(self._palette)
                self._palette.append(kind)
            at = self._next % self._size
            self._next += 1
            if at == len(self._jobs):
                self._jobs.append(job_id)
                self._tasks.append(task_id)
                self._kinds.append(number)
                self._times.append(when)
            else:
                self._jobs[at], self._tasks[at], self._kinds[at], self._times[at] = job_id, task_id, number, when

    def since(self, cursor: str | None) -> dict[str, Any]:
        """Return what happened since `cursor` as JSON data; ``gap`` if some of it is not known here."""
        epoch, _, number = (cursor or "").partition(":")
        if cursor is None or epoch != self.epoch or not number.isdigit():
            return {"cursor": f"{self.epoch}:{self._next}", "events": [], "gap": cursor is not None}
        first = max(0, self._next - self._size)
        start = int(number)
        if start < first:
            # Who asks compares the present states, which are those after all of these.
            return {"cursor": f"{self.epoch}:{self._next}", "events": [], "gap": True}
        end = min(self._next, start + MOST_AT_ONCE)
        return {"cursor": f"{self.epoch}:{end}", "events": [self._at(at) for at in range(start, end)], "gap": False}

    def _at(self, number: int) -> tuple[int, int, int, int, str, float]:
        at = number % self._size
        event, state, letters = self._palette[self._kinds[at]]
        return self._jobs[at], self._tasks[at], int(event), int(state), letters, self._times[at]
