"""The recorder: what the cluster did in the past hours, on disk, within a limit."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import threading
from typing import TYPE_CHECKING, TypeVar

from gcs_lab.errors import GcsError
from gcs_lab.status.history_database import HISTORY_COLUMNS, OWNER_COLUMNS, HistoryDatabase
from gcs_lab.status.job_changes import job_changes
from gcs_lab.status.overview import overview_of
from gcs_lab.status.recorded_snapshots import RecordedSnapshots
from gcs_lab.status.shared_place import folder_name
from gcs_lab.user_paths import private_folder, state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from gcs_lab.status.snapshot import Changes, Snapshot

__all__ = ["Recorder", "recorder_limit"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: Bytes.
_LIMIT = 64 << 20
#: Seconds that lie between two recorded moments at least.
_EVERY = 5.0
#: The part of the limit that counts and timelines may take.
_FOR_HISTORY = 6


def recorder_limit() -> int:
    """Return the bytes that the recorder may take for a cluster: ``GCS_LAB_RECORDER``; 0: nothing is recorded.

    The variable is a size (``64M``, ``1G``; not set: 64M) or ``off``. One that is neither counts as ``off``, since
    it is better to keep too little than too much.
    """
    told = os.environ.get("GCS_LAB_RECORDER", "").strip()
    if not told:
        return _LIMIT
    match = re.fullmatch(r"(\d+)\s*([KMG]?)i?B?", told, re.IGNORECASE)
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2].upper()] if match else 0


class Recorder:
    """What was seen of a cluster. Written by the process that asks the cluster, read by all.

    Snapshots: each poll (at most one in 5 s) of the last 10 minutes, one a minute of the last 3 hours, one in 10
    minutes of 12 hours, one in 30 of 48 hours; the oldest go if the limit is reached. Counts: each poll (so) of the
    last hour, one a minute of 48 hours, one in 10 minutes of 30 days. Nothing is raised by what cannot be written or
    read: :attr:`trouble` says it.

    Parameters
    ----------
    cluster, identity
        The cluster, and what tells it from another of the same name.
    limit
        Bytes; None: :func:`recorder_limit`.
    """

    def __init__(self, cluster: str, identity: str, limit: int | None = None) -> None:
        self._name = folder_name(cluster, identity)
        self.limit = recorder_limit() if limit is None else limit
        #: Why something was not recorded or read, in a line; "" if all is well.
        self.trouble = ""
        self._last = 0.0
        self._differs = True
        self._unwritten: list[tuple[str, float, str]] = []
        self._parts: tuple[RecordedSnapshots, HistoryDatabase] | None = None
        self._guard = threading.RLock()

    def add(self, snapshot: Snapshot, before: Snapshot | None = None, changes: Changes | None = None) -> None:
        """Record what was seen last.

        Called by the poller of the process that asks.

        Parameters
        ----------
        snapshot
            What was seen.
        before, changes
            The snapshot that was seen before it, and what differs; None: not known.
        """
        if not self.limit:
            return
        with self._guard:
            self._differs = self._differs or changes is None or bool(changes)
            jobs = changes.tables.get("jobs") if changes is not None else None
            if before is not None and jobs is not None:
                told = job_changes(before, snapshot, jobs)
                self._unwritten += [(job_id, snapshot.time, what) for job_id, what in told]
            if not 0 <= snapshot.time - self._last < _EVERY:
                self._attempt(lambda: self._record(snapshot), None)

    def times(self) -> list[float]:
        """Return the times of the snapshots that there are (seconds since the epoch), the oldest first."""
        return self._attempt(lambda: [one.time / 1000 for one in self._open()[0].moments()], [])

    def at(self, time: float) -> Snapshot | None:
        """Return the latest snapshot at or before `time` (seconds since the epoch); None: there is none.

        A file that cannot be read is left out, and counted by :meth:`kept`.
        """

        def find() -> Snapshot | None:
            snapshots, _ = self._open()
            # A time in seconds that came from `times` may be less than its milliseconds by rounding.
            moments = [one for one in snapshots.moments() if one.time <= round(time * 1000)]
            return next(filter(None, map(snapshots.read, reversed(moments))), None)

        return self._attempt(find, None)

    def history(self) -> pa.Table:
        """Return the counts, a row a moment: time, tasks by what they did, slots used, in all, and closed."""
        return self._attempt(self._read_history, _empty(HISTORY_COLUMNS))

    def owners(self) -> pa.Table:
        """Return what each owner had, a row a moment (one a minute) and owner: slots, running and waiting tasks."""
        return self._attempt(self._read_owners, _empty(OWNER_COLUMNS))

    def timeline(self, job_id: str) -> list[tuple[float, str]]:
        """Return what was seen to happen to a job, in words, the oldest first."""
        return self._attempt(lambda: self._open()[1].timeline(job_id), [])

    def kept(self) -> str:
        """Return a line for people: what is kept, its size and limit."""
        if not self.limit:
            return "nothing is recorded: GCS_LAB_RECORDER says so"

        def tell() -> str:
            snapshots, _ = self._open()
            times = self.times()
            size = sum(path.stat().st_size for path in self._folder().rglob("*") if path.is_file())
            span = _span(times[-1] - times[0]) if times else "nothing yet"
            torn = f"; {snapshots.torn:,} torn files left out" if snapshots.torn else ""
            return f"{span} in {len(times):,} moments, {_megabytes(size)} of at most {_megabytes(self.limit)}{torn}"

        return self._attempt(tell, "nothing") + (f"; {self.trouble}" if self.trouble else "")

    def close(self) -> None:
        """Let go of what it holds in memory; what is on disk stays."""
        with self._guard:
            if self._unwritten:
                self._attempt(lambda: self._open()[1].add_changes(self._unwritten), None)
            self._parts, self._unwritten = None, []

    def _record(self, snapshot: Snapshot) -> None:
        snapshots, database = self._open()
        # Whatever fails below is tried again with the next snapshot only, not with each.
        self._last, told, self._unwritten = snapshot.time, self._unwritten, []
        database.add(overview_of(snapshot), told)
        # A moment that is like the one before it need not be kept: who asks for it gets that one.
        if self._differs:
            snapshots.add(snapshot)
            self._differs = False
        self.trouble = ""

    def _read_history(self) -> pa.Table:
        return self._open()[1].history()

    def _read_owners(self) -> pa.Table:
        return self._open()[1].owners()

    def _folder(self) -> Path:
        return private_folder(private_folder(state_folder() / "recorder") / self._name)

    def _open(self) -> tuple[RecordedSnapshots, HistoryDatabase]:
        if self._parts is None:
            folder = self._folder()
            for_history = self.limit // _FOR_HISTORY
            snapshots = RecordedSnapshots(private_folder(folder / "snapshots"), self.limit - for_history)
            path = folder / "history.sqlite"
            try:
                database = HistoryDatabase(path, for_history)
                database.history()
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                # Torn, by a full disk or a crash: what was in it is lost, and what comes is kept.
                for suffix in ("", "-wal", "-shm"):
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
                snapshots.torn += 1
                database = HistoryDatabase(path, for_history)
            self._parts = (snapshots, database)
        return self._parts

    def _attempt(self, work: Callable[[], _T], otherwise: _T) -> _T:
        with self._guard:
            try:
                return work()
            except (OSError, sqlite3.Error, GcsError) as error:
                self.trouble = f"the recorder of the past could not do its work: {error}"
                _log.debug("%s", self.trouble)
                self._parts = None
                return otherwise


def _empty(columns: tuple[str, ...]) -> pa.Table:
    import pyarrow as pa

    types = {"time": pa.timestamp("us", tz="UTC"), "owner": pa.string()}
    return pa.schema([pa.field(name, types.get(name, pa.int64())) for name in columns]).empty_table()


def _span(seconds: float) -> str:
    for unit, length in (("days", 2 * 86400.0), ("h", 2 * 3600.0), ("min", 120.0)):
        if seconds >= length:
            return f"the last {seconds / {'days': 86400, 'h': 3600, 'min': 60}[unit]:.0f} {unit}"
    return f"the last {seconds:.0f} s"


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):.1f} MB" if size < 10 << 20 else f"{size / (1 << 20):.0f} MB"
