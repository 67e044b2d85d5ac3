"""The recorder's counts and timelines: a small SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.status.kept_moments import HISTORY, thinned
from gcs_lab.user_database import UserDatabase

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from gcs_lab.status.overview import Overview

__all__ = ["HISTORY_COLUMNS", "OWNER_COLUMNS", "HistoryDatabase"]

HISTORY_COLUMNS = (
    "time",
    "running",
    "pending",
    "held",
    "suspended",
    "error",
    "slots_used",
    "slots_total",
    "slots_closed",
)
OWNER_COLUMNS = ("time", "owner", "slots", "running", "waiting")
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS history (
    time REAL PRIMARY KEY, {", ".join(f"{name} INTEGER" for name in HISTORY_COLUMNS[1:])}) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owners (
    time REAL, owner TEXT, slots INTEGER, running INTEGER, waiting INTEGER, PRIMARY KEY (time, owner)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (number INTEGER PRIMARY KEY, job_id TEXT, time REAL, what TEXT);
CREATE INDEX IF NOT EXISTS changes_of_job ON changes (job_id)
"""
_ADD_CHANGE = "INSERT INTO changes (job_id, time, what) VALUES (?, ?, ?)"
#: Owners that are kept of a moment, those with the most slots; the others are one, called "…".
_MOST_OWNERS = 12
#: Seconds between two moments for which the owners are kept, and between two times of forgetting.
_OWNERS_EVERY = 60.0
_FORGET_EVERY = 300.0
#: Bytes that one change of a job takes, at most.
_A_CHANGE = 200


class HistoryDatabase:
    """The file.

    Parameters
    ----------
    path
        Where it is; it is made if it is not there.
    limit
        Bytes that it may have, more or less: it is looked after every five minutes.

    Raises
    ------
    sqlite3.Error, OSError
        If it cannot be used; also by the methods.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._database = UserDatabase(path, _SCHEMA, 1, "history of the cluster")
        self._limit = limit
        self._owners_at = self._forgotten_at = 0.0

    def add(self, overview: Overview, changes: Iterable[tuple[str, float, str]]) -> None:
        """Keep the figures of one moment, and what happened to jobs since the one before (id, time, words)."""
        time = overview.time
        slots = (overview.slots_used, overview.slots_total, overview.slots_closed)
        counts = [time, *(overview.tasks[name] for name in HISTORY_COLUMNS[1:6]), *slots]
        with self._database.writing() as connection:
            marks = ", ".join("?" * len(counts))
            connection.execute(f"INSERT OR REPLACE INTO history VALUES ({marks})", counts)  # noqa: S608
            if abs(time - self._owners_at) >= _OWNERS_EVERY:
                self._owners_at = time
                connection.executemany("INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?, ?)", _owner_rows(overview))
            connection.executemany(_ADD_CHANGE, changes)
        if abs(time - self._forgotten_at) >= _FORGET_EVERY:
            self._forgotten_at = time
            self._forget(time)

    def add_changes(self, changes: Iterable[tuple[str, float, str]]) -> None:
        """Keep what happened to jobs: id, time, words."""
        with self._database.writing() as connection:
            connection.executemany(_ADD_CHANGE, changes)

    def history(self) -> pa.Table:
        """Return the counts, a row a moment, the oldest first."""
        return self._table("history", HISTORY_COLUMNS)

    def owners(self) -> pa.Table:
        """Return what each owner had, a row a moment and owner."""
        return self._table("owners", OWNER_COLUMNS)

    def timeline(self, job_id: str) -> list[tuple[float, str]]:
        """Return what was seen to happen to a job: time and words, the oldest first."""
        with self._database.using() as connection:
            return list(
                connection.execute("SELECT time, what FROM changes WHERE job_id = ? ORDER BY number", (job_id,))
            )

    def _table(self, name: str, columns: Sequence[str]) -> pa.Table:
        import pyarrow as pa

        types = {"time": pa.timestamp("us", tz="UTC"), "owner": pa.string()}
        with self._database.using() as connection:
            rows = list(connection.execute(f"SELECT {', '.join(columns)} FROM {name} ORDER BY time"))  # noqa: S608
        by_column: list[Sequence[Any]] = [*zip(*rows, strict=True)] if rows else [()] * len(columns)
        if rows:
            by_column[0] = tuple(int(time * 1_000_000) for time in by_column[0])
        arrays = {
            name: pa.array(values, types.get(name, pa.int64()))
            for name, values in zip(columns, by_column, strict=True)
        }
        return pa.table(arrays)

    def _forget(self, now: float) -> None:
        with self._database.writing() as connection:
            for name in ("history", "owners"):
                times = [time for (time,) in connection.execute(f"SELECT DISTINCT time FROM {name}")]  # noqa: S608
                old = [(time,) for time in thinned(times, now, HISTORY)]
                connection.executemany(f"DELETE FROM {name} WHERE time = ?", old)  # noqa: S608
            connection.execute(
                "DELETE FROM changes WHERE number <= (SELECT MAX(number) FROM changes) - ?",
                (self._limit // _A_CHANGE,),
            )
            # Where the limit is small: the older half, until it fits. What is freed is used again.
            for _ in range(20):
                if _bytes_in_use(connection) <= self._limit:
                    break
                for name in ("history", "owners"):
                    middle = f"SELECT (MIN(time) + MAX(time)) / 2 FROM {name}"  # noqa: S608
                    connection.execute(f"DELETE FROM {name} WHERE time < ({middle})")  # noqa: S608
                connection.execute(
                    "DELETE FROM changes WHERE number < (SELECT (MIN(number) + MAX(number)) / 2 FROM changes)"
                )


def _bytes_in_use(connection: sqlite3.Connection) -> int:
    count, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((count - free) * size)


def _owner_rows(overview: Overview) -> list[tuple[float, str, int, int, int]]:
    first, rest = overview.owners[:_MOST_OWNERS], overview.owners[_MOST_OWNERS:]
    rows = [(overview.time, one.owner, one.slots, one.running, one.waiting) for one in first]
    if rest:
        sums = [sum(getattr(one, name) for one in rest) for name in ("slots", "running", "waiting")]
        rows.append((overview.time, "…", sums[0], sums[1], sums[2]))
    return rows
