"""Ends tasks that wait for the same task of an earlier sweep, if that one is in error state: nobody else would.

Tasks whose counterpart ended, well or not, start, and look for themselves (``runner/upstream.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.cells.dependents import why_failed
from gcs_lab.cells.errands import ERRANDS, until_answered
from gcs_lab.cells.runner.upstream import not_run_text
from gcs_lab.errors import DrmCommunication, InvalidArgument, InvalidState
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from gcs_lab.cells.sweep_job import SweepJob

__all__ = ["watch_by_task"]


def watch_by_task(sweep: SweepJob, earlier: SweepJob) -> None:
    """When all tasks of `earlier` have ended or are in error state, end those of `sweep` that wait in vain."""
    watch = _Watch(sweep)
    earlier.listen(watch)
    if earlier.concluded.is_set():
        watch.on_concluded(earlier)


class _Watch:
    """A listener of the earlier sweep."""

    def __init__(self, sweep: SweepJob) -> None:
        self._sweep = sweep

    def on_change(self, sweep: SweepJob) -> None:
        """Nothing to do."""

    def on_silence(self, sweep: SweepJob, since: float) -> None:
        """Nothing to do."""

    def on_concluded(self, sweep: SweepJob) -> None:
        """End what waits in vain; in another thread, because the scheduler takes its time."""
        if sweep.state is JobState.FAILED and not sweep.abandoned:
            ERRANDS.after(0.0, until_answered(lambda: _end_waiting(self._sweep, sweep)))


def _end_waiting(sweep: SweepJob, earlier: SweepJob) -> None:
    with earlier.lock:
        in_error = earlier.cluster.jobs.board.known_array(earlier.id)
        letters = {} if in_error is None else {n: in_error.at(n)[1] for n in in_error.indices(JobState.FAILED)}
        failed = [int(place) + 1 for place in earlier.table.failed()]
        reasons = {task: earlier.table.errors.get(task - 1, "") for task in failed}
    # Those that ended let their counterparts go; one in error state does not.
    stuck = [task for task in failed if letters.get(task, "E").startswith("E")]
    with sweep.lock:
        held = [task for task in stuck if JobState(int(sweep.table.states[task - 1])).held]
    ids = {task: sweep.job_id_of(task) for task in held}
    failures = sweep.cluster.jobs.control(JobAction.TERMINATE, list(ids.values()))
    for task, job_id in ids.items():
        failure = failures.get(job_id)
        if isinstance(failure, DrmCommunication):
            raise failure
        if isinstance(failure, InvalidState | InvalidArgument):
            # It has started or ended meanwhile, and says itself how.
            continue
        why = why_failed(reasons[task])
        with sweep.lock:
            sweep.table.explain(task - 1, not_run_text(earlier.upstream().to_json(), why, task, needed=True), None)
