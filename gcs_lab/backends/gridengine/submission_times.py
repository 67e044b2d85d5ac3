"""When jobs were submitted: qstat's list tells it of waiting jobs only, ``qstat -j`` of all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.job_details_xml import parse_submission_times

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gcs_lab.backends.gridengine.qstat_xml import JobRow
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["SubmissionTimes"]

#: Jobs in one command.
_AT_ONCE = 500


class SubmissionTimes:
    """The submission times of the jobs in the queue; each job is asked for at most once.

    Parameters
    ----------
    cell
        The cell.
    """

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell
        self._lock = threading.Lock()
        self._known: dict[str, datetime | None] = {}

    def of(self, rows: Sequence[JobRow]) -> dict[str, datetime | None]:
        """Return the submission times (UTC) of the jobs that `rows` of all users' queue tell of.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        with self._lock:
            before = self._known
        known: dict[str, datetime | None] = {}
        for row in rows:
            if row.job_id in before:
                known[row.job_id] = before[row.job_id]
            elif (submitted := row.submission_time) is not None:
                known[row.job_id] = submitted
        asked = sorted({row.job_id for row in rows} - known.keys(), key=int)
        for first in range(0, len(asked), _AT_ONCE):
            some = ",".join(asked[first : first + _AT_ONCE])
            # 9.x exits with 1 if one of them has ended meanwhile.
            known |= parse_submission_times(run_command(self._cell, ["qstat", "-j", some, "-xml"]).stdout)
        with self._lock:
            self._known = known
        return known
