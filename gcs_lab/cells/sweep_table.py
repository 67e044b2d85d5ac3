"""What is known of all tasks of a sweep, as columns: states, usage and results, kept up with what is new alone."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.cells.result_column import ResultColumn
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gcs_lab.cells.sweep_rounds import Round
    from gcs_lab.vocabulary import ArrayStatus, JobInfo

__all__ = ["SweepTable"]

#: Exit statuses that Grid Engine gives a meaning of its own: run again, and error state.
_SCHEDULER_EXITS = {99, 100}


class SweepTable:
    """The tasks of one sweep; not guarded against threads. Places count from 0, tasks from 1.

    A task is in the state that the scheduler tells, until its own word (:meth:`take_end`) or :meth:`explain` says how
    it ended; that stays until it runs again in a later round. A task that the scheduler says has ended, and that has
    said nothing itself, is *gone*: shown in the state before, until somebody finds out.

    Parameters
    ----------
    length
        Number of tasks.
    later
        Makes what stands for a result that is not plain: of the task, the result's name and its type.
    """

    def __init__(self, length: int, later: Callable[[int, str, str], Any]) -> None:
        self._later = later
        self.length = length
        self.states = np.full(length, JobState.QUEUED, np.uint8)
        self.rounds = np.ones(length, np.int32)
        self.tries = np.zeros(length, np.int32)
        #: Whether it is known how the task ended.
        self.ended = np.zeros(length, np.bool_)
        #: When (monotonic) the scheduler was first heard to say that it has ended; 0.0: it has not.
        self.gone = np.zeros(length, np.float64)
        self.wall = np.full(length, np.nan)
        self.cpu = np.full(length, np.nan)
        self.max_rss = np.zeros(length, np.int64)
        self.max_vmem = np.zeros(length, np.int64)
        self.exit = np.full(length, -1, np.int32)
        self.started = np.zeros(length, np.float64)
        self.finished = np.zeros(length, np.float64)
        self.hosts: list[str] = [""]
        self.host = np.zeros(length, np.int32)
        self.errors: dict[int, str] = {}
        self.annotations: dict[int, str] = {}
        self.results: dict[str, ResultColumn] = {}
        #: Counts up with every change.
        self.version = 0
        self._host_codes = {"": 0}
        self._unsure: dict[int, dict[str, Any]] = {}

    # -- the runner's word ---------------------------------------------------------------------------------------

    def take_ends(self, ends: Iterable[dict[str, Any]]) -> bool:
        """Take lines that runners wrote; return whether there was news."""
        before = self.version
        for end in ends:
            place = int(end["task"]) - 1
            if place >= self.length or end["round"] > self.rounds[place]:
                continue
            if end["round"] < self.rounds[place]:
                # It ran again since; what its log says of this try is over.
                self.tries[place] = max(self.tries[place], end.get("try", 1))
                continue
            if end.get("try", 1) < self.tries[place]:
                continue
            if end["exit_status"] in _SCHEDULER_EXITS and end.get("reason") != "killed":
                # Run again, or in error: the scheduler tells what became of it.
                self._unsure[place] = end
                continue
            self.take_end(place, end)
        return self.version != before

    def take_end(self, place: int, end: Mapping[str, Any]) -> None:
        """Take the end of one task as its runner wrote it."""
        status = int(end["exit_status"])
        self._end(place, JobState.FAILED if status else JobState.DONE, _words_of(end) if status else "")
        self.tries[place] = end.get("try", 1)
        self.exit[place] = status
        self.wall[place], self.cpu[place] = float(end.get("wall") or 0), float(end.get("cpu") or 0)
        self.max_rss[place], self.max_vmem[place] = int(end.get("max_rss") or 0), int(end.get("max_vmem") or 0)
        self.host[place] = self._host_code(str(end.get("host") or ""))
        self.started[place] = float(end.get("started") or 0)
        self.finished[place] = self.started[place] + self.wall[place]
        for name, value in (end.get("results") or {}).items():
            self._column(name).put(place, value)
        for name, kind in (end.get("types") or {}).items():
            self._column(name).put(place, self._later(place + 1, name, str(kind)))

    def _end(self, place: int, state: JobState, error: str) -> None:
        self.states[place] = state
        self.ended[place] = True
        self.gone[place] = 0.0
        self.version += 1
        self._unsure.pop(place, None)
        if error:
            self.errors[place] = error
        else:
            self.errors.pop(place, None)

    def _host_code(self, host: str) -> int:
        code = self._host_codes.setdefault(host, len(self.hosts))
        if code == len(self.hosts):
            self.hosts.append(host)
        return code

    def _column(self, name: str) -> ResultColumn:
        column = self.results.get(name)
        if column is None:
            column = self.results[name] = ResultColumn(self.length)
        return column

    # -- the scheduler's word ------------------------------------------------------------------------------------

    def take_states(self, ran: Round, status: ArrayStatus | None) -> bool:
        """Take the states of the tasks of one round; return whether one changed."""
        found = _states_in(ran, status)
        if found is None:
            return False
        places = ran.tasks - 1
        open_now = (self.rounds[places] == ran.number) & ~self.ended[places]
        gone = open_now & (found >= JobState.DONE)
        self.gone[places[open_now & ~gone]] = 0.0
        new = places[gone & (self.gone[places] == 0.0)]
        self.gone[new] = time.monotonic()
        for index, text in (status.annotations if status else {}).items():
            if index <= len(places):
                self.annotations[int(places[index - 1])] = text
        told = open_now & ~gone & (found != JobState.UNDETERMINED) & (found != self.states[places])
        self.states[places[told]] = found[told]
        if told.any() or len(new):
            self.version += 1
        return bool(told.any() or len(new))

    def gone_for(self, seconds: float) -> np.ndarray[Any, Any]:
        """Return the places of tasks that ended so long ago or longer without anybody knowing how."""
        return np.flatnonzero((self.gone > 0.0) & (self.gone <= time.monotonic() - seconds) & ~self.ended)

    def unsure(self, place: int) -> dict[str, Any] | None:
        """Return the word of a task that asked to be run again, or to be put into error state."""
        return self._unsure.get(place)

    def explain(self, place: int, message: str, info: JobInfo | None) -> None:
        """Take the end of a task that could not tell it itself: it failed."""
        self._end(place, JobState.FAILED, message)
        if info is None:
            return
        self.exit[place] = -1 if info.exit_status is None else info.exit_status
        self.wall[place] = np.nan if info.wallclock_time is None else info.wallclock_time
        self.cpu[place] = np.nan if info.cpu_time is None else info.cpu_time
        self.max_rss[place], self.max_vmem[place] = info.max_rss or 0, info.max_vmem or 0
        if info.allocated_machines:
            self.host[place] = self._host_code(info.allocated_machines[0].machine_name)
        self.started[place] = info.dispatch_time.timestamp() if info.dispatch_time else 0.0
        self.finished[place] = info.finish_time.timestamp() if info.finish_time else time.time()

    # -- rounds --------------------------------------------------------------------------------------------------

    def begin_round(self, ran: Round, *, held: bool = False) -> None:
        """Forget how the tasks of a new round ended before: they run again."""
        places = ran.tasks - 1
        self.rounds[places] = ran.number
        self.states[places] = JobState.QUEUED_HELD if held else JobState.QUEUED
        self.ended[places] = False
        self.gone[places] = self.started[places] = self.finished[places] = 0.0
        self.wall[places] = self.cpu[places] = np.nan
        self.max_rss[places] = self.max_vmem[places] = 0
        self.exit[places] = -1
        self.host[places] = 0
        for column in self.results.values():
            column.forget(places)
        if ran.number > 1:
            for place in places.tolist():
                self.errors.pop(place, None)
                self.annotations.pop(place, None)
                self._unsure.pop(place, None)
        self.version += 1

    def open_rounds(self) -> set[int]:
        """Return the numbers of the rounds that have tasks which have not ended."""
        return set(np.unique(self.rounds[~self.ended]).tolist())

    # -- answers -------------------------------------------------------------------------------------------------

    def counts(self) -> Counter[JobState]:
        """Return how many tasks are in each state; states that no task is in are left out."""
        found = np.bincount(self.states, minlength=len(JobState))
        return Counter({state: int(found[state]) for state in JobState if found[state]})

    def state(self) -> JobState:
        """Return the state of the whole: that of the task that is furthest; at the end FAILED if one failed."""
        counts = self.counts()
        for state in (JobState.RUNNING, JobState.SUSPENDED, JobState.QUEUED, JobState.REQUEUED, JobState.QUEUED_HELD):
            if counts[state]:
                return state
        if not self.ended.all():
            return JobState.REQUEUED_HELD if counts[JobState.REQUEUED_HELD] else JobState.UNDETERMINED
        return JobState.FAILED if counts[JobState.FAILED] else JobState.DONE

    def last_end(self) -> float:
        """Return when the last task ended (seconds since the epoch); 0.0 if that is not known of all."""
        return min(float(self.finished.max()), time.time()) if self.finished.all() else 0.0

    def failed(self) -> np.ndarray[Any, Any]:
        """Return the places of the tasks that failed."""
        return np.flatnonzero(self.ended & (self.states == JobState.FAILED))

    def usage(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return wall and CPU seconds, peak memory in bytes and exit status of the tasks that have ended."""
        known = np.flatnonzero(self.ended & ~np.isnan(self.wall))
        columns = {name: getattr(self, name) for name in ("wall", "cpu", "max_rss", "max_vmem", "exit")}
        return {name: column[known] for name, column in columns.items()} | {"task": known + 1}


def _states_in(ran: Round, status: ArrayStatus | None) -> np.ndarray[Any, Any] | None:
    """Return the state of each task of a round; None if `status` is another array's.

    A scheduler that has forgotten an array, or that knows of it only what accounting has, leaves tasks out: they have
    ended.
    """
    found = np.full(len(ran.tasks), int(JobState.FAILED), np.uint8)
    if status is None:
        return found
    codes, indices = np.frombuffer(status.codes, np.uint8), status.tasks.indices
    if len(codes) != len(indices) or (len(indices) and not 1 <= indices[0] <= indices[-1] <= len(found)):
        return None
    palette = np.array([int(state) for state, _ in status.palette] or [0], np.uint8)
    found[np.arange(indices.start, indices.stop, indices.step) - 1] = palette[codes]
    return found


def _words_of(end: Mapping[str, Any]) -> str:
    if end.get("error"):
        return str(end["error"])
    if end.get("signal"):
        return f"killed by {end['signal']}"
    return f"exit status {end['exit_status']}"
