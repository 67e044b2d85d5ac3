"""What is known of a job, in groups for people."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_memory, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gcs_lab.status import JobDetails, TaskDetails

__all__ = ["clock", "fact_groups", "usage_rows"]

#: What is used: its label, the names under which it is asked for (the first that is counts), how they are read,
#: whether a request counts for each slot (queue_conf(5): limits of memory and CPU do), and its unit.
_USAGE: tuple[tuple[str, str, tuple[str, ...], Callable[[str], float], bool, str], ...] = (
    ("wallclock", "Wall time", ("h_rt", "s_rt"), parse_time, False, "seconds"),
    ("cpu", "CPU time", ("h_cpu", "s_cpu"), parse_time, True, "seconds"),
    ("max_vmem", "Virtual memory, peak", ("h_vmem", "s_vmem"), parse_memory, True, "bytes"),
    ("max_rss", "Memory, peak", ("h_rss", "s_rss"), parse_memory, True, "bytes"),
    ("io", "Read and written", (), parse_memory, False, "bytes"),
)
_MOST_CHARACTERS = 2_000
_Rows = list[tuple[str, object]]


def clock(moment: datetime | None) -> str:
    """Return a time as this machine's clock shows it, with the zone; empty if it is not known."""
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def fact_groups(
    details: JobDetails | None, row: Mapping[str, Any], task: TaskDetails | None, index: int | None
) -> list[dict[str, Any]]:
    """Return titled groups of label and value; what is not known is left out.

    Parameters
    ----------
    details
        What the system tells of the job; None: nothing.
    row
        Its row of ``JOB_COLUMNS`` or ``TASK_COLUMNS``; may be empty.
    task
        The task that was opened, or the one there is, if it has started.
    index
        Index of the task that was opened.
    """
    facts = [
        ("Identity", _identity(details, row, index)),
        ("Where", _where(details, row, task)),
        ("Times", _times(details, row, task)),
    ]
    if details is not None:
        facts += [
            ("Requests", _requests(details)),
            ("Files", _files(details, task)),
            ("Dependencies", [("Waits for", ", ".join(details.waits_for))]),
        ]
    facts.append(("Scheduler", _scheduler(row, task)))
    if details is not None:
        facts.append(("As the system tells it", list(details.facts.items())))
    groups = []
    for title, rows in facts:
        if told := [[label, _cut(value)] for label, value in rows if value not in (None, "")]:
            groups.append({"title": title, "rows": told})
    return groups


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} … ({len(text):,} characters)"


def _identity(details: JobDetails | None, row: Mapping[str, Any], index: int | None) -> _Rows:
    return [
        ("Job", row.get("job_id") or (details.job_id if details else "")),
        ("Task", index),
        ("Name", row.get("name") or (details.name if details else "")),
        ("Owner", row.get("owner") or (details.owner if details else "")),
        ("Project", row.get("project") or (details.project if details else "")),
        ("Department", row.get("department")),
        ("Tasks", details.task_range if details else ""),
        ("At most at once (-tc)", details.max_parallel if details else ""),
    ]


def _where(details: JobDetails | None, row: Mapping[str, Any], task: TaskDetails | None) -> _Rows:
    return [
        ("Queue", row.get("queue") or (task.queue if task else "")),
        ("Host", row.get("host") or (task.host if task else "")),
        ("Slots", row.get("slots")),
        (
            "Parallel environment",
            row.get("parallel_environment") or (details.parallel_environment if details else ""),
        ),
        ("Working directory", details.working_directory if details else ""),
    ]


def _times(details: JobDetails | None, row: Mapping[str, Any], task: TaskDetails | None) -> _Rows:
    return [
        ("Submitted", clock(row.get("submission_time") or (details.submission_time if details else None))),
        # Of an array as a whole: `row` is then one of JOB_COLUMNS.
        (
            "Started, the first that runs" if row.get("array") and "task" not in row else "Started",
            clock((task.start_time if task else None) or row.get("start_time")),
        ),
    ]


def _requests(details: JobDetails) -> _Rows:
    return [
        ("Hard (-l)", _listed(details.requests)),
        ("Soft (-soft -l)", _listed(details.soft_requests)),
        ("Queues (-q)", ", ".join(details.queues)),
        ("Priority (-p)", details.posix_priority or ""),
    ]


def _files(details: JobDetails, task: TaskDetails | None) -> _Rows:
    return [
        ("Command", " ".join([details.command, *details.arguments])),
        ("Standard output", task.stdout_path if task else ""),
        ("Standard error", task.stderr_path if task else ""),
    ]


def _scheduler(row: Mapping[str, Any], task: TaskDetails | None) -> _Rows:
    priority = row.get("priority")
    return [
        ("State letters", (task.letters if task else "") or row.get("letters")),
        ("Priority in its order", "" if priority is None else f"{priority:.5f}"),
        ("Message", task.message if task else ""),
    ]


def _listed(requests: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in requests.items())


def usage_rows(
    details: JobDetails | None, row: Mapping[str, Any], tasks: Sequence[TaskDetails], now: float
) -> list[dict[str, Any]]:
    """Return what a job, or a task of one, used so far beside what it asked for (``usage`` of ``IDetails``).

    Parameters
    ----------
    details
        What the system tells of the job.
    row
        Its row in the table.
    tasks
        The tasks that are meant; of several the largest figure is told.
    now
        Seconds since the epoch, of the snapshot.
    """
    used: dict[str, float] = {}
    for task in tasks:
        figures = dict(task.usage)
        if task.start_time is not None:
            figures.setdefault("wallclock", max(now - task.start_time.timestamp(), 0.0))
        for name, value in figures.items():
            used[name] = max(used.get(name, 0.0), value)
    if not tasks and isinstance(start := row.get("start_time"), datetime):
        used = {"wallclock": max(now - start.timestamp(), 0.0)}
        if row.get("cpu") is not None:
            used["cpu"] = float(row["cpu"])
    requests = details.requests if details is not None else {}
    slots = int(row.get("slots") or 1) if len(tasks) <= 1 else 1
    several = ", most of one task" if len(tasks) > 1 else ""
    return [
        {
            "label": label + several,
            "used": round(used[name], 1),
            "asked": _asked(requests, names, read, slots if by_slot else 1),
            "unit": unit,
        }
        for name, label, names, read, by_slot, unit in _USAGE
        if name in used
    ]


def _asked(
    requests: Mapping[str, str], names: Iterable[str], read: Callable[[str], float], slots: int
) -> float | None:
    for name in names:
        if name in requests:
            try:
                value = read(requests[name]) * slots
            except InvalidArgument:
                continue
            return value if math.isfinite(value) else None
    return None
