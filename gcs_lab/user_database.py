"""A SQLite file of the user's own that any number of processes and threads write to at once."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from gcs_lab.errors import Internal
from gcs_lab.user_paths import is_on_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["UserDatabase"]

#: Seconds that a writer waits for the others.
PATIENCE = 30.0


class _Kept:
    """A connection that stays open: closing the last one of a file in write-ahead mode costs a write to the disk."""

    def __init__(self, database: UserDatabase) -> None:
        self.pid = os.getpid()
        self.file = database.identity()
        self.lock = threading.RLock()
        self.connection = database.open(check_same_thread=False)
        weakref.finalize(self, _close, self.connection, self.pid)


def _close(connection: sqlite3.Connection, pid: int) -> None:
    # A forked child has a copy that it may not touch (https://www.sqlite.org/howtocorrupt.html, 2.6).
    if os.getpid() == pid:
        connection.close()


class UserDatabase:
    """A SQLite file with a schema and its version, mode 0600.

    Parameters
    ----------
    path
        The file; it is made if it is not there.
    schema
        SQL that makes the tables if they are not there.
    version
        Number of the schema; a file with a higher one is not touched.
    kind
        What the file is, for messages: ``"journal"``.
    upgrades
        SQL that turns a file of an older version into one of the next, by the older one's number; before the schema.

    Raises
    ------
    Internal
        If a newer gcs_lab wrote it.
    """

    def __init__(
        self, path: Path, schema: str, version: int, kind: str, upgrades: Mapping[int, str] | None = None
    ) -> None:
        self.path = path
        self._upgrades = dict(upgrades or {})
        self._schema, self._version, self._kind = schema, version, kind
        self._kept: _Kept | None = None
        # Write-ahead logging is the quicker one, and needs memory that all users of the file share: one host.
        self._mode = "DELETE" if is_on_network(path.parent) else "WAL"
        self._prepare()

    def open(self, *, check_same_thread: bool = True) -> sqlite3.Connection:
        """Return a new connection, for one short use: threads and forks need no care then."""
        connection = sqlite3.connect(
            self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=check_same_thread
        )
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that this process keeps; one thread has it at a time.

        On a network disk it is a new one each time, and nothing is held open.
        """
        if self._mode == "DELETE":
            with closing(self.open()) as connection:
                yield connection
            return
        kept = self._current()
        with kept.lock:
            yield kept.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection as :meth:`using` does, in which all happens or nothing."""
        with self.using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def identity(self) -> tuple[int, int] | None:
        """Return what tells the file from another at the same path; None if it is gone."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _current(self) -> _Kept:
        kept = self._kept
        if kept is None or kept.pid != os.getpid() or kept.file != self.identity():
            if self.identity() is None:  # somebody removed the folder: what is written must not go into nothing
                self._prepare()
            kept = self._kept = _Kept(self)
        return kept

    def _prepare(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._make_tables()
                break
            except sqlite3.OperationalError as error:
                # SQLite does not wait when two processes change the journal mode of a new file at once.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.path.chmod(0o600)

    def _make_tables(self) -> None:
        with closing(self.open()) as connection:
            if connection.execute("PRAGMA journal_mode").fetchone() != (self._mode.lower(),):
                connection.execute(f"PRAGMA journal_mode={self._mode}")
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found > self._version:
                raise Internal(
                    f"{self.path} was written by a newer gcs_lab ({self._kind} version {found}, this one knows "
                    f"{self._version}). Install that one again, or set GCS_LAB_HOME to another folder."
                )
            if found < self._version:
                self._upgrade(connection)

    def _upgrade(self, connection: sqlite3.Connection) -> None:
        """Bring the tables to the present version; of two processes that come at once, one does it."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            steps = [self._upgrades.get(number, "") for number in range(found or self._version, self._version)]
            for statement in [*steps, self._schema] if found < self._version else ():
                for part in filter(str.strip, statement.split(";")):
                    connection.execute(part)
            connection.execute(f"PRAGMA user_version = {max(found, self._version)}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
