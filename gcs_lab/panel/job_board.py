"""My jobs, from all that tells of them: the queue, the journal, event logs, sweeps' folders, accounting."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError
from gcs_lab.panel.ended_jobs import EndedJobs
from gcs_lab.panel.ends import EndDesk, Leaving
from gcs_lab.panel.job_log import JobLog
from gcs_lab.panel.job_rows import ahead_row, queue_row, task_counts
from gcs_lab.panel.journal_watch import JournalWatch
from gcs_lab.panel.own_counts import own_counts
from gcs_lab.panel.own_rows import MOST_ROWS, OwnRow, OwnRows, own_rows
from gcs_lab.panel.reasons import MOST_REASONS, Reasons
from gcs_lab.panel.sweeps import PanelSweep, SweepRounds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.cluster import Cluster
    from gcs_lab.cockpit.lane import Lane
    from gcs_lab.panel.ends import End
    from gcs_lab.status import Snapshot

__all__ = ["JobBoard"]

_LOG = logging.getLogger(__name__)

#: A look at the cluster that began so many seconds after a submission did must show the job.
_SUBMISSION_SECONDS = 5.0
#: So long a job that said its end may still stand in the queue: its system tidies up after it.
_LINGER_SECONDS = 10.0
#: Submission times of queue and journal differ by less if they speak of one job: a new cluster counts anew.
_SAME_SECONDS = 900.0
#: Jobs that are no cells of which it is asked how they ended, if many leave at once.
_MOST_LEAVING = 200
#: Exit statuses that Grid Engine gives a meaning of its own: run again, and error state.
_SCHEDULER_EXITS = {99, 100}
_RANKS = {"RUNNING": 0, "SUSPENDED": 0, "FAILED": 1}
_WAITING = {"FAILED", "QUEUED", "QUEUED_HELD", "REQUEUED", "REQUEUED_HELD"}

Row = dict[str, Any]


class JobBoard:
    """Knows this user's jobs on one cluster. One thread uses it, but for what says otherwise.

    Attributes
    ----------
    live
        Rows of jobs that have not ended, by key, in the order to show; at most 200.
    more
        How many more there are.
    mine
        Counts of tasks (``mine`` of ``IPanel``).
    ended
        Those that have.

    Parameters
    ----------
    cluster
        The cluster.
    user
        Whose jobs.
    lane
        Where it is found out how jobs ended.
    changed
        Called in any thread when :meth:`refresh` should be called.
    contents_path
        Makes a path of the page's of an absolute one.
    """

    def __init__(
        self,
        cluster: Cluster,
        user: str,
        lane: Lane,
        changed: Callable[[], None],
        contents_path: Callable[[str], str],
    ) -> None:
        self._cluster, self._user, self._changed, self._contents_path = cluster, user, changed, contents_path
        self.journal = JournalWatch(cluster.name)
        self.ended = EndedJobs(contents_path)
        self._desk = EndDesk(cluster, self.journal.journal, lane, self._take_ends)
        self._reasons = Reasons(cluster, changed)
        self._reported: list[End] = []
        self._snapshot: Snapshot | None = None
        self._own = OwnRows()
        self._wanted: frozenset[str] = frozenset()
        self._gone: set[str] = set()
        self._sweeps: dict[str, PanelSweep] = {}
        self._rounds = SweepRounds()
        self._logs: dict[str, JobLog] = {}
        #: Tasks of arrays that are no sweeps: what was told, or the most that was seen.
        self.totals: dict[str, int] = {}
        self._asked_totals: frozenset[str] = frozenset()
        self.live: dict[str, Row] = {}
        self.more = 0
        self.mine = {"running": 0, "suspended": 0, "pending": 0, "held": 0, "error": 0}

    # -- what is told ------------------------------------------------------------------------------------------------

    def take(self, snapshot: Snapshot) -> None:
        """Take a new look at the cluster."""
        before = self._own
        self._snapshot = snapshot
        self._own = own_rows(snapshot, self._user, self._wanted)
        self._gone |= before.ids - self._own.ids
        self._gone -= self._own.ids
        self.totals = {job_id: total for job_id, total in self.totals.items() if job_id in self._own.ids}
        self._asked_totals &= self._own.ids

    def look(self) -> tuple[bool, bool]:
        """Look at the journal; return whether it changed, and whether it has jobs that the cluster did not show yet.

        A journal that cannot be read now says nothing.
        """
        before = self.journal.unfinished.keys()
        try:
            if not self.journal.look():
                return False, False
        except (sqlite3.Error, OSError, GcsError) as error:
            _LOG.debug("the journal cannot be read now: %s", error)
            return False, False
        self._rounds.note([*self.journal.unfinished.values(), *self.journal.ended.values()])
        return True, bool(self.journal.unfinished.keys() - before - self._own.ids)

    def look_at_logs(self) -> bool:
        """Read what running jobs and sweeps have written; return whether any of it is shown."""
        changed = False
        for key, row in self.live.items():
            sweep = self._sweeps.get(key)
            if sweep is not None:
                changed |= sweep.look()
            elif (log := self._logs.get(key)) is not None and row["state"] in {"RUNNING", "QUEUED"}:
                changed |= log.look()
        return changed

    def _take_ends(self, ends: list[End]) -> None:
        """Take what was found out, in the desk's thread."""
        self._reported += ends
        self._changed()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def refresh(self, *, seen: bool) -> None:
        """Put together what is known; `seen` says whether somebody looks, so that it is asked why jobs wait."""
        while self._reported:
            self.ended.found(self._reported.pop(0))
        self._keep_sweeps()
        groups = self._groups()
        live = self._in_queue(groups)
        self.ended.keep_last(live)
        live |= self._not_in_queue(live.keys() | groups.keys())
        order = sorted(live, key=lambda key: (_RANKS.get(live[key]["state"], 2), -(live[key]["submitted"] or 0)))
        self.more = len(order[MOST_ROWS:]) + len(self._own.ids) - len(self._own.rows)
        self.live = {key: live[key] for key in order[:MOST_ROWS]}
        for key in self.live:
            self.ended.goes_on(key)
        self.ended.renew(self.journal.ended, self.live, self._rounds.number)
        for key in self._logs.keys() - self.live.keys():
            del self._logs[key]
        self.mine = own_counts(self._own, live)
        self._ask_why(seen=seen)

    def _keep_sweeps(self) -> None:
        """Have the sweeps that have not ended, and the rows of all their array jobs."""
        journal = self.journal
        rows = journal.entries([job_id for job_id, row in self._own.rows.items() if row.array])
        entries = {**{entry.job_id: entry for entry in rows.values()}, **journal.unfinished}
        wanted = {key: entry for key, entry in entries.items() if entry.kind == "sweep" and self._is_own(entry)}
        for key in self._sweeps.keys() - wanted.keys():
            if key not in self._desk:
                del self._sweeps[key]
        for key, entry in wanted.items():
            known = self._sweeps.get(key)
            if known is None or known.entry.folder != entry.folder:
                self._sweeps[key] = PanelSweep(self._cluster, entry, journal.journal)
            self._sweeps[key].told = entry
            self._sweeps[key].look_for_rounds()
        ids = frozenset(job_id for sweep in self._sweeps.values() for job_id in sweep.round_ids)
        if ids != self._wanted:
            self._wanted = ids
            if self._snapshot is not None:
                self._own = own_rows(self._snapshot, self._user, ids)

    def _is_own(self, entry: JournalEntry) -> bool:
        """Tell whether an entry speaks of the job that the queue has under its id."""
        row = self._own.rows.get(entry.job_id)
        return row is None or row.submitted is None or abs(row.submitted - entry.submitted) < _SAME_SECONDS

    def _groups(self) -> dict[str, list[OwnRow]]:
        """Return the rows of the queue by key: a sweep's array jobs together."""
        keys = {job_id: key for key, sweep in self._sweeps.items() for job_id in reversed(sweep.round_ids)}
        groups: dict[str, list[OwnRow]] = {}
        for job_id, row in self._own.rows.items():
            key = keys.get(job_id, job_id)
            if key in self._sweeps or not self._rounds.later(key):
                groups.setdefault(key, []).append(row)
        return groups

    def _in_queue(self, groups: dict[str, list[OwnRow]]) -> dict[str, Row]:
        entries = self.journal.entries([key for key in groups if key not in self._sweeps])
        live: dict[str, Row] = {}
        for key, rows in groups.items():
            sweep = self._sweeps.get(key)
            entry = sweep.told if sweep is not None else entries.get(key)
            if entry is not None and not self._is_own(entry):
                entry = None
            in_error = any(row.kinds["error"] for row in rows)
            ended_at = self.ended.at(key, entry)
            if ended_at and not in_error and self._own.time < ended_at + _LINGER_SECONDS:
                continue
            is_open = key in self.journal.unfinished
            if sweep is None and self._said_its_end(key, entry) and is_open and not in_error:
                self._desk.add(Leaving(key, key, entry, gone=False))
            elif sweep is not None and is_open and sweep.is_to_be_asked(_tasks_of(rows)):
                self._desk.add(Leaving(key, key, entry, sweep, gone=False))
            elif sweep is None:
                self._desk.drop(key)
            total = self._total(rows[0]) if sweep is None and rows[0].array else 0
            live[key] = queue_row(
                rows,
                entry,
                sweep,
                self._logs.get(key),
                total=total,
                started=self._first_start(key, rows, sweep),
                reason=self._reasons.of(key),
                may_release=self._may_release(key, entry),
                contents_path=self._contents_path,
            )
        return live

    def _may_release(self, key: str, entry: JournalEntry | None) -> bool:
        """Tell whether somebody holds a job, as far as is known: what waits for others alone cannot be released."""
        is_held = self._reasons.is_held(key)
        return is_held if is_held is not None else entry is None or entry.after == "[]"

    def _first_start(self, key: str, rows: list[OwnRow], sweep: PanelSweep | None) -> float | None:
        """Return when a job started: of many tasks the first one, which may have left the queue."""
        starts = [row.started for row in rows]
        if rows[0].array:
            starts += [(self.live.get(key) or {}).get("started"), None if sweep is None else sweep.started]
        return min((start for start in starts if start is not None), default=None)

    def _said_its_end(self, key: str, entry: JournalEntry | None) -> bool:
        """Tell whether a cell's job has said in its log how it ended, so that the scheduler need not be asked."""
        if entry is None or entry.kind == "sweep":
            return False
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = JobLog(Path(entry.folder) / "events.jsonl")
            log.look()
        told = log.finished or {}
        by_itself = told.get("reason") in {"done", "error", "exit"}
        return by_itself and told.get("exit_status") not in _SCHEDULER_EXITS

    def _total(self, row: OwnRow) -> int:
        seen = max(self.totals.get(row.job_id, 0), sum(row.kinds.values()))
        self.totals[row.job_id] = seen
        return seen

    def _not_in_queue(self, shown: Collection[str]) -> dict[str, Row]:
        """Return the rows of jobs that are not in the queue: not yet, or not any more while it is found out why."""
        live: dict[str, Row] = {}
        for key, entry in self.journal.unfinished.items():
            if key not in shown and not self._stands_in_queue(key) and not self.ended.at(key, entry):
                self._await(key, entry, live)
        gone, self._gone = self._gone - self._wanted - self.journal.unfinished.keys() - set(shown), set()
        for key in sorted(gone, key=lambda key: key not in self.live)[:_MOST_LEAVING]:
            self._leave(key, live)
        for key in self.live.keys() - live.keys() - set(shown):
            if key in self._desk and key not in self.journal.unfinished:
                live[key] = self._leaving_row(key)
        return live

    def _stands_in_queue(self, key: str) -> bool:
        sweep = self._sweeps.get(key)
        return any(job_id in self._own.ids for job_id in (sweep.round_ids if sweep is not None else [key]))

    def _await(self, key: str, entry: JournalEntry, live: dict[str, Row]) -> None:
        """Show a job of the journal that the queue does not show yet, or find out how one ended that it had."""
        sweep = self._sweeps.get(key)
        said = self._said_its_end(key, entry)
        if not self._own.time or self._own.time < entry.submitted + _SUBMISSION_SECONDS:
            if said:
                self._desk.add(Leaving(key, key, entry, gone=False))
            if not said or key in self.live:
                live[key] = ahead_row(entry, sweep, self._logs.get(key), self._contents_path)
            return
        self._desk.add(Leaving(key, key, entry, sweep))
        if key in self.live:
            live[key] = self._leaving_row(key)

    def _leave(self, key: str, live: dict[str, Row]) -> None:
        """Find out how a job ended that left the queue, and that the journal does not have as unfinished."""
        if self._rounds.later(key):
            return
        entry = self.journal.entries([key]).get(key)
        if entry is not None and self._own.time < entry.finished + _LINGER_SECONDS:
            return
        if entry is not None and key not in self.live:
            return
        self._desk.add(Leaving(key, key, entry if entry is None or entry.kind != "sweep" else None))
        if key in self.live:
            live[key] = self._leaving_row(key)

    def _leaving_row(self, key: str) -> Row:
        row = {**self.live[key], "reason": "", "actions": []}
        sweep = self._sweeps.get(key)
        if sweep is not None and row["tasks"]:
            row["tasks"] = task_counts(row["tasks"], sweep.done, sweep.failed, row["tasks"]["total"])
        return row

    def _ask_why(self, *, seen: bool) -> None:
        waiting = [
            (key, ids[-1])
            for key, row in self.live.items()
            if row["state"] in _WAITING and (ids := self.queue_ids(key))
        ]
        self._reasons.keep(waiting[:MOST_REASONS] if seen else [])

    # -- for actions -------------------------------------------------------------------------------------------------

    def queue_ids(self, key: str) -> list[str]:
        """Return the ids under which a row's job stands in the queue now: of a sweep each of its array jobs."""
        sweep = self._sweeps.get(key)
        ids = sweep.round_ids if sweep is not None else [key]
        return [job_id for job_id in ids if job_id in self._own.ids]

    def unknown_totals(self) -> list[str]:
        """Return the ids of array jobs in the queue of which it is not known how many tasks they have."""
        shown = [row["job_id"] for row in self.live.values() if row["kind"] == "array" and row["tasks"]]
        return [job_id for job_id in shown if job_id in self._own.ids and job_id not in self._asked_totals]

    def take_totals(self, asked: Iterable[str], totals: dict[str, int]) -> None:
        """Take how many tasks array jobs have; of those that are left out it is not told."""
        self._asked_totals |= frozenset(asked)
        self.totals |= totals
        self._changed()

    def close(self) -> None:
        """Ask for nothing more."""
        self._reasons.keep([])


def _tasks_of(rows: Iterable[OwnRow]) -> int:
    return sum(sum(row.kinds.values()) for row in rows)
