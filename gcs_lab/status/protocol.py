"""What the ``status`` area asks of a system."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    import pyarrow as pa

__all__ = ["JobDetails", "Poll", "StatusBackend", "TaskDetails"]


@dataclass(frozen=True)
class Poll:
    """One look at the whole cluster: tables with the columns of :mod:`gcs_lab.status.tables`.

    ``commands`` are those that were run for it, as a person would type them; () where no command was run.
    """

    tasks: pa.Table
    queue_instances: pa.Table
    hosts: pa.Table
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskDetails:
    """What is known of one task that has started (of a job that is no array: index None).

    ``usage`` is what it used so far: ``cpu`` (seconds), ``max_vmem``, ``max_rss``, ``vmem``, ``io`` (bytes),
    ``wallclock`` (seconds); what is not known is left out. Paths are those on the execution host, after all
    placeholders were replaced; None: not known.
    """

    task: int | None
    letters: str = ""
    queue: str | None = None
    host: str | None = None
    start_time: datetime | None = None
    usage: Mapping[str, float] = field(default_factory=dict)
    stdout_path: str | None = None
    stderr_path: str | None = None
    message: str = ""


@dataclass(frozen=True, repr=False)
class JobDetails:
    """All that the system tells of one job (``qstat -j``), and what it was made of.

    ``facts`` are the system's own names and values as it prints them, all of them, in its order; the rest is read out
    of them. ``requests`` are the hard requests (``-l``), ``soft_requests`` the soft ones. ``waits_for`` are ids of
    jobs. ``tasks`` are those that have started, at most 1,000 of them.
    """

    job_id: str
    name: str = ""
    owner: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    submission_time: datetime | None = None
    command: str = ""
    arguments: tuple[str, ...] = ()
    working_directory: str = ""
    project: str | None = None
    queues: tuple[str, ...] = ()
    parallel_environment: str | None = None
    requests: Mapping[str, str] = field(default_factory=dict)
    soft_requests: Mapping[str, str] = field(default_factory=dict)
    posix_priority: int = 0
    waits_for: tuple[str, ...] = ()
    task_range: str | None = None
    max_parallel: int | None = None
    tasks: tuple[TaskDetails, ...] = ()
    messages: tuple[str, ...] = ()

    def __repr__(self) -> str:
        from gcs_lab.status.details_text import details_text

        return details_text(self)

    def _repr_html_(self) -> str:
        from gcs_lab.status.details_text import details_html

        return details_html(self)


@runtime_checkable
class StatusBackend(Protocol):
    """A system that tells what it does now.

    All methods may block for as long as the system takes, may be called from any thread, and raise only
    :class:`~gcs_lab.errors.GcsError`.
    """

    #: Seconds that at least lie between two polls.
    poll_floor: float
    #: What tells this cluster from another of the same name: of Grid Engine its root, cell and port, as text.
    identity: str

    def poll(self) -> Poll:
        """Look at all jobs of all users, all queue instances and all hosts, with as few questions as possible.

        Called by the one poller of a user and host.
        """
        ...

    def job_details(self, job_ids: Collection[str]) -> dict[str, JobDetails]:
        """Return all that is told of jobs that have not ended, with one question; others are left out.

        Called when somebody opens a job. Ids are those of jobs and of whole array jobs.
        """
        ...

    def host_groups(self) -> pa.Table:
        """Return the members of all host groups (``HOST_GROUP_COLUMNS``). Called when a user asks."""
        ...

    def complexes(self) -> pa.Table:
        """Return all complexes (``COMPLEX_COLUMNS``). Called when a user asks."""
        ...

    def quotas(self) -> pa.Table:
        """Return the resource quotas that are in use (``QUOTA_COLUMNS``). Called when a user asks."""
        ...

    def is_operator(self) -> bool:
        """Tell whether this user may act on others' jobs. Called once by each dashboard."""
        ...
