"""One place that asks a system for states, however many wait for the answer."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.vocabulary import JobState, JobStatus

if TYPE_CHECKING:
    from collections.abc import Collection

    from gcs_lab.jobs.protocol import JobsBackend

__all__ = ["StatusBoard"]


class StatusBoard:
    """The latest known states of the jobs that anyone watches.

    A thousand threads that wait cost one question per interval: whoever finds the board too old asks for all
    watched ids, the others take that answer. The interval is the backend's floor, and at least 20 times what the
    last question took, so that watching costs the system 5% of one core at the most.
    """

    def __init__(self, backend: JobsBackend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._watched: Counter[str] = Counter()
        self._known: dict[str, tuple[float, JobStatus]] = {}
        self._took = 0.0
        #: Number of questions sent to the system so far.
        self.questions = 0

    @property
    def interval(self) -> float:
        """Seconds that lie between two questions now."""
        return max(self._backend.poll_floor, 20 * self._took)

    def watch(self, job_ids: Collection[str]) -> None:
        """Include `job_ids` in every question until :meth:`unwatch`."""
        with self._lock:
            self._watched.update(job_ids)

    def unwatch(self, job_ids: Collection[str]) -> None:
        """Undo one :meth:`watch`."""
        with self._lock:
            self._watched.subtract(job_ids)
            self._watched = +self._watched

    def status(self, job_ids: Collection[str], max_age: float | None = None) -> dict[str, JobStatus]:
        """Return the states of `job_ids`, no older than `max_age` seconds (default: the interval).

        A terminal state is final and is never asked for again.

        Raises
        ------
        GcsError
            If the system does not answer.
        """
        max_age = self.interval if max_age is None else max_age
        asked_at = time.monotonic()
        if not self._stale(job_ids, asked_at - max_age):
            return self._answer(job_ids)
        with self._asking:
            if stale := self._stale(job_ids, asked_at - max_age):
                self._ask(stale)
        return self._answer(job_ids)

    def _stale(self, job_ids: Collection[str], before: float) -> set[str]:
        with self._lock:
            return {
                job_id
                for job_id in job_ids
                if (known := self._known.get(job_id)) is None or (known[0] <= before and not known[1].final)
            }

    def _answer(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        with self._lock:
            return {job_id: self._known[job_id][1] for job_id in job_ids}

    def _ask(self, stale: set[str]) -> None:
        with self._lock:
            ended = {job_id for job_id, (_, status) in self._known.items() if status.final}
            ids = stale | (set(self._watched) - ended)
        started = time.monotonic()
        answer = self._backend.status(ids)
        now = time.monotonic()
        self._took = now - started
        self.questions += 1
        with self._lock:
            for job_id in ids:
                # A system that says nothing of a job has not said that it ended.
                status = answer.get(job_id) or JobStatus(JobState.UNDETERMINED, "the system says nothing of it")
                self._known[job_id] = (started, status)
