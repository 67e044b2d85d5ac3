"""The states of a job (DRMAA2 ``drmaa2_jstate``, GFD.231)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["JobState"]


class JobState(IntEnum):
    """State of a job; the numbers are those of the C binding."""

    UNDETERMINED = 0
    QUEUED = 1
    QUEUED_HELD = 2
    RUNNING = 3
    SUSPENDED = 4
    REQUEUED = 5
    REQUEUED_HELD = 6
    DONE = 7
    FAILED = 8

    @property
    def terminated(self) -> bool:
        """Whether the job has ended for good."""
        return self in (JobState.DONE, JobState.FAILED)

    @property
    def started(self) -> bool:
        """Whether ``wait_started`` is over: the job runs, is suspended, or has ended."""
        return self in (JobState.RUNNING, JobState.SUSPENDED, JobState.DONE, JobState.FAILED)

    @property
    def held(self) -> bool:
        """Whether the job waits on a hold."""
        return self in (JobState.QUEUED_HELD, JobState.REQUEUED_HELD)
