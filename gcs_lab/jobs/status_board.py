"""One place that asks a system for states, however many wait for the answer."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, TypeVar

from gcs_lab.errors import DrmCommunication
from gcs_lab.jobs.known_states import KnownStates
from gcs_lab.jobs.waiters import Waiters
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gcs_lab.jobs.protocol import JobsBackend
    from gcs_lab.vocabulary import ArrayStatus, JobStatus

__all__ = ["StatusBoard"]

_log = logging.getLogger(__name__)
_Key = TypeVar("_Key", str, int)

#: From so many watched tasks of one array on, the states of all its tasks are asked for instead of theirs.
_CROWD = 16
#: Looks at jobs that were never looked at do not wait for the next round, but only so many an interval.
_EARLY_LOOKS = 4
_LONGEST_PAUSE = 30.0


class StatusBoard:
    """The latest known states of the jobs, tasks and arrays that anyone watches.

    A thousand threads that wait cost one question per interval: one of them asks for all watched ids, the others
    sleep until the answer has news for them. The interval is the backend's floor, and at least 20 times what the
    last questions took (the quicker one of two), so that watching costs the system 5% of one core at the most.

    Where many tasks of one array are watched, the whole array is asked for with ``array_status``: one byte a task, no
    object a task. What is known of such a task is its state, sub state and annotation, not where it runs.
    """

    def __init__(self, backend: JobsBackend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._watched: Counter[str] = Counter()
        self._watched_tasks: dict[str, Counter[int]] = {}
        self._watched_arrays: Counter[str] = Counter()
        self._known = KnownStates()
        self._valid_from = 0.0
        self._took: deque[float] = deque([0.0], maxlen=2)
        self._asked_at: deque[float] = deque(maxlen=_EARLY_LOOKS)
        self._answered_at = 0.0
        self._fault: DrmCommunication | None = None
        self._silence = 0.0
        self._retry_at = 0.0
        #: Those who wait, for whom one of them asks.
        self.waiters = Waiters()
        #: Number of times that the system was asked so far.
        self.questions = 0

    @property
    def interval(self) -> float:
        """Seconds that lie between two questions now."""
        return max(self._backend.poll_floor, 20 * min(self._took))

    def watch(self, job_ids: Iterable[str]) -> None:
        """Include jobs and tasks in every question until :meth:`unwatch`."""
        with self._lock:
            for job_id in job_ids:
                array, index = split_id(job_id)
                if index is None:
                    self._watched[job_id] += 1
                else:
                    self._watched_tasks.setdefault(array, Counter())[index] += 1

    def unwatch(self, job_ids: Iterable[str]) -> None:
        """Undo one :meth:`watch`."""
        with self._lock:
            for job_id in job_ids:
                array, index = split_id(job_id)
                if index is None:
                    _less(self._watched, job_id)
                elif array in self._watched_tasks:
                    _less(self._watched_tasks[array], index)
                    if not self._watched_tasks[array]:
                        del self._watched_tasks[array]

    def watch_arrays(self, array_ids: Iterable[str]) -> None:
        """Include the states of all tasks of arrays in every question until :meth:`unwatch_arrays`."""
        with self._lock:
            self._watched_arrays.update(array_ids)

    def unwatch_arrays(self, array_ids: Iterable[str]) -> None:
        """Undo one :meth:`watch_arrays`."""
        with self._lock:
            for array_id in array_ids:
                _less(self._watched_arrays, array_id)

    def status(self, job_ids: Collection[str], max_age: float | None = None) -> dict[str, JobStatus]:
        """Return the states of `job_ids`, no older than `max_age` seconds (default: the interval).

        A terminal state is final and is not asked for again; one that the system says nothing of is UNDETERMINED.

        Raises
        ------
        GcsError
            If the system does not answer.
        """
        self._refresh(job_ids, (), max_age)
        with self._lock:
            return {job_id: self._known.status(job_id) for job_id in job_ids}

    def array_status(self, array_ids: Collection[str], max_age: float | None = None) -> dict[str, ArrayStatus | None]:
        """Return the states of all tasks of arrays; None for one that the system does not know as an array.

        As :meth:`status` otherwise.
        """
        self._refresh((), array_ids, max_age)
        with self._lock:
            return {array_id: self._known.array(array_id) for array_id in array_ids}

    def expire(self) -> None:
        """Let no answer count as new that was asked for before now: something was done to jobs."""
        self._valid_from = time.monotonic()

    def look(
        self, job_ids: Collection[str], array_ids: Collection[str], *, at_once: bool = False
    ) -> DrmCommunication | None:
        """Bring the board up to date for someone who waits, and return why the system does not answer, if so.

        While it does not answer it is asked after pauses that grow to half a minute, whoever waits; the first
        failure and its end are logged. Other errors are raised. Many who begin to wait at the same time may have
        to take part in the next round: what is not known after this is looked at after :meth:`pause`.

        Parameters
        ----------
        at_once
            Do not leave it to the next round: for one who will not look again.
        """
        if self._fault is not None and time.monotonic() < self._retry_at:
            return self._fault
        if not at_once and self._is_crowded() and self._asked_enough():
            return None
        try:
            self._refresh(job_ids, array_ids, None)
        except DrmCommunication as error:
            self._note_fault(error.with_traceback(None))
            return error
        return None

    def known(self, job_id: str) -> JobStatus | None:
        """Return what is known of a job or task, however old; None if nothing is."""
        with self._lock:
            return self._known.find(job_id)

    def known_array(self, array_id: str) -> ArrayStatus | None:
        """Return what is known of an array's tasks, however old; None if nothing is."""
        with self._lock:
            return self._known.array(array_id)

    def pause(self) -> float:
        """Return the seconds until it pays to :meth:`look` again."""
        now = time.monotonic()
        if self._fault is not None and self._retry_at > now:
            return self._retry_at - now
        last = self._asked_at[-1] if self._asked_at else now
        return min(max(last + self.interval - now, 0.001), self.interval)

    def _note_fault(self, error: DrmCommunication) -> None:
        with self._lock:
            first, self._fault = self._fault is None, error
            now = time.monotonic()
            if first:
                self._silence = self._backend.poll_floor
            elif now >= self._retry_at:
                self._silence = min(2 * self._silence, _LONGEST_PAUSE)
            self._retry_at = now + self._silence
        if first:
            _log.warning(
                "%s does not answer: %s Those who wait go on waiting; it is asked again, at least every %g s.",
                self._backend.system, error, _LONGEST_PAUSE,
            )  # fmt: skip

    def _is_crowded(self) -> bool:
        with self._lock:
            tasks = sum(len(tasks) for tasks in self._watched_tasks.values())
            return len(self._watched) + len(self._watched_arrays) + tasks >= _CROWD

    def _asked_enough(self) -> bool:
        asked, interval = list(self._asked_at), self.interval
        now = time.monotonic()
        return len(asked) == _EARLY_LOOKS and asked[0] > now - interval and asked[-1] > now - interval

    def _refresh(self, job_ids: Collection[str], array_ids: Collection[str], max_age: float | None) -> None:
        called = time.monotonic()
        before = called - (self.interval if max_age is None else max_age)
        if not self._is_stale(job_ids, array_ids, before):
            return
        with self._asking:
            if max_age is None and self._answered_at > called:
                # The question that was under way is this caller's, too, if it had the same ids.
                before = min(before, self._asked_at[-1] - 1e-6)
            if self._is_stale(job_ids, array_ids, before):
                self._ask(job_ids, array_ids, before)

    def _is_stale(self, job_ids: Collection[str], array_ids: Collection[str], before: float) -> bool:
        before = max(before, self._valid_from)
        with self._lock:
            return any(self._known.is_stale(job_id, before) for job_id in job_ids) or any(
                self._known.is_array_stale(array_id, before) for array_id in array_ids
            )

    def _ask(self, job_ids: Collection[str], array_ids: Collection[str], before: float) -> None:
        with self._lock:
            ids, arrays = self._question(job_ids, array_ids, max(before, self._valid_from))
        started = time.monotonic()
        self._asked_at.append(started)
        self.questions += 1
        answer = self._backend.status(ids) if ids else {}
        array_answer = self._backend.array_status(arrays) if arrays else {}
        self._answered_at = time.monotonic()
        self._took.append(self._answered_at - started)
        if self._fault is not None:
            self._fault = None
            _log.warning("%s answers again.", self._backend.system)
        with self._lock:
            changed = self._known.learn(started, ids, answer)
            told = self._known.learn_arrays(started, arrays, array_answer)
            watched = self._watched.keys() | self._watched_arrays.keys() | self._watched_tasks.keys()
            self._known.forget_old(started, watched)
        self.waiters.tell(changed)
        for array_id, before_that, now in told:
            self.waiters.tell_array(array_id, before_that, now)

    def _question(
        self, job_ids: Collection[str], array_ids: Collection[str], before: float
    ) -> tuple[set[str], set[str]]:
        """Return the ids and the arrays to ask for: those that are too old, and whatever is watched."""
        known = self._known
        arrays = {array_id for array_id in array_ids if known.is_array_stale(array_id, before)}
        arrays |= {array_id for array_id in self._watched_arrays if not known.is_array_final(array_id)}
        crowded = {array for array, tasks in self._watched_tasks.items() if len(tasks) >= _CROWD}
        arrays |= {array_id for array_id in crowded if not known.is_array_final(array_id)}
        ids = {job_id for job_id in self._watched if not known.is_final(job_id)}
        for array in self._watched_tasks.keys() - arrays - crowded:
            tasks = (f"{array}.{index}" for index in self._watched_tasks[array])
            ids |= {job_id for job_id in tasks if not known.is_final(job_id)}
        asked_tasks: dict[str, list[str]] = {}
        for job_id in job_ids:
            if known.is_stale(job_id, before):
                array, index = split_id(job_id)
                if index is None:
                    ids.add(job_id)
                elif array not in arrays or index not in self._watched_tasks.get(array, ()):
                    # A task that nobody watches is asked for by itself: that tells more of it.
                    asked_tasks.setdefault(array, []).append(job_id)
        for array, task_ids in asked_tasks.items():
            if len(task_ids) >= _CROWD:
                arrays.add(array)
            else:
                ids.update(task_ids)
        return ids, arrays


def _less(counter: Counter[_Key], key: _Key) -> None:
    """Count one less, and forget what nobody counts."""
    if counter[key] > 1:
        counter[key] -= 1
    else:
        del counter[key]
