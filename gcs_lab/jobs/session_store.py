"""The sessions of a user (DRMAA2 ``SessionManager``): they outlive the programs that made them."""

from __future__ import annotations

import os
import pwd
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gcs_lab.errors import DeniedByDrms, GcsError, InvalidArgument, OutOfResource, SessionManagement, UnknownName
from gcs_lab.user_database import UserDatabase
from gcs_lab.user_paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

__all__ = ["SessionKind", "SessionRecord", "SessionStore", "session_name_of", "user_sessions"]

_VERSION = 1
# A session's number is never given twice: a handle on a destroyed one does not find another of the same name.
# `job_id` is NULL from the intent to submit until the system's id is known; `tasks` is NULL for a single job.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, cluster TEXT NOT NULL,
    contact TEXT NOT NULL, created REAL NOT NULL, UNIQUE (kind, name)
) STRICT;
CREATE TABLE IF NOT EXISTS submissions (
    number INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    token TEXT NOT NULL UNIQUE, job_id TEXT, template TEXT NOT NULL, tasks TEXT, max_parallel INTEGER,
    submitted REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS submissions_by_job ON submissions (job_id, session);
CREATE INDEX IF NOT EXISTS submissions_by_session ON submissions (session, number);
CREATE TABLE IF NOT EXISTS reaped_tasks (
    submission INTEGER NOT NULL REFERENCES submissions ON DELETE CASCADE, task INTEGER NOT NULL,
    PRIMARY KEY (submission, task)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservations (
    session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE, reservation_id TEXT NOT NULL,
    template TEXT NOT NULL, requested REAL NOT NULL, PRIMARY KEY (session, reservation_id)
) STRICT, WITHOUT ROWID;
"""
LONGEST_NAME = 255


class SessionKind(StrEnum):
    """What a session is for."""

    JOB = "job"
    RESERVATION = "reservation"


@dataclass(frozen=True)
class SessionRecord:
    """A session as it is kept: `contact` is what its maker gave, `cluster` the cluster that it was made on.

    ``created`` is in seconds since the epoch.
    """

    number: int
    kind: SessionKind
    name: str
    cluster: str
    contact: str
    created: float


class SessionStore:
    """The sessions of one user; any number of processes and threads may use it at once.

    Parameters
    ----------
    path
        The SQLite file. :func:`user_sessions` has the user's own.

    Raises
    ------
    SessionManagement
        If it cannot be read or made.
    Internal
        If a newer gcs_lab wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._failures():
            self._database = UserDatabase(self.path, _SCHEMA, _VERSION, "session store")

    def create(self, kind: SessionKind, name: str, cluster: str, contact: str = "") -> SessionRecord:
        """Make a session and return it.

        Raises
        ------
        InvalidArgument
            If there is one of that name, or the name cannot be one (:func:`session_name_of`).
        """
        name, created = session_name_of(name), time.time()
        if "@" in name:
            raise InvalidArgument(f"a session may not be called {name!r}: a name has no '@'.")
        with self.writing() as connection:
            row = connection.execute(
                "INSERT INTO sessions (kind, name, cluster, contact, created) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING RETURNING number",
                (kind, name, cluster, contact, created),
            ).fetchone()
        if row is None:
            raise InvalidArgument(f"there is a {kind} session {name!r} already; open it, or choose another name.")
        return SessionRecord(row[0], kind, name, cluster, contact, created)

    def find(self, kind: SessionKind, name: str) -> SessionRecord:
        """Return the session called `name`. Raises InvalidArgument if there is none."""
        name = session_name_of(name)
        with self.reading() as connection:
            row = connection.execute(
                "SELECT number, kind, name, cluster, contact, created FROM sessions WHERE kind = ? AND name = ?",
                (kind, name),
            ).fetchone()
        if row is None:
            raise UnknownName(f"{kind} session", name, self.names(kind))
        return SessionRecord(row[0], SessionKind(row[1]), *row[2:])

    def names(self, kind: SessionKind) -> list[str]:
        """Return the names of all sessions of a kind, oldest first."""
        with self.reading() as connection:
            rows = connection.execute("SELECT name FROM sessions WHERE kind = ? ORDER BY number", (kind,)).fetchall()
        return [name for (name,) in rows]

    def exists(self, number: int) -> bool:
        """Tell whether the session with that number has not been destroyed."""
        with self.reading() as connection:
            return connection.execute("SELECT 1 FROM sessions WHERE number = ?", (number,)).fetchone() is not None

    def destroy(self, kind: SessionKind, name: str) -> None:
        """Forget a session and what it knew; its jobs and reservations go on (GFD.231, ``destroyJobSession``).

        Raises
        ------
        InvalidArgument
            If there is none of that name.
        """
        if not self.forget(self.find(kind, name)):  # another process was quicker
            raise UnknownName(f"{kind} session", name, self.names(kind))

    def forget(self, record: SessionRecord) -> bool:
        """Destroy exactly this session, not another of its name; tell whether it was still there."""
        with self.writing() as connection:
            return connection.execute("DELETE FROM sessions WHERE number = ?", (record.number,)).rowcount > 0

    def session_of(self, cluster: str, job_ids: Collection[str]) -> dict[str, str]:
        """Return the names of the job sessions that jobs of `cluster` belong to, by job id; others are left out.

        An array's tasks are found by the array's id only.
        """
        found: dict[str, str] = {}
        with self.reading() as connection:
            for job_id in job_ids:
                row = connection.execute(
                    "SELECT sessions.name FROM submissions JOIN sessions ON sessions.number = submissions.session "
                    "WHERE job_id = ? AND cluster = ? ORDER BY submissions.number DESC LIMIT 1",
                    (job_id, cluster),
                ).fetchone()
                if row is not None:
                    found[job_id] = row[0]
        return found

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read with."""
        with self._failures(), self._database.using() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in which all happens or nothing."""
        with self._failures(), self._database.writing() as connection:
            yield connection

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
            kind: Callable[[str], GcsError] = OutOfResource if full else SessionManagement
            raise kind(
                f"the sessions in {self.path} cannot be used: {error}. Look whether its disk is full or the file was "
                "damaged; without that file there are no sessions, but the jobs go on."
            ) from error


_stores: dict[Path, SessionStore] = {}


def user_sessions() -> SessionStore:
    """Return the store of the user's sessions; one object for all of the program."""
    path = state_folder() / "sessions.sqlite"
    if path not in _stores:
        _stores[path] = SessionStore(path)
    return _stores[path]


def session_name_of(name: object) -> str:
    """Return a session's name, without the user's own name in front (``"ann@fit"`` is Univa's way to list ``"fit"``).

    A name is 1 to 255 printable characters, neither ``@`` nor ``/`` among them, and has no blank at its ends.

    Raises
    ------
    InvalidArgument
        If it cannot be the name of a session.
    DeniedByDrms
        If it is that of another user's session.
    """
    if not isinstance(name, str):
        raise InvalidArgument(f"a session's name is {name!r} ({type(name).__name__}); expected text.")
    user, at, rest = name.partition("@")
    if at and user and rest:
        own = pwd.getpwuid(os.geteuid()).pw_name
        if user != own:
            raise DeniedByDrms(f"session {name!r} is {user}'s; sessions are a user's own, and you are {own}.")
        name = rest
    if (
        not name
        or len(name) > LONGEST_NAME
        or name != name.strip()
        or not name.isprintable()
        or set(name) & set("@/")
    ):
        raise InvalidArgument(
            f"a session may not be called {name[:80]!r}. Expected 1 to {LONGEST_NAME} printable characters without "
            "'@' and '/', and no blank at either end."
        )
    return name
