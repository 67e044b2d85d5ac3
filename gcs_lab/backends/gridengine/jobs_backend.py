"""The ``jobs`` area of a cell: what :class:`~gcs_lab.jobs.JobsBackend` asks, put together."""

from __future__ import annotations

import getpass
import threading
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.accounting_file import AccountingFile
from gcs_lab.backends.gridengine.catalogue import read_catalogue
from gcs_lab.backends.gridengine.commands import ask, run_command
from gcs_lab.backends.gridengine.control import control_jobs
from gcs_lab.backends.gridengine.ended_jobs import EndedJobs
from gcs_lab.backends.gridengine.job_details_xml import JobDetails, parse_details
from gcs_lab.backends.gridengine.job_infos import info_of_ended, info_of_present
from gcs_lab.backends.gridengine.job_request import SUPPORTED_ATTRIBUTES, make_request
from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.backends.gridengine.qstat_xml import JobRow, parse_jobs
from gcs_lab.backends.gridengine.submission import Submitter
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import Capability, JobState, JobStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.errors import GcsError
    from gcs_lab.jobs.protocol import Catalogue
    from gcs_lab.vocabulary import JobInfo, JobTemplate

__all__ = ["GridEngineJobs"]

#: An array job is in the state of its task that is furthest, as long as any is in the queue.
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
_CAPABILITIES = {Capability.JT_MAXSLOTS, Capability.JT_ACCOUNTINGID}


class GridEngineJobs:
    """Jobs on one cell.

    Parameters
    ----------
    cell
        The cell.
    system
        Its name for messages.
    transport
        ``"drmaa"`` or ``"qsub"`` to submit that way; None: the best there is.
    """

    supported_attributes = SUPPORTED_ATTRIBUTES
    poll_floor = 1.0

    def __init__(self, cell: SgeCell, system: str, transport: str | None = None) -> None:
        self.system = system
        self._cell = cell
        self._user = getpass.getuser()
        self.submitter = Submitter(cell, self._user, transport)
        self._ended = EndedJobs(cell, AccountingFile(cell.common), self._user)
        self._lock = threading.Lock()
        self._others: set[str] = set()
        self._own: set[str] = set()

    def start(self) -> None:
        """Start in the background what the first submission needs."""
        self.submitter.start()

    def close(self) -> None:
        """End the helper; jobs go on."""
        self.submitter.close()

    def submit(self, template: JobTemplate) -> str:
        """Submit one job; when it returns, the qmaster has spooled the job."""
        job_id = self.submitter.submit(make_request(template))
        with self._lock:
            self._own.add(job_id)
        return job_id

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Do `action` to all `job_ids`: one question about their states, one command."""
        present = self._present(job_ids)
        failures, said = control_jobs(self._cell, action, job_ids, present)
        if action is JobAction.TERMINATE:
            self._ended.note_deleted([job_id for job_id in job_ids if job_id not in failures], said)
        return failures

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return the states: one ``qstat`` for all, then accounting's new lines for those that are gone."""
        present = self._present(job_ids)
        self._ended.note_present(present)
        in_error = [job_id for job_id, status in present.items() if "E" in status.sub_state]
        if in_error:
            reasons = self._details(in_error)
            present |= {
                job_id: _with_reason(present[job_id], reasons[job_id].error_reason)
                for job_id in in_error
                if job_id in reasons
            }
        gone = [job_id for job_id in job_ids if job_id not in present]
        return present | (self._ended.status(gone) if gone else {})

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        """Return what ``qstat -j`` says of jobs in the queue and accounting of those that ended."""
        rows = self._rows(job_ids)
        details = self._details(rows)
        statuses = {job_id: _merged(some) for job_id, some in rows.items()}
        infos = {
            job_id: info_of_present(some, statuses[job_id], details.get(job_id)) for job_id, some in rows.items()
        }
        gone = [job_id for job_id in job_ids if job_id not in infos]
        for job_id, record in self._ended.records(gone).items():
            infos[job_id] = info_of_ended(record, self._ended.why(record), self._ended.deleted_by(job_id))
        return infos

    def job_ids(self) -> list[str]:
        """Return the ids of this user's jobs in the queue, oldest first."""
        rows = parse_jobs(ask(self._cell, ["qstat", "-u", self._user, "-xml"]).stdout)
        ids = sorted({row.job_id for row in rows}, key=int)
        with self._lock:
            self._own.update(ids)
        return ids

    def catalogue(self) -> Catalogue:
        """Return queues, parallel environments, complexes and projects, from ``qconf``."""
        return read_catalogue(self._cell)

    def supports(self, capability: Capability) -> bool:
        """Tell whether an optional ability of DRMAA2 is there."""
        return capability in _CAPABILITIES

    def _details(self, job_ids: Iterable[str]) -> dict[str, JobDetails]:
        ids = ",".join(job_ids)
        if not ids:
            return {}
        # 9.x exits with 1 if one of them has ended meanwhile.
        return parse_details(run_command(self._cell, ["qstat", "-j", ids, "-xml"]).stdout)

    def _present(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        return {job_id: _merged(rows) for job_id, rows in self._rows(job_ids).items()}

    def _rows(self, job_ids: Collection[str]) -> dict[str, list[JobRow]]:
        """Return the rows of those jobs that are in the queue.

        This user's jobs are asked for, which is quick where others have 100,000. Everybody's are asked for when one
        of the ids was never seen as ours.
        """
        wanted = set(job_ids)
        with self._lock:
            everybody = bool(wanted & self._others)
        rows = self._ask_rows("*" if everybody else self._user, wanted)
        with self._lock:
            strange = wanted - rows.keys() - self._own
        if strange and not everybody:
            rows |= self._ask_rows("*", strange)
        with self._lock:
            self._others.update(job_id for job_id, some in rows.items() if some[0].owner != self._user)
            self._own.update(job_id for job_id, some in rows.items() if some[0].owner == self._user)
            # What nobody knows now will not come back; it is looked for among our own from here on.
            self._own.update(strange - rows.keys())
            self._others -= wanted - rows.keys()
        return rows

    def _ask_rows(self, user: str, wanted: set[str]) -> dict[str, list[JobRow]]:
        rows: dict[str, list[JobRow]] = {}
        for row in parse_jobs(ask(self._cell, ["qstat", "-u", user, "-xml"]).stdout):
            if row.job_id in wanted:
                rows.setdefault(row.job_id, []).append(row)
        return rows


def _merged(rows: list[JobRow]) -> JobStatus:
    statuses = [JobStatus(job_state(row.letters), row.letters, row.queue, row.host, row.slots) for row in rows]
    return min(statuses, key=lambda status: _FURTHEST_FIRST.index(status.state))


def _with_reason(status: JobStatus, reason: str | None) -> JobStatus:
    said = reason or "Grid Engine does not say why"
    return JobStatus(
        status.state,
        status.sub_state,
        status.queue_name,
        status.machine_name,
        status.slots,
        f"{said} (a manager can clear the error: qmod -cj)",
    )
