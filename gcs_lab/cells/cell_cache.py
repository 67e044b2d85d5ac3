"""Which jobs computed what: the cache of ``%%gcs … --cache``, which outlives kernels.

It holds keys and where the results lie; these stay in the job folders, and go with them.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.cell_key import CellKey
from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import JournalEntry
from gcs_lab.errors import UntrustedFile
from gcs_lab.user_database import UserDatabase
from gcs_lab.user_paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DONE", "FAILED", "RUNNING", "CacheEntry", "CellCache", "ended_in", "stamp"]

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    folder TEXT PRIMARY KEY, key TEXT NOT NULL, parts TEXT NOT NULL, cluster TEXT NOT NULL, job_id TEXT NOT NULL,
    name TEXT NOT NULL, named INTEGER NOT NULL, notebook TEXT NOT NULL, cell TEXT NOT NULL, first_line TEXT NOT NULL,
    kind TEXT NOT NULL, tasks INTEGER NOT NULL, submitted REAL NOT NULL, finished REAL NOT NULL, state TEXT NOT NULL,
    stamp TEXT NOT NULL, hits INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS results_by_key ON results (key);
"""
#: States of an entry. The journal's are not taken: what counts here is whether there is a result.
RUNNING, DONE, FAILED = "running", "done", "failed"


@dataclass(kw_only=True)
class CacheEntry:
    """A job that was submitted with ``--cache``.

    ``parts`` is its :class:`CellKey` as JSON; ``named`` tells whether the user gave ``name``; ``kind`` and ``tasks``
    are the journal's; times are seconds since the epoch (0.0: not yet); ``stamp`` tells the files of its result from
    others (:func:`stamp`); ``hits`` is how often it was taken.
    """

    folder: str
    key: str
    parts: str
    cluster: str
    job_id: str
    name: str
    named: int = 0
    notebook: str = ""
    cell: str = ""
    first_line: str = ""
    kind: str = "cell"
    tasks: int = 0
    submitted: float = 0.0
    finished: float = 0.0
    state: str = RUNNING
    stamp: str = ""
    hits: int = 0

    @property
    def cell_key(self) -> CellKey:
        """Its key, with all that it is made of."""
        return CellKey.from_json(self.parts)

    @property
    def when(self) -> str:
        """When it was submitted, as people here write it: ``2026-11-20 14:03``."""
        return datetime.fromtimestamp(self.submitted).astimezone().strftime("%Y-%m-%d %H:%M")

    def journal_entry(self, execution_count: int) -> JournalEntry:
        """Return it as the journal has it, for a handle that shows it in the cell with this number."""
        return JournalEntry(
            folder=self.folder,
            cluster=self.cluster,
            job_id=self.job_id,
            name=self.name,
            notebook=self.notebook,
            cell=self.cell,
            execution_count=execution_count,
            submitted=self.submitted,
            finished=self.finished,
            kind=self.kind,
            tasks=self.tasks,
        )

    def what_is_wrong(self) -> str:
        """Return why its result cannot be taken, in words; empty if it can."""
        folder = JobFolder(Path(self.folder))
        if not folder.path.exists():
            return "its job folder is gone"
        if stamp(folder) != self.stamp:
            return "its job folder is damaged: files of its result are not as the job left them"
        try:
            for file in _result_files(folder):
                folder.check_trusted(file)
        except UntrustedFile as error:
            return str(error)
        return ""


_COLUMNS = [f.name for f in fields(CacheEntry)]


class CellCache:
    """The cache of one user; any number of processes may use it at once.

    Parameters
    ----------
    path
        The SQLite file; default: ``cache.sqlite`` in the user's state folder.

    Raises
    ------
    Internal
        If a newer gcs_lab wrote it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder() / "cache.sqlite"
        self._database = UserDatabase(self.path, _SCHEMA, _VERSION, "cache")

    def add(self, entry: CacheEntry) -> None:
        """Keep a job that was just submitted."""
        statement = f"INSERT OR REPLACE INTO results VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  (marks)
        with self._database.writing() as connection:
            connection.execute(statement, astuple(replace(entry, submitted=entry.submitted or time.time())))

    def settle(self, folder: str, state: str, stamp: str = "", finished: float = 0.0) -> None:
        """Keep how a job ended: DONE with the stamp of its result, or FAILED."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE results SET state = ?, stamp = ?, finished = ? WHERE folder = ?",
                (state, stamp, finished or time.time(), folder),
            )

    def count_hit(self, folder: str) -> None:
        """Count that the result in `folder` was taken."""
        with self._database.writing() as connection:
            connection.execute("UPDATE results SET hits = hits + 1 WHERE folder = ?", (folder,))

    def remove(self, folders: Iterable[str]) -> None:
        """Forget the jobs in `folders`; the folders stay."""
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM results WHERE folder = ?", [(folder,) for folder in folders])

    def equal_to(self, key: CellKey) -> list[CacheEntry]:
        """Return the jobs with this key, newest first."""
        return self._select("key = ?", (key.digest,))

    def key_of(self, folder: str) -> str | None:
        """Return the key of the job in `folder`; None if it has none."""
        found = self._select("folder = ?", (folder,))
        return found[0].key if found else None

    def of_folder(self, folder: str) -> CacheEntry | None:
        """Return the job in `folder`; None if it was not submitted with ``--cache``."""
        return next(iter(self._select("folder = ?", (folder,))), None)

    def predecessor(self, notebook: str, cell: str, name: str | None, key: CellKey) -> CacheEntry | None:
        """Return the latest job of the same cell, else of that name in the notebook, else with the same source.

        Parameters
        ----------
        notebook, cell
            The notebook's path and the cell's id, where they are known.
        name
            The name that the user gave the job; None if it has none but its default.
        key
            The key that nothing was found for.
        """
        found = self._select("cell = ? AND notebook = ?", (cell, notebook)) if cell else []
        if not found and name is not None:
            found = self._select("name = ? AND named AND notebook = ?", (name, notebook))
        if not found:
            found = self.with_source(key)[:1]
        return found[0] if found else None

    def with_source(self, key: CellKey) -> list[CacheEntry]:
        """Return the jobs of cells with the same source as `key` has, newest first."""
        return [entry for entry in self.everything() if entry.cell_key.parts["source"] == key.parts["source"]]

    def everything(self) -> list[CacheEntry]:
        """Return every job, newest first."""
        return self._select("1", ())

    def _select(self, condition: str, values: tuple[object, ...]) -> list[CacheEntry]:
        query = f"SELECT {', '.join(_COLUMNS)} FROM results WHERE {condition} ORDER BY submitted DESC"  # noqa: S608
        with self._database.using() as connection:
            rows = connection.execute(query, values).fetchall()
        return [CacheEntry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def stamp(folder: JobFolder) -> str:
    """Return sizes and times of the files that a result is made of: what tells them from damaged ones.

    The files are not read again for it. A disk that gives other bytes than were written is not noticed.
    """
    found = {}
    for file in _result_files(folder):
        with contextlib.suppress(FileNotFoundError):
            status = file.stat()
            found[file.name] = [status.st_size, status.st_mtime_ns]
    return json.dumps(found, sort_keys=True)


def _result_files(folder: JobFolder) -> list[Path]:
    """Return the files at the top of a folder that tell a result; those of a sweep's tasks are not looked at."""
    named = [folder.spec, folder.events, folder.outputs, folder.points]
    return [*(file for file in named if file.exists()), *folder.path.glob("ends-*.jsonl")]


def ended_in(folder: JobFolder) -> str | None:
    """Return how the job in a folder ended, by its own word: DONE with a whole result, or FAILED; None: it has not.

    It is for jobs whose kernel was gone when they ended. The folder must be trusted.
    """
    state, whole = None, True
    log = EventLog(folder.events)
    while events := log.read():
        for event in events:
            if event.type == "started":
                state, whole = None, True
            elif event.type == "outputs":
                whole = not event.body.get("skipped")
            elif event.type == "finished":
                good = event.body.get("exit_status") == 0 and event.body.get("reason") in {"done", "exit"}
                state = DONE if good and whole else FAILED
    return state
