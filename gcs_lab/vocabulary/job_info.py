"""What is known of a job (DRMAA2 ``JobInfo`` and ``SlotInfo``, GFD.231 section 5.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003  (dataclass fields are inspected at run time)

from gcs_lab.vocabulary.job_state import JobState

__all__ = ["JobInfo", "JobStatus", "SlotInfo"]


@dataclass(frozen=True)
class SlotInfo:
    """Slots that a job has on one machine."""

    machine_name: str
    slots: int


@dataclass(frozen=True)
class JobStatus:
    """The short answer about a job, cheap enough to be asked for all jobs at once.

    ``sub_state`` is the scheduler's own word, verbatim (Grid Engine's letters: ``"qw"``, ``"hqw"``, ``"Eqw"`` …).
    ``annotation`` says in words what is not normal (the reason of an error state), if the system tells.
    """

    state: JobState
    sub_state: str = ""
    queue_name: str | None = None
    machine_name: str | None = None
    slots: int | None = None
    annotation: str | None = None

    @property
    def final(self) -> bool:
        """Whether the state can never change again: a job in error state (``Eqw``) is FAILED, and can be cleared."""
        return self.state.terminated and not self.sub_state.startswith("E")


@dataclass(kw_only=True)
class JobInfo:
    """Everything known of a job. Times are aware (UTC), durations are seconds, memory is bytes.

    ``None`` means that the system does not tell; in a filter, that it does not matter. The attributes after
    ``job_name`` are implementation-specific (``jobInfoImplSpec``): ``max_vmem`` and ``max_rss`` are peaks over the
    whole process tree; ``failed`` is Grid Engine's failure code from accounting (0: none; ``reference``:
    ``sge_accounting(5)``); ``deleted_by`` names who deleted it; ``raw`` is the record as the system gave it.
    """

    job_id: str = ""
    job_state: JobState = JobState.UNDETERMINED
    job_sub_state: str = ""
    exit_status: int | None = None
    terminating_signal: str | None = None
    annotation: str | None = None
    allocated_machines: list[SlotInfo] = field(default_factory=list)
    submission_machine: str | None = None
    job_owner: str | None = None
    slots: int | None = None
    queue_name: str | None = None
    wallclock_time: float | None = None
    cpu_time: float | None = None
    submission_time: datetime | None = None
    dispatch_time: datetime | None = None
    finish_time: datetime | None = None
    job_name: str | None = None
    max_vmem: int | None = None
    max_rss: int | None = None
    failed: int | None = None
    deleted_by: str | None = None
    resource_requests: dict[str, str] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
