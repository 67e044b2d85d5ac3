"""Put together a job's ``JobInfo``: from qstat while it is in the queue, from accounting afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.failures import signal_name
from gcs_lab.vocabulary import JobInfo, JobState, SlotInfo

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.accounting_record import AccountingRecord
    from gcs_lab.backends.gridengine.job_details_xml import JobDetails
    from gcs_lab.backends.gridengine.qstat_xml import JobRow
    from gcs_lab.vocabulary import JobStatus

__all__ = ["info_of_ended", "info_of_present"]


def info_of_present(rows: list[JobRow], status: JobStatus, details: JobDetails | None) -> JobInfo:
    """Return what is known of a job that is in the queue; `details` is None if it left meanwhile."""
    first = rows[0]
    started = min((row.start_time for row in rows if row.start_time), default=None)
    machines: dict[str, int] = {}
    for row in rows:
        if row.host:
            machines[row.host] = machines.get(row.host, 0) + (row.slots or 1)
    info = JobInfo(
        job_id=first.job_id,
        job_state=status.state,
        job_sub_state=status.sub_state,
        annotation=status.annotation,
        job_owner=first.owner or None,
        job_name=first.name or None,
        slots=status.slots,
        queue_name=status.queue_name,
        submission_time=first.submission_time,
        dispatch_time=started,
        wallclock_time=None if started is None else max(0.0, (datetime.now(UTC) - started).total_seconds()),
        allocated_machines=[SlotInfo(host, slots) for host, slots in machines.items()],
    )
    if details is not None:
        info.job_name = details.name or info.job_name  # qstat's list may cut it
        info.submission_time = details.submission_time or info.submission_time
        info.submission_machine = details.submission_host
        info.annotation = details.error_reason or info.annotation
        info.cpu_time = details.cpu
        info.max_vmem, info.max_rss = details.max_vmem, details.max_rss
        info.resource_requests = details.requests
        if details.machines:
            info.allocated_machines = [SlotInfo(host, slots) for host, slots in details.machines.items()]
    return info


def info_of_ended(record: AccountingRecord, why: str | None, deleted_by: str | None) -> JobInfo:
    """Return what accounting tells of a job; `why` is its end in words, `deleted_by` a user of ours."""
    done = record.failed == 0 and record.exit_status == 0
    machines = [SlotInfo(record.host, record.slots or 1)] if record.host and record.start_time else []
    return JobInfo(
        job_id=record.job_id,
        job_state=JobState.DONE if done else JobState.FAILED,
        job_sub_state="" if done else f"failed {record.failed}, exit status {record.exit_status}",
        exit_status=record.exit_status,
        terminating_signal=signal_name(record.exit_status),
        annotation=why,
        allocated_machines=machines,
        job_owner=record.owner,
        slots=record.slots,
        queue_name=record.queue,
        wallclock_time=record.wallclock,
        cpu_time=record.cpu,
        submission_time=record.submission_time,
        dispatch_time=record.start_time,
        finish_time=record.end_time,
        job_name=record.name,
        max_vmem=record.max_vmem,
        max_rss=record.max_rss,
        failed=record.failed,
        deleted_by=record.deleted_by or deleted_by,
        resource_requests=record.requests(),
        raw=record.raw,
    )
