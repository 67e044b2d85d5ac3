"""Tables of jobs and tasks for tests: a few rows by hand, or as many as one likes from numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gcs_lab.status.job_rows import jobs_of
from gcs_lab.status.keys import task_keys
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: When the tables are looked at, seconds since the epoch.
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
STATES = {
    "r": "RUNNING",
    "t": "RUNNING",
    "dr": "RUNNING",
    "s": "SUSPENDED",
    "qw": "QUEUED",
    "hqw": "QUEUED_HELD",
    "Rq": "REQUEUED",
    "Eqw": "FAILED",
}


def tasks_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return the rows as ``TASK_COLUMNS``; times are given as seconds since the epoch, what is left out is null.

    ``job_id`` and ``letters`` have to be there; ``task`` or ``tasks`` makes the row one of an array.
    """
    filled = []
    for row in rows:
        full: dict[str, Any] = {"state": STATES[row["letters"]], "task_count": 1, "slots": 1, **row}
        if full.get("task") is not None:
            full.setdefault("tasks", str(full["task"]))
        filled.append(full)
    wanted = schema("tasks")
    columns = {}
    for field in wanted:
        values = [row.get(field.name) for row in filled]
        if pa.types.is_timestamp(field.type):
            values = [None if value is None else round(value * 1e6) for value in values]
        columns[field.name] = pa.array(values, pa.int64() if pa.types.is_timestamp(field.type) else field.type)
    together = pa.array([row.get("tasks") is not None and row.get("task") is None for row in filled], pa.bool_())
    columns["key"] = task_keys(columns["job_id"], columns["task"], together)
    return pa.table([columns[field.name].cast(field.type) for field in wanted], schema=wanted)


def jobs_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return the jobs of :func:`tasks_table`."""
    return jobs_of(tasks_table(rows))


def many_jobs(number: int, seed: int = 0) -> pa.Table:
    """Return so many jobs of 40 owners, that are no arrays, as ``JOB_COLUMNS``."""
    chance = np.random.default_rng(seed)
    wanted = schema("jobs")
    letters = chance.choice(len(list(STATES)), number)
    ids = np.arange(1, number + 1)
    started = np.isin(letters, [0, 1, 2, 3])
    submitted = ((NOW - chance.integers(3600, 864000, number)) * 1e6).astype(np.int64)

    def words(codes: np.ndarray, texts: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(texts))

    columns: dict[str, Any] = {
        "key": pa.array(ids.astype(np.uint64) << np.uint64(32)),
        "job_id": pa.array(ids).cast(pa.string()),
        "array": pa.array(np.zeros(number, bool)),
        "name": pa.array([f"run_{chance_number}.sh" for chance_number in chance.integers(0, number + 1, number)]),
        "owner": words(chance.integers(0, 40, number), [f"user{n}" for n in range(40)]),
        "letters": words(letters, list(STATES)),
        "state": words(letters, list(STATES.values())),
        "priority": pa.array(chance.random(number)),
        "slots": pa.array(chance.integers(1, 65, number).astype(np.int32)),
        "queue": pa.DictionaryArray.from_arrays(
            pa.array(chance.integers(0, 4, number).astype(np.int32), mask=~started), pa.array(list("abcd"))
        ),
        "host": pa.DictionaryArray.from_arrays(
            pa.array(chance.integers(0, 500, number).astype(np.int32), mask=~started),
            pa.array([f"node{n}" for n in range(500)]),
        ),
        "submission_time": pa.array(submitted),
        "start_time": pa.array(submitted + 1_000_000_000, mask=~started),
        "tasks": pa.array(np.ones(number, np.int32)),
    }
    kinds = {"running": (0, 1, 2), "suspended": (3,), "pending": (4, 6), "held": (5,), "error": (7,)}
    columns |= {kind: pa.array(np.isin(letters, codes).astype(np.int32)) for kind, codes in kinds.items()}
    arrays = [
        columns[field.name].cast(field.type) if field.name in columns else pa.nulls(number, field.type)
        for field in wanted
    ]
    return pa.table(arrays, schema=wanted)
