"""The columns of a record of accounting: names, types, units, and where each comes from.

One row is one record: a job, a task of an array job, one more for each time that it was run again, and one for each
process of a parallel job where its parallel environment says so (``accounting_summary FALSE``). Missing is null
(never ``NONE``, ``""`` or a time of 0); times are UTC; memory is bytes; durations are seconds. Figures that the
system tells in another unit are scaled by a power of two, or kept beside under their raw name, so that nothing of the
raw record is lost.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DERIVED_COLUMNS", "RECORD_COLUMNS", "Column", "record_schema"]


class Column(NamedTuple):
    """A column: ``type`` is string, category, int32, int64, double or timestamp; ``unit`` is empty for a plain word.

    ``source`` is the field's name in ``sge_accounting(5)``; other formats name theirs in their readers.
    """

    name: str
    type: str
    unit: str
    source: str
    meaning: str


_RUSAGE = "as getrusage(2) counts it"
#: What is kept of every record. ``category`` (the type) is text of which there are few different ones.
RECORD_COLUMNS = (
    Column("job_id", "string", "", "job_number", "number of the job, as text like everywhere else"),
    Column("task", "int32", "", "task_number", "index of the task; null for a job that is no array"),
    Column("pe_task", "string", "", "pe_taskid", "process of a parallel job; null for the job itself"),
    Column("name", "string", "", "job_name", "name of the job"),
    Column("owner", "category", "", "owner", "user whose job it is"),
    Column("group", "category", "", "group", "the owner's primary group"),
    Column("account", "category", "", "account", "qsub -A"),
    Column("project", "category", "", "project", "qsub -P"),
    Column("department", "category", "", "department", "department of the owner"),
    Column("queue", "category", "", "qname", "cluster queue that it ran in; null for one that never started"),
    Column("host", "category", "", "hostname", "host of the master task; null for one that never started"),
    Column("parallel_environment", "category", "", "granted_pe", "parallel environment that was granted"),
    Column("slots", "int32", "slots", "slots", "slots that were granted, of the whole job"),
    Column("submission_time", "timestamp", "UTC", "submission_time", "when it was submitted"),
    Column("start_time", "timestamp", "UTC", "start_time", "when it started; null for one that never did"),
    Column("end_time", "timestamp", "UTC", "end_time", "when it ended"),
    Column("nice", "int32", "", "priority", "nice value from its queue (queue_conf(5), priority); not qsub -p"),
    Column("failed", "int32", "", "failed", "0, or why it failed: a code of sge_status(5)"),
    Column("exit_status", "int32", "", "exit_status", "of the job's script; 128 + n: ended by signal n"),
    Column("wallclock", "double", "s", "ru_wallclock", "time that it ran; in JSON records eusage.wallclock"),
    Column("cpu", "double", "s", "cpu", "CPU time of all its processes"),
    Column("memory", "double", "byte s", "mem", "integral of memory over CPU time; raw: GiB s, times 2**30"),
    Column("io", "double", "bytes", "io", "data read and written; raw: GiB, times 2**30"),
    Column("io_wait", "double", "s", "iow", "time that it waited for input and output"),
    Column("max_vmem", "int64", "bytes", "maxvmem", "largest virtual memory; null where it was not measured (0)"),
    Column("max_rss", "int64", "bytes", "maxrss", "largest resident memory; else ru_maxrss; null where 0"),
    Column("category", "string", "", "category", "the requests, as the system writes them: -l h_rt=600 -pe smp 4"),
    Column("reservation_id", "string", "", "arid", "advance reservation that it ran in"),
    Column("reservation_submission_time", "timestamp", "UTC", "ar_submission_time", "when that was submitted"),
    Column("command", "string", "", "submit_cmd_line", "the command that submitted it; 9.x and UGE only"),
    Column("deleted_by", "category", "", "deleted_by", "who deleted it, user@host; 9.1.2 and later"),
    Column("ru_wallclock", "double", "s", "ru_wallclock", "end minus start, as the system wrote it"),
    Column("ru_utime", "double", "s", "ru_utime", f"user CPU time, {_RUSAGE}"),
    Column("ru_stime", "double", "s", "ru_stime", f"system CPU time, {_RUSAGE}"),
    Column("ru_maxrss", "double", "KiB", "ru_maxrss", f"largest resident memory of one process, {_RUSAGE}"),
    Column("ru_ixrss", "double", "", "ru_ixrss", _RUSAGE),
    Column("ru_ismrss", "double", "", "ru_ismrss", _RUSAGE),
    Column("ru_idrss", "double", "", "ru_idrss", _RUSAGE),
    Column("ru_isrss", "double", "", "ru_isrss", _RUSAGE),
    Column("ru_minflt", "double", "faults", "ru_minflt", f"page faults without a disk, {_RUSAGE}"),
    Column("ru_majflt", "double", "faults", "ru_majflt", f"page faults with one, {_RUSAGE}"),
    Column("ru_nswap", "double", "", "ru_nswap", _RUSAGE),
    Column("ru_inblock", "double", "blocks", "ru_inblock", f"blocks read, {_RUSAGE}"),
    Column("ru_oublock", "double", "blocks", "ru_oublock", f"blocks written, {_RUSAGE}"),
    Column("ru_msgsnd", "double", "", "ru_msgsnd", _RUSAGE),
    Column("ru_msgrcv", "double", "", "ru_msgrcv", _RUSAGE),
    Column("ru_nsignals", "double", "", "ru_nsignals", _RUSAGE),
    Column("ru_nvcsw", "double", "switches", "ru_nvcsw", f"voluntary context switches, {_RUSAGE}"),
    Column("ru_nivcsw", "double", "switches", "ru_nivcsw", f"involuntary context switches, {_RUSAGE}"),
    Column("more", "string", "", "", "what else the record says, as a JSON object; null: nothing"),
)
#: What follows from a record, made when it is asked for.
DERIVED_COLUMNS = (
    Column("wait", "double", "s", "", "from submission to start; null for one that never started"),
    Column("slot_seconds", "double", "slot s", "", "slots times wallclock: what it kept from others"),
    Column("cpu_efficiency", "double", "", "", "cpu / slot_seconds; null where nothing was kept"),
    Column("requests", "string", "", "category", 'hard requests as -l takes them: "h_rt=600,h_vmem=4G"'),
)


@cache
def record_schema() -> pl.Schema:
    """Return the polars schema of a frame of records: RECORD_COLUMNS in their order."""
    import polars as pl

    types = {
        "string": pl.String(),
        "category": pl.Categorical(),
        "int32": pl.Int32(),
        "int64": pl.Int64(),
        "double": pl.Float64(),
        "timestamp": pl.Datetime("us", "UTC"),
    }
    return pl.Schema({column.name: types[column.type] for column in RECORD_COLUMNS})
