"""A handle on one job, or on one task of an array job (DRMAA2 ``Job``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.errors import UnknownName
from gcs_lab.jobs.alterable import Alterable
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from gcs_lab.jobs.area import Jobs
    from gcs_lab.vocabulary import JobInfo, JobState, JobStatus, PendingReason

__all__ = ["Job"]


class Job(Alterable):
    """One job of a cluster; made by :class:`~gcs_lab.jobs.Jobs`, never directly.

    Parameters
    ----------
    area
        The jobs area it belongs to.
    job_id
        The system's id for it; ``"5.3"`` is the task with index 3 of the array job ``"5"``.
    """

    __slots__ = ("area", "id")

    def __init__(self, area: Jobs, job_id: str) -> None:
        self.area = area
        self.id = job_id

    def __repr__(self) -> str:
        return f"<Job {self.id} on {self.area.system}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and (self.area, self.id) == (other.area, other.id)

    def __hash__(self) -> int:
        return hash((id(self.area), self.id))

    @property
    def task_index(self) -> int | None:
        """The index, if it is a task of an array job."""
        return split_id(self.id)[1]

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
        return self.area.board.status([self.id], max_age)[self.id]

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
        info = self.area.backend.info([self.id]).get(self.id)
        if info is None:
            raise UnknownName("job", self.id, self.area.backend.job_ids(), where=self.area.system)
        return info

    def pending_reasons(self) -> list[PendingReason]:
        """Return why the job has not started, the weightiest reason first; empty if it does not wait.

        As :meth:`~gcs_lab.jobs.Jobs.pending_reasons`.

        Raises
        ------
        UnknownName
            If the system knows no such job (any more).
        """
        reasons = self.area.pending_reasons(self.id).get(self.id)
        if reasons is None:
            raise UnknownName("job", self.id, self.area.backend.job_ids(), where=self.area.system)
        return reasons

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

    def clear_error(self) -> None:
        """Let a job in error state (``Eqw``) wait again. Raises InvalidState if it is not in error state."""
        self._control(JobAction.CLEAR_ERROR)

    def requeue(self) -> None:
        """End its run, and let it wait again. Raises InvalidState if it does not run, or is not rerunnable."""
        self._control(JobAction.REQUEUE)

    def wait_started(self, timeout: float | None = None) -> JobState:
        """Wait until the job runs or has ended; return its state.

        While the system does not answer, the wait goes on: it is asked again, after pauses of up to half a minute.

        Parameters
        ----------
        timeout
            Seconds; 0 looks once, None waits for ever.

        Raises
        ------
        Timeout
            If it has not started by then.
        InvalidArgument
            If the timeout is no number from 0 on.
        GcsError
            What the system says, but for silence (which is told only if the timeout is 0).
        """
        self.area.wait_any_started([self], timeout)
        return self._last_state()

    def wait_terminated(self, timeout: float | None = None) -> JobState:
        """Wait until the job has ended; return its state. As :meth:`wait_started` otherwise."""
        self.area.wait_any_terminated([self], timeout)
        return self._last_state()

    def _last_state(self) -> JobState:
        known = self.area.board.known(self.id)
        return self.state if known is None else known.state

    def _control(self, action: JobAction) -> None:
        failures = self.area.control(action, [self.id])
        if self.id in failures:
            raise failures[self.id]
