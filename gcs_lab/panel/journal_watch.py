"""The journal as the panel sees it: what kernels submitted and what ended, read again only when its file changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.cells.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from gcs_lab.cells.journal import JournalEntry

__all__ = ["JournalWatch"]

#: Entries that are looked at: of jobs whose end is not known, and of those that ended last.
_MOST_UNFINISHED = 300
_MOST_ENDED = 200

_Mark = tuple[tuple[int, int, int] | None, ...]


class JournalWatch:
    """Keeps up with the entries of one cluster. One thread at a time uses it.

    Attributes
    ----------
    unfinished, ended
        Entries by job id: whose end is not known (newest first), and that ended last (latest end first). Of an id
        that the cluster gave out twice the newest entry counts.

    Parameters
    ----------
    cluster
        Its name.
    """

    def __init__(self, cluster: str) -> None:
        self.journal = Journal()
        self._cluster = cluster
        self._mark: _Mark = ()
        self._known: dict[str, JournalEntry | None] = {}
        self.unfinished: dict[str, JournalEntry] = {}
        self.ended: dict[str, JournalEntry] = {}

    def look(self) -> bool:
        """Read the journal if its file changed since the last look; return whether it did.

        Raises
        ------
        sqlite3.Error, OSError
            If it cannot be read.
        """
        mark = self._file_mark()
        if mark == self._mark:
            return False
        journal = self.journal
        unfinished = _newest(journal.unfinished(self._cluster, _MOST_UNFINISHED))
        ended = _newest(journal.ended(self._cluster, _MOST_ENDED))
        for job_id in unfinished.keys() & ended.keys():
            newer = unfinished if unfinished[job_id].submitted >= ended[job_id].submitted else ended
            del (ended if newer is unfinished else unfinished)[job_id]
        self.unfinished, self.ended = unfinished, ended
        self._known.clear()
        self._mark = mark
        return True

    def entries(self, job_ids: Collection[str]) -> Mapping[str, JournalEntry]:
        """Return the newest entries of those of the jobs that it has."""
        found = {}
        missing = []
        for job_id in job_ids:
            entry = self.unfinished.get(job_id) or self.ended.get(job_id) or self._known.get(job_id)
            if entry is not None:
                found[job_id] = entry
            elif job_id not in self._known:
                missing.append(job_id)
        read = self.journal.of_jobs(self._cluster, missing)
        self._known |= {job_id: read.get(job_id) for job_id in missing}
        return found | read

    def latest_of_cells(
        self, notebooks: Iterable[str], contents_path: Callable[[str], str]
    ) -> dict[str, dict[str, JournalEntry]]:
        """Return the latest entry of each cell of `notebooks` (paths as the page has them), on whatever cluster."""
        found: dict[str, dict[str, JournalEntry]] = {path: {} for path in notebooks}
        if not found:
            return found
        for name in self.journal.notebooks():
            cells = found.get(contents_path(name))
            if cells is None:
                continue
            for entry in self.journal.of_notebook(name):
                known = cells.get(entry.cell)
                if entry.cell and (known is None or known.submitted < entry.submitted):
                    cells[entry.cell] = entry
        return found

    def _file_mark(self) -> _Mark:
        """Return what differs after every change of the file or of its write-ahead log."""
        marks: list[tuple[int, int, int] | None] = []
        for suffix in ("", "-wal"):
            try:
                status = self.journal.path.with_name(self.journal.path.name + suffix).stat()
            except FileNotFoundError:
                marks.append(None)
            else:
                marks.append((status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(marks)


def _newest(entries: Iterable[JournalEntry]) -> dict[str, JournalEntry]:
    found: dict[str, JournalEntry] = {}
    for entry in entries:
        known = found.get(entry.job_id)
        if known is None or known.submitted < entry.submitted:
            found[entry.job_id] = entry
    return found
