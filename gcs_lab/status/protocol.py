"""What the ``status`` area asks of a system."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

__all__ = ["HOST_COLUMNS", "JOB_COLUMNS", "QUEUE_COLUMNS", "Columns", "StatusBackend"]

#: A table as columns of equal length.
Columns = dict[str, list[Any]]

#: One row a job (an array's waiting tasks are one row). Times: aware datetimes, UTC.
JOB_COLUMNS = (
    "job_id",
    "task_id",
    "name",
    "owner",
    "state",
    "priority",
    "submission_time",
    "start_time",
    "queue",
    "host",
    "slots",
)
#: One row a queue instance. ``state`` is "" when it is open.
QUEUE_COLUMNS = ("queue", "host", "slots_used", "slots_total", "load_avg", "state")
#: One row an execution host. Memory in bytes.
HOST_COLUMNS = (
    "host",
    "arch",
    "cores",
    "load_avg",
    "mem_total",
    "mem_used",
    "slots_used",
    "slots_total",
    "state",
)


@runtime_checkable
class StatusBackend(Protocol):
    """A system that tells what it does now. Called by ``Cluster.status`` when a user asks; missing is ``None``."""

    def jobs_table(self) -> Columns:
        """Return the jobs of all users that have not ended, with :data:`JOB_COLUMNS`."""
        ...

    def queues_table(self) -> Columns:
        """Return all queue instances, with :data:`QUEUE_COLUMNS`."""
        ...

    def hosts_table(self) -> Columns:
        """Return all execution hosts, with :data:`HOST_COLUMNS`."""
        ...
