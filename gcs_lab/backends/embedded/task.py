"""A job (or, one day, a task of an array) as the scheduler knows it, with Grid Engine's letters for its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.placement import Instance, Request
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["NO_ARRAY", "Job", "Phase", "Task"]

#: Task id of a job that is no array, as in Grid Engine's accounting.
NO_ARRAY = 0


class Phase(StrEnum):
    """Where a task is. ``DISPATCHING``: its start was decided and recorded, and its shepherd is being forked."""

    PENDING = "pending"
    DISPATCHING = "dispatching"
    RUNNING = "running"
    ERROR = "error"
    ENDED = "ended"


@dataclass(frozen=True)
class Job:
    """What was submitted; ``submitted`` in seconds since the epoch."""

    job_id: int
    owner: str
    submitted: float
    request: SubmitRequest


@dataclass
class Task:
    """One task with its present state. Times are seconds since the epoch; ``run`` counts its runs from 1."""

    job: Job
    task_id: int = NO_ARRAY
    phase: Phase = Phase.PENDING
    held: bool = False
    suspended: bool = False
    requeued: bool = False
    run: int = 0
    slots: dict[Instance, int] = field(default_factory=dict)
    dispatched: float | None = None
    finished: float | None = None
    outcome: dict[str, Any] = field(default_factory=dict)
    deleted_by: str | None = None
    annotation: str | None = None
    #: What the placement is asked for; made from the job and the layout, not stored.
    asks: Request | None = None
    #: Which request fits nowhere even in an empty cluster, in words; not stored either.
    fits_nowhere: str | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Job id and task id."""
        return self.job.job_id, self.task_id

    @property
    def mark(self) -> str:
        """Value that marks all processes of the present run; it cannot be guessed, so nobody has it by chance."""
        return f"{self.job.request.token}.{self.task_id}.{self.run}"

    @property
    def active(self) -> bool:
        """Whether it holds slots."""
        return self.phase in (Phase.DISPATCHING, Phase.RUNNING)

    def letters(self) -> str:
        """Return the state as qstat prints it (``sge_status(5)``)."""
        again = "R" if self.requeued else ""
        hold = "h" if self.held else ""
        match self.phase:
            case Phase.ENDED:
                return "z"
            case Phase.ERROR:
                return f"E{hold}{again}qw"
            case Phase.PENDING:
                return ("hRwq" if hold else "Rq") if again else f"{hold}qw"
            case Phase.DISPATCHING | Phase.RUNNING:
                now = "s" if self.suspended else "t" if self.phase is Phase.DISPATCHING else "r"
                return f"{'d' if self.deleted_by else ''}{again}{now}"

    def state(self) -> JobState:
        """Return DRMAA2's word for the state."""
        if self.phase is Phase.ENDED:
            good = self.outcome.get("exit_status") == 0 and self.outcome.get("failed") == 0
            return JobState.DONE if good else JobState.FAILED
        if self.phase is Phase.ERROR:
            return JobState.FAILED
        if self.active:
            return JobState.SUSPENDED if self.suspended else JobState.RUNNING
        if self.requeued:
            return JobState.REQUEUED_HELD if self.held else JobState.REQUEUED
        return JobState.QUEUED_HELD if self.held else JobState.QUEUED
