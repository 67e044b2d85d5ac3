"""Read what ``qstat -j ID,ID -xml`` prints: all that the qmaster knows of jobs that have not ended."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from gcs_lab.backends.gridengine.qstat_xml import elements, local_time
from gcs_lab.vocabulary import TaskRange

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterator

__all__ = [
    "JobDetails",
    "TaskDetails",
    "error_reason_of",
    "jobs_in",
    "pairs_of",
    "parse_contexts",
    "parse_details",
    "parse_reservations_of_jobs",
    "parse_submission_times",
    "parse_task_ranges",
    "resources_of",
    "task_range_of",
    "time_of",
    "usage_of",
]

#: 9.x may give times in microseconds; no time in seconds will be this large for the next 3,000 years.
_MICROSECONDS_FROM = 1e11
#: Bit of ``JB_type`` (``JOB_TYPE_ARRAY``, sge_job.h; seen on 8.1.9 and 9.2).
_ARRAY = 0x80
_LOG_ONLY = re.compile(r"\A[\d/-]+ [\d:.]+ \[\d+:\d+\]: (error: )?")


@dataclass(frozen=True)
class TaskDetails:
    """A task that runs, ran, or is in error: one of an array job's, or the only one of a single job.

    Times are aware (UTC), memory is bytes, ``cpu`` is seconds; ``error_reason`` is why it is in state E.
    """

    start_time: datetime | None = None
    error_reason: str | None = None
    cpu: float | None = None
    max_vmem: int | None = None
    max_rss: int | None = None
    machines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class JobDetails:
    """A job that has not ended. Times are aware (UTC).

    ``tasks`` has those tasks, by index (1 for a single job), that are not just waiting; ``task_range`` is that of an
    array job, None for a single job; ``context`` is what was set with ``qsub -ac``.
    """

    job_id: str
    name: str
    owner: str
    submission_time: datetime | None = None
    submission_host: str | None = None
    requests: dict[str, str] = field(default_factory=dict)
    context: dict[str, str] = field(default_factory=dict)
    tasks: dict[int, TaskDetails] = field(default_factory=dict)
    task_range: TaskRange | None = None

    @property
    def error_reason(self) -> str | None:
        """Why the job, or the first such task of it, is in state E."""
        return next((task.error_reason for task in self.tasks.values() if task.error_reason), None)

    @property
    def start_time(self) -> datetime | None:
        """When the first of its tasks that run now started."""
        return min((task.start_time for task in self.tasks.values() if task.start_time), default=None)

    @property
    def machines(self) -> dict[str, int]:
        """Slots by host, of all tasks that run."""
        slots: Counter[str] = Counter()
        for task in self.tasks.values():
            slots.update(task.machines)
        return dict(slots)


def time_of(text: str | None) -> datetime | None:
    """Return a time of such an output in UTC, in whichever form the version gives it; None for 0."""
    try:
        seconds = float(text or 0)
    except ValueError:
        return local_time(text)  # 9.2
    if seconds >= _MICROSECONDS_FROM:
        seconds /= 1e6
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None


def usage_of(task: ET.Element) -> dict[str, float]:
    """Return the usage so far; of several versions of a value, the largest."""
    usage: dict[str, float] = {}
    for entry in task.iter():
        name, value = entry.findtext("UA_name"), entry.findtext("UA_value")
        if name and value:
            usage[name] = max(usage.get(name, 0.0), float(value))
    return usage


def pairs_of(job: ET.Element, path: str) -> dict[str, str]:
    """Return the variables in one of a job's lists: ``JB_env_list``, ``JB_context``."""
    parent = job.find(path)
    entries = [] if parent is None else list(parent)
    return {e.findtext("VA_variable") or "": e.findtext("VA_value") or "" for e in entries}


def error_reason_of(task: ET.Element) -> str | None:
    """Return why a task's element is in error state, without what is for the daemon's log only."""
    messages = [text.strip() for e in task.iter("QIM_message") if (text := e.text)]
    if not messages:
        return None
    # "11/21/2026 02:52:13 [0:19814]: error: can't chdir …": what comes before is for the daemon's log only.
    return _LOG_ONLY.sub("", messages[-1]) or messages[-1]


def _machines(task: ET.Element) -> dict[str, int]:
    machines: dict[str, int] = {}
    for granted in task.iter():
        host = granted.findtext("JG_qhostname")
        if host:
            machines[host] = machines.get(host, 0) + int(float(granted.findtext("JG_slots") or 1))
    return machines


def _task(element: ET.Element) -> TaskDetails:
    usage = usage_of(element)
    return TaskDetails(
        start_time=time_of(element.findtext("JAT_start_time")),
        error_reason=error_reason_of(element),
        cpu=usage.get("cpu"),
        max_vmem=int(usage["maxvmem"]) if usage.get("maxvmem") else None,
        max_rss=int(usage["maxrss"]) if usage.get("maxrss") else None,
        machines=_machines(element),
    )


def task_range_of(job: ET.Element) -> TaskRange | None:
    """Return the tasks of an array job's element; None for a single job."""
    if not int(job.findtext("JB_type") or 0) & _ARRAY:
        return None
    found = [
        TaskRange(*(int(r.findtext(tag) or 1) for tag in ("RN_min", "RN_max", "RN_step")))
        for r in job.iterfind("JB_ja_structure/task_id_range")
    ]
    return found[0] if found else None


def resources_of(job: ET.Element, kind: Literal["hard", "soft"]) -> dict[str, str]:
    """Return the hard or the soft requests of a job's element (``qsub -l``), each value as it was written."""
    return {
        e.findtext("CE_name") or "": e.findtext("CE_stringval") or ""
        for tag in (f"JB_{kind}_resource_list", f"JRS_{kind}_resource_list")  # the latter since 9.1
        for resources in job.iter(tag)
        for e in resources
    }


def _details(job: ET.Element) -> JobDetails:
    environment = pairs_of(job, "JB_env_list")
    return JobDetails(
        job_id=job.findtext("JB_job_number") or "",
        name=job.findtext("JB_job_name") or "",
        owner=job.findtext("JB_owner") or "",
        submission_time=time_of(job.findtext("JB_submission_time")),
        submission_host=environment.get("__SGE_PREFIX__O_HOST"),
        requests=resources_of(job, "hard"),
        context=pairs_of(job, "JB_context"),
        tasks={int(e.findtext("JAT_task_number") or 1): _task(e) for e in job.iterfind("JB_ja_tasks/*")},
        task_range=task_range_of(job),
    )


def jobs_in(document: bytes) -> Iterator[ET.Element]:
    """Yield the jobs' elements; each is forgotten with the last of them."""
    # The list items are all called "element", also those within a job: only djob_info's children are jobs.
    for info in elements(document, "djob_info"):
        yield from info


def parse_details(document: bytes) -> dict[str, JobDetails]:
    """Return the jobs in the output of ``qstat -j … -xml``, by id; empty where it says ``unknown_jobs``.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    found = {details.job_id: details for details in map(_details, jobs_in(document))}
    found.pop("", None)
    return found


def parse_task_ranges(document: bytes) -> dict[str, TaskRange]:
    """Return the tasks of the array jobs among those in such an output. Raises as :func:`parse_details`."""
    found = {job.findtext("JB_job_number") or "": task_range_of(job) for job in jobs_in(document)}
    return {job_id: tasks for job_id, tasks in found.items() if tasks is not None}


def parse_contexts(document: bytes) -> dict[str, dict[str, str]]:
    """Return only the context of each of the jobs in such an output. Raises as :func:`parse_details`."""
    return {job.findtext("JB_job_number") or "": pairs_of(job, "JB_context") for job in jobs_in(document)}


def parse_submission_times(document: bytes) -> dict[str, datetime | None]:
    """Return only when each of the jobs in such an output was submitted. Raises as :func:`parse_details`."""
    return {
        job.findtext("JB_job_number") or "": time_of(job.findtext("JB_submission_time")) for job in jobs_in(document)
    }


def parse_reservations_of_jobs(document: bytes) -> dict[str, str | None]:
    """Return only the reservation of each of the jobs in such an output. Raises as :func:`parse_details`."""
    found = {job.findtext("JB_job_number") or "": job.findtext("JB_ar") for job in jobs_in(document)}
    return {job_id: None if ar_id in (None, "", "0") else ar_id for job_id, ar_id in found.items()}
