"""What the scheduler tells of jobs, queues and hosts, as JSON data. Times are seconds since the epoch."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.process_tree import descendants, measure
from gcs_lab.backends.embedded.task import Phase
from gcs_lab.status.protocol import JOB_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.backends.embedded.live_runs import LiveRuns
    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.task import Task

__all__ = ["hosts_report", "info_report", "jobs_report", "queues_report", "status_report"]


def status_report(task: Task) -> dict[str, Any]:
    """Return the short answer about a task."""
    first = next(iter(task.slots), None)
    note = task.annotation
    if task.phase is Phase.PENDING and not note:
        note = task.fits_nowhere
    return {
        "state": int(task.state()),
        "sub_state": task.letters(),
        "queue": first.queue if first else None,
        "host": first.host if first else None,
        "slots": sum(task.slots.values()) or None,
        "annotation": note,
    }


def info_report(task: Task, runs: LiveRuns) -> dict[str, Any]:
    """Return all that is known of a task; for one that runs, what it uses is measured now."""
    asked = task.job.request
    outcome = dict(task.outcome)
    if task.active:
        outcome |= _measured(task, runs)
    elif "ru_utime" in outcome:
        outcome["cpu"] = outcome["ru_utime"] + outcome["ru_stime"]
    by_host: Counter[str] = Counter()
    for place, count in task.slots.items():
        by_host[place.host] += count
    return {
        **status_report(task),
        "job_id": task.job.job_id,
        "name": asked.name,
        "owner": task.job.owner,
        "submission_host": asked.submitter.host,
        "machines": list(by_host.items()),
        "submitted": task.job.submitted,
        "dispatched": task.dispatched,
        "finished": task.finished,
        "deleted_by": task.deleted_by,
        "requests": asked.requests,
        "account": asked.account,
        "outcome": outcome,
    }


def _measured(task: Task, runs: LiveRuns) -> dict[str, Any]:
    found: dict[str, Any] = {"wallclock": max(0.0, time.time() - (task.dispatched or 0.0))}
    shepherd = runs.pid(task)
    if shepherd is not None:
        usage = measure(descendants(shepherd))
        found |= {"cpu": usage.cpu, "max_rss": usage.rss, "max_vmem": usage.vmem}
    return found


def jobs_report(tasks: Iterable[Task]) -> dict[str, list[Any]]:
    """Return the tasks as a table, with the columns of the status area's protocol."""
    rows = [_job_row(task) for task in tasks]
    return {name: [row[name] for row in rows] for name in JOB_COLUMNS}


def _job_row(task: Task) -> dict[str, Any]:
    first = next(iter(task.slots), None)
    return {
        "job_id": str(task.job.job_id),
        "task_id": str(task.task_id) if task.task_id else None,
        "name": task.job.request.name,
        "owner": task.job.owner,
        "state": task.letters(),
        "priority": task.job.request.priority,
        "submission_time": task.job.submitted,
        "start_time": task.dispatched if task.active else None,
        "queue": first.queue if first else None,
        "host": first.host if first else None,
        "slots": sum(task.slots.values()) or task.job.request.min_slots,
    }


def _slots_used(scheduler: Scheduler) -> Counter[tuple[str, str]]:
    used: Counter[tuple[str, str]] = Counter()
    for task in scheduler.tasks.values():
        if task.active:
            for place, count in task.slots.items():
                used[place.queue, place.host] += count
    return used


def queues_report(scheduler: Scheduler) -> dict[str, list[Any]]:
    """Return the queue instances as a table."""
    used = _slots_used(scheduler)
    instances = scheduler.layout.instances()
    return {
        "queue": [queue.name for queue, _ in instances],
        "host": [host.name for _, host in instances],
        "slots_used": [used[queue.name, host.name] for queue, host in instances],
        "slots_total": [queue.slots for queue, _ in instances],
        "load_avg": [os.getloadavg()[0]] * len(instances),
        "state": [""] * len(instances),
    }


def hosts_report(scheduler: Scheduler) -> dict[str, list[Any]]:
    """Return the hosts as a table; load and memory in use are this machine's, whatever the host is called."""
    used: Counter[str] = Counter()
    for (_, name), count in _slots_used(scheduler).items():
        used[name] += count
    total: Counter[str] = Counter()
    for queue, host in scheduler.layout.instances():
        total[host.name] += queue.slots
    hosts = scheduler.layout.hosts
    return {
        "host": [host.name for host in hosts],
        "arch": [host.arch for host in hosts],
        "cores": [host.num_proc for host in hosts],
        "load_avg": [os.getloadavg()[0]] * len(hosts),
        "mem_total": [host.mem_total for host in hosts],
        "mem_used": [_memory_used()] * len(hosts),
        "slots_used": [used[host.name] for host in hosts],
        "slots_total": [total[host.name] for host in hosts],
        "state": [""] * len(hosts),
    }


def _memory_used() -> int:
    """Return the bytes of memory that are not available to new programs (``proc(5)``, meminfo)."""
    with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123
        entries = dict(line.split(":", 1) for line in file)
    return (int(entries["MemTotal"].split()[0]) - int(entries["MemAvailable"].split()[0])) * 1024
