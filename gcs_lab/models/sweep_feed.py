"""Feeds a SweepModel from a sweep: counts, the strip of states, and the time that is left."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.cells.job_usage import advice_on_sweep
from gcs_lab.models.sweep_model import STRIP_CELLS, SweepModel
from gcs_lab.models.waiting_watch import waiting_watch
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from gcs_lab.cells.sweep_job import SweepJob

__all__ = ["SweepFeed", "strip_of"]

#: The states of tasks that share a cell of the strip, the weightiest first: what somebody should look at.
_WEIGHTIEST = (
    JobState.FAILED,
    JobState.RUNNING,
    JobState.SUSPENDED,
    JobState.REQUEUED,
    JobState.REQUEUED_HELD,
    JobState.QUEUED,
    JobState.QUEUED_HELD,
    JobState.UNDETERMINED,
    JobState.DONE,
)
_RANKS = np.array([_WEIGHTIEST.index(state) for state in JobState], np.uint8)
_BY_RANK = np.array([int(state) for state in _WEIGHTIEST], np.uint8)
#: Seconds that lie at least between two changes of the model.
_PACE = 0.25
#: From so many ended tasks on, their pace tells when the last one ends.
_ENOUGH = 3


def strip_of(states: np.ndarray[Any, np.dtype[np.uint8]], cells: int = STRIP_CELLS) -> tuple[bytes, int]:
    """Return the strip of the states of all tasks, and the number of tasks that a cell stands for.

    Parameters
    ----------
    states
        DRMAA2's number of each task's state.
    cells
        How many cells it may have.
    """
    per_cell = max(1, -(-len(states) // cells))
    if per_cell == 1:
        return states.tobytes(), 1
    ranks = _RANKS[states]
    starts = np.arange(0, len(states), per_cell)
    return _BY_RANK[np.minimum.reduceat(ranks, starts)].tobytes(), per_cell


class SweepFeed:
    """A listener of a :class:`~gcs_lab.cells.sweep_job.SweepJob` that keeps a :class:`SweepModel` up to date.

    However often tasks change, the model does four times a second at the most.

    Parameters
    ----------
    sweep
        The sweep; the feed listens to it from now on.
    """

    def __init__(self, sweep: SweepJob) -> None:
        self._sweep = sweep
        self._lock = threading.Lock()
        # One at a time feeds the model: who looked at the sweep before its end must not tell of it after that.
        self._feeding = threading.Lock()
        self._timer: threading.Timer | None = None
        self._fed_at = 0.0
        self.model = SweepModel(
            name=sweep.name,
            cluster=sweep.cluster.name,
            system=sweep.cluster.system,
            job_id=sweep.id,
            submitted=sweep.entry.submitted,
            tasks=len(sweep),
            parameters=sweep.points.names,
        )
        sweep.listen(self)
        self.feed()
        if sweep.concluded.is_set():
            self.on_concluded(sweep)
        waiting_watch().watch(sweep, self._tell_waiting)

    def on_change(self, sweep: SweepJob) -> None:  # noqa: ARG002
        """Take what changed, now or in a moment."""
        with self._lock:
            if self._timer is not None:
                return
            pause = self._fed_at + _PACE - time.monotonic()
            if pause > 0:
                self._timer = threading.Timer(pause, self._feed_late)
                self._timer.daemon = True
                self._timer.start()
                return
        self.feed()

    def on_silence(self, sweep: SweepJob, since: float) -> None:  # noqa: ARG002
        """Hear that the cluster does not answer, or answers again."""
        self.model.stale_since = since

    def on_concluded(self, sweep: SweepJob) -> None:  # noqa: ARG002
        """Take the end."""
        self.feed()
        advice = advice_on_sweep(self._sweep)
        with self.model.hold_trait_notifications():
            self.model.usage, self.model.advice = advice.sentences, advice.flags

    def _tell_waiting(self, reasons: list[str]) -> None:
        """Say why no task has started."""
        self.model.waiting = reasons
        if not self._sweep.waits():
            # One has started while the answer was on its way.
            self.model.waiting = []

    def _feed_late(self) -> None:
        with self._lock:
            self._timer = None
        self.feed()

    def feed(self) -> None:
        """Bring the model up to date; any thread may call it."""
        with self._feeding:
            self._take(self._sweep, self.model)

    def _take(self, sweep: SweepJob, model: SweepModel) -> None:
        self._fed_at = time.monotonic()
        with sweep.lock:
            table = sweep.table
            strip, per_cell = strip_of(table.states)
            counts = {state.name: number for state, number in table.counts().items()}
            ended, waits = sweep.concluded.is_set(), sweep.waits()
            known = table.started[table.started > 0]
            started = float(known.min()) if len(known) else 0.0
            left = _seconds_left(table.ended, table.finished, started)
        with model.hold_trait_notifications():
            model.job_id = sweep.id
            model.strip, model.tasks_per_cell, model.counts = strip, per_cell, counts
            if model.started == 0.0 and counts.get("RUNNING") and not started:
                started = time.time()
            model.started = min(filter(None, (model.started, started)), default=0.0)
            model.message = sweep.message
            model.finished = sweep.finished_at if ended else 0.0
            model.wall_left = -1.0 if ended else left
            model.ended = ended
            if model.waiting and not waits:
                model.waiting = []
            if ended:
                model.stale_since = 0.0
            else:
                model.usage, model.advice = [], ""


def _seconds_left(ended: np.ndarray[Any, Any], finished: np.ndarray[Any, Any], started: float) -> float:
    """Return when the last task ends at the pace so far, in seconds from now; -1.0: too little is known."""
    done = int(ended.sum())
    if done < _ENOUGH or not started:
        return -1.0
    took = max(float(finished.max()) - started, 0.001)
    return took / done * (len(ended) - done)
