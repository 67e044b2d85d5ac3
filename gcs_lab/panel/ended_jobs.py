"""My jobs that ended: the latest of them as rows, and which ended while somebody was there to be told."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.panel.ends import End
from gcs_lab.panel.job_log import JobLog
from gcs_lab.panel.job_rows import ended_row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.cells.journal import JournalEntry

__all__ = ["MOST_RECENT", "EndedJobs"]

MOST_RECENT = 30
#: Ends of jobs that the journal does not have, and keys that were told, are kept up to so many.
_MOST_KEPT = 200
_MOST_TOLD = 20_000
#: Rows have times in milliseconds.
_ROUNDED_SECONDS = 0.002
#: Seconds that one refresh may spend on looking how long earlier jobs ran.
_LOOKING_SECONDS = 0.03

Row = dict[str, Any]


class EndedJobs:
    """What became of jobs. One thread uses it.

    Attributes
    ----------
    recent
        Rows of the jobs that ended last, by key, the latest end first.
    news
        Rows of jobs that ended since the first :meth:`renew` and were not taken by :meth:`take_news`.

    Parameters
    ----------
    contents_path
        Makes a path of the page's of an absolute one.
    """

    def __init__(self, contents_path: Callable[[str], str]) -> None:
        self._contents_path = contents_path
        self.recent: dict[str, Row] = {}
        self._news: dict[str, Row] = {}
        self._found: dict[str, End] = {}
        #: When that was heard, by the clock of this host: the jobs' hosts may have others.
        self._heard: dict[str, float] = {}
        #: Rows as they were in the queue, of those that ended since.
        self._last: dict[str, Row] = {}
        self._began: dict[str, float | None] = {}
        #: When jobs ended, of sweeps which round it was, and when it was submitted, in the order in which that was
        #: heard of.
        self._known: dict[str, tuple[float, int, float]] = {}
        #: Those of them that were in the queue again since.
        self._back: set[str] = set()
        self._since = 0.0
        self._rows: dict[str, tuple[object, Row]] = {}

    def found(self, end: End) -> None:
        """Take how a job ended."""
        self._found[end.key] = end
        self._heard[end.key] = time.time()
        for old in list(self._found)[:-_MOST_KEPT]:
            del self._found[old]
            self._heard.pop(old, None)

    def at(self, key: str, entry: JournalEntry | None) -> float:
        """Return when a job ended, or when that was heard if it was later; 0.0: it has not, as far as is known."""
        if entry is not None and entry.finished:
            return max(entry.finished, self._heard.get(key, 0.0))
        end = self._found.get(key)
        if end is None:
            return 0.0
        if entry is not None and end.state != "UNDETERMINED":
            # It was written into the journal; what is not ended there runs again.
            del self._found[key]
            return 0.0
        return max(end.ended, self._heard.get(key, 0.0))

    def goes_on(self, key: str) -> None:
        """Hear that a job is in the queue: what was found out of its end is void."""
        self._found.pop(key, None)

    def renew(
        self, entries: Mapping[str, JournalEntry], live: Mapping[str, Row], rounds: Callable[[str], int]
    ) -> None:
        """Put together the latest ends: those of the journal, and those that were found out.

        Parameters
        ----------
        entries
            What the journal has of jobs that ended.
        live
            Rows of those that have not.
        rounds
            Tells how many array jobs a sweep had so far: after each it ends anew.
        """
        ends: dict[str, tuple[End, JournalEntry | None]] = {key: (end, None) for key, end in self._found.items()}
        for key, entry in entries.items():
            found = self._found.get(key)
            began = found.started if found is not None else None
            ends[key] = (End(key, entry.state, entry.message, entry.finished, began), entry)
        for key in live:
            ends.pop(key, None)
        order = sorted(ends, key=lambda key: -ends[key][0].ended)
        until = time.monotonic() + _LOOKING_SECONDS
        self._back |= live.keys() & self._known.keys()
        new = [key for key in order if self._is_new(*ends[key], rounds(key))]
        rows = {key: self._row(*ends[key], until, again=rounds(key) > 1) for key in {*order[:MOST_RECENT], *new}}
        self.recent = {key: rows[key] for key in order[:MOST_RECENT]}
        submitted = {key: noted.submitted for key in new if (noted := ends[key][1]) is not None}
        self._tell({key: rows[key] for key in reversed(new)}, rounds, submitted)
        self._rows = {key: self._rows[key] for key in self.recent}
        for key in self._last.keys() - ends.keys() - live.keys():
            del self._last[key]

    def keep_last(self, rows: Mapping[str, Row]) -> None:
        """Remember rows of the queue, for the day when they are in it no more."""
        self._last |= rows

    def _is_new(self, end: End, entry: JournalEntry | None, number: int) -> bool:
        """Tell whether this is not the end that was told: log, scheduler and kernel may each give another time."""
        known = self._known.get(end.key)
        if known is None:
            return True
        ended, last, submitted = known
        if end.ended <= ended + _ROUNDED_SECONDS:
            return False
        other = entry is not None and submitted > 0.0 and entry.submitted != submitted
        return other or number > last or end.key in self._back

    def _tell(self, new: Mapping[str, Row], rounds: Callable[[str], int], submitted: Mapping[str, float]) -> None:
        first = not self._since
        self._since = self._since or time.time()
        for key, row in new.items():
            self._known.pop(key, None)
            self._known[key] = (row["ended"] or 0.0, rounds(key), submitted.get(key, 0.0))
            self._back.discard(key)
            # What was seen in the queue ended now, whatever the clock of its host says.
            if not first and (key in self._last or (row["ended"] or 0.0) >= self._since):
                self._news[key] = row
        for old in list(self._known)[:-_MOST_TOLD]:
            del self._known[old]
            self._back.discard(old)

    def take_news(self) -> dict[str, Row]:
        """Return the rows of jobs that ended since the last call."""
        news, self._news = self._news, {}
        return news

    def _row(self, end: End, entry: JournalEntry | None, until: float, *, again: bool) -> Row:
        last = self._last.get(end.key)
        mark = (end, last is None, entry.submitted if entry is not None else 0.0)
        known = self._rows.get(end.key)
        if known is not None and known[0] == mark:
            return known[1]
        if entry is not None and entry.kind != "sweep" and end.started is None and end.state == "DONE":
            if entry.folder not in self._began and time.monotonic() > until:
                # How long it ran is said the next time.
                return ended_row(end, entry, last, None, self._contents_path)
            end = End(end.key, end.state, end.message, end.ended, self._start_of(entry))
        counts = _counts_in(entry, last) if entry is not None else None
        row = ended_row(end, entry, last, counts, self._contents_path, again=again)
        self._rows[end.key] = (mark, row)
        return row

    def _start_of(self, entry: JournalEntry) -> float | None:
        """Return when a job began that is known from the journal alone, from the end of its log."""
        if entry.folder not in self._began:
            log = JobLog(Path(entry.folder) / "events.jsonl")
            log.look()
            wall = (log.finished or {}).get("wall")
            self._began[entry.folder] = None if wall is None else entry.finished - float(wall)
            for old in list(self._began)[: -2 * MOST_RECENT]:
                del self._began[old]
        return self._began[entry.folder]


def _counts_in(entry: JournalEntry, last: Row | None) -> tuple[int, int] | None:
    """Return how many tasks of a sweep ended well and badly, from what its end was put into (``SweepJob``)."""
    words = entry.message.replace(",", "").split()
    if entry.tasks and len(words) > 3 and words[1] == "of" and words[0].isdecimal():  # noqa: PLR2004
        failed = min(int(words[0]), entry.tasks)
        return entry.tasks - failed, failed
    tasks = (last or {}).get("tasks")
    return (tasks["done"], tasks["failed"]) if tasks and entry.tasks else None
