"""Read from ``qstat -j ID,ID -xml`` what decides when and where a waiting job can start."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.job_details_xml import resources_of, time_of
from gcs_lab.backends.gridengine.qstat_xml import elements

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from datetime import datetime

    from gcs_lab.backends.gridengine.qstat_xml import QueueRow

__all__ = ["PendingJob", "parse_pending_jobs"]


@dataclass(frozen=True)
class PendingJob:
    """What a job asks for.

    ``before`` are the jobs that it waits for, ``before_by_task`` those it waits for task by task. ``start_time`` is
    aware (UTC). ``queues`` are the names and patterns of ``-q``; ``max_parallel`` is that of ``-tc``, 0 for no limit.
    """

    job_id: str
    owner: str
    before: tuple[str, ...] = ()
    before_by_task: tuple[str, ...] = ()
    start_time: datetime | None = None
    environment: str | None = None
    least_slots: int = 1
    queues: tuple[str, ...] = ()
    requests: dict[str, str] = field(default_factory=dict)
    max_parallel: int = 0
    reservation: str | None = None

    @property
    def all_before(self) -> tuple[str, ...]:
        """The jobs that it waits for, in either way."""
        return self.before + self.before_by_task

    @property
    def alike(self) -> tuple[object, ...]:
        """What is the same in jobs that the scheduler treats alike (its job category)."""
        asked = tuple(sorted(self.requests.items()))
        return self.owner, asked, self.environment, self.least_slots, self.queues, self.reservation

    def names(self, queue: QueueRow) -> bool:
        """Tell whether the job may run in a queue instance as far as ``-q`` goes (host groups count as any host)."""
        if not self.queues:
            return True
        for pattern in self.queues:
            name, _, host = pattern.partition("@")
            if fnmatchcase(queue.queue, name or "*") and (
                not host or host.startswith("@") or fnmatchcase(queue.host, host)
            ):
                return True
        return False


def parse_pending_jobs(document: bytes) -> dict[str, PendingJob]:
    """Return the jobs in such an output, by id.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    found: dict[str, PendingJob] = {}
    for info in elements(document, "djob_info"):
        for job in info:
            made = _job(job)
            if made.job_id:
                found[made.job_id] = made
    return found


def _job(job: ET.Element) -> PendingJob:
    least = [int(r.findtext("RN_min") or 1) for r in job.iterfind("JB_pe_range/*")]
    return PendingJob(
        job_id=job.findtext("JB_job_number") or "",
        owner=job.findtext("JB_owner") or "",
        before=_numbers(job, "JB_jid_predecessor_list"),
        before_by_task=_numbers(job, "JB_ja_ad_predecessor_list"),
        start_time=time_of(job.findtext("JB_execution_time")),
        environment=job.findtext("JB_pe") or None,
        least_slots=min(least, default=1),
        queues=tuple(e.text for tag in _QUEUES for names in job.iter(tag) for e in names.iter("QR_name") if e.text),
        requests=resources_of(job, "hard"),
        max_parallel=int(job.findtext("JB_ja_task_concurrency") or 0),
        reservation=None if (ar := job.findtext("JB_ar")) in (None, "", "0") else ar,
    )


#: The latter since 9.1.
_QUEUES = ("JB_hard_queue_list", "JRS_hard_queue_list")


def _numbers(job: ET.Element, tag: str) -> tuple[str, ...]:
    return tuple(e.text for e in job.iterfind(f"{tag}/*/JRE_job_number") if e.text not in (None, "", "0"))
