"""Sweeps as rows of the panel: which array jobs ran their tasks, and how many ended well, from their folders."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.cells.journal import Journal, JournalEntry
    from gcs_lab.cells.sweep_job import SweepJob
    from gcs_lab.cluster import Cluster

__all__ = ["PanelSweep", "SweepRounds"]

_LOG = logging.getLogger(__name__)

#: Seconds until the cluster is asked of tasks that left the queue without a word, and between two such questions.
_FIRST_PAUSE, _LONGEST_PAUSE = 4.0, 60.0
#: Folders of sweeps that are remembered.
_MOST_FOLDERS = 1_000


class PanelSweep:
    """One sweep that has not ended, or ran some of its tasks again.

    Attributes
    ----------
    entry, told
        Its entry in the journal when the sweep was found, kept up to date by what reads its folder; and as it is now.
    round_ids
        Ids of its array jobs, the first round's first.
    done, failed
        Tasks that ended, as far as they said so.
    started
        When the first of those started (seconds since the epoch); None: none of them said so.
    handle
        What reads its folder; None before :meth:`look`, or if it cannot be read.

    Parameters
    ----------
    cluster
        Where it runs.
    entry
        Its entry.
    journal
        The journal.
    """

    def __init__(self, cluster: Cluster, entry: JournalEntry, journal: Journal) -> None:
        self._cluster, self._journal = cluster, journal
        # A copy: what the handle finds out must not change what the journal was read as.
        self.entry, self.told = replace(entry), entry
        self._folder = JobFolder(Path(entry.folder))
        self._rounds_mark = 0
        self._unreadable = False
        self._ask_at, self._pause = 0.0, _FIRST_PAUSE
        self.round_ids = [entry.job_id]
        self.done = self.failed = 0
        self.started: float | None = None
        self.handle: SweepJob | None = None

    def is_to_be_asked(self, in_queue: int) -> bool:
        """Tell whether the cluster should be asked how tasks ended.

        That is so if all said it, or some are neither in the queue nor said it for a while: they were killed.

        Parameters
        ----------
        in_queue
            How many are in the queue.
        """
        ended = self.done + self.failed
        if ended >= self.entry.tasks:
            return True
        now = time.monotonic()
        if self.handle is None or ended + in_queue >= self.entry.tasks:
            self._ask_at, self._pause = 0.0, _FIRST_PAUSE
            return False
        if not self._ask_at:
            self._ask_at = now + self._pause
        if now < self._ask_at:
            return False
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._ask_at = now + self._pause
        return True

    def look_for_rounds(self) -> bool:
        """Look which array jobs it has now; return whether there are others than before."""
        try:
            mark = self._folder.rounds.stat().st_mtime_ns
            if mark == self._rounds_mark:
                return False
            ids = self._folder.round_ids()
        except (OSError, ValueError, KeyError):
            return False
        self._rounds_mark = mark
        ids = ids if self.entry.job_id in ids else [self.entry.job_id, *ids]
        if ids == self.round_ids:
            return False
        self.round_ids = ids
        return True

    def look(self) -> bool:
        """Count the tasks that ended; return whether anything differs from before."""
        news = self.look_for_rounds()
        handle = self._opened()
        if handle is None:
            return news
        try:
            if len(handle.rounds) < len(self.round_ids):
                handle.look_for_rounds()
            handle.read_log()
        except (GcsError, OSError, ValueError) as error:
            _LOG.debug("the folder of sweep %s cannot be read now: %s", self.entry.job_id, error)
        return self.count() or news

    def count(self) -> bool:
        """Take the counts of what was read; return whether they differ from before."""
        handle = self.handle
        if handle is None:
            return False
        with handle.lock:
            failed = len(handle.table.failed())
            done = int(handle.table.ended.sum()) - failed
            starts = handle.table.started[handle.table.started > 0]
            started = float(starts.min()) if len(starts) else None
        before = (self.done, self.failed, self.started)
        self.done, self.failed, self.started = done, failed, started
        return before != (done, failed, started)

    def _opened(self) -> SweepJob | None:
        if self.handle is None and not self._unreadable:
            # It needs numpy, which a panel without sweeps does not.
            from gcs_lab.cells.sweep_job import SweepJob

            try:
                self.handle = SweepJob(self._cluster, self.entry, self._journal)
            except (GcsError, OSError, ValueError, KeyError) as error:
                # Its folder was tidied away, or is not to be trusted: what the cluster tells is shown alone.
                self._unreadable = True
                _LOG.debug("the folder of sweep %s cannot be used: %s", self.entry.job_id, error)
        return self.handle


class SweepRounds:
    """Which array jobs belong to which sweep, also after its end: they are no jobs of their own."""

    def __init__(self) -> None:
        self._marks: dict[str, int] = {}
        self._keys: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def note(self, entries: Iterable[JournalEntry]) -> None:
        """Look which array jobs these sweeps have; one whose folder did not change is not read again."""
        for entry in entries:
            if entry.kind != "sweep":
                continue
            folder = JobFolder(Path(entry.folder))
            try:
                mark = folder.rounds.stat().st_mtime_ns
                if self._marks.get(entry.folder) == mark:
                    continue
                ids = folder.round_ids()
            except (OSError, ValueError, KeyError):
                continue
            self._marks[entry.folder] = mark
            self._keys |= dict.fromkeys(ids, entry.job_id)
            self._numbers[entry.job_id] = len(ids)
            for old in list(self._marks)[:-_MOST_FOLDERS]:
                del self._marks[old]
            for old in list(self._keys)[: -10 * _MOST_FOLDERS]:
                del self._keys[old]

    def number(self, key: str) -> int:
        """Return how many array jobs a sweep had so far; 0 of what is no sweep."""
        return self._numbers.get(key, 0)

    def later(self, job_id: str) -> str:
        """Return the key of the sweep of which this is a later array job; empty if it is none."""
        key = self._keys.get(job_id, "")
        return "" if key == job_id else key
