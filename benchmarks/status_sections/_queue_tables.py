"""Made-up tables of a large queue, for the sections: their shape is that of ``qstat -g d`` on a busy cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gcs_lab.status.keys import named_keys, task_keys
from gcs_lab.status.protocol import Poll
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cluster_poll", "with_changes"]

MICROSECONDS = 1_000_000
NOW = 1_790_000_000
OWNERS = 200
RUNNING = 0.2


def _words(codes: NDArray[np.int64], values: list[str], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=missing), pa.array(values))


def cluster_poll(jobs: int, hosts: int = 500, seed: int = 1) -> Poll:
    """Return what a cluster with so many jobs of one task each and so many hosts would tell."""
    random = np.random.default_rng(seed)
    runs = np.arange(jobs) < jobs * RUNNING
    owners = random.integers(0, OWNERS, jobs)
    ids = pa.array([str(3_000_000 + number) for number in range(jobs)])
    host_names = [f"node{number:04d}.cluster.example.org" for number in range(hosts)]
    submitted = (NOW - np.sort(random.integers(0, 86400, jobs))[::-1]) * MICROSECONDS
    none = np.full(jobs, fill_value=True)
    columns = {
        "key": task_keys(ids, pa.nulls(jobs, pa.int32()), pa.array(~none)),
        "job_id": ids,
        "tasks": pa.nulls(jobs, pa.string()),
        "task": pa.nulls(jobs, pa.int32()),
        "task_count": pa.array(np.ones(jobs), pa.int32()),
        "name": pa.array([f"fit_{number % 5000}.sh" for number in range(jobs)]),
        "owner": _words(owners, [f"user{number:03d}" for number in range(OWNERS)]),
        "project": _words(owners % 20, [f"project{number}" for number in range(20)]),
        "department": _words(np.zeros(jobs, np.int64), ["defaultdepartment"]),
        "letters": _words(np.where(runs, 0, 1), ["r", "qw"]),
        "state": _words(np.where(runs, 0, 1), ["RUNNING", "QUEUED"]),
        "priority": pa.array(random.random(jobs)),
        "posix_priority": pa.array(np.zeros(jobs), pa.int32()),
        "slots": pa.array(random.integers(1, 17, jobs), pa.int32()),
        "queue": _words(random.integers(0, 4, jobs), ["all.q", "short.q", "long.q", "gpu.q"], ~runs),
        "host": _words(random.integers(0, hosts, jobs), host_names, ~runs),
        "submission_time": pa.array(submitted, pa.timestamp("us", tz="UTC")),
        "start_time": pa.array(submitted + MICROSECONDS, pa.timestamp("us", tz="UTC"), mask=~runs),
        "cpu": pa.array(random.random(jobs) * 86400 * runs, mask=~runs),
        "memory": pa.array(random.random(jobs) * 1e15 * runs, mask=~runs),
        "io": pa.array(random.random(jobs) * 1e10 * runs, mask=~runs),
        "parallel_environment": pa.array([None if n % 3 else "smp 4" for n in range(jobs)], pa.string()),
        "requests": pa.array([f"h_rt={600 * (n % 50)},h_vmem=4G" for n in range(jobs)]),
    }
    return Poll(pa.table(columns, schema=schema("tasks")), *_hosts(host_names, random), ("made up",))


def _hosts(names: list[str], random: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    host_column = pa.array(names)
    count = len(names)
    queue = pa.array(["all.q"] * count)
    load = pa.array(random.random(count) * 32)
    instances = {
        "key": named_keys(queue, host_column),
        "queue": queue.dictionary_encode(),
        "host": host_column.dictionary_encode(),
        "type": pa.array(["BIP"] * count).dictionary_encode(),
        "slots_used": pa.array(random.integers(0, 33, count), pa.int32()),
        "slots_reserved": pa.array(np.zeros(count), pa.int32()),
        "slots_total": pa.array(np.full(count, 32), pa.int32()),
        "load_avg": load,
        "arch": pa.array(["lx-amd64"] * count).dictionary_encode(),
        "state": pa.array(["" if n % 50 else "d" for n in range(count)]).dictionary_encode(),
    }
    thirty_two = pa.array(np.full(count, 32), pa.int32())
    memory = pa.array(np.full(count, 128 << 30), pa.int64())
    hosts = {
        "key": named_keys(host_column),
        "host": host_column,
        "arch": instances["arch"],
        "cores": thirty_two,
        "sockets": thirty_two,
        "threads": thirty_two,
        "load_avg": load,
        "memory_total": memory,
        "memory_used": pa.array(random.integers(0, 128 << 30, count), pa.int64()),
        "swap_total": memory,
        "swap_used": pa.array(np.zeros(count), pa.int64()),
        "slots_used": instances["slots_used"],
        "slots_total": thirty_two,
        "state": pa.array([""] * count),
    }
    return pa.table(instances, schema=schema("queue_instances")), pa.table(hosts, schema=schema("hosts"))


def with_changes(tasks: pa.Table, changes: int, seed: int) -> pa.Table:
    """Return the next look at `tasks`: a quarter of the changes ended, a quarter started, half ask for one more.

    All that runs has used more CPU time and memory; the text columns are others in memory.
    """
    random = np.random.default_rng(seed)
    states = tasks["state"].combine_chunks().indices.to_numpy()
    running, waiting = np.flatnonzero(states == 0), np.flatnonzero(states == 1)
    ended = random.choice(running, changes // 4, replace=False)
    started = random.choice(waiting, changes // 4, replace=False)
    others = random.choice(np.setdiff1d(waiting, started), changes // 2, replace=False)
    codes, letters = states.copy(), tasks["letters"].combine_chunks()
    codes[started] = 0
    slots = tasks["slots"].to_numpy().copy()
    slots[others] += 1
    columns = {name: tasks[name].combine_chunks() for name in tasks.column_names}
    columns["state"] = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), columns["state"].dictionary)
    columns["letters"] = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), letters.dictionary)
    columns["slots"] = pa.array(slots, pa.int32())
    for name in ("cpu", "memory", "io"):
        figures = columns[name].to_numpy(zero_copy_only=False)
        columns[name] = pa.array(figures + random.random(len(figures)), from_pandas=True)
    stays = np.ones(len(codes), np.bool_)
    stays[ended] = False
    return pa.table(columns, schema=schema("tasks")).filter(pa.array(stays)).combine_chunks()
