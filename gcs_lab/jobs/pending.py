"""Why jobs wait: asked of the system seldom, however many want to know."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError
from gcs_lab.vocabulary import JobState, PendingReason, split_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gcs_lab.jobs.protocol import JobsBackend
    from gcs_lab.jobs.status_board import StatusBoard
    from gcs_lab.vocabulary import JobStatus

__all__ = ["REASON_SECONDS", "PendingReasons"]

#: So long an answer about a job is kept: on a big cluster it costs the system a dry run of its scheduler.
REASON_SECONDS = 10.0
#: Answers that nobody asked for again are forgotten.
_FORGET_SECONDS = 60.0
_STARTED = (JobState.RUNNING, JobState.SUSPENDED)


@dataclass(frozen=True)
class _Answer:
    """What was told of a job, when it was asked for, and whether it had started then; an error is an answer, too."""

    asked_at: float
    had_started: bool
    reasons: list[PendingReason] | None = None
    error: GcsError | None = None


class PendingReasons:
    """The reasons why jobs wait, each asked for at most once in :data:`REASON_SECONDS`.

    Several jobs that are asked for together are one question; an array job is asked for as a whole, whichever of its
    tasks is meant.

    Parameters
    ----------
    backend
        The system.
    board
        Knows which jobs do not wait, so that nothing need be asked of them.
    """

    def __init__(self, backend: JobsBackend, board: StatusBoard) -> None:
        self._backend, self._board = backend, board
        self._asking = threading.Lock()
        self._answers: dict[str, _Answer] = {}
        #: Number of times that the system was asked so far.
        self.questions = 0

    def of(self, job_ids: Collection[str]) -> dict[str, list[PendingReason]]:
        """Return the reasons of those of `job_ids` that the system knows, the weightiest first.

        Raises
        ------
        GcsError
            If the system does not answer; it is not asked again before the time is over.
        """
        if not job_ids:
            return {}
        states = self._board.status(job_ids)
        settled = {job_id for job_id, status in states.items() if status.final or _is_running_task(job_id, status)}
        found: dict[str, list[PendingReason]] = {job_id: [] for job_id in settled}
        whole = {job_id: split_id(job_id)[0] for job_id in job_ids if job_id not in settled}
        started = {array: states[job_id].state in _STARTED for job_id, array in whole.items()}
        with self._asking:
            now = time.monotonic()
            self._forget(now - _FORGET_SECONDS)
            due = {array: started[array] for array in whole.values() if self._is_due(array, now)}
            if due:
                self._ask(due, now)
            answers = {job_id: self._answers[array] for job_id, array in whole.items()}
        for job_id, answer in answers.items():
            if answer.error is not None:
                raise answer.error
            if answer.reasons is not None:
                found[job_id] = [] if self._has_started_since(job_id, states[job_id], answer) else answer.reasons
        return found

    def age(self, job_ids: Collection[str]) -> float:
        """Return how many seconds old the oldest answer on one of `job_ids` is; 0.0 if there is none."""
        with self._asking:
            answers = [self._answers.get(split_id(job_id)[0]) for job_id in job_ids]
        return max((time.monotonic() - answer.asked_at for answer in answers if answer is not None), default=0.0)

    def _has_started_since(self, job_id: str, status: JobStatus, answer: _Answer) -> bool:
        """Tell whether a job runs by now; of an array some tasks may, and others wait."""
        return status.state in _STARTED and not answer.had_started and self._board.known_array(job_id) is None

    def _is_due(self, job_id: str, now: float) -> bool:
        answer = self._answers.get(job_id)
        return answer is None or answer.asked_at + REASON_SECONDS <= now

    def _ask(self, job_ids: Mapping[str, bool], now: float) -> None:
        """Ask for jobs, each with whether it has started."""
        self.questions += 1
        try:
            told = self._backend.pending_reasons(job_ids.keys())
        except GcsError as error:
            self._answers |= {
                job_id: _Answer(now, had_started, error=error) for job_id, had_started in job_ids.items()
            }
        else:
            self._answers |= {
                job_id: _Answer(now, had_started, told.get(job_id)) for job_id, had_started in job_ids.items()
            }

    def _forget(self, before: float) -> None:
        for job_id in [job_id for job_id, answer in self._answers.items() if answer.asked_at < before]:
            del self._answers[job_id]


def _is_running_task(job_id: str, status: JobStatus) -> bool:
    return split_id(job_id)[1] is not None and status.state in _STARTED
