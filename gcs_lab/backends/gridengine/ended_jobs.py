"""Jobs that have left the queue: how they ended, as far as it can be known.

A job is DONE or FAILED when accounting says so. A job that was deleted before it ever ran gets no record at all (seen
on 8.1.9), and neither does one whose file was rotated away; so after a time in which every record would have been
written, a job without one is FAILED with a sub state that says just that. None is ever guessed DONE.
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.failures import annotation, is_final
from gcs_lab.backends.gridengine.qacct import read_qacct
from gcs_lab.errors import GcsError
from gcs_lab.vocabulary import JobState, JobStatus

if TYPE_CHECKING:
    from collections.abc import Collection

    from gcs_lab.backends.gridengine.accounting_file import AccountingFile
    from gcs_lab.backends.gridengine.accounting_record import AccountingRecord
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["AWAITING", "NO_RECORD", "EndedJobs"]

AWAITING = "gone, awaiting accounting"
NO_RECORD = "gone without an accounting record"
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


class EndedJobs:
    """Tells how jobs ended that are no longer in the queue.

    Parameters
    ----------
    cell
        The cell.
    accounting
        Its accounting file.
    user
        Whose jobs they mostly are.
    """

    def __init__(self, cell: SgeCell, accounting: AccountingFile, user: str) -> None:
        self._cell, self._accounting, self._user = cell, accounting, user
        self._lock = threading.Lock()
        self._missing_since: dict[str, float] = {}
        self._seen_pending: set[str] = set()
        self._deleted: dict[str, bool] = {}
        self._flush: float | None = None

    def note_present(self, present: dict[str, JobStatus]) -> None:
        """Remember what was seen in the queue."""
        waiting = {JobState.QUEUED, JobState.QUEUED_HELD, JobState.REQUEUED, JobState.REQUEUED_HELD}
        with self._lock:
            for job_id, status in present.items():
                self._missing_since.pop(job_id, None)
                if status.state in waiting or status.sub_state.startswith("E"):
                    self._seen_pending.add(job_id)
                else:
                    self._seen_pending.discard(job_id)

    def note_deleted(self, job_ids: Collection[str], said: str) -> None:
        """Remember that this user deleted jobs; those that qdel removed at once never ran on."""
        at_once = {
            number for line in said.splitlines() if "has deleted job" in line for number in re.findall(r"\d+", line)
        }
        with self._lock:
            self._deleted.update({job_id: job_id in at_once for job_id in job_ids})

    def records(self, job_ids: Collection[str]) -> dict[str, AccountingRecord]:
        """Return the last accounting record of each of `job_ids` that has one.

        Raises
        ------
        GcsError
            If the file cannot be read and ``qacct`` does not answer either.
        """
        if not job_ids:
            return {}
        try:
            return self._accounting.find(job_ids)
        except OSError:
            return read_qacct(self._cell, job_ids)

    def deleted_by(self, job_id: str) -> str | None:
        """Return the user if he deleted the job through us."""
        with self._lock:
            return self._user if job_id in self._deleted else None

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return how each of `job_ids`, none of which is in the queue, has ended. Raises as :meth:`records`."""
        records = self.records(job_ids)
        now = time.monotonic()
        return {job_id: self._one(job_id, records.get(job_id), now) for job_id in job_ids}

    def _one(self, job_id: str, record: AccountingRecord | None, now: float) -> JobStatus:
        with self._lock:
            missing = now - self._missing_since.setdefault(job_id, now)
            deleted_at_once = self._deleted.get(job_id)
            pending = job_id in self._seen_pending
        if record is not None and (is_final(record) or missing > self.flush() + _FOLLOWED_BY_SECONDS):
            return self._by_record(record)
        if deleted_at_once:
            said = f"deleted by {self._user} before it ran"
            return JobStatus(JobState.FAILED, "deleted", annotation=said)
        if missing <= self.flush() + (GRACE_OF_PENDING_SECONDS if pending else GRACE_SECONDS):
            return JobStatus(JobState.UNDETERMINED, AWAITING)
        said = "it left the queue and accounting has no record of it"
        if pending:
            said += "; it was last seen waiting, so it was most likely deleted before it ran"
        return JobStatus(JobState.FAILED, NO_RECORD, annotation=said)

    def _by_record(self, record: AccountingRecord) -> JobStatus:
        done = record.failed == 0 and record.exit_status == 0
        return JobStatus(
            JobState.DONE if done else JobState.FAILED,
            "" if done else f"failed {record.failed}, exit status {record.exit_status}",
            record.queue,
            record.host,
            record.slots,
            self.why(record),
        )

    def why(self, record: AccountingRecord) -> str | None:
        """Return one line on what was not normal about the job's end."""
        user = self.deleted_by(record.job_id)
        killed = record.failed or record.exit_status
        return f"deleted by {user}" if user and killed else annotation(record)

    def flush(self) -> float:
        """Return the seconds between two writes of accounting; asked once."""
        if self._flush is None:
            try:
                answer = run_command(self._cell, ["qconf", "-sconf"])
            except GcsError:
                return _FLUSH_DEFAULT
            self._flush = flush_seconds(answer.text) if answer.exit_status == 0 else _FLUSH_DEFAULT
        return self._flush
