"""Who waits for news of which jobs, and which of them asks the system: so that thousands sleep and one looks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.vocabulary import ArrayStatus, JobState

__all__ = ["Waiter", "Waiters"]

_Key = TypeVar("_Key", str, int)

#: One who does not lead looks after so many seconds even without news, should a leader hang.
_LONGEST_REST = 10.0


class Waiter:
    """One who waits; made by :meth:`Waiters.join`."""

    def __init__(self, jobs: Iterable[str], arrays: Iterable[str]) -> None:
        self.jobs, self.arrays = list(jobs), list(arrays)
        self.news = threading.Event()


class Waiters:
    """Those who wait for states of one system.

    The leader wakes at the pace of the questions, and asks for all. The others sleep until a state of one of their
    jobs is another one, or until they lead because the leader has what it waited for. So 10,000 threads cost no more
    than one while nothing happens.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: All of them, the longest waiting first.
        self._all: dict[Waiter, None] = {}
        self._leader: Waiter | None = None
        self._of_jobs: dict[str, set[Waiter]] = {}
        self._of_arrays: dict[str, set[Waiter]] = {}
        self._of_tasks: dict[str, dict[int, set[Waiter]]] = {}

    def join(self, jobs: Iterable[str], arrays: Iterable[str]) -> Waiter:
        """Begin to wait for jobs and tasks, and for all tasks of arrays."""
        waiter = Waiter(jobs, arrays)
        with self._lock:
            self._all[waiter] = None
            for job_id in waiter.jobs:
                self._of_jobs.setdefault(job_id, set()).add(waiter)
                array, index = split_id(job_id)
                if index is not None:
                    self._of_tasks.setdefault(array, {}).setdefault(index, set()).add(waiter)
            for array_id in waiter.arrays:
                self._of_arrays.setdefault(array_id, set()).add(waiter)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Wait no longer; the next one leads."""
        with self._lock:
            del self._all[waiter]
            for job_id in waiter.jobs:
                _discard(self._of_jobs, job_id, waiter)
                array, index = split_id(job_id)
                if index is not None and array in self._of_tasks:
                    _discard(self._of_tasks[array], index, waiter)
                    if not self._of_tasks[array]:
                        del self._of_tasks[array]
            for array_id in waiter.arrays:
                _discard(self._of_arrays, array_id, waiter)
            if self._leader is waiter:
                self._leader = next(iter(self._all), None)
                if self._leader is not None:
                    self._leader.news.set()

    def rest(self, waiter: Waiter, pause: float, left: float | None) -> bool:
        """Sleep until it pays to look again; return whether there may be news.

        Parameters
        ----------
        waiter
            Who rests.
        pause
            Seconds until the system may be asked again.
        left
            Seconds that the wait may last yet; None: without end.
        """
        with self._lock:
            if self._leader is None:
                self._leader = waiter
            leads = self._leader is waiter
        seconds = pause if leads else _LONGEST_REST
        news = waiter.news.wait(seconds if left is None else max(0.0, min(seconds, left)))
        if news:
            # What was told before this is on the board, where it is looked at next; what comes after stays told.
            waiter.news.clear()
        return news or not leads

    def tell(self, job_ids: Iterable[str]) -> None:
        """Wake those who wait for jobs or tasks whose state is another one."""
        with self._lock:
            for job_id in job_ids:
                for waiter in self._of_jobs.get(job_id, ()):
                    waiter.news.set()

    def tell_array(self, array_id: str, before: ArrayStatus | None, now: ArrayStatus | None) -> None:
        """Wake those who wait for an array, or for one of its tasks, whose state is another one."""
        if now is None or now == before:
            return
        with self._lock:
            for waiter in self._of_arrays.get(array_id, ()):
                waiter.news.set()
            for index, waiters in self._of_tasks.get(array_id, {}).items():
                if _state(before, index) != _state(now, index):
                    for waiter in waiters:
                        waiter.news.set()


def _state(status: ArrayStatus | None, index: int) -> JobState | None:
    try:
        return None if status is None else status.at(index)[0]
    except KeyError:
        return None


def _discard(known: dict[_Key, set[Waiter]], key: _Key, waiter: Waiter) -> None:
    waiters = known.get(key)
    if waiters is not None:
        waiters.discard(waiter)
        if not waiters:
            del known[key]
