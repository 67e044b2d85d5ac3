"""Put together a job's ``JobInfo``: from qstat while it is in the queue, from accounting afterwards."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.accounting.endings import signal_name
from gcs_lab.backends.gridengine.ended_jobs import state_of_end
from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.vocabulary import JobInfo, JobState, JobStatus, SlotInfo, split_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gcs_lab.backends.gridengine.accounting_record import AccountingRecord
    from gcs_lab.backends.gridengine.job_details_xml import JobDetails
    from gcs_lab.backends.gridengine.qstat_xml import JobRow

__all__ = [
    "info_of_array",
    "info_of_ended",
    "info_of_present",
    "infos_of_rows",
    "row_status",
    "status_of_rows",
]

_FURTHEST_FIRST = (
    JobState.RUNNING,
    JobState.SUSPENDED,
    JobState.QUEUED,
    JobState.REQUEUED,
    JobState.QUEUED_HELD,
    JobState.REQUEUED_HELD,
    JobState.FAILED,
    JobState.UNDETERMINED,
)


def _furthest(statuses: Iterable[JobStatus]) -> JobStatus:
    """Return the one that is furthest: in its state an array job is as a whole while it is in the queue."""
    return min(statuses, key=lambda status: _FURTHEST_FIRST.index(status.state))


def status_of_rows(rows: Iterable[JobRow]) -> JobStatus:
    """Return the state of a job, or of an array job as a whole, that has `rows` in the queue."""
    first: dict[str, JobRow] = {}
    for row in rows:
        first.setdefault(row.letters, row)
    return _furthest(map(row_status, first.values()))


def row_status(row: JobRow) -> JobStatus:
    """Return the state that one row of qstat tells."""
    return JobStatus(job_state(row.letters), row.letters, row.queue, row.host, row.slots)


def _of_row(row: JobRow, job_id: str, status: JobStatus) -> JobInfo:
    started = row.start_time
    return JobInfo(
        job_id=job_id,
        job_state=status.state,
        job_sub_state=status.sub_state,
        annotation=status.annotation,
        job_owner=row.owner or None,
        job_name=row.name or None,
        slots=row.slots,
        queue_name=row.queue,
        submission_time=row.submission_time,
        dispatch_time=started,
        wallclock_time=None if started is None else max(0.0, (datetime.now(UTC) - started).total_seconds()),
        allocated_machines=[SlotInfo(row.host, row.slots or 1)] if row.host else [],
    )


def _add_details(info: JobInfo, details: JobDetails) -> None:
    info.job_name = details.name or info.job_name  # qstat's list may cut it
    info.submission_time = details.submission_time or info.submission_time
    info.submission_machine = details.submission_host
    info.resource_requests = details.requests


def info_of_present(row: JobRow, status: JobStatus, details: JobDetails | None, index: int | None = None) -> JobInfo:
    """Return what is known of a job, or of the task with `index`, that is in the queue.

    `details` is None if it left meanwhile.
    """
    info = _of_row(row, row.job_id if index is None else f"{row.job_id}.{index}", status)
    if details is None:
        return info
    _add_details(info, details)
    task = details.tasks.get(index or 1)
    if task is not None:
        info.annotation = task.error_reason or info.annotation
        info.cpu_time = task.cpu
        info.max_vmem, info.max_rss = task.max_vmem, task.max_rss
        if task.machines:
            info.allocated_machines = [SlotInfo(host, slots) for host, slots in task.machines.items()]
    return info


def info_of_ended(record: AccountingRecord, why: str | None, deleted_by: str | None) -> JobInfo:
    """Return what accounting tells of a job or task; `why` is its end in words, `deleted_by` who deleted it."""
    state, sub_state = state_of_end(record.failed, record.exit_status)
    machines = [SlotInfo(record.host, record.slots or 1)] if record.host and record.start_time else []
    return JobInfo(
        job_id=record.id,
        job_state=state,
        job_sub_state=sub_state,
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


def info_of_array(
    array_id: str,
    number: int,
    status: JobStatus,
    *,
    rows: Sequence[JobRow],
    details: JobDetails | None,
    records: Sequence[AccountingRecord],
) -> JobInfo | None:
    """Return what is known of an array job of `number` tasks as a whole.

    That is what its tasks share, the first start, the last end and the sums of what they used. None if
    neither qstat nor accounting knows anything.
    """
    if rows:
        info = _of_row(rows[0], array_id, status)
    elif records:
        info = info_of_ended(records[0], status.annotation, None)
        info.raw, info.failed = {}, None
    else:
        return None
    if details is not None:
        _add_details(info, details)
    info.job_id, info.job_state, info.job_sub_state = array_id, status.state, status.sub_state
    info.annotation, info.queue_name = status.annotation, status.queue_name
    running = list(details.tasks.values()) if details is not None and rows else []
    now = datetime.now(UTC)
    starts = [start for row in rows if (start := row.start_time)]
    info.wallclock_time = _sum(
        [*((now - start).total_seconds() for start in starts), *(record.wallclock for record in records)]
    )
    info.cpu_time = _sum([*(task.cpu for task in running), *(record.cpu for record in records)])
    info.max_vmem = _most([*(task.max_vmem for task in running), *(record.max_vmem for record in records)])
    info.max_rss = _most([*(task.max_rss for task in running), *(record.max_rss for record in records)])
    info.dispatch_time = min([*starts, *(record.start_time for record in records if record.start_time)], default=None)
    ends = [record.end_time for record in records if record.end_time]
    info.finish_time = max(ends, default=None) if status.state.terminated and not rows else None
    exits = {record.exit_status for record in records}
    shared = len(exits) == 1 and len(records) == number
    info.exit_status = exits.pop() if shared and not rows else None
    info.terminating_signal = None if info.exit_status is None else signal_name(info.exit_status)
    info.allocated_machines = _machines(rows) if rows else []
    return info


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _most(values: Sequence[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _machines(rows: Sequence[JobRow]) -> list[SlotInfo]:
    machines: Counter[str] = Counter()
    for row in rows:
        if row.host:
            machines[row.host] += row.slots or 1
    return [SlotInfo(host, slots) for host, slots in machines.items()]


def infos_of_rows(rows: Sequence[JobRow], submitted: Mapping[str, datetime | None]) -> list[JobInfo]:
    """Return what rows of qstat tell, oldest job first: running tasks one by one, waiting ones by array.

    `submitted` are submission times by job. Of a job's hosts qstat's list names only that of its master task.
    """
    infos: list[JobInfo] = []
    waiting: dict[str, list[JobRow]] = {}
    for row in sorted(rows, key=lambda row: int(row.job_id)):
        if row.tasks is None:
            infos.append(_of_row(row, row.job_id, row_status(row)))
        elif row.start_time is not None and row.tasks.isdecimal():
            infos.append(_of_row(row, f"{row.job_id}.{row.tasks}", row_status(row)))
        else:
            waiting.setdefault(row.job_id, []).append(row)
            if len(waiting[row.job_id]) == 1:
                infos.append(_of_row(row, row.job_id, row_status(row)))
    for info in infos:
        info.submission_time = info.submission_time or submitted.get(split_id(info.job_id)[0])
        if len(some := waiting.get(info.job_id, ())) > 1:
            status = _furthest(row_status(row) for row in some)
            info.job_state, info.job_sub_state = status.state, status.sub_state
    return infos
