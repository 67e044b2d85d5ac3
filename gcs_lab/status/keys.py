"""The key of a row: what tells whether two snapshots speak of the same job, task, queue instance or host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["named_keys", "task_keys"]

#: Rows of an array that stand for several tasks are counted from here on: no system has so high a task index.
_TOGETHER = 1 << 31


def task_keys(job_ids: pa.Array | pa.ChunkedArray, tasks: pa.Array | pa.ChunkedArray, together: pa.Array) -> pa.Array:
    """Return the keys of rows of ``TASK_COLUMNS``.

    A job number is the upper half, so that keys are in the order of submission; the index of the task the lower one
    (0: no array). Several rows of one job that stand for waiting tasks are counted in their order: which tasks they
    stand for changes, what they are does not. Ids that are no numbers below 2**31 are hashed (xxh32, upper bit set).

    Parameters
    ----------
    job_ids
        Ids as text.
    tasks
        Index of the one task of each row; null otherwise.
    together
        Booleans: whether the row stands for the waiting tasks of an array.
    """
    import numpy as np
    import pyarrow as pa

    try:
        numbers = np.asarray(job_ids.cast(pa.uint64()))
    except pa.ArrowInvalid:
        numbers = np.fromiter(map(_number_of, job_ids.to_pylist()), np.uint64, len(job_ids))
    if numbers.size and numbers.max() >= _TOGETHER:
        numbers = np.fromiter(map(_number_of, job_ids.to_pylist()), np.uint64, len(job_ids))
    lower = np.asarray(tasks.fill_null(0)).astype(np.uint64)
    waiting = np.flatnonzero(np.asarray(together))
    if waiting.size:
        _, inverse = np.unique(numbers[waiting], return_inverse=True)
        # The rows of a job stand in some order; the n-th of its rows for waiting tasks is number n.
        order = np.argsort(inverse, kind="stable")
        starts = np.r_[0, np.flatnonzero(np.diff(inverse[order])) + 1]
        place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
        ordinal = np.empty(len(order), np.uint64)
        ordinal[order] = place.astype(np.uint64)
        lower[waiting] = _TOGETHER + ordinal
    return pa.array((numbers << np.uint64(32)) | lower, pa.uint64())


def _number_of(job_id: str) -> int:
    import xxhash

    if job_id.isdecimal() and int(job_id) < _TOGETHER:
        return int(job_id)
    return int(xxhash.xxh32_intdigest(job_id.encode())) | _TOGETHER


def named_keys(*names: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the keys of rows that are told apart by names (a host; a queue and a host): xxh64 of them."""
    import pyarrow as pa
    import xxhash

    rows = zip(*(column.to_pylist() for column in names), strict=True)
    return pa.array([xxhash.xxh64_intdigest("@".join(map(str, row)).encode()) for row in rows], pa.uint64())
