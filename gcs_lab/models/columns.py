"""The columns of the views that people see, each with what it says and its unit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gcs_lab.errors import UnknownName
from gcs_lab.status.filter_columns import VIEW_COLUMNS

__all__ = ["VIEWS", "ViewColumn", "columns_of", "default_columns", "known_columns"]

#: The views; each is a table of a snapshot.
VIEWS = ("jobs", "queues", "queue_instances", "hosts")


@dataclass(frozen=True)
class ViewColumn:
    """One column as the protocol describes it (``IColumn``); `type` is a ``ColumnType`` of it."""

    name: str
    label: str
    type: str
    width: int
    shown: bool
    help: str
    sortable: bool = True


_JOBS = (
    ViewColumn("job_id", "Job", "text", 84, True, "Number of the job; sorted as a number."),
    ViewColumn(
        "task", "Task", "text", 76, True, "Below an array job: the index of the task, or of the tasks that wait."
    ),
    ViewColumn("name", "Name", "text", 168, True, "Name of the job (-N)."),
    ViewColumn("owner", "Owner", "text", 96, True, "Who submitted it."),
    ViewColumn(
        "letters", "State", "state", 116, True, "State, with the system's letters; of an array its furthest task's."
    ),
    ViewColumn("tasks", "Tasks", "tasks", 136, True, "Tasks that run, are suspended, wait, are held, are in error."),
    ViewColumn("slots", "Slots", "count", 64, True, "Slots in use; of a job that waits: asked for, by each task."),
    ViewColumn("queue", "Queue", "text", 104, True, "Cluster queue; empty where the tasks are in several."),
    ViewColumn("host", "Host", "text", 120, True, "Host of the master task; empty where the tasks are on several."),
    ViewColumn("priority", "Priority", "number", 80, True, "As the scheduler orders jobs; in Grid Engine 0 to 1."),
    ViewColumn("submission_time", "Submitted", "time", 132, True, "When it was submitted."),
    ViewColumn("start_time", "Started", "time", 132, True, "When it started; of an array: the first task that runs."),
    ViewColumn(
        "waiting", "Waiting", "duration", 92, False, "How long it has waited so far, if it or a task of it waits."
    ),
    ViewColumn("runtime", "Runs for", "duration", 92, False, "How long ago it started, if it did."),
    ViewColumn("cpu", "CPU", "duration", 92, False, "CPU time that its running tasks used so far."),
    ViewColumn(
        "memory", "Memory integral", "bytes", 112, False, "Integral of the memory used so far, in byte seconds."
    ),
    ViewColumn("io", "I/O", "bytes", 88, False, "Bytes read and written so far."),
    ViewColumn("parallel_environment", "PE", "text", 88, False, "Parallel environment, and its slots (-pe)."),
    ViewColumn("requests", "Requests", "text", 200, False, "Hard resource requests (-l)."),
    ViewColumn("project", "Project", "text", 96, False, "Project (-P)."),
    ViewColumn("department", "Department", "text", 112, False, "Department of the owner."),
    ViewColumn("posix_priority", "-p", "count", 64, False, "Priority that was asked for (-p), -1023 to 1024."),
)
_LOAD = ViewColumn("load_avg", "Load", "number", 72, True, "Load average: processes that run or want to.")
_SLOTS = ViewColumn("slots", "Slots", "slots", 136, True, "Slots in use, of all; sorted by the fraction in use.")
_QUEUES = (
    ViewColumn("queue", "Queue", "text", 136, True, "Cluster queue."),
    _SLOTS,
    ViewColumn("slots_available", "Free", "count", 72, True, "Free slots of its instances that are open."),
    ViewColumn("slots_reserved", "Reserved", "count", 84, False, "Slots that reservations keep free."),
    ViewColumn("slots_closed", "Closed", "count", 76, True, "Slots of its instances that take no job now."),
    ViewColumn("instances", "Instances", "count", 88, True, "Queue instances: hosts that the queue is on."),
    _LOAD,
    ViewColumn(
        "states", "Not open", "text", 136, True, "How many instances have which state letters; empty: all open."
    ),
)
_QUEUE_INSTANCES = (
    ViewColumn("queue", "Queue", "text", 120, True, "Cluster queue."),
    ViewColumn("host", "Host", "text", 136, True, "Execution host."),
    _SLOTS,
    ViewColumn(
        "state",
        "State",
        "state",
        72,
        True,
        "State letters (qstat -f): d disabled, u unknown, a alarm …; empty: open.",
    ),
    _LOAD,
    ViewColumn("type", "Type", "text", 64, True, "B batch, I interactive, P parallel, C checkpointing, T transfer."),
    ViewColumn("slots_reserved", "Reserved", "count", 84, False, "Slots that reservations keep free."),
    ViewColumn("arch", "Architecture", "text", 112, False, "Architecture of the host."),
)
_HOSTS = (
    ViewColumn("host", "Host", "text", 136, True, "Execution host."),
    _SLOTS,
    ViewColumn(
        "state",
        "State",
        "state",
        88,
        True,
        "u: it does not report; else the letters its closed instances share; empty: open.",
    ),
    _LOAD,
    ViewColumn("cores", "Cores", "count", 68, True, "Processors that the system counts."),
    ViewColumn("memory_used", "Memory used", "bytes", 104, True, "Memory in use, bytes."),
    ViewColumn("memory_total", "Memory", "bytes", 92, True, "Memory of the host, bytes."),
    ViewColumn("swap_used", "Swap used", "bytes", 92, False, "Swap space in use, bytes."),
    ViewColumn("swap_total", "Swap", "bytes", 88, False, "Swap space of the host, bytes."),
    ViewColumn("sockets", "Sockets", "count", 76, False, "Sockets of the host."),
    ViewColumn("threads", "Threads", "count", 80, False, "Hardware threads of the host."),
    ViewColumn("arch", "Architecture", "text", 112, True, "Architecture of the host."),
)
_COLUMNS = {"jobs": _JOBS, "queues": _QUEUES, "queue_instances": _QUEUE_INSTANCES, "hosts": _HOSTS}


def _of(view: str) -> tuple[ViewColumn, ...]:
    if view not in _COLUMNS:
        raise UnknownName("view", view, VIEWS)
    return _COLUMNS[view]


def columns_of(view: str) -> list[dict[str, Any]]:
    """Return the columns of a view as the protocol describes them (``IColumn``), in the order in which they stand.

    Raises
    ------
    UnknownName
        If there is no such view.
    """
    return [asdict(column) for column in _of(view)]


def default_columns(view: str) -> list[str]:
    """Return the names of the columns of a view that are there before anybody chose."""
    return [column.name for column in _of(view) if column.shown]


def known_columns(view: str) -> list[str]:
    """Return the names of all columns that can be asked of a view: those of people, and those of its table."""
    return list(dict.fromkeys([*(column.name for column in _of(view)), *VIEW_COLUMNS[view]]))
