"""What the scheduler tells of jobs and tasks, as JSON data. Times are seconds since the epoch."""

from __future__ import annotations

import base64
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.process_tree import descendants, measure
from gcs_lab.backends.embedded.state_codes import WAITING_CODES
from gcs_lab.backends.embedded.task import Phase, Task
from gcs_lab.backends.embedded.waiting_reasons import why_waits
from gcs_lab.status.protocol import JOB_COLUMNS
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcs_lab.backends.embedded.array_job import ArrayJob
    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.task import Job

__all__ = ["array_info", "array_report", "array_status", "jobs_report", "live_infos", "task_info", "task_status"]

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
        outcome |= _measured(task, scheduler)
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


def _measured(task: Task, scheduler: Scheduler) -> dict[str, Any]:
    found: dict[str, Any] = {"wallclock": max(0.0, time.time() - (task.dispatched or 0.0))}
    shepherd = scheduler.watch.runs.pid(task)
    if shepherd is not None:
        usage = measure(descendants(shepherd))
        found |= {"cpu": usage.cpu, "max_rss": usage.rss, "max_vmem": usage.vmem}
    return found


def _stand_ins(scheduler: Scheduler) -> Iterator[tuple[Task, str | None]]:
    """Yield all tasks that have not ended, with their task ids; the waiting ones of an array together, as qstat."""
    for entry in scheduler.jobs.values():
        if isinstance(entry, Task):
            yield entry, None
            continue
        alone = [task for task in entry.rows.values() if task.phase is not Phase.PENDING]
        for task in sorted(alone, key=lambda task: task.task_id):
            yield task, str(task.task_id)
        waiting: dict[str, list[int]] = {}
        of_code = {code: entry.meaning(code)[1] for code in set(entry.codes) if code < WAITING_CODES}
        for place, code in enumerate(entry.codes):
            if code in of_code:
                waiting.setdefault(of_code[code], []).append(entry.tasks.indices[place])
        for indices in waiting.values():
            yield entry.pending(indices[0]), _ranges(indices, entry.tasks.step)


def _ranges(indices: list[int], step: int) -> str:
    """Return indices as qstat prints them: ``1-3:1,7``."""
    parts = []
    first = last = indices[0]
    for index in [*indices[1:], None]:
        if index is not None and index == last + step:
            last = index
            continue
        parts.append(str(first) if first == last else f"{first}-{last}:{step}")
        if index is not None:
            first = last = index
    return ",".join(parts)


def live_infos(scheduler: Scheduler) -> list[dict[str, Any]]:
    """Return what is known of all jobs that have not ended; the waiting tasks of an array stand together."""
    found: dict[str, dict[str, Any]] = {}
    for task, tasks in _stand_ins(scheduler):
        told = task_info(task, scheduler)
        if task.phase is Phase.PENDING and tasks is not None:
            told["job_id"] = str(task.job.job_id)
            # Those that nothing holds stand for all that wait.
            known = found.get(told["job_id"])
            if known is not None and JobState(told["state"]).held:
                continue
        found[told["job_id"]] = told
    return list(found.values())


def jobs_report(scheduler: Scheduler) -> dict[str, list[Any]]:
    """Return the jobs as a table, with the columns of the status area's protocol."""
    return _columns(_job_row(task, tasks) for task, tasks in _stand_ins(scheduler))


def _columns(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    columns = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in JOB_COLUMNS]
    return dict(zip(JOB_COLUMNS, columns, strict=True))


def _job_row(task: Task, tasks: str | None) -> tuple[Any, ...]:
    """Return a row, in the order of ``JOB_COLUMNS``."""
    first = next(iter(task.slots), None)
    asked = task.job.shared.request
    return (
        str(task.job.job_id),
        tasks,
        task.job.asked("name"),
        task.job.owner,
        task.letters(),
        asked.priority,
        task.job.submitted,
        task.dispatched if task.active else None,
        first.queue if first else None,
        first.host if first else None,
        sum(task.slots.values()) or asked.min_slots,
    )
