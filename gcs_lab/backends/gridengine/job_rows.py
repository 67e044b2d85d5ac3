"""Ask qstat for some jobs: this user's, or everybody's where another's are among them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.qstat_xml import parse_jobs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.backends.gridengine.qstat_xml import JobRow
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["JobRows"]


class JobRows:
    """The rows of jobs that are in the queue.

    Parameters
    ----------
    cell
        The cell.
    user
        Whose jobs are mostly asked for.
    """

    def __init__(self, cell: SgeCell, user: str) -> None:
        self._cell, self._user = cell, user
        self._lock = threading.Lock()
        self._others: set[str] = set()
        self._own: set[str] = set()

    def note_own(self, job_ids: Iterable[str]) -> None:
        """Remember that jobs are this user's."""
        with self._lock:
            self._own.update(job_ids)

    def of_user(self) -> list[JobRow]:
        """Return the rows of all jobs of this user. Raises GcsError if the cell does not answer."""
        rows = self._ask(self._user)
        self.note_own({row.job_id for row in rows})
        return rows

    def of_all(self) -> list[JobRow]:
        """Return the rows of all jobs of all users. Raises GcsError if the cell does not answer."""
        return self._ask("*")

    def of(self, wanted: set[str], *, held_by: str | None = None) -> dict[str, list[JobRow]]:
        """Return the rows of those jobs and array jobs in `wanted` that are in the queue, by id.

        This user's jobs are asked for, which is quick where others have 100,000. Everybody's are asked for when one
        of the ids was never seen as ours. `held_by` asks for those alone that are held by ``"u"``, ``"o"`` or
        ``"s"`` (``qstat -s hu``).

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        only = [] if held_by is None else ["-s", f"h{held_by}"]
        with self._lock:
            everybody = bool(wanted & self._others)
        rows = self._ask_rows("*" if everybody else self._user, wanted, only)
        if held_by is not None:
            return rows
        with self._lock:
            strange = wanted - rows.keys() - self._own
        if strange and not everybody:
            rows |= self._ask_rows("*", strange, only)
        with self._lock:
            self._others.update(job_id for job_id, some in rows.items() if some[0].owner != self._user)
            self._own.update(job_id for job_id, some in rows.items() if some[0].owner == self._user)
            # What nobody knows now will not come back; it is looked for among our own from here on.
            self._own.update(strange - rows.keys())
            self._others -= wanted - rows.keys()
        return rows

    def _ask(self, user: str, only: Iterable[str] = ()) -> list[JobRow]:
        return parse_jobs(ask(self._cell, ["qstat", "-u", user, *only, "-xml"]).stdout)

    def _ask_rows(self, user: str, wanted: set[str], only: Iterable[str]) -> dict[str, list[JobRow]]:
        rows: dict[str, list[JobRow]] = {}
        for row in self._ask(user, only):
            if row.job_id in wanted:
                rows.setdefault(row.job_id, []).append(row)
        return rows
