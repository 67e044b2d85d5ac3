"""The rows of ``qstat``: a job, a task that has started or is in error, the tasks of an array that wait together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from gcs_lab.backends.embedded.state_codes import WAITING_CODES
from gcs_lab.backends.embedded.task import Phase, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcs_lab.backends.embedded.array_job import ArrayJob

__all__ = ["ROW_COLUMNS", "StandIn", "columns_of", "stand_ins"]

#: What is sent of each row; the client makes ``TASK_COLUMNS`` of it. Times are seconds since the epoch.
ROW_COLUMNS = (
    "job_id",
    "tasks",
    "task",
    "task_count",
    "name",
    "owner",
    "letters",
    "state",
    "priority",
    "slots",
    "queue",
    "host",
    "submitted",
    "started",
    "parallel_environment",
    "requests",
)
_RUN = re.compile(rb"\x01+")


class StandIn(NamedTuple):
    """A task, or one of several that wait together; ``tasks`` are their indices as qstat prints them."""

    task: Task
    tasks: str | None = None
    number: int = 1


def stand_ins(entry: Task | ArrayJob) -> Iterator[StandIn]:
    """Yield what stands for the tasks of a job that have not ended, one for each row."""
    if isinstance(entry, Task):
        yield StandIn(entry)
        return
    alone = [task for task in entry.rows.values() if task.phase is not Phase.PENDING]
    for task in sorted(alone, key=lambda task: task.task_id):
        yield StandIn(task, str(task.task_id))
    by_letters: dict[str, list[int]] = {}
    for code in sorted(code for code in set(entry.codes) if code < WAITING_CODES):
        by_letters.setdefault(entry.meaning(code)[1], []).append(code)
    # Not in the order of their indices: the n-th row shall be the same thing at the next look.
    for codes in by_letters.values():
        yield _together(entry, codes)


def _together(array: ArrayJob, codes: list[int]) -> StandIn:
    """Return what stands for the tasks with these codes."""
    # 100,000 tasks in a few runs cost a few steps.
    marked = array.codes.translate(bytes(code in codes for code in range(256)))
    runs = [match.span() for match in _RUN.finditer(marked)]
    indices, step = array.tasks.indices, array.tasks.step
    words = (
        str(indices[start]) if end - start == 1 else f"{indices[start]}-{indices[end - 1]}:{step}"
        for start, end in runs
    )
    return StandIn(array.pending(indices[runs[0][0]]), ",".join(words), sum(end - start for start, end in runs))


def columns_of(entries: Iterable[Task | ArrayJob]) -> dict[str, list[Any]]:
    """Return the rows of some jobs as JSON data, by column (:data:`ROW_COLUMNS`)."""
    rows = [_row(one) for entry in entries for one in stand_ins(entry)]
    columns = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in ROW_COLUMNS]
    return dict(zip(ROW_COLUMNS, columns, strict=True))


def _row(one: StandIn) -> tuple[Any, ...]:
    task = one.task
    job, first = task.job, next(iter(task.slots), None)
    asked = job.shared.request
    state, letters = task.state_and_letters()
    environment = asked.parallel_environment
    granted = sum(task.slots.values()) if task.slots else 0
    return (
        job.job_id,
        one.tasks,
        task.task_id if one.tasks is not None and one.number == 1 and not _waits(task) else None,
        one.number,
        job.asked("name"),
        job.owner,
        letters,
        state.name,
        asked.priority,
        granted or asked.min_slots,
        first.queue if first else None,
        first.host if first else None,
        job.submitted,
        task.dispatched if task.active else None,
        environment and f"{environment} {granted or _asked_slots(asked.min_slots, asked.max_slots)}",
        ",".join(f"{name}={value}" for name, value in asked.requests.items()) or None,
    )


def _waits(task: Task) -> bool:
    return task.phase is Phase.PENDING


def _asked_slots(least: int, most: int) -> str:
    return str(least) if least == most else f"{least}-{most}"
