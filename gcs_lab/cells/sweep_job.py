"""The handle on a sweep: follows its tasks, says how they ended, runs some of them again."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.later_result import LaterResult
from gcs_lab.cells.sweep_again import check_can_run_again, submit_round, task_numbers
from gcs_lab.cells.sweep_ends import EndLines
from gcs_lab.cells.sweep_points import Points
from gcs_lab.cells.sweep_rounds import (
    Round,
    add_round,
    read_rounds,
    settle_rounds,
    template_of_round,
)
from gcs_lab.cells.sweep_table import SweepTable
from gcs_lab.cells.unexplained_ends import UnexplainedEnds
from gcs_lab.cells.upstream import Upstream
from gcs_lab.errors import GcsError, InvalidState
from gcs_lab.vocabulary import JobState, JobTemplate, TaskRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gcs_lab.cells.journal import Journal, JournalEntry
    from gcs_lab.cluster import Cluster
    from gcs_lab.jobs import JobAction, JobArray

__all__ = ["SweepJob", "SweepListener"]

_log = logging.getLogger(__name__)

#: Reading what is new takes at most this part of the time.
_READING_PART = 0.05


class SweepListener(Protocol):
    """Who follows a sweep. All methods are called on the follower's threads; they must not block for long."""

    def on_change(self, sweep: SweepJob) -> None:
        """Hear that tasks changed: states, results, or a new round."""

    def on_silence(self, sweep: SweepJob, since: float) -> None:
        """Hear that the cluster has not answered since `since` (seconds since the epoch); 0.0: it answers again."""

    def on_concluded(self, sweep: SweepJob) -> None:
        """Hear that all tasks have ended; a rerun makes the sweep go on."""


class SweepJob:
    """One sweep: an array job, and those that ran some of its tasks again.

    Parameters
    ----------
    cluster
        Where it runs.
    entry
        Its journal entry.
    journal
        The journal.
    spec
        What the runner was asked to do; read from the folder when not given.

    Raises
    ------
    UntrustedFile
        If another user could have written its folder.
    OSError, ValueError
        If the folder cannot be read.
    """

    def __init__(
        self, cluster: Cluster, entry: JournalEntry, journal: Journal, *, spec: dict[str, Any] | None = None
    ) -> None:
        self.cluster = cluster
        self.entry = entry
        self.folder = JobFolder(Path(entry.folder))
        self.spec = self.folder.read_spec() if spec is None else spec
        self.points = Points.read(self.folder.points)
        # Tasks are submitted again with it: it says which program runs.
        self.folder.check_trusted(self.folder.template)
        self.template = JobTemplate.from_json(json.loads(self.folder.template.read_bytes()))
        #: Its ``-l`` requests.
        self.requested = dict(self.template.resource_requests)
        self.rounds = self._submitted_rounds()
        self.concluded = threading.Event()
        #: What went wrong, in a line; empty when all is well.
        self.message = ""
        self.finished_at = 0.0
        #: Whether it is followed no more although it goes on.
        self.abandoned = False
        self._journal = journal
        self._lock = threading.RLock()
        self._one_rerun = threading.Lock()
        self._unexplained = UnexplainedEnds(self)
        self._ends = EndLines(self.folder.path)
        self._listeners: list[SweepListener] = []
        self._watched: list[str] = []
        self._read_at = 0.0
        self._read_took = 0.0
        self._table = SweepTable(len(self.points), self._later)
        for ran in self.rounds:
            self._table.begin_round(ran, held=bool(self.template.submit_as_hold) and ran.number == 1)

    def __reduce__(self) -> Any:
        raise TypeError(
            f"a sweep cannot be copied or pickled: it follows its tasks. Keep sweep.frame, or what sweep.load() "
            f"returns; `%gcs attach {self.entry.job_id}` brings sweep {self.name} to another kernel."
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{number:,} {state.name}" for state, number in self._table.counts().items())
        return f"<Sweep {self.id} ({self.name}) of {len(self):,} tasks on {self.cluster.name}: {counts}>"

    def __len__(self) -> int:
        return len(self.points)

    @property
    def id(self) -> str:
        """The scheduler's id of the latest round's array job."""
        return self.rounds[-1].job_id if self.rounds else self.entry.job_id

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self.entry.name

    @property
    def state(self) -> JobState:
        """The state of the whole: of the task that is furthest; at the end FAILED if one of them did."""
        return self._table.state()

    @property
    def table(self) -> SweepTable:
        """What is known of its tasks; read it under :attr:`lock`."""
        return self._table

    @property
    def lock(self) -> threading.RLock:
        """Held while the table changes."""
        return self._lock

    @property
    def job(self) -> JobArray:
        """The array job of the latest round."""
        return self._array(self.rounds[-1])

    def _array(self, ran: Round) -> JobArray:
        return self.cluster.jobs.array(ran.job_id, TaskRange(1, len(ran.tasks)))

    def job_id_of(self, task: int) -> str:
        """Return the scheduler's id of a task: of its latest run."""
        ran = self.rounds[int(self._table.rounds[task - 1]) - 1]
        return f"{ran.job_id}.{ran.index_of(task)}"

    def upstream(self) -> Upstream:
        """Return what a job that depends on this one must know of it."""
        entry = self.entry
        return Upstream(self.id, entry.name, entry.folder, len(self), entry.cluster)

    def waits(self) -> bool:
        """Tell whether no task has started, as far as is known."""
        return not any(state.started for state in self._table.counts())

    def usage(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what the tasks that have ended used: arrays of equal length.

        ``task`` (number), ``wall`` and ``cpu`` (seconds), ``max_rss`` and ``max_vmem`` (bytes, 0: not known) and
        ``exit`` (status, -1: not known).
        """
        with self._lock:
            return self._table.usage()

    def listen(self, listener: SweepListener) -> None:
        """Tell `listener` of all further changes."""
        with self._lock:
            self._listeners.append(listener)

    def _later(self, task: int, name: str, kind: str) -> LaterResult:
        return LaterResult(self.folder.of_task(task), task, name, kind)

    # -- called by the follower ----------------------------------------------------------------------------------

    def watch(self) -> None:
        """Have its tasks be part of every question to the cluster."""
        with self._lock:
            new = [ran.job_id for ran in self.rounds if ran.job_id not in self._watched]
            self._watched += new
        self.cluster.jobs.board.watch_arrays(new)

    def unwatch(self) -> None:
        """Undo :meth:`watch`."""
        with self._lock:
            watched, self._watched = self._watched, []
        self.cluster.jobs.board.unwatch_arrays(watched)

    def read_log(self, *, now: bool = False) -> bool:
        """Take what the tasks have written by now; return whether there was anything.

        Parameters
        ----------
        now
            Look even if that was done a moment ago: following a sweep takes 5% of one core at the most.
        """
        with self._lock:
            began = time.monotonic()
            if not now and began - self._read_at < self._read_took / _READING_PART:
                return False
            ends = self._ends.read()
            news = self._table.take_ends(ends)
            self._read_at = time.monotonic()
            self._read_took = self._read_at - began
        if news:
            self._tell("on_change")
        if not self.concluded.is_set() and self._table.ended.all():
            self._conclude()
        return news

    def take_state(self) -> None:
        """Take what the cluster knows of its tasks; it is asked if that is old.

        Raises
        ------
        GcsError
            If it does not answer.
        """
        if self.concluded.is_set():
            return
        with self._lock:
            open_rounds = self._table.open_rounds()
            asked = [ran for ran in self.rounds if ran.number in open_rounds]
        answer = self.cluster.jobs.board.array_status([ran.job_id for ran in asked])
        news = False
        with self._lock:
            for ran in asked:
                status = answer[ran.job_id]
                news |= self._table.take_states(ran, status)
        if news:
            self._tell("on_change")
        if not self.folder.path.exists():
            self._fail_open_tasks(
                f"the sweep's folder {self.folder.path} was deleted, and with it all output; tasks may go on: "
                f"`%gcs cancel {self.id}` ends them"
            )
        elif self._unexplained.find_out():
            self._tell("on_change")
        if not self.concluded.is_set() and self._table.ended.all():
            self._conclude()

    def take_silence(self, since: float) -> None:
        """Hear that the cluster does not answer (or, with 0.0, answers again)."""
        self._tell("on_silence", since)

    def give_up(self, error: Exception) -> None:
        """End the following of a sweep whose folder cannot be understood; its tasks go on."""
        self.abandoned = True
        self._conclude(f"its folder could not be read: {type(error).__name__}: {error}")

    def conclude_not_run(self, text: str, upstream: Mapping[str, Any]) -> None:  # noqa: ARG002  (as a cell's job)
        """End a sweep whose tasks will never run, because an earlier job that it needs failed; `text` says so."""
        self._fail_open_tasks(text)
        self._conclude()

    def _fail_open_tasks(self, message: str) -> None:
        with self._lock:
            for place in np.flatnonzero(~self._table.ended).tolist():
                self._table.explain(place, message, None)
        self._tell("on_change")

    # -- the end -------------------------------------------------------------------------------------------------

    def _conclude(self, message: str | None = None) -> None:
        with self._lock:
            if self.concluded.is_set() or (message is None and not self._table.ended.all()):
                # Some of its tasks may have been sent again since they were looked at.
                return
            self.message = self._summary() if message is None else message
            # One that is shown again ended when it did.
            self.finished_at = self.entry.finished or self._table.last_end() or time.time()
            state = self.state.name
            with contextlib.suppress(OSError, GcsError):
                self._journal.update(self.entry.folder, state=state, finished=self.finished_at, message=self.message)
            if state == JobState.FAILED.name and not self.abandoned:
                # Jobs that wait for a task which was killed, or never ran, find its end here.
                with contextlib.suppress(OSError):
                    self.folder.write_verdict(f"failed: {self.message}", len(self.rounds))
            self.concluded.set()
        self._tell("on_concluded")

    def _summary(self) -> str:
        failed = self._table.failed()
        if not len(failed):
            return ""
        first = int(failed[0])
        return (
            f"{len(failed):,} of {len(self):,} failed; first: task {first + 1}: {self._table.errors.get(first, '')}"
        )

    # -- actions -------------------------------------------------------------------------------------------------

    def control(self, action: JobAction) -> None:
        """Do `action` to all tasks that have not ended.

        Raises
        ------
        InvalidState
            If the state of none of them allows it.
        GcsError
            If the cluster refuses or does not answer.
        """
        with self._lock:
            open_rounds = self._table.open_rounds()
            ids = [ran.job_id for ran in self.rounds if ran.number in open_rounds]
        if not ids:
            raise InvalidState(f"all tasks of sweep {self.id} ({self.name}) have ended.")
        failures = self.cluster.jobs.control(action, ids)
        if len(failures) == len(ids):
            raise failures[ids[-1]]
        with contextlib.suppress(GcsError):
            self.take_state()

    def run_again(self, tasks: Iterable[int], requests: Mapping[str, str] | None = None) -> Round:
        """Submit tasks that have ended once more, as a new array job; return the round.

        `requests` (``-l``) replace those of the same names, from now on.

        Raises
        ------
        InvalidState
            If one of them has not ended, or there is none.
        UnknownName
            If there is no such task.
        GcsError
            If the cluster refuses or does not answer; then nothing has changed.
        """
        wanted = task_numbers(tasks)
        with self._one_rerun:
            self.look_for_rounds()
            with self._lock:
                check_can_run_again(self, wanted)
                ran = add_round(self.folder, len(self.rounds) + 1, wanted)
            submit_round(self, ran, template_of_round(self.template, ran, requests or {}))
            if requests:
                self.template.resource_requests = self.requested = {**self.requested, **requests}
                with contextlib.suppress(OSError):
                    self.folder.write_template(self.template.to_json())
            self._begin([ran])
        with contextlib.suppress(OSError, GcsError):
            self._journal.update(self.entry.folder, state=self.state.name, finished=0.0, message="")
        self._tell("on_change")
        return ran

    def look_for_rounds(self) -> None:
        """Take rounds that another kernel submitted. Raises GcsError, OSError or ValueError if it cannot be told."""
        if not self.folder.spec.exists():
            gone = f"the folder of sweep {self.id} ({self.name}), {self.folder.path}, was deleted"
            raise InvalidState(f"{gone}, and with it all that its tasks need. Run its cell again.")
        if new := self._submitted_rounds()[len(self.rounds) :]:
            self._begin(new)
            # Ends of these rounds were passed over before.
            self._ends = EndLines(self.folder.path)
            self.read_log(now=True)

    def _submitted_rounds(self) -> list[Round]:
        rounds = read_rounds(self.folder, len(self.points))
        return settle_rounds(self.folder, rounds, self.cluster.jobs.backend.find_submissions)

    def _begin(self, rounds: list[Round]) -> None:
        with self._lock:
            for ran in rounds:
                self.rounds.append(ran)
                self._table.begin_round(ran)
            self.concluded.clear()
            self.message, self.finished_at, self.entry.finished = "", 0.0, 0.0

    def _tell(self, what: str, *args: Any) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                getattr(listener, what)(self, *args)
            except Exception:
                # What shows a sweep must not keep its end from being told.
                _log.exception("showing sweep %s failed", self.id)
