"""What becomes of runs: their start, their end, and what a scheduler that died left of them."""

from __future__ import annotations

import logging
import shutil
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.accounting import accounting_line, group_of
from gcs_lab.backends.embedded.endings import Verdict, judge, judge_lost
from gcs_lab.backends.embedded.job_paths import copies
from gcs_lab.backends.embedded.process_tree import boot_id, kill_marked
from gcs_lab.backends.embedded.run_orders import run_limits
from gcs_lab.backends.embedded.staging import remove_partial
from gcs_lab.backends.embedded.task import Phase

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.live_runs import LiveRuns
    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.spool import ShepherdRecord
    from gcs_lab.backends.embedded.task import Task

__all__ = ["RunWatch"]

#: Seconds until a start is tried again for which the machine had no room.
RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class RunWatch:
    """Starts runs and takes note of their ends, within the scheduler's transactions.

    Parameters
    ----------
    scheduler
        Whose tasks they are.
    runs
        The shepherds.
    """

    def __init__(self, scheduler: Scheduler, runs: LiveRuns) -> None:
        self._scheduler = scheduler
        self.runs = runs
        self._not_before = 0.0
        self._unstarted: list[Task] = []

    def forget(self) -> None:
        """Forget what was not started: after a rollback it is looked after again."""
        self._unstarted.clear()

    # --- time ---

    def postponed(self) -> bool:
        """Tell whether nothing is to be started now."""
        if time.monotonic() < self._not_before:
            return True
        self._not_before = 0.0
        return False

    def due_at(self) -> float | None:
        """Return when (``time.monotonic``) something is to be done unasked; None: never."""
        if self._unstarted:
            return 0.0
        return self._not_before or None

    def has_something_due(self) -> bool:
        """Tell whether something is to be done unasked now."""
        due = self.due_at()
        return due is not None and due <= time.monotonic()

    # --- starts ---

    def has_begun(self, task: Task) -> bool:
        """Tell whether there is, or was, a shepherd for the present run of an active task."""
        return self.runs.watches(task) or self.runs.folder(task).shepherd() is not None

    def start(self, task: Task) -> None:
        """Fork the shepherd of a dispatched task, after the commit."""
        try:
            self.runs.start(task)
        except OSError as error:
            _log.warning("job %s cannot be started now: %s", task.name, error)
            task.annotation = f"it could not be started ({error.strerror}); it is tried again"
            self._unstarted.append(task)
        else:
            self._scheduler.began(task)
            if task.suspended or task.halted or task.to_end:
                # That was wanted before there was anyone to be told.
                self.tell_wanted(task)

    def postpone_unstarted(self) -> None:
        """Let the tasks wait again for which there was no room for a process."""
        for task in self._unstarted:
            self._postpone(task)
        self._unstarted.clear()

    def _postpone(self, task: Task) -> None:
        """Let a task wait again whose run never began."""
        self._not_before = time.monotonic() + RETRY_SECONDS
        if task.to_go:
            note = f"{task.to_end} before it ran"
            self._scheduler.change(task, phase=Phase.ENDED, finished=time.time(), annotation=note)
            return
        note = task.annotation or "its shepherd could not begin; see scheduler.log"
        self._scheduler.change(
            task, phase=Phase.PENDING, run=task.run - 1, dispatched=None, annotation=note, to_end=None
        )

    def tell_wanted(self, task: Task) -> None:
        """Tell the shepherd of a task what is wanted of it now. Raises OSError if it cannot be written down."""
        wanted = "removed" if task.to_end else "suspended" if task.suspended or task.halted else "running"
        self.runs.tell(task, wanted)

    # --- ends ---

    def shepherd_ended(self, key: tuple[int, int]) -> None:
        """Take note that the shepherd which was watched for a task is gone."""
        task = self._scheduler.active.get(key)
        if task is not None:
            self._look_after(task, restart=False)

    def look_after_unwatched(self, *, restart: bool) -> None:
        """Find out what became of the active tasks whose shepherd nobody watches.

        With `restart`, at the start: what another scheduler had decided to start, and did not, is started now.
        """
        for task in [task for task in self._scheduler.active.values() if not self.runs.watches(task)]:
            self._look_after(task, restart=restart)

    def _look_after(self, task: Task, *, restart: bool) -> None:
        """Settle, watch again or start again an active task that is not watched, by what its run folder tells."""
        if self.runs.simulated.takes(task):
            self._look_after_simulated(task)
            return
        folder = self.runs.folder(task)
        ending = folder.ending()
        shepherd = folder.shepherd()
        if ending is not None:
            limits = run_limits(task, self._scheduler.layout)
            self._settle(task, judge(task, ending, limits), ending["usage"], ending["wall"])
        elif shepherd is not None and self.runs.adopt(task, shepherd.shepherd):
            self._scheduler.began(task)
            # The scheduler that died may have promised what the shepherd was not told.
            self._scheduler.effects.append(lambda: self.tell_wanted(task))
        elif shepherd is not None and folder.ending() is not None:
            # It ended between the two looks.
            self._look_after(task, restart=restart)
        elif shepherd is not None:
            self._lost(task, shepherd)
        elif not all(self._scheduler.layout.has_host(place.host) for place in task.slots):
            # The file says otherwise now. On a simulated host nothing had begun, and nothing may begin here.
            self._postpone(task)
        elif killed := kill_marked(task.mark):
            # Its run folder was removed by hand; what was started once is not started again.
            _log.warning("job %s: its run folder is gone; killed %d processes", task.name, killed)
            self._settle(task, judge_lost(task, rebooted=False), {}, _ran(task))
        elif restart:
            # Should the other scheduler's shepherd still come, one of the two claims the run and the other goes.
            self._scheduler.effects.append(lambda: self.start(task))
        else:
            self._postpone(task)

    def _look_after_simulated(self, task: Task) -> None:
        """Settle a task that only seemed to run, or go on waiting for its end; there is no run folder to look at."""
        ending = self.runs.simulated.ending(task)
        if ending is None:
            self._scheduler.effects.append(lambda: self.start(task))
            return
        verdict = judge(task, ending, run_limits(task, self._scheduler.layout))
        self._settle(task, verdict, ending["usage"], ending["wall"])

    def _lost(self, task: Task, record: ShepherdRecord) -> None:
        killed = kill_marked(task.mark)
        _log.warning("job %s: shepherd %d is gone; killed %d processes", task.name, record.shepherd.pid, killed)
        self._scheduler.effects.append(lambda: shutil.rmtree(record.scratch, ignore_errors=True))
        asked = task.job.request
        if partial := copies(task, asked, asked.stage_in) + copies(task, asked, asked.stage_out):
            self._scheduler.effects.append(lambda: remove_partial(partial))
        rebooted = record.shepherd.boot != boot_id()
        self._settle(task, judge_lost(task, rebooted=rebooted), {}, _ran(task))

    def _settle(self, task: Task, verdict: Verdict, usage: dict[str, Any], wall: float) -> None:
        """Record the end of a run: the task has ended, waits again, or is in error state."""
        scheduler = self._scheduler
        folder = self.runs.folder(task)
        task.finished = time.time()
        reserved = scheduler.keeper.submitted(task.job.asked("reservation_id"))
        line = accounting_line(task, verdict, usage, wall, group_of(task.job.owner), reserved=reserved)
        scheduler.database.post_accounting(line)
        scheduler.change(
            task,
            phase=verdict.phase,
            suspended=False,
            to_end=task.to_end if verdict.phase is Phase.ENDED else None,
            requeued=task.requeued or verdict.phase is Phase.PENDING,
            annotation=verdict.annotation,
            outcome={
                "exit_status": verdict.exit_status,
                "terminating_signal": verdict.terminating_signal,
                "failed": verdict.failed,
                "wallclock": wall,
                "host": next(iter(task.slots)).host,
                **usage,
            },
        )
        # After the effects the accounting record is written; so there is one, also where there is no folder.
        scheduler.effects.append(lambda: shutil.rmtree(folder.path, ignore_errors=True))


def _ran(task: Task) -> float:
    return max(0.0, time.time() - (task.dispatched or 0.0))
