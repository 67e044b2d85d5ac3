"""The tables of the ``status`` area: their columns, types and units, the same whichever system and format told them.

Arrow tables (:mod:`pyarrow`), so that 100,000 rows cost no object each. Missing is null (never ``-``, ``""`` for a
number, or 0); times are UTC; memory is bytes; durations are seconds; states are the system's own letters, all of
them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "COMPLEX_COLUMNS",
    "FIGURES",
    "HOST_COLUMNS",
    "HOST_GROUP_COLUMNS",
    "JOB_COLUMNS",
    "QUEUE_COLUMNS",
    "QUEUE_INSTANCE_COLUMNS",
    "QUOTA_COLUMNS",
    "TASK_COLUMNS",
    "empty_table",
    "schema",
]

#: What a system tells of its jobs, as qstat prints it: one row a job that is no array, one row a task that has
#: started (or is in error state), one row for the tasks of an array that wait together.
TASK_COLUMNS = {
    # Unique within a snapshot and the same in the next one for the same thing: see `gcs_lab.status.keys`.
    "key": "uint64",
    "job_id": "string",
    "tasks": "string",  # as qstat: null for a job that is no array, "3" for a task, "5-20:1,31" for waiting tasks
    "task": "int32",  # index of the one task of the row; null for a job that is no array, and for waiting tasks
    "task_count": "int32",  # tasks that the row stands for; 1 for a job that is no array
    "name": "string",
    "owner": "dictionary",
    "project": "dictionary",
    "department": "dictionary",
    "letters": "dictionary",  # the system's letters, verbatim: qw, hqw, r, dr, Eqw …
    "state": "dictionary",  # name of the DRMAA2 JobState: QUEUED, QUEUED_HELD, RUNNING, SUSPENDED …
    "priority": "double",  # as the scheduler orders jobs; in Grid Engine normalized, 0 to 1
    "posix_priority": "int32",  # qsub -p
    "slots": "int32",  # granted; of what waits: asked for, by each task
    "queue": "dictionary",  # cluster queue of the master task
    "host": "dictionary",  # host of the master task
    "submission_time": "timestamp",
    "start_time": "timestamp",
    "cpu": "double",  # CPU seconds used so far
    "memory": "double",  # integral of memory so far, byte seconds
    "io": "double",  # bytes read and written so far
    "parallel_environment": "string",  # asked for or granted: "smp 4"; null: none
    "requests": "string",  # hard requests as -l takes them: "h_rt=600,h_vmem=4G"; null: none
}
#: One row a job; an array job is one row. Made of the rows above (`gcs_lab.status.job_rows`).
JOB_COLUMNS = {
    "key": "uint64",
    "job_id": "string",
    "array": "bool",
    "name": "string",
    "owner": "dictionary",
    "project": "dictionary",
    "department": "dictionary",
    "letters": "dictionary",  # of the furthest row: running before suspended, waiting, held, in error
    "state": "dictionary",
    "priority": "double",  # the highest
    "posix_priority": "int32",
    "slots": "int32",  # in use by all that runs; of a job of which nothing runs: asked for, by each task
    "queue": "dictionary",  # null where its tasks are in several
    "host": "dictionary",
    "submission_time": "timestamp",
    "start_time": "timestamp",  # of the first that runs
    "cpu": "double",  # sums over what runs
    "memory": "double",
    "io": "double",
    "parallel_environment": "string",
    "requests": "string",
    "tasks": "int32",  # tasks that have not ended; 1 for a job that is no array
    "running": "int32",  # of them: by what they do
    "suspended": "int32",
    "pending": "int32",
    "held": "int32",
    "error": "int32",
}
#: One row a queue instance.
QUEUE_INSTANCE_COLUMNS = {
    "key": "uint64",
    "queue": "dictionary",
    "host": "dictionary",
    "type": "dictionary",  # B batch, I interactive, P parallel, C checkpointing, T transfer: "BIP"
    "slots_used": "int32",
    "slots_reserved": "int32",
    "slots_total": "int32",
    "load_avg": "double",
    "arch": "dictionary",
    "state": "dictionary",  # letters; "" when it is open
}
#: One row a cluster queue. Made of the rows above.
QUEUE_COLUMNS = {
    "key": "uint64",
    "queue": "string",
    "instances": "int32",
    "slots_used": "int32",
    "slots_reserved": "int32",
    "slots_available": "int32",  # free slots of open instances
    "slots_total": "int32",
    "slots_closed": "int32",  # slots of instances that take no job: disabled, unknown, in error, suspended, alarmed
    "load_avg": "double",  # mean over its instances
    "states": "string",  # "3 d, 1 au"; "" when all are open
}
#: One row an execution host.
HOST_COLUMNS = {
    "key": "uint64",
    "host": "string",
    "arch": "dictionary",
    "cores": "int32",  # processors that the system counts
    "sockets": "int32",
    "threads": "int32",
    "load_avg": "double",
    "memory_total": "int64",
    "memory_used": "int64",
    "swap_total": "int64",
    "swap_used": "int64",
    "slots_used": "int32",  # sums over its queue instances
    "slots_total": "int32",
    "state": "string",  # "u" where the host does not report, else the letters that its closed instances share; ""
}
#: One row a member of a host group; groups in groups are resolved.
HOST_GROUP_COLUMNS = {"group": "string", "host": "string"}
#: One row a complex (complex(5)).
COMPLEX_COLUMNS = {
    "name": "string",
    "shortcut": "string",
    "type": "string",
    "relation": "string",
    "requestable": "string",  # YES, NO or FORCED
    "consumable": "string",  # YES, NO, JOB or HOST
    "default": "string",
    "urgency": "double",
}
#: One row a limit of a resource quota set that is in use (qquota(1)).
QUOTA_COLUMNS = {
    "quota": "string",  # name of the set
    "rule": "string",  # name or number of the rule in it
    "resource": "string",
    "used": "double",  # bytes, seconds or a count, as the resource is
    "limit": "double",
    "users": "string",  # what the rule is about, as qquota prints it; null: all
    "projects": "string",
    "parallel_environments": "string",
    "queues": "string",
    "hosts": "string",
}
#: Columns that are other at nearly every look, of whatever is running or waiting: that alone is no event.
FIGURES = frozenset({"cpu", "memory", "io", "priority", "load_avg", "memory_used", "swap_used"})


@cache
def schema(columns: str) -> pa.Schema:
    """Return the Arrow schema of ``"tasks"``, ``"jobs"``, ``"queue_instances"``, ``"queues"``, ``"hosts"`` …."""
    import pyarrow as pa

    types = {
        "bool": pa.bool_(),
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "double": pa.float64(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "string": pa.string(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "uint64": pa.uint64(),
    }
    named = {
        "tasks": TASK_COLUMNS,
        "jobs": JOB_COLUMNS,
        "queue_instances": QUEUE_INSTANCE_COLUMNS,
        "queues": QUEUE_COLUMNS,
        "hosts": HOST_COLUMNS,
        "host_groups": HOST_GROUP_COLUMNS,
        "complexes": COMPLEX_COLUMNS,
        "quotas": QUOTA_COLUMNS,
    }
    return pa.schema([pa.field(name, types[kind]) for name, kind in named[columns].items()])


def empty_table(columns: str) -> pa.Table:
    """Return a table without rows; `columns` as for :func:`schema`."""
    return schema(columns).empty_table()
