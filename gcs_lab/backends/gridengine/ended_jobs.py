"""Jobs that have left the queue: how they ended, as far as it can be known.

A job is DONE or FAILED when accounting says so. A job that was deleted before it ever ran gets no record at all (seen
on 8.1.9), neither does one that its reservation's end ended, nor one whose file was rotated away; so after a time in
which every record would have been written, a job without one is FAILED with a sub state that says just that. None is
ever guessed DONE, and a record that comes later counts.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gcs_lab.accounting.endings import annotation, ends_the_job
from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.deletions import Deletions
from gcs_lab.backends.gridengine.qacct import read_qacct
from gcs_lab.backends.gridengine.reserved_jobs import ReservedJobs
from gcs_lab.backends.gridengine.task_ends import TaskEnds
from gcs_lab.errors import GcsError
from gcs_lab.vocabulary import JobState, JobStatus, split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gcs_lab.backends.gridengine.accounting_file import AccountingFile
    from gcs_lab.backends.gridengine.accounting_record import AccountingRecord
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["AWAITING", "DELETED", "NO_RECORD", "NO_SUCH_TASK", "WAITING", "EndedJobs", "state_of_end"]

AWAITING = "gone, awaiting accounting"
NO_RECORD = "gone without an accounting record"
DELETED = "deleted"
NO_SUCH_TASK = "no such task"
WAITING = (JobState.QUEUED, JobState.QUEUED_HELD, JobState.REQUEUED, JobState.REQUEUED_HELD)
#: Seconds beyond accounting's flush interval after which a missing record will not come.
GRACE_SECONDS = 60.0
#: The same for a job that was last seen waiting: most likely someone deleted it, and nothing will come.
GRACE_OF_PENDING_SECONDS = 5.0
#: Seconds beyond the flush interval that a record which did not end the job is given to be followed by one that did.
_FOLLOWED_BY_SECONDS = 2.0
_FLUSH_DEFAULT = 15.0
_FLUSH = re.compile(r"(?<!\w)(accounting_flush_time|flush_time)=(?:(\d+):(\d+):)?(\d+)")


def flush_seconds(configuration: str) -> float:
    """Return how often accounting is written, from ``qconf -sconf`` (sge_conf(5), reporting_params)."""
    found = {m[1]: int(m[2] or 0) * 3600 + int(m[3] or 0) * 60 + int(m[4]) for m in _FLUSH.finditer(configuration)}
    return float(found.get("accounting_flush_time", found.get("flush_time", _FLUSH_DEFAULT)))


def state_of_end(failed: int, exit_status: int) -> tuple[JobState, str]:
    """Return state and sub state of a job that ended, from accounting's failure code and exit status."""
    if failed == 0 and exit_status == 0:
        return JobState.DONE, ""
    return JobState.FAILED, f"failed {failed}, exit status {exit_status}"


class EndedJobs:
    """Tells how jobs ended that are no longer in the queue.

    Parameters
    ----------
    cell
        The cell.
    accounting
        Its accounting file.
    """

    def __init__(self, cell: SgeCell, accounting: AccountingFile) -> None:
        self._cell, self._accounting = cell, accounting
        self.deletions = Deletions(cell)
        self.reserved = ReservedJobs(cell)
        self._lock = threading.Lock()
        self._missing_since: dict[str, float] = {}
        self._seen: dict[str, bool] = {}
        self._flush: float | None = None

    def note_present(self, present: Mapping[str, JobStatus]) -> None:
        """Remember which jobs were seen in the queue, and whether they waited then; array jobs as a whole, too."""
        with self._lock:
            for job_id, status in present.items():
                self._missing_since.pop(job_id, None)
                self._seen[job_id] = status.state in WAITING or status.sub_state.startswith("E")

    def note_submitted(self, job_id: str) -> None:
        """Remember a job that we submitted: it waits, and no record of it is older than this."""
        with self._lock:
            self._seen[job_id] = True

    def seen(self, job_id: str) -> bool:
        """Tell whether a job, or an array job as a whole, was submitted or seen in the queue since we connected."""
        with self._lock:
            return job_id in self._seen

    def records(self, job_ids: Collection[str]) -> dict[str, AccountingRecord]:
        """Return the last accounting record of each of `job_ids` (jobs, and tasks of array jobs) that has one.

        Raises
        ------
        GcsError
            If the file cannot be read and ``qacct`` does not answer either.
        """
        if not job_ids:
            return {}
        with self._lock:
            recent = [job_id for job_id in job_ids if split_id(job_id)[0] in self._seen]
        older = set(job_ids).difference(recent)
        try:
            found = self._accounting.find(recent, recent=True) if recent else {}
            return found | (self._accounting.find(older) if older else {})
        except OSError:
            told = read_qacct(self._cell)
            return {job_id: told[job_id] for job_id in job_ids if job_id in told}

    def task_ends(
        self, array_id: str, enough: Callable[[TaskEnds], bool] = lambda _: False, *, recent: bool = False
    ) -> TaskEnds:
        """Return how tasks of an array job ended. Raises as :meth:`records`."""
        try:
            return self._accounting.tasks(array_id, enough, recent=recent)
        except OSError:
            ends = TaskEnds()
            for record in self._told_by_qacct(array_id):
                ends.add(record.task, 0, record.failed, record.exit_status)
            return ends

    def task_records(self, array_id: str) -> list[AccountingRecord]:
        """Return the last records of all tasks of an array job that have one. Raises as :meth:`records`."""
        try:
            return self._accounting.task_records(array_id)
        except OSError:
            return self._told_by_qacct(array_id)

    def _told_by_qacct(self, array_id: str) -> list[AccountingRecord]:
        return [record for record in read_qacct(self._cell).values() if record.job_id == array_id and record.task]

    def deleted_by(self, job_id: str) -> str | None:
        """Return the user who deleted a job or task, if that is known."""
        deletion = self.deletions.of(*split_id(job_id))
        return None if deletion is None else deletion.user

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return how single jobs ended, none of which is in the queue. Raises as :meth:`records`."""
        records = self.records(job_ids)
        if records.keys() != set(job_ids):
            self.deletions.read_messages()
        now = time.monotonic()
        with self._lock:
            missing = {job_id: now - self._missing_since.setdefault(job_id, now) for job_id in job_ids}
        late = self.patience(recorded=True)
        self.reserved.look([job_id for job_id in job_ids if job_id not in records and missing[job_id] > late])
        return {job_id: self._one(job_id, records.get(job_id), missing[job_id]) for job_id in job_ids}

    def _one(self, job_id: str, record: AccountingRecord | None, missing: float) -> JobStatus:
        with self._lock:
            waited = self._seen.get(job_id, False)
        deletion = self.deletions.of(job_id)
        at_once = deletion is not None and deletion.at_once
        if record is not None and (ends_the_job(record.failed) or at_once or missing > self.patience(recorded=True)):
            return self._by_record(record)
        if at_once:
            return JobStatus(JobState.FAILED, DELETED, annotation=self._unrecorded(job_id, waited=waited))
        if (ended := self.reserved.over(job_id)) is not None:
            return JobStatus(JobState.FAILED, ended.words, annotation=self._unrecorded(job_id, waited=waited))
        if missing <= self.patience(waited=waited):
            return JobStatus(JobState.UNDETERMINED, AWAITING)
        return JobStatus(JobState.FAILED, NO_RECORD, annotation=self._unrecorded(job_id, waited=waited))

    def _unrecorded(self, job_id: str, *, waited: bool) -> str:
        deletion = self.deletions.of(*split_id(job_id))
        if deletion is not None:
            return f"deleted by {deletion.user}{' before it ran' if deletion.at_once else ''}"
        if (ended := self.reserved.over(split_id(job_id)[0])) is not None:
            return f"{ended.words}; accounting has no record of it"
        said = "it left the queue and accounting has no record of it"
        if waited:
            said += "; it was last seen waiting, so it was most likely deleted before it ran"
        return said

    def explained(self, failed: Mapping[str, JobStatus]) -> dict[str, JobStatus]:
        """Return the states of tasks that failed with what is to be said of each. Raises as :meth:`records`."""
        records = self.records(failed.keys())
        return {
            task_id: replace(
                status,
                annotation=self.why(records[task_id])
                if task_id in records
                else self._unrecorded(task_id, waited=False),
            )
            for task_id, status in failed.items()
        }

    def patience(self, *, waited: bool = False, recorded: bool = False) -> float:
        """Return the seconds after which no (other) record is to be expected of a job that left the queue."""
        if recorded:
            return self.flush() + _FOLLOWED_BY_SECONDS
        return self.flush() + (GRACE_OF_PENDING_SECONDS if waited else GRACE_SECONDS)

    def _by_record(self, record: AccountingRecord) -> JobStatus:
        state, sub_state = state_of_end(record.failed, record.exit_status)
        return JobStatus(state, sub_state, record.queue, record.host, record.slots, self.why(record))

    def why(self, record: AccountingRecord) -> str | None:
        """Return one line on what was not normal about the end of a job or task."""
        killed = record.failed or record.exit_status
        user = self.deleted_by(record.id) if killed else None
        return f"deleted by {user}" if user else annotation(record)

    def flush(self) -> float:
        """Return the seconds between two writes of accounting; asked once."""
        if self._flush is None:
            try:
                answer = run_command(self._cell, ["qconf", "-sconf"])
            except GcsError:
                return _FLUSH_DEFAULT
            self._flush = flush_seconds(answer.text) if answer.exit_status == 0 else _FLUSH_DEFAULT
        return self._flush
