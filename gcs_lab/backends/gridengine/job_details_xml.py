"""Read what ``qstat -j ID,ID -xml`` prints: all that the qmaster knows of jobs that have not ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.qstat_xml import elements, local_time

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

__all__ = ["JobDetails", "parse_details"]

#: 9.x may give times in microseconds; no time in seconds will be this large for the next 3,000 years.
_MICROSECONDS_FROM = 1e11


@dataclass(frozen=True)
class JobDetails:
    """A job that has not ended. Times are aware (UTC), memory is bytes, ``cpu`` is seconds.

    ``error_reason`` is why it is in state E; ``context`` is what was set with ``qsub -ac``.
    """

    job_id: str
    name: str
    owner: str
    submission_time: datetime | None = None
    start_time: datetime | None = None
    submission_host: str | None = None
    requests: dict[str, str] = field(default_factory=dict)
    context: dict[str, str] = field(default_factory=dict)
    error_reason: str | None = None
    cpu: float | None = None
    max_vmem: int | None = None
    max_rss: int | None = None
    machines: dict[str, int] = field(default_factory=dict)


def _time(text: str | None) -> datetime | None:
    try:
        seconds = float(text or 0)
    except ValueError:
        return local_time(text)  # 9.2
    if seconds >= _MICROSECONDS_FROM:
        seconds /= 1e6
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None


def _usage(job: ET.Element) -> dict[str, float]:
    """Return the usage so far; of several tasks or versions of a value, the largest."""
    usage: dict[str, float] = {}
    for entry in job.iter():
        name, value = entry.findtext("UA_name"), entry.findtext("UA_value")
        if name and value:
            usage[name] = max(usage.get(name, 0.0), float(value))
    return usage


def _pairs(job: ET.Element, path: str) -> dict[str, str]:
    parent = job.find(path)
    entries = [] if parent is None else list(parent)
    return {e.findtext("VA_variable") or "": e.findtext("VA_value") or "" for e in entries}


def _error_reason(job: ET.Element) -> str | None:
    messages = [text.strip() for e in job.iter("QIM_message") if (text := e.text)]
    if not messages:
        return None
    # "11/21/2026 02:52:13 [0:19814]: error: can't chdir …": what comes before is for the daemon's log only.
    return messages[-1].partition("error: ")[2] or messages[-1]


def _machines(job: ET.Element) -> dict[str, int]:
    machines: dict[str, int] = {}
    for granted in job.iter():
        host = granted.findtext("JG_qhostname")
        if host:
            machines[host] = machines.get(host, 0) + int(float(granted.findtext("JG_slots") or 1))
    return machines


def _details(job: ET.Element) -> JobDetails:
    usage = _usage(job)
    environment = _pairs(job, "JB_env_list")
    requests = {
        e.findtext("CE_name") or "": e.findtext("CE_stringval") or ""
        for tag in ("JB_hard_resource_list", "JRS_hard_resource_list")  # the latter since 9.1
        for resources in job.iter(tag)
        for e in resources
    }
    started = [t for e in job.iter("JAT_start_time") if (t := _time(e.text))]
    return JobDetails(
        job_id=job.findtext("JB_job_number") or "",
        name=job.findtext("JB_job_name") or "",
        owner=job.findtext("JB_owner") or "",
        submission_time=_time(job.findtext("JB_submission_time")),
        start_time=min(started, default=None),
        submission_host=environment.get("__SGE_PREFIX__O_HOST"),
        requests=requests,
        context=_pairs(job, "JB_context"),
        error_reason=_error_reason(job),
        cpu=usage.get("cpu"),
        max_vmem=int(usage["maxvmem"]) if usage.get("maxvmem") else None,
        max_rss=int(usage["maxrss"]) if usage.get("maxrss") else None,
        machines=_machines(job),
    )


def parse_details(document: bytes) -> dict[str, JobDetails]:
    """Return the jobs in the output of ``qstat -j … -xml``, by id; empty where it says ``unknown_jobs``.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    found: dict[str, JobDetails] = {}
    # The list items are all called "element", also those within a job: only djob_info's children are jobs.
    for info in elements(document, "djob_info"):
        for job in info:
            details = _details(job)
            if details.job_id:
                found[details.job_id] = details
    return found
