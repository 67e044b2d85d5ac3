"""The tasks of a sweep or of an array job, a row each, as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.task_strip import parse_tasks
from gcs_lab.errors import UnsupportedOperation
from gcs_lab.server.job_lookup import STATE_SECONDS, recent_snapshot
from gcs_lab.server.sweep_handles import SWEEPS
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.server.job_lookup import FoundJob

__all__ = ["plain_cell", "task_rows"]

_ARRAY_COLUMNS = ["task", "state", "letters", "queue", "host", "slots", "started"]
_MOST_CHARACTERS = 300


def task_rows(job: FoundJob, first: int, limit: int, state: str = "") -> dict[str, Any]:
    """Return an ``ITaskRows``: of a sweep all of its tasks, of an array job those that have not ended.

    Of a sweep the columns are those of its ``frame``: ``task``, the parameters, ``state``, ``host``, ``wall`` (s),
    ``memory`` (bytes), ``exit``, ``error``, and what the tasks left. Memory is bounded by the sweep's size.

    Parameters
    ----------
    job
        The sweep or array job.
    first, limit
        Which rows, from 0.
    state
        Only tasks in the state of this name (``FAILED``); empty: all.

    Raises
    ------
    UnsupportedOperation
        If it is one job.
    GcsError
        If the folder is gone, or the cluster does not answer.
    """
    if job.is_sweep:
        return _of_sweep(job, first, limit, state)
    if job.entry is not None:
        raise UnsupportedOperation(f"{job.words} is one job: it has no tasks.")
    rows = [row for row in _array_rows(job) if not state or row[1] == state]
    if not rows and not _is_array(job):
        raise UnsupportedOperation(
            f"job {job.job_id} has no tasks in the queue: it is one job, or all of its tasks have ended. Accounting "
            "tells of those."
        )
    return {"columns": _ARRAY_COLUMNS, "rows": rows[first : first + limit], "total": len(rows)}


def _of_sweep(job: FoundJob, first: int, limit: int, state: str) -> dict[str, Any]:
    sweep = SWEEPS.up_to_date(job)
    frame = sweep.frame
    if state:
        with sweep.lock:
            frame = frame[sweep.table.states == int(JobState[state])]
    part = frame.iloc[first : first + limit]
    columns = [part.iloc[:, place].tolist() for place in range(part.shape[1])]
    rows = [
        [int(task), *map(plain_cell, values)] for task, *values in zip(part.index.tolist(), *columns, strict=True)
    ]
    return {"columns": ["task", *map(str, part.columns)], "rows": rows, "total": len(frame)}


def _is_array(job: FoundJob) -> bool:
    details = job.cluster.status.backend.job_details([job.job_id]).get(job.job_id)
    return details is not None and bool(details.task_range)


def _array_rows(job: FoundJob) -> Iterator[list[Any]]:
    import pyarrow.compute as pc

    snapshot = recent_snapshot(job.cluster, STATE_SECONDS) or job.cluster.status.snapshot()
    table = snapshot.tasks.filter(pc.equal(snapshot.tasks["job_id"], job.job_id))
    for row in table.to_pylist():
        if row["tasks"] is None:
            continue
        started = row["start_time"].timestamp() if row["start_time"] is not None else None
        known = [row["state"], row["letters"], row["queue"], row["host"], row["slots"], started]
        if row["task"] is not None:
            yield [row["task"], *known]
            continue
        for piece in parse_tasks(row["tasks"]):
            for task in piece:
                yield [task, *known]


def plain_cell(value: Any) -> str | int | float | None:
    """Return a cell of a table as JSON has it: NaN and the like are null, what is no scalar is its text."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    text = value if isinstance(value, str) else value.isoformat() if hasattr(value, "isoformat") else repr(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
