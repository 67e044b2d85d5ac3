"""What a user's notebooks submitted: the journal that outlives kernels."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from gcs_lab.errors import Internal
from gcs_lab.user_paths import is_on_network, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Journal", "JournalEntry"]

_VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS jobs (
    folder TEXT PRIMARY KEY, cluster TEXT NOT NULL, job_id TEXT NOT NULL, name TEXT NOT NULL, notebook TEXT NOT NULL,
    cell TEXT NOT NULL, execution_count INTEGER NOT NULL, submitted REAL NOT NULL, state TEXT NOT NULL,
    finished REAL NOT NULL, message TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_by_id ON jobs (cluster, job_id);
CREATE INDEX IF NOT EXISTS jobs_by_name ON jobs (name);
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (submitted);
PRAGMA user_version = {_VERSION};
"""


@dataclass(kw_only=True)
class JournalEntry:
    """One submitted cell. Times are seconds since the epoch (0.0: not yet); ``state`` is a JobState's name.

    ``job_id`` is empty between the moment the folder was written and the moment the cluster accepted the job.
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
        with closing(self._open()) as connection:
            # Write-ahead logging is the quicker one, and needs memory that all users of the file share: one host.
            connection.execute(f"PRAGMA journal_mode={'DELETE' if is_on_network(self.path.parent) else 'WAL'}")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise Internal(
                    f"{self.path} was written by a newer gcs_lab (journal version {version}, this one knows "
                    f"{_VERSION}). Install that one again, or set GCS_LAB_HOME to another folder."
                )
            connection.executescript(_SCHEMA)
        self.path.chmod(0o600)

    def _open(self) -> sqlite3.Connection:
        # One short connection a call: threads and forks need no care, and nothing is held open on network disks.
        connection = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def add(self, entry: JournalEntry) -> None:
        """Write a new entry (or the same folder's again)."""
        entry.submitted = entry.submitted or time.time()
        statement = f"INSERT OR REPLACE INTO jobs VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  (marks only)
        with closing(self._open()) as connection:
            connection.execute(statement, astuple(entry))

    def update(self, folder: str, **values: str | float) -> None:
        """Change columns of the entry of `folder`."""
        unknown = set(values) - set(_COLUMNS)
        if unknown:
            raise TypeError(f"no such column: {', '.join(sorted(unknown))}")
        changes = ", ".join(f"{name} = ?" for name in values)
        with closing(self._open()) as connection:
            connection.execute(f"UPDATE jobs SET {changes} WHERE folder = ?", (*values.values(), folder))  # noqa: S608

    def remove(self, folders: Iterable[str]) -> None:
        """Forget entries."""
        with closing(self._open()) as connection:
            connection.executemany("DELETE FROM jobs WHERE folder = ?", [(folder,) for folder in folders])

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

    def without_id(self) -> list[JournalEntry]:
        """Return the entries whose job the cluster may have accepted without the journal's knowing its id."""
        return self._select("job_id = ''", ())

    def everything(self) -> list[JournalEntry]:
        """Return every entry, newest first."""
        return self._select("1", ())

    def _select(self, condition: str, values: tuple[object, ...], limit: int = -1) -> list[JournalEntry]:
        query = f"SELECT {', '.join(_COLUMNS)} FROM jobs WHERE {condition} ORDER BY submitted DESC LIMIT ?"  # noqa: S608
        with closing(self._open()) as connection:
            rows = connection.execute(query, (*values, limit)).fetchall()
        return [JournalEntry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]
