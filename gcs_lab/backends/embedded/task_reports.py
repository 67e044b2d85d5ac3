"""What the scheduler tells of jobs and tasks, as JSON data. Times are seconds since the epoch."""

from __future__ import annotations

import base64
import itertools
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.process_tree import descendants, measure
from gcs_lab.backends.embedded.task import Phase, Task
from gcs_lab.backends.embedded.task_rows import stand_ins
from gcs_lab.backends.embedded.waiting_reasons import why_waits
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.array_job import ArrayJob
    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.task import Job

__all__ = ["array_info", "array_report", "array_status", "live_infos", "measured", "task_info", "task_status"]

#: Of an array as a whole: the state of the task that is furthest, from the furthest on.
_FURTHEST = (
    JobState.RUNNING,
    JobState.SUSPENDED,
    JobState.QUEUED,
    JobState.REQUEUED,
    JobState.QUEUED_HELD,
    JobState.REQUEUED_HELD,
)
#: So many tasks in error state have their reason told with the states of all.
_MOST_ANNOTATIONS = 1000


def task_status(task: Task, scheduler: Scheduler) -> dict[str, Any]:
    """Return the short answer about a task."""
    state, letters = task.state_and_letters()
    first = next(iter(task.slots), None)
    note = task.annotation
    if task.phase is Phase.PENDING and not note:
        note = why_waits(task, scheduler)
    elif task.active and task.halted and not note:
        note = scheduler.keeper.book.why_halted(task.slots)
    return {
        "state": int(state),
        "sub_state": letters,
        "queue": first.queue if first else None,
        "host": first.host if first else None,
        "slots": sum(task.slots.values()) or None,
        "annotation": note,
    }


def array_status(array: ArrayJob, scheduler: Scheduler) -> dict[str, Any]:
    """Return the short answer about an array as a whole."""
    state, letters, like = _furthest(array)
    told = task_status(like, scheduler) if like is not None else task_status(Task(array.job), scheduler)
    if array.all_ended():
        told["annotation"] = None
        codes = [code for code in set(array.codes) if array.meaning(code)[0] is JobState.FAILED]
        failed = sum(map(array.codes.count, codes))
        if failed:
            told["annotation"] = f"{failed} of {len(array.codes)} tasks failed"
    elif letters.startswith("E") and like is not None:
        told["annotation"] = f"task {like.task_id}: {like.annotation}"
    return {**told, "state": int(state), "sub_state": letters}


def _furthest(array: ArrayJob) -> tuple[JobState, str, Task | None]:
    """Return state and letters of the whole, and the first task that is in it, if that is known here."""
    by_pair: dict[tuple[JobState, str], int] = {}
    for code in sorted(set(array.codes)):
        by_pair.setdefault(array.meaning(code), code)
    for state in _FURTHEST:
        for pair, code in by_pair.items():
            if pair[0] is state:
                return *pair, array.task(array.tasks.indices[array.codes.find(code)])
    for pair, code in by_pair.items():
        if pair[1].startswith("E"):
            return *pair, array.task(array.tasks.indices[array.codes.find(code)])
    failed = any(pair[0] is JobState.FAILED for pair in by_pair)
    return (JobState.FAILED if failed else JobState.DONE), "z", None


def array_report(array: ArrayJob) -> dict[str, Any]:
    """Return the states of all tasks of an array, a byte each."""
    report = array.packed_report()
    errors = [task for task in array.rows.values() if task.phase is Phase.ERROR][:_MOST_ANNOTATIONS]
    annotations = {task.task_id: task.annotation for task in errors if task.annotation} | report.notes
    return {
        "tasks": [array.tasks.begin, array.tasks.end, array.tasks.step],
        "palette": [[int(state), letters] for state, letters in report.palette],
        "codes": base64.b64encode(report.codes).decode("ascii"),
        "annotations": list(annotations.items()),
    }


def _job_info(job: Job) -> dict[str, Any]:
    asked = job.shared.request
    return {
        "name": job.asked("name"),
        "owner": job.owner,
        "submission_host": asked.submitter.host,
        "submitted": job.submitted,
        "requests": asked.requests,
        "account": asked.account,
        "granted_pe": asked.parallel_environment or "NONE",
    }


def task_info(task: Task, scheduler: Scheduler) -> dict[str, Any]:
    """Return all that is known of a task; for one that runs, what it uses is measured now."""
    outcome = dict(task.outcome)
    if task.active:
        outcome |= measured(task, scheduler)
    elif "ru_utime" in outcome:
        outcome["cpu"] = outcome["ru_utime"] + outcome["ru_stime"]
    by_host: Counter[str] = Counter()
    for place, count in task.slots.items():
        by_host[place.host] += count
    return {
        **_job_info(task.job),
        **task_status(task, scheduler),
        "job_id": task.name,
        "machines": list(by_host.items()),
        "dispatched": task.dispatched,
        "finished": task.finished,
        "deleted_by": task.deleted_by,
        "outcome": outcome,
    }


def array_info(array: ArrayJob, scheduler: Scheduler) -> dict[str, Any]:
    """Return what the tasks of an array share, and what their times and usage come to."""
    started, ended, status, wall, cpu, vmem, rss, failed = scheduler.database.array_totals(array.job.job_id)
    for ending in array.endings:
        ended = max(ended or 0.0, ending.finished)
    by_host: Counter[str] = Counter()
    for task in array.rows.values():
        for place, count in task.slots.items():
            by_host[place.host] += count
    outcome = {"wallclock": wall, "cpu": cpu, "max_vmem": vmem, "max_rss": rss}
    if array.all_ended():
        outcome |= {"exit_status": status, "failed": failed}
    return {
        **_job_info(array.job),
        **array_status(array, scheduler),
        "job_id": str(array.job.job_id),
        "slots": sum(by_host.values()) or None,
        "machines": list(by_host.items()),
        "dispatched": started,
        "finished": ended if array.all_ended() else None,
        "deleted_by": next((ending.deleted_by for ending in array.endings if ending.deleted_by), None),
        "outcome": {name: value for name, value in outcome.items() if value is not None},
    }


def measured(task: Task, scheduler: Scheduler) -> dict[str, Any]:
    """Return what a running task has used so far: wall clock and CPU seconds, bytes of memory now."""
    found: dict[str, Any] = {"wallclock": max(0.0, time.time() - (task.dispatched or 0.0))}
    shepherd = scheduler.watch.runs.pid(task)
    if shepherd is not None:
        usage = measure(descendants(shepherd))
        found |= {"cpu": usage.cpu, "max_rss": usage.rss, "max_vmem": usage.vmem}
    return found


def live_infos(scheduler: Scheduler) -> list[dict[str, Any]]:
    """Return what is known of all jobs that have not ended; the waiting tasks of an array stand together."""
    found: dict[str, dict[str, Any]] = {}
    for task, tasks, _ in itertools.chain.from_iterable(map(stand_ins, scheduler.jobs.values())):
        told = task_info(task, scheduler)
        if task.phase is Phase.PENDING and tasks is not None:
            told["job_id"] = str(task.job.job_id)
            # Those that nothing holds stand for all that wait.
            known = found.get(told["job_id"])
            if known is not None and JobState(told["state"]).held:
                continue
        found[told["job_id"]] = told
    return list(found.values())
