"""Why a task waits, in words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.array_job import ArrayJob

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.task import Task

__all__ = ["why_blocked", "why_waits"]

#: So many predecessors are named.
_MOST_NAMED = 5


def why_waits(task: Task, scheduler: Scheduler) -> str | None:
    """Return why a task that waits does not start, if there is more to say than that there is no room."""
    if task.blocked:
        return why_blocked(task, scheduler)
    entry = scheduler.jobs.get(task.job.job_id)
    if isinstance(entry, ArrayJob) and entry.max_parallel and entry.active >= entry.max_parallel:
        return f"its array runs at most {entry.max_parallel} tasks at once"
    return task.job.shared.fits_nowhere or scheduler.why_no_room(task.request)


def why_blocked(task: Task, scheduler: Scheduler) -> str | None:
    """Return what keeps a task back: other jobs, its start time, the same task of other arrays; None if nothing."""
    job = task.job
    left = [other for other in job.waits_for if other in scheduler.jobs]
    if left:
        return f"waits for {_listed(left)}"
    if job.job_id in scheduler.early:
        at = datetime.fromtimestamp(job.asked("start_time")).astimezone()
        return f"waits for its start time, {at:%Y-%m-%d %H:%M:%S}"
    arrays = [other for other in job.waits_for_tasks_of if other in scheduler.jobs]
    if not arrays:
        return None
    which = f"task {task.task_id}" if task.task_id else "the same task"
    return f"waits for {which} of {_listed(arrays)}"


def _listed(job_ids: list[int]) -> str:
    named = ", ".join(map(str, job_ids[:_MOST_NAMED]))
    more = f" and {len(job_ids) - _MOST_NAMED} more" if len(job_ids) > _MOST_NAMED else ""
    return f"{'job' if len(job_ids) == 1 else 'jobs'} {named}{more}"
