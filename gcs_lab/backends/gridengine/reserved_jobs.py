"""Which jobs belong to which advance reservation, and which of these reservations are over.

When a reservation has reached its end, the qmaster of 8.1.9 forgets its jobs at once and lets the running ones be
killed afterwards; accounting never tells of them (seen). What tells is that the reservation is gone, too. After a
``qrdel`` running jobs are killed first and have their records.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.job_details_xml import parse_reservations_of_jobs
from gcs_lab.backends.gridengine.qrstat_xml import (
    parse_reservation_ids,
    parse_reservations,
    parse_unknown_reservations,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["EndedReservation", "ReservedJobs"]

#: Jobs in one command.
_AT_ONCE = 500
#: Times have no zone in qrstat's answer.
_UTC = {"TZ": "UTC"}


class EndedReservation(NamedTuple):
    """A reservation that is over; ``end_time`` (UTC) is when it ended, None if it was given back before."""

    reservation_id: str
    end_time: datetime | None

    @property
    def words(self) -> str:
        """What became of a job in it that is gone."""
        return f"ended with its reservation {self.reservation_id}"


class ReservedJobs:
    """The reservations of the jobs of a cell that anyone asked for.

    Parameters
    ----------
    cell
        The cell.
    """

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell
        self._lock = threading.Lock()
        self._of_job: dict[str, str | None] = {}
        #: When the reservations end that are not over yet, as far as was asked.
        self._ends: dict[str, datetime | None] = {}
        self._over: dict[str, EndedReservation] = {}

    def note_submitted(self, job_id: str, reservation_id: str | None) -> None:
        """Remember to which reservation a job belongs that we submitted; None: to none."""
        with self._lock:
            self._of_job[job_id] = reservation_id

    def learn(self, present: Collection[str]) -> None:
        """Find out of jobs and array jobs in the queue to which reservations they belong, and when these end.

        Each is asked for once, and only where there is a reservation at all.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        with self._lock:
            new = [job_id for job_id in present if job_id not in self._of_job]
            reserved = {ar_id for job_id in present if (ar_id := self._of_job.get(job_id)) is not None}
            unasked = reserved - self._ends.keys() - self._over.keys()
        found: dict[str, str | None] = dict.fromkeys(new)
        if new and parse_reservation_ids(run_command(self._cell, ["qrstat", "-u", "*", "-xml"]).stdout):
            for first in range(0, len(new), _AT_ONCE):
                some = ",".join(new[first : first + _AT_ONCE])
                # 9.x exits with 1 if one of them has ended meanwhile.
                found |= parse_reservations_of_jobs(run_command(self._cell, ["qstat", "-j", some, "-xml"]).stdout)
            unasked |= {ar_id for ar_id in found.values() if ar_id is not None} - self._ends.keys()
        ends, over = self._ask(unasked)
        with self._lock:
            self._of_job |= found
            self._ends |= dict.fromkeys(unasked - over) | ends

    def look(self, job_ids: Collection[str]) -> None:
        """Find out of jobs that have left the queue whether their reservations are over; one question for all.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        with self._lock:
            wanted = {ar_id for job_id in job_ids if (ar_id := self._of_job.get(job_id)) is not None}
            open_ones = wanted - self._over.keys()
        if open_ones:
            ends, over = self._ask(open_ones)
            now = datetime.now(UTC)
            with self._lock:
                self._ends |= ends
                for ar_id in over:
                    end = self._ends.pop(ar_id, None)
                    self._over[ar_id] = EndedReservation(ar_id, end if end is not None and end <= now else None)

    def over(self, job_id: str) -> EndedReservation | None:
        """Return the reservation of a job, if :meth:`look` found that it is over."""
        with self._lock:
            return self._over.get(self._of_job.get(job_id) or "")

    def _ask(self, reservation_ids: Collection[str]) -> tuple[dict[str, datetime | None], set[str]]:
        """Return when those reservations end that there are, and which there are not."""
        if not reservation_ids:
            return {}, set()
        argv = ["qrstat", "-ar", ",".join(sorted(reservation_ids)), "-xml"]
        answer = run_command(self._cell, argv, extra_env=_UTC)
        ends = {ar_id: info.reserved_end_time for ar_id, info in parse_reservations(answer.stdout).items()}
        return ends, parse_unknown_reservations(answer.stdout) & set(reservation_ids)
