"""What a filter may name: the columns of the tables, by their own names and by those that people use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.status.tables import (
    HOST_COLUMNS,
    JOB_COLUMNS,
    QUEUE_COLUMNS,
    QUEUE_INSTANCE_COLUMNS,
    TASK_COLUMNS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HELP", "VIEW_COLUMNS", "Word", "views_with", "words_of"]

#: The columns of each table that can be filtered, by its name in :class:`~gcs_lab.status.snapshot.Snapshot`.
VIEW_COLUMNS: dict[str, Mapping[str, str]] = {
    "jobs": JOB_COLUMNS,
    "tasks": TASK_COLUMNS,
    "queues": QUEUE_COLUMNS,
    "queue_instances": QUEUE_INSTANCE_COLUMNS,
    "hosts": HOST_COLUMNS,
}

#: Other names of columns; of several columns the first that a table has is meant.
_ALIASES = {
    "closed": ("slots_closed",),
    "dept": ("department",),
    "free": ("slots_free",),
    "h": ("host",),
    "id": ("job_id",),
    "job": ("job_id",),
    "l": ("requests",),
    "load": ("load_avg",),
    "mem": ("memory", "memory_used"),
    "memory": ("memory_used",),
    "p": ("posix_priority",),
    "pe": ("parallel_environment",),
    "prio": ("priority",),
    "q": ("queue",),
    "ram": ("memory_total",),
    "request": ("requests",),
    "reserved": ("slots_reserved",),
    "slots": ("slots", "slots_total"),
    "start": ("start_time",),
    "started": ("start_time",),
    "state": ("state", "states"),
    "submission": ("submission_time",),
    "submitted": ("submission_time",),
    "total": ("slots_total",),
    "used": ("slots_used",),
    "user": ("owner",),
    "vmem": ("max_vmem",),
    "wait": ("waiting",),
}
#: Columns that are worked out: what they need, and their kind.
_DERIVED = {
    "waiting": (("submission_time", "state"), "duration"),
    "age": (("submission_time",), "duration"),
    "runtime": (("start_time",), "duration"),
    "slots_free": (("slots_used", "slots_total"), "number"),
}
#: Columns whose numbers have a unit.
_BYTES = ("io", "max_rss", "max_vmem", "memory", "memory_total", "memory_used", "swap_total", "swap_used")
_SECONDS = ("cpu", "io_wait", "ru_stime", "ru_utime", "ru_wallclock", "wait", "wallclock")

#: A sentence on each name, for completion and the document.
HELP = {
    "job_id": "number of the job: id:4711, id>4000, 4711.3 for a task",
    "nice": "nice value that the queue gave it",
    "name": "name of the job (-N): name~fit contains it, name:fit* begins with it",
    "owner": "who submitted it: owner:alice or owner:alice,bob",
    "project": "project (-P)",
    "department": "department of the owner",
    "state": "r, qw, hqw, Eqw … or running, pending, queued, held, suspended, error",
    "letters": "the system's letters as it tells them, with * and ?: letters:E*",
    "priority": "priority as the scheduler orders jobs",
    "posix_priority": "priority that was asked for (-p), -1023 to 1024",
    "slots": "slots in use, or asked for; of queues and hosts: all that they have",
    "queue": "cluster queue",
    "host": "execution host",
    "submission_time": "when it was submitted: submitted<2h (in the last two hours), submitted>=2026-11-20",
    "start_time": "when it started: started<30m, started:today",
    "cpu": "CPU time used so far: cpu>2h",
    "memory": "jobs: integral of memory so far, byte seconds; hosts: memory in use",
    "io": "bytes read and written so far: io>10G",
    "parallel_environment": "parallel environment and its slots: pe:smp, pe:'smp 4'",
    "requests": "hard requests (-l): request~h_vmem",
    "tasks": "tasks of a job that have not ended: tasks>100",
    "task": "index of the task",
    "task_count": "tasks that a row stands for",
    "array": "whether it is an array job: array:yes",
    "running": "tasks that run",
    "suspended": "tasks that are suspended",
    "pending": "tasks that wait for slots",
    "held": "tasks that are held",
    "error": "tasks in error state",
    "waiting": "how long it has waited, if it waits: waiting>2h",
    "age": "how long ago it was submitted: age>3d",
    "runtime": "how long ago it started, if it did: runtime>12h",
    "slots_used": "slots in use",
    "slots_reserved": "slots that are reserved",
    "slots_total": "slots in all",
    "slots_free": "slots that are not in use",
    "slots_available": "free slots of instances that are open",
    "slots_closed": "slots of instances that take no job",
    "load_avg": "load average: load>4",
    "instances": "queue instances of a queue",
    "states": "letters of its instances that are not open",
    "type": "type of queue: B batch, I interactive, P parallel",
    "arch": "architecture: arch:lx-amd64",
    "cores": "processors of a host",
    "sockets": "sockets of a host",
    "threads": "hardware threads of a host",
    "memory_total": "memory of a host: memory_total>64G",
    "memory_used": "memory in use: memory>4G",
    "swap_total": "swap space of a host",
    "swap_used": "swap space in use",
    "account": "account (-A)",
    "category": "what it asked for, as the system writes it: category~h_rt",
    "command": "the command that submitted it: command~train.py",
    "cpu_efficiency": "CPU time by slot seconds: cpu_efficiency<0.1",
    "deleted_by": "who deleted it",
    "end_time": "when it ended: end_time<2h, end_time:yesterday",
    "exit_status": "exit status of the job: exit_status>128 for signals",
    "failed": "code of sge_status(5), 0 if nothing failed: failed:37,100",
    "group": "the owner's group",
    "io_wait": "time that it waited for input and output",
    "max_rss": "largest resident memory: max_rss>4G",
    "max_vmem": "largest virtual memory: max_vmem>4G",
    "ok": "ended records: ok:no where a failure code or an exit status is not 0",
    "reservation_id": "advance reservation (-ar)",
    "slot_seconds": "slots times time that it ran",
    "wait": "ended records: from submission to start: wait>1h",
    "wallclock": "time that it ran: wallclock>2h",
}


@dataclass(frozen=True)
class Word:
    """A name of the language.

    ``column`` is what it stands for in the table, or the name of one that is worked out. ``kind`` is text, id,
    number, bytes, duration, time, boolean, job state or letters.
    """

    name: str
    column: str
    kind: str


def _kind(column: str, columns: Mapping[str, str]) -> str:
    if column in {"state", "states"}:
        # Jobs have the system's letters beside the name of the state; queues and hosts have the letters alone.
        return "job state" if "letters" in columns else "letters"
    if column == "job_id":
        return "id"
    if column in _BYTES:
        return "bytes"
    if column in _SECONDS:
        return "duration"
    kinds = {"string": "text", "dictionary": "text", "timestamp": "time", "bool": "boolean"}
    return kinds.get(columns[column], "number")


def words_of(columns: Mapping[str, str]) -> dict[str, Word]:
    """Return all names that a filter of a table with these `columns` (name to type) may use; lower case.

    The names of the columns themselves are first, then those that are worked out, then the other names.
    """
    own = {name: Word(name, name, _kind(name, columns)) for name in columns if name != "key"}
    for name, (needed, kind) in _DERIVED.items():
        if all(one in columns for one in needed):
            own.setdefault(name, Word(name, name, kind))
    for name, meant in _ALIASES.items():
        column = next((one for one in meant if one in own), None)
        if column is not None and name not in own:
            own[name] = Word(name, column, own[column].kind)
    return own


def views_with(name: str) -> list[str]:
    """Return the tables that a name of the language belongs to, for people."""
    return [view.replace("_", " ") for view, columns in VIEW_COLUMNS.items() if name in words_of(columns)]
