"""How jobs ended that left the queue while no kernel was there to say it: from their logs, else from accounting."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.errors import GcsError, UnknownName
from gcs_lab.jobs.job import Job
from gcs_lab.panel.job_log import begin_near_end
from gcs_lab.panel.outcome_words import NOT_KNOWN, of_info
from gcs_lab.vocabulary import JobState, JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cells.event_log import Event
    from gcs_lab.cells.journal import Journal, JournalEntry
    from gcs_lab.cluster import Cluster
    from gcs_lab.cockpit.lane import Lane
    from gcs_lab.jobs.area import Jobs
    from gcs_lab.panel.sweeps import PanelSweep
    from gcs_lab.vocabulary import JobInfo

__all__ = ["End", "EndDesk", "Leaving"]

_LOG = logging.getLogger(__name__)

#: Seconds after which nothing more is expected of a job that left the queue: accounting may be written late.
PATIENCE = {"cell": 40.0, "sweep": 60.0, "other": 15.0}
#: Seconds between two rounds: from the first to the last.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
#: Ids in one question to the system.
_AT_ONCE = 200


@dataclass(frozen=True)
class End:
    """How one job ended; ``state`` is UNDETERMINED where nobody can tell. Times are seconds since the epoch."""

    key: str
    state: str
    message: str
    ended: float
    started: float | None = None
    name: str = ""


@dataclass
class Leaving:
    """A job whose end is to be found out: a cell's (``entry``), a sweep, or one that the journal does not have.

    ``gone`` tells whether the cluster does not have it any more.
    """

    key: str
    job_id: str
    entry: JournalEntry | None = None
    sweep: PanelSweep | None = None
    gone: bool = True
    since: float = field(default_factory=time.monotonic)
    handle: _EndedCell | None = None

    def patience(self) -> float:
        """Return how long it is asked for, in seconds."""
        return PATIENCE["sweep" if self.sweep else "cell" if self.entry else "other"]


class EndDesk:
    """Finds out how jobs ended, in a lane of its own; all of them with one question to the cluster.

    Parameters
    ----------
    cluster
        Where they ran.
    journal
        The journal, which is told of cells and sweeps.
    lane
        The thread.
    report
        Called in it with what was found out.
    """

    def __init__(self, cluster: Cluster, journal: Journal, lane: Lane, report: Callable[[list[End]], None]) -> None:
        self._cluster, self._journal, self._lane, self._report = cluster, journal, lane, report
        self._guard = threading.Lock()
        self._leaving: dict[str, Leaving] = {}
        self._pause = _FIRST_PAUSE

    def __contains__(self, key: str) -> bool:
        with self._guard:
            return key in self._leaving

    def add(self, leaving: Leaving) -> None:
        """Find out how a job ended; one that is looked after already may turn out to be gone."""
        with self._guard:
            known = self._leaving.get(leaving.key)
            if known is not None:
                if leaving.gone and not known.gone:
                    known.gone, known.since = True, time.monotonic()
                return
            self._leaving[leaving.key] = leaving
            self._pause = _FIRST_PAUSE
        self._lane.do(self._round, "round")

    def drop(self, key: str) -> None:
        """Leave a job alone: it is in the queue after all."""
        with self._guard:
            self._leaving.pop(key, None)

    def _round(self) -> None:
        with self._guard:
            some = list(self._leaving.values())
        ends = [end for one in some if one.entry and not one.sweep and (end := self._by_log(one))]
        ends += [end for one in some if one.sweep and (end := self._of_sweep(one))]
        found = {end.key for end in ends}
        ends += self._by_accounting([one for one in some if one.key not in found and not one.sweep and one.gone])
        with self._guard:
            for end in ends:
                self._leaving.pop(end.key, None)
            for one in some:
                if not one.gone:
                    # Its log told all there is to tell; if that was no end, its row goes on.
                    self._leaving.pop(one.key, None)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            again = bool(self._leaving)
        if ends:
            self._report(ends)
        if again:
            self._lane.do(self._round, "round", self._pause)

    # -- cells -------------------------------------------------------------------------------------------------------

    def _by_log(self, one: Leaving) -> End | None:
        if one.entry is None:
            return None
        if one.handle is None:
            one.handle = _EndedCell(self._cluster, one.entry, self._journal)
        handle = one.handle
        try:
            begin_near_end(handle.log)
            handle.read_log()
            folder = Path(one.entry.folder)
            # Where the folder of all jobs is missing, a file system may be away for a while.
            if not handle.concluded.is_set() and not folder.exists() and folder.parent.is_dir():
                handle.take_status(JobStatus(JobState.UNDETERMINED))
        except OSError as error:
            _LOG.debug("the log of job %s cannot be read now: %s", one.job_id, error)
        return handle.end(one.key)

    def _of_sweep(self, one: Leaving) -> End | None:
        sweep = one.sweep
        if sweep is None:
            return None
        sweep.look()
        if (handle := sweep.handle) is not None:
            try:
                handle.read_log(now=True)
                if not handle.concluded.is_set():
                    handle.take_state()
            except (GcsError, OSError) as error:
                one.since = time.monotonic()
                _LOG.debug("the end of sweep %s cannot be found out now: %s", one.job_id, error)
            sweep.count()
            if handle.concluded.is_set():
                return End(one.key, handle.state.name, handle.message, handle.finished_at)
        if one.gone and time.monotonic() - one.since > one.patience():
            return End(one.key, JobState.UNDETERMINED.name, NOT_KNOWN, time.time())
        return None

    # -- accounting --------------------------------------------------------------------------------------------------

    def _by_accounting(self, some: list[Leaving]) -> list[End]:
        asked = some[:_AT_ONCE]
        if not asked:
            return []
        try:
            infos = self._cluster.jobs.backend.info([one.job_id for one in asked])
        except GcsError as error:
            # While the cluster does not answer nobody is given up.
            for one in asked:
                one.since = time.monotonic()
            _LOG.debug("how jobs ended cannot be asked now: %s", error)
            return []
        return [end for one in asked if (end := self._conclude(one, infos.get(one.job_id)))]

    def _conclude(self, one: Leaving, info: JobInfo | None) -> End | None:
        ended = info if info is not None and info.job_state.terminated else None
        if ended is not None and one.handle is not None:
            one.handle.take_info(ended)
            if end := one.handle.end(one.key):
                return end
        elif ended is not None:
            at = ended.finish_time.timestamp() if ended.finish_time else time.time()
            began = ended.dispatch_time.timestamp() if ended.dispatch_time else None
            return End(one.key, ended.job_state.name, of_info(ended), at, began, ended.job_name or "")
        if time.monotonic() - one.since > one.patience():
            return End(one.key, JobState.UNDETERMINED.name, NOT_KNOWN, time.time())
        return None


class _AccountedJob(Job):
    """A job of which accounting was asked together with others."""

    __slots__ = ("told",)

    def __init__(self, area: Jobs, job_id: str) -> None:
        super().__init__(area, job_id)
        self.told: JobInfo | None = None

    def info(self) -> JobInfo:
        """Return what was told; raise UnknownName if nothing was."""
        if self.told is None:
            raise UnknownName("job", self.id, [], where=self.area.system, complete=False)
        return self.told


class _EndedCell(CellJob):
    """Reads how a cell's job ended; nothing that it computed is brought back."""

    def __init__(self, cluster: Cluster, entry: JournalEntry, journal: Journal) -> None:
        # Nothing of what was sent is needed, and it may be long.
        super().__init__(cluster, replace(entry, finished=0.0), journal, spec={"outputs": []})
        self._accounted = _AccountedJob(cluster.jobs, entry.job_id)
        self.job = self._accounted
        self._began: float | None = None
        self.listen(self)

    def end(self, key: str) -> End | None:
        """Return how it ended; None if that is not known yet."""
        if not self.concluded.is_set():
            return None
        return End(key, self.state.name, self.message, self.entry.finished or time.time(), self._began, self.name)

    def take_info(self, info: JobInfo) -> None:
        """Take what accounting says of its end."""
        self._accounted.told = info
        if self.finished is None and info.finish_time is not None:
            self.entry.finished = info.finish_time.timestamp()
        if self._began is None and info.dispatch_time is not None:
            self._began = info.dispatch_time.timestamp()
        self.take_status(JobStatus(info.job_state, info.job_sub_state, annotation=info.annotation))

    def on_event(self, job: CellJob, event: Event) -> None:  # noqa: ARG002
        """Take when it began and ended: the journal is to have its own time, not that of who looks later."""
        if event.type == "started":
            self._began, self.entry.finished = event.t, 0.0
        elif event.type == "finished":
            self.entry.finished = event.t
            wall: Any = event.body.get("wall")
            if self._began is None and wall is not None:
                self._began = event.t - float(wall)

    def on_status(self, job: CellJob, status: JobStatus) -> None:
        """Hear of a state; nothing is shown."""

    def on_silence(self, job: CellJob, since: float) -> None:
        """Hear that the cluster does not answer; nothing is shown."""

    def on_concluded(self, job: CellJob) -> None:
        """Hear of the end; who asks is told by :meth:`end`."""

    def _collect(self) -> None:
        """Leave the outputs where they are: they are the kernel's, and large."""
