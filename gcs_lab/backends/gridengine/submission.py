"""Submit a job once and only once, whatever dies on the way."""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import ask, run_command
from gcs_lab.backends.gridengine.drmaa_transport import DrmaaTransport, HelperUnavailable
from gcs_lab.backends.gridengine.job_details_xml import parse_details
from gcs_lab.backends.gridengine.qstat_xml import parse_jobs
from gcs_lab.backends.gridengine.qsub_transport import QsubTransport
from gcs_lab.errors import DrmCommunication, GcsError, Internal

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.job_request import JobRequest
    from gcs_lab.backends.gridengine.qsub_transport import Transport
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["Submitter"]

_CONTEXT = "gcs_lab"
_TRIES = 3
#: The request of a helper that died may still be on its way through the qmaster; seconds.
_ON_ITS_WAY = 0.1
#: Jobs that are asked for their context; the one that is looked for is among the latest.
_LATEST = 200
#: The qmaster counts whole seconds, by its own clock.
_CLOCKS = timedelta(seconds=3)
_NOT_SENT = re.compile(
    r"connection refused|unable to send message|SGE_ROOT directory|cannot be started", re.IGNORECASE
)


class Submitter:
    """Submits by libdrmaa where the cell has it, else by qsub.

    Every job carries a marker of its own in its context (``qsub -ac``). When the answer to a submission was lost, the
    marker tells whether the job was taken, so that it is neither lost nor submitted twice.

    Parameters
    ----------
    cell
        The cell to submit to.
    user
        Whose jobs they are.
    transport
        ``"drmaa"`` or ``"qsub"`` to have that one; None: the best there is.
    """

    def __init__(self, cell: SgeCell, user: str, transport: str | None = None) -> None:
        self._cell, self._user = cell, user
        self._qsub = QsubTransport(cell)
        self._mine: set[str] = set()
        library = cell.drmaa_library() if transport != "qsub" else None
        self.drmaa = DrmaaTransport(cell, library) if library is not None else None

    @property
    def transport(self) -> str:
        """Name of the transport that a plain job takes."""
        return self._qsub.name if self.drmaa is None else self.drmaa.name

    def start(self) -> None:
        """Start the helper in the background, if there is to be one."""
        if self.drmaa is not None:
            self.drmaa.start()

    def close(self) -> None:
        """End the helper."""
        if self.drmaa is not None:
            self.drmaa.close()

    def submit(self, request: JobRequest) -> str:
        """Submit one job and return its id.

        Raises
        ------
        GcsError
            If it was not taken; or, with words that say so, if that could not be found out.
        """
        transport: Transport = self._qsub if self.drmaa is None or request.needs_qsub() else self.drmaa
        marker, since = uuid.uuid4().hex, datetime.now(UTC) - _CLOCKS
        for attempt in range(1, _TRIES + 1):
            try:
                job_id = transport.submit(request, f"{_CONTEXT}={marker}")
            except HelperUnavailable:
                transport = self._qsub
            except DrmCommunication as error:
                if _NOT_SENT.search(str(error)):
                    if transport is self._qsub:
                        raise
                    # The helper's connection may be one to a qmaster that was started anew since; qsub makes its own.
                    transport.close()
                    transport = self._qsub
                    continue
                found = self._find(request, marker, since, error)
                if found is None and attempt == _TRIES:
                    raise
                if found is not None:
                    self._mine.add(found)
                    return found
            else:
                self._mine.add(job_id)
                return job_id
        raise DrmCommunication(f"the job could not be submitted in {_TRIES} tries; the cluster has not taken it.")

    def _find(self, request: JobRequest, marker: str, since: datetime, error: DrmCommunication) -> str | None:
        """Return the id of the job with `marker`, or None if the qmaster surely has none."""
        try:
            time.sleep(_ON_ITS_WAY)
            rows = parse_jobs(ask(self._cell, ["qstat", "-u", self._user, "-xml"]).stdout)
            alive = [row.job_id for row in rows if row.job_id not in self._mine][-_LATEST:]
            details = parse_details(ask(self._cell, ["qstat", "-j", ",".join(alive), "-xml"]).stdout) if alive else {}
            for job_id, job in details.items():
                if job.context.get(_CONTEXT) == marker:
                    return job_id
            return self._find_ended(request, since)
        except GcsError as second:
            raise DrmCommunication(
                f"{error} Whether the job was taken could not be found out ({second}). Before you submit it again, "
                "look with `qstat` and `qstat -s z`."
            ) from error

    def _find_ended(self, request: JobRequest, since: datetime) -> str | None:
        """Look among the jobs that ended since (``qstat -s z``); they have no context, only name, owner and time."""
        answer = run_command(self._cell, ["qstat", "-u", self._user, "-s", "z", "-xml"])
        name = request.name or Path(request.command).name
        ended = [
            row.job_id
            for row in (parse_jobs(answer.stdout) if answer.exit_status == 0 else [])
            if row.name == name and row.job_id not in self._mine and (row.submission_time or since) >= since
        ]
        if len(ended) > 1:
            raise Internal(f"one of the jobs {', '.join(ended)} may be it, and all of them have ended")
        return ended[0] if ended else None
