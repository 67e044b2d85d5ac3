"""The columns of the table of records, as the browser is told of them, and the words of its filter."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gcs_lab.models.columns import ViewColumn
from gcs_lab.status.filter_columns import HELP, words_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CATEGORIES", "COLUMN_NAMES", "COLUMN_TYPES", "columns_told", "words_told"]


_COLUMNS = (
    ViewColumn("job_id", "Job", "text", 84, True, "Number of the job; sorted as a number."),
    ViewColumn("task", "Task", "count", 64, True, "Index of the task; empty for a job that is no array."),
    ViewColumn("name", "Name", "text", 160, True, "Name of the job (-N)."),
    ViewColumn("owner", "Owner", "text", 96, True, "User whose job it is."),
    ViewColumn("outcome", "End", "text", 236, True, "How it ended: well, or why it failed."),
    ViewColumn("queue", "Queue", "text", 96, True, "Cluster queue that it ran in; empty: it never started."),
    ViewColumn("host", "Host", "text", 112, True, "Host of the master task; empty: it never started."),
    ViewColumn("slots", "Slots", "count", 64, True, "Slots that were granted, of the whole job."),
    ViewColumn("end_time", "Ended", "time", 132, True, "When it ended."),
    ViewColumn("wait", "Waited", "duration", 104, True, "From submission to start."),
    ViewColumn("wallclock", "Ran", "duration", 104, True, "Time that it ran."),
    ViewColumn("cpu", "CPU", "duration", 104, True, "CPU time of all its processes."),
    ViewColumn("cpu_efficiency", "CPU share", "number", 96, True, "CPU time by slots and run time: 1 is all of it."),
    ViewColumn("max_vmem", "Memory used", "bytes", 120, True, "Largest virtual memory of the whole job."),
    ViewColumn(
        "asked_memory", "Memory asked", "bytes", 124, True, "Memory that the whole job asked for: -l, by slots."
    ),
    ViewColumn("submission_time", "Submitted", "time", 132, False, "When it was submitted."),
    ViewColumn("start_time", "Started", "time", 132, False, "When it started; empty: it never did."),
    ViewColumn("asked_time", "Time asked", "duration", 104, False, "Run time that it asked for (h_rt, else s_rt)."),
    ViewColumn("max_rss", "Resident", "bytes", 92, False, "Largest resident memory."),
    ViewColumn("slot_seconds", "Slot time", "duration", 104, False, "Slots by run time: what it kept from others."),
    ViewColumn("io", "I/O", "bytes", 84, False, "Bytes read and written."),
    ViewColumn("project", "Project", "text", 92, False, "Project (-P)."),
    ViewColumn("department", "Department", "text", 112, False, "Department of the owner."),
    ViewColumn("group", "Group", "text", 92, False, "The owner's primary group."),
    ViewColumn("account", "Account", "text", 92, False, "Account (-A)."),
    ViewColumn("parallel_environment", "PE", "text", 88, False, "Parallel environment that was granted."),
    ViewColumn("failed", "Code", "count", 64, False, "0, or why it failed: a code of sge_status(5)."),
    ViewColumn("exit_status", "Exit", "count", 60, False, "Exit status of its script; 128 + n: ended by signal n."),
    ViewColumn("category", "Requests", "text", 220, False, "What it asked for, as the system writes it."),
    ViewColumn("command", "Command", "text", 220, False, "The command that submitted it, where the system tells it."),
    ViewColumn("pe_task", "Process", "text", 92, False, "Process of a parallel job; empty for the job itself."),
)
#: Names of all columns, and the type that each has in the protocol (``ColumnType``).
COLUMN_NAMES = tuple(column.name for column in _COLUMNS)
COLUMN_TYPES = {column.name: column.type for column in _COLUMNS}
LABELS = {column.name: column.label for column in _COLUMNS}
#: Columns of which there are few different values.
CATEGORIES = ("owner", "queue", "host", "project", "department", "group", "account", "parallel_environment")

#: Sentences on words that mean another thing for a record than for a job that is there.
_HELP = {
    "ok": "whether it ended well: ok:no is what failed",
    "end_time": "when it ended: end_time>=2026-11-01, end_time<2d (in the last two days)",
    "wallclock": "time that it ran: wallclock>2h",
    "wait": "from submission to start: wait>4h",
    "slots": "slots that were granted: slots>4",
    "slot_seconds": "slots by run time, in seconds",
    "cpu": "CPU time of all its processes: cpu>2h",
    "cpu_efficiency": "CPU time by slot time: cpu_efficiency<0.2",
    "memory": "integral of memory over CPU time, byte seconds",
    "max_vmem": "largest virtual memory: max_vmem>4G",
    "max_rss": "largest resident memory: max_rss>4G",
    "failed": "code of failure: failed:100, failed>0",
    "exit_status": "exit status of its script: exit_status:137",
    "category": "what it asked for: category~gpu",
    "command": "the command that submitted it: command~train.py",
    "account": "account (-A)",
    "group": "the owner's primary group",
    "deleted_by": "who deleted it",
    "pe_task": "process of a parallel job",
    "io": "bytes read and written: io>10G",
    "io_wait": "time that it waited for input and output",
    "reservation_id": "advance reservation that it ran in",
}
#: Words that nobody would type, and that have no other name.
_LEFT_OUT = ("ru_", "more", "age", "runtime")
_OFFERED = {
    "job_id": "id",
    "submission_time": "submitted",
    "start_time": "started",
    "parallel_environment": "pe",
    "requests": "request",
}
#: Values of a column are offered if there are no more.
_MOST_VALUES = 500


def columns_told() -> list[dict[str, Any]]:
    """Return the columns as the protocol describes them (``IColumn``), in the order in which they stand."""
    return [asdict(column) for column in _COLUMNS]


def words_told(records: pl.LazyFrame | None) -> list[dict[str, Any]]:
    """Return the words of the filter (``IFilterWord``), with the values that `records` (with CATEGORIES) have."""
    from gcs_lab.accounting.where_filter import WHERE_COLUMNS

    values = {} if records is None else {name: _values(records, name) for name in CATEGORIES}
    words = []
    for name, word in words_of(WHERE_COLUMNS).items():
        if name != word.column or name.startswith(_LEFT_OUT):
            continue
        offered = ["no", "yes"] if word.kind == "boolean" else values.get(name, [])
        help_ = _HELP.get(name) or HELP.get(name, "")
        words.append({"word": _OFFERED.get(name, name), "help": help_, "values": offered})
    return words


def _values(records: pl.LazyFrame, name: str) -> list[str]:
    """Return the values of a column, the most frequent first, if they are few."""
    import polars as pl

    counted = records.group_by(name).len().collect()
    if len(counted) > _MOST_VALUES:
        return []
    told = counted.with_columns(pl.col(name).cast(pl.String)).drop_nulls(name)
    return told.sort(["len", name], descending=[True, False])[name].to_list()
