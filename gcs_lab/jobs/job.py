"""A handle on one job (DRMAA2 ``Job``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gcs_lab.errors import Timeout, UnknownName
from gcs_lab.jobs.protocol import JobAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.jobs.area import Jobs
    from gcs_lab.vocabulary import JobInfo, JobState, JobStatus

__all__ = ["Job"]


class Job:
    """One job of a cluster; made by :class:`~gcs_lab.jobs.Jobs`, never directly.

    Parameters
    ----------
    area
        The jobs area it belongs to.
    job_id
        The system's id for it.
    """

    def __init__(self, area: Jobs, job_id: str) -> None:
        self._area = area
        self.id = job_id

    def __repr__(self) -> str:
        return f"<Job {self.id} on {self._area.system}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and (self._area, self.id) == (other._area, other.id)

    def __hash__(self) -> int:
        return hash((id(self._area), self.id))

    def status(self, max_age: float | None = None) -> JobStatus:
        """Return the state with queue, machine and the system's own letters.

        Parameters
        ----------
        max_age
            Seconds that the answer may be old; 0 asks the system now.

        Raises
        ------
        GcsError
            If the system does not answer.
        """
        return self._area.board.status([self.id], max_age)[self.id]

    @property
    def state(self) -> JobState:
        """The state, as old as one polling interval at the most."""
        return self.status().state

    def info(self) -> JobInfo:
        """Return everything known of the job.

        Raises
        ------
        UnknownName
            If the system knows no such job (any more).
        """
        info = self._area.backend.info([self.id]).get(self.id)
        if info is None:
            raise UnknownName("job", self.id, self._area.backend.job_ids(), where=self._area.system)
        return info

    def hold(self) -> None:
        """Keep a queued job from starting. Raises InvalidState if it is not queued."""
        self._control(JobAction.HOLD)

    def release(self) -> None:
        """Take the hold off. Raises InvalidState if it has none."""
        self._control(JobAction.RELEASE)

    def suspend(self) -> None:
        """Stop a running job for now. Raises InvalidState if it is not running."""
        self._control(JobAction.SUSPEND)

    def resume(self) -> None:
        """Let a suspended job go on. Raises InvalidState if it is not suspended."""
        self._control(JobAction.RESUME)

    def terminate(self) -> None:
        """End the job, whatever it is doing. Raises InvalidState if it has ended."""
        self._control(JobAction.TERMINATE)

    def wait_started(self, timeout: float | None = None) -> JobState:
        """Wait until the job runs or has ended; return its state.

        Parameters
        ----------
        timeout
            Seconds; None waits for ever.

        Raises
        ------
        Timeout
            If it has not started by then.
        """
        return self._wait(lambda state: state.started, timeout, "start")

    def wait_terminated(self, timeout: float | None = None) -> JobState:
        """Wait until the job has ended; return its state. As :meth:`wait_started` otherwise."""
        return self._wait(lambda state: state.terminated, timeout, "end")

    def _control(self, action: JobAction) -> None:
        failures = self._area.control(action, [self.id])
        if self.id in failures:
            raise failures[self.id]

    def _wait(self, reached: Callable[[JobState], bool], timeout: float | None, what: str) -> JobState:
        deadline = None if timeout is None else time.monotonic() + timeout
        board = self._area.board
        board.watch([self.id])
        try:
            while not reached(state := self.status().state):
                pause = board.interval
                if deadline is not None:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise Timeout(
                            f"job {self.id} did not {what} within {timeout:g} s; it is {state.name}. Wait longer, or "
                            "ask why it waits (qstat -j)."
                        )
                    pause = min(pause, left)
                time.sleep(pause)
            return state
        finally:
            board.unwatch([self.id])
