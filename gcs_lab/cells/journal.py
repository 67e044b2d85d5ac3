"""What a user's notebooks submitted: the journal that outlives kernels."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from gcs_lab.user_database import UserDatabase
from gcs_lab.user_paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

__all__ = ["Journal", "JournalEntry"]

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    folder TEXT PRIMARY KEY, cluster TEXT NOT NULL, job_id TEXT NOT NULL, name TEXT NOT NULL, notebook TEXT NOT NULL,
    cell TEXT NOT NULL, execution_count INTEGER NOT NULL, submitted REAL NOT NULL, state TEXT NOT NULL,
    finished REAL NOT NULL, message TEXT NOT NULL, kind TEXT NOT NULL DEFAULT 'cell',
    tasks INTEGER NOT NULL DEFAULT 0, after TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_by_id ON jobs (cluster, job_id);
CREATE INDEX IF NOT EXISTS jobs_by_name ON jobs (name);
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (submitted);
"""
_UPGRADES = {
    1: """
ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'cell';
ALTER TABLE jobs ADD COLUMN tasks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN after TEXT NOT NULL DEFAULT '[]';
"""
}


@dataclass(kw_only=True)
class JournalEntry:
    """One submitted cell. Times are seconds since the epoch (0.0: not yet); ``state`` is a JobState's name.

    ``job_id`` is empty between the moment the folder was written and the moment the cluster accepted the job.
    ``kind`` is ``"cell"``, ``"sweep"``, ``"script"`` or ``"notebook"``; ``tasks`` the points of a sweep (0: one job);
    ``after`` a JSON list of the job folders of the jobs that it waits for.
    """

    folder: str
    cluster: str
    job_id: str
    name: str
    notebook: str = ""
    cell: str = ""
    execution_count: int = 0
    submitted: float = 0.0
    state: str = "UNDETERMINED"
    finished: float = 0.0
    message: str = ""
    kind: str = "cell"
    tasks: int = 0
    after: str = "[]"


_COLUMNS = [f.name for f in fields(JournalEntry)]


class Journal:
    """The journal of one user; any number of processes may use it at once.

    Parameters
    ----------
    path
        The SQLite file; default: ``journal.sqlite`` in the user's state folder.

    Raises
    ------
    Internal
        If a newer gcs_lab wrote it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder() / "journal.sqlite"
        self._database = UserDatabase(self.path, _SCHEMA, _VERSION, "journal", _UPGRADES)

    def add(self, entry: JournalEntry) -> None:
        """Write a new entry (or the same folder's again)."""
        entry.submitted = entry.submitted or time.time()
        statement = f"INSERT OR REPLACE INTO jobs VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  (marks only)
        with closing(self._database.open()) as connection:
            connection.execute(statement, astuple(entry))

    @contextmanager
    def noted(self, entry: JournalEntry) -> Iterator[None]:
        """Have an entry there before its job is, and take it out again if there is none.

        A kernel that is killed while the job is submitted leaves a trace that ``%gcs attach`` completes.
        """
        self.add(entry)
        try:
            yield
        except BaseException:
            self.remove([entry.folder])
            raise

    def update(self, folder: str, **values: str | float) -> None:
        """Change columns of the entry of `folder`."""
        unknown = set(values) - set(_COLUMNS)
        if unknown:
            raise TypeError(f"no such column: {', '.join(sorted(unknown))}")
        changes = ", ".join(f"{name} = ?" for name in values)
        with closing(self._database.open()) as connection:
            connection.execute(f"UPDATE jobs SET {changes} WHERE folder = ?", (*values.values(), folder))  # noqa: S608

    def remove(self, folders: Iterable[str]) -> None:
        """Forget entries."""
        with closing(self._database.open()) as connection:
            connection.executemany("DELETE FROM jobs WHERE folder = ?", [(folder,) for folder in folders])

    def of_folder(self, folder: str) -> JournalEntry | None:
        """Return the entry of a job folder; None if there is none."""
        return next(iter(self._select("folder = ?", (folder,))), None)

    def find(self, wanted: str, cluster: str | None = None) -> list[JournalEntry]:
        """Return the entries whose id or name is `wanted`, newest first."""
        return self._select("job_id != '' AND (job_id = ? OR name = ?) AND (? IS NULL OR cluster = ?)",
                            (wanted, wanted, cluster, cluster))  # fmt: skip

    def recent(self, limit: int = 50, cluster: str | None = None) -> list[JournalEntry]:
        """Return the latest entries, newest first."""
        return self._select("job_id != '' AND (? IS NULL OR cluster = ?)", (cluster, cluster), limit)

    def of_notebook(self, notebook: str) -> list[JournalEntry]:
        """Return the entries that a notebook submitted, newest first."""
        return self._select("job_id != '' AND notebook = ?", (notebook,))

    def unfinished(self, cluster: str, limit: int = 200) -> list[JournalEntry]:
        """Return the latest entries of a cluster whose jobs' end is not known, newest first."""
        return self._select("job_id != '' AND cluster = ? AND finished = 0", (cluster,), limit)

    def ended(self, cluster: str, limit: int = 30) -> list[JournalEntry]:
        """Return the entries of a cluster whose jobs ended last, the latest end first."""
        return self._select("job_id != '' AND cluster = ? AND finished > 0", (cluster,), limit, order="finished")

    def of_jobs(self, cluster: str, job_ids: Collection[str]) -> dict[str, JournalEntry]:
        """Return the newest entry of each of these jobs of a cluster; jobs that it does not have are left out."""
        marks = ", ".join("?" * len(job_ids))
        entries = self._select(f"cluster = ? AND job_id IN ({marks})", (cluster, *job_ids)) if job_ids else []
        return {entry.job_id: entry for entry in reversed(entries)}

    def notebooks(self) -> list[str]:
        """Return the names of all notebooks that submitted something."""
        with closing(self._database.open()) as connection:
            rows = connection.execute("SELECT DISTINCT notebook FROM jobs WHERE notebook != ''").fetchall()
        return [str(name) for (name,) in rows]

    def without_id(self) -> list[JournalEntry]:
        """Return the entries whose job the cluster may have accepted without the journal's knowing its id."""
        return self._select("job_id = ''", ())

    def everything(self) -> list[JournalEntry]:
        """Return every entry, newest first."""
        return self._select("1", ())

    def _select(
        self, condition: str, values: tuple[object, ...], limit: int = -1, *, order: str = "submitted"
    ) -> list[JournalEntry]:
        query = f"SELECT {', '.join(_COLUMNS)} FROM jobs WHERE {condition} ORDER BY {order} DESC LIMIT ?"  # noqa: S608
        with closing(self._database.open()) as connection:
            rows = connection.execute(query, (*values, limit)).fetchall()
        return [JournalEntry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]
