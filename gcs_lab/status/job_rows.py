"""One row a job, made of the rows that a system tells: a job that is no array, a task, tasks that wait together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.status.state_kinds import KINDS, kinds_of
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["job_keys", "jobs_of"]

_RUNNING, _SUSPENDED = KINDS.index("running"), KINDS.index("suspended")
#: Columns that are those of the furthest of a job's rows.
_OF_FURTHEST = (
    "job_id",
    "name",
    "owner",
    "project",
    "department",
    "letters",
    "state",
    "posix_priority",
    "submission_time",
    "parallel_environment",
    "requests",
)


def job_keys(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the keys of the jobs that rows of tasks belong to (:mod:`gcs_lab.status.keys`: the upper half)."""
    import numpy as np

    return (keys >> np.uint64(32)) << np.uint64(32)


def jobs_of(tasks: pa.Table) -> pa.Table:
    """Return the jobs (``JOB_COLUMNS``) that rows of ``TASK_COLUMNS`` belong to, in the order of their keys.

    What a job has once (owner, requests …) is that of its furthest row: running before suspended, pending, held, in
    error. ``slots`` is what its running and suspended tasks have; of a job that only waits, what each task asks for.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = schema("jobs")
    if not tasks.num_rows:
        return wanted.empty_table()
    kinds = kinds_of(tasks)
    keys = job_keys(tasks["key"].to_numpy())
    # Of one job the furthest row comes first, then as the system told them.
    order = np.lexsort((kinds, keys))
    keys, kinds = keys[order], kinds[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    furthest = tasks.take(pa.array(order[starts]))
    counts = np.asarray(tasks["task_count"].fill_null(1))[order]
    on_hosts = kinds <= _SUSPENDED
    any_on_hosts = np.logical_or.reduceat(on_hosts, starts)

    def number(name: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = np.asarray(tasks[name].cast(pa.float64()).fill_null(np.nan))[order]
        return values

    def total(values: NDArray[np.float64]) -> pa.Array:
        there = on_hosts & ~np.isnan(values)
        sums = np.add.reduceat(np.where(there, values, 0.0), starts)
        return pa.array(sums, mask=~np.logical_or.reduceat(there, starts))

    slots = number("slots")
    used = np.add.reduceat(np.where(on_hosts, np.nan_to_num(slots), 0.0), starts)
    asked = slots[starts]
    in_use = np.where(any_on_hosts, used, asked)
    priority = np.fmax.reduceat(number("priority"), starts)
    started = np.asarray(tasks["start_time"].cast(pa.int64()).fill_null(np.iinfo(np.int64).max))[order]
    first = np.minimum.reduceat(np.where(on_hosts, started, np.iinfo(np.int64).max), starts)
    single = (starts.size == len(keys)) or np.diff(np.r_[starts, len(keys)]) == 1
    columns = {name: furthest[name] for name in _OF_FURTHEST}
    columns |= {
        "key": pa.array(keys[starts]),
        "array": pa.array(~(np.asarray(pc.is_null(furthest["tasks"])) & single)),
        "priority": pa.array(priority, mask=np.isnan(priority)),
        "slots": pa.array(np.nan_to_num(in_use), mask=np.isnan(in_use)).cast(pa.int32()),
        "queue": _where_all_agree(tasks["queue"], order, starts, on_hosts),
        "host": _where_all_agree(tasks["host"], order, starts, on_hosts),
        "start_time": pa.array(first, mask=first == np.iinfo(np.int64).max).cast(wanted.field("start_time").type),
        "cpu": total(number("cpu")),
        "memory": total(number("memory")),
        "io": total(number("io")),
        "tasks": pa.array(np.add.reduceat(counts, starts).astype(np.int32)),
    }
    for place, kind in enumerate(KINDS):
        columns[kind] = pa.array(np.add.reduceat(np.where(kinds == place, counts, 0), starts).astype(np.int32))
    return pa.table({name: columns[name] for name in wanted.names}, schema=wanted)


def _where_all_agree(
    column: pa.ChunkedArray, order: NDArray[np.intp], starts: NDArray[np.intp], there: NDArray[np.bool_]
) -> pa.DictionaryArray:
    """Return the value that the rows of each group that are `there` have in common; null where there is none."""
    import numpy as np
    import pyarrow as pa

    from gcs_lab.status.state_kinds import codes_and_values

    codes, values = codes_and_values(column)
    codes = codes[order]
    largest = np.iinfo(np.int32).max
    least = np.minimum.reduceat(np.where(there, codes, largest), starts)
    most = np.maximum.reduceat(np.where(there, codes, -1), starts)
    agree = (least == most) & (most >= 0)
    indices = pa.array(np.where(agree, most, 0).astype(np.int32), mask=~agree)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))
