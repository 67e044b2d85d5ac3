"""The scheduler: what is asked of it and what happens to it, as changes of tasks.

It knows nothing of sockets. Whatever changes a task is written within the caller's transaction; whatever touches
the world (a fork, a signal, a file) is put into ``effects`` and done by the caller after the commit. So a crash at
any point leaves either nothing, or a record from which the next scheduler goes on.
"""

from __future__ import annotations

import dataclasses
import logging
import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded import placement
from gcs_lab.backends.embedded.accounting import accounting_line, group_of
from gcs_lab.backends.embedded.endings import Verdict, judge, judge_lost
from gcs_lab.backends.embedded.needs import empty_room, needs_of
from gcs_lab.backends.embedded.process_tree import boot_id, kill_marked
from gcs_lab.backends.embedded.run_orders import run_limits
from gcs_lab.backends.embedded.submission_checks import check_submission
from gcs_lab.backends.embedded.task import Phase, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.backends.embedded.database import Database
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.live_runs import LiveRuns
    from gcs_lab.backends.embedded.spool import ShepherdRecord
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["Scheduler"]

#: Seconds until a start is tried again for which the machine had no room.
RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Scheduler:
    """All tasks that have not ended, and what is done with them.

    Parameters
    ----------
    database
        Where all is remembered.
    layout
        Hosts, queues and parallel environments.
    runs
        The shepherds.
    """

    def __init__(self, database: Database, layout: Layout, runs: LiveRuns) -> None:
        self.database = database
        self.layout = layout
        self.runs = runs
        #: What is to be done after the commit.
        self.effects: list[Callable[[], None]] = []
        self.tasks: dict[tuple[int, int], Task] = {}
        self._waiting = placement.WaitingList()
        self._room = placement.Room(Counter())
        self._not_before = 0.0
        self._unstarted: list[Task] = []
        self.load()

    def load(self) -> None:
        """Take all tasks from the database: at the start, and when a transaction was rolled back."""
        self.effects.clear()
        self._unstarted.clear()
        self.tasks, self._waiting = {}, placement.WaitingList()
        self._room = empty_room(self.layout)
        for task in self.database.live_tasks():
            if task.active and self.runs.folder(task).shepherd() is not None:
                task.phase = Phase.RUNNING
            self._add(task)

    # --- what users ask for ---

    def submit(self, request: SubmitRequest, owner: str) -> int:
        """Add a job and return its id; one that was submitted with the same token before is not added again.

        Raises
        ------
        GcsError
            If the cluster cannot take it; there is no job then.
        """
        known = self.database.job_of_token(request.token)
        if known is not None:
            return known
        check_submission(request, self.layout)
        task = Task(self.database.add_job(owner, time.time(), request), held=request.held)
        self.database.save(task)
        self._add(task)
        return task.job.job_id

    def hold(self, task: Task, *, held: bool) -> None:
        """Set or take off the hold of a task that waits."""
        self._change(task, held=held)

    def suspend(self, task: Task, *, suspended: bool) -> None:
        """Stop a running task, or let it go on."""
        self._change(task, suspended=suspended)
        self.effects.append(lambda: self.runs.tell(task, "suspended" if suspended else "running"))

    def clear_error(self, task: Task) -> None:
        """Let a task in error state wait again."""
        self._change(task, phase=Phase.PENDING, annotation=None, outcome={})

    def terminate(self, task: Task, by: str) -> None:
        """End a task, whatever it is doing."""
        if task.active:
            self._change(task, deleted_by=by)
            self.effects.append(lambda: self.runs.tell(task, "removed"))
            return
        note = f"deleted by {by} before it ran" if not task.run else f"deleted by {by} while it waited"
        self._change(task, phase=Phase.ENDED, deleted_by=by, finished=time.time(), annotation=note)

    # --- what happens ---

    def dispatch(self) -> None:
        """Give slots to tasks that wait, and have them started."""
        if time.monotonic() < self._not_before:
            return
        self._not_before = 0.0
        for request, slots in placement.place(self._waiting, self._room):
            # The change takes the slots on its own account.
            placement.take(self._room, slots, request, -1)
            task = self.tasks[request.key]
            self._change(
                task,
                phase=Phase.DISPATCHING,
                run=task.run + 1,
                slots=slots,
                dispatched=time.time(),
                finished=None,
                outcome={},
                annotation=None,
            )
            self.effects.append(lambda task=task: self._start(task))  # type: ignore[misc]

    def shepherd_ended(self, key: tuple[int, int]) -> None:
        """Take note that the shepherd which was watched for a task is gone."""
        task = self.tasks.get(key)
        if task is not None and task.active:
            self._look_after(task, restart=False)

    def postpone_unstarted(self) -> None:
        """Let the tasks wait again for which there was no room for a process."""
        for task in self._unstarted:
            self._postpone(task)
        self._unstarted.clear()

    def look_after_unwatched(self, *, restart: bool) -> None:
        """Find out what became of the active tasks whose shepherd nobody watches.

        With `restart`, at the start: what another scheduler had decided to start, and did not, is started now.
        """
        for task in [task for task in self.tasks.values() if task.active and self.runs.pid(task) is None]:
            self._look_after(task, restart=restart)

    def _look_after(self, task: Task, *, restart: bool) -> None:
        """Settle, watch again or start again an active task that is not watched, by what its run folder tells."""
        folder = self.runs.folder(task)
        ending = folder.ending()
        shepherd = folder.shepherd()
        if ending is not None:
            limits = run_limits(task, self.layout)
            self._settle(task, judge(task, ending, limits), ending["usage"], ending["wall"])
        elif shepherd is not None and self.runs.adopt(task, shepherd.shepherd):
            task.phase = Phase.RUNNING
            # The scheduler that died may have promised what the shepherd was not told.
            self.effects.append(lambda: self.runs.tell(task, self._wanted(task)))
        elif shepherd is not None and folder.ending() is not None:
            # It ended between the two looks.
            self._look_after(task, restart=restart)
        elif shepherd is not None:
            self._lost(task, shepherd)
        elif killed := kill_marked(task.mark):
            # Its run folder was removed by hand; what was started once is not started again.
            _log.warning("job %d: its run folder is gone; killed %d processes", task.job.job_id, killed)
            self._settle(task, judge_lost(task, rebooted=False), {}, self._ran(task))
        elif restart:
            # Should the other scheduler's shepherd still come, one of the two claims the run and the other goes.
            self.effects.append(lambda: self._start(task))
        else:
            self._postpone(task)

    @staticmethod
    def _wanted(task: Task) -> str:
        if task.deleted_by:
            return "removed"
        return "suspended" if task.suspended else "running"

    def _lost(self, task: Task, record: ShepherdRecord) -> None:
        killed = kill_marked(task.mark)
        _log.warning("job %d: shepherd %d is gone; killed %d processes", *task.key[:1], record.shepherd.pid, killed)
        self.effects.append(lambda: shutil.rmtree(record.scratch, ignore_errors=True))
        rebooted = record.shepherd.boot != boot_id()
        self._settle(task, judge_lost(task, rebooted=rebooted), {}, self._ran(task))

    @staticmethod
    def _ran(task: Task) -> float:
        return max(0.0, time.time() - (task.dispatched or 0.0))

    def _settle(self, task: Task, verdict: Verdict, usage: dict[str, Any], wall: float) -> None:
        """Record the end of a run: the task has ended, waits again, or is in error state."""
        folder = self.runs.folder(task)
        task.finished = time.time()
        self.database.post_accounting(accounting_line(task, verdict, usage, wall, group_of(task.job.owner)))
        self._change(
            task,
            phase=verdict.phase,
            suspended=False,
            requeued=task.requeued or verdict.phase is Phase.PENDING,
            annotation=verdict.annotation,
            outcome={
                "exit_status": verdict.exit_status,
                "terminating_signal": verdict.terminating_signal,
                "failed": verdict.failed,
                "wallclock": wall,
                **usage,
            },
        )
        self.effects.append(lambda: shutil.rmtree(folder.path, ignore_errors=True))

    def _start(self, task: Task) -> None:
        try:
            self.runs.start(task)
        except OSError as error:
            _log.warning("job %d cannot be started now: %s", task.job.job_id, error)
            task.annotation = f"it could not be started ({error.strerror}); it is tried again"
            self._unstarted.append(task)
        else:
            # In the database it stays "dispatching": whether a run began is told by its run folder alone.
            task.phase = Phase.RUNNING

    def _postpone(self, task: Task) -> None:
        """Let a task wait again whose run never began."""
        self._not_before = time.monotonic() + RETRY_SECONDS
        if task.deleted_by:
            note = f"deleted by {task.deleted_by} before it ran"
            self._change(task, phase=Phase.ENDED, finished=time.time(), annotation=note)
            return
        note = task.annotation or "its shepherd could not begin; see scheduler.log"
        self._change(task, phase=Phase.PENDING, run=task.run - 1, dispatched=None, annotation=note)

    # --- the books ---

    def due_at(self) -> float | None:
        """Return when (``time.monotonic``) something is to be done unasked; None: never."""
        if self._unstarted:
            return 0.0
        return self._not_before or None

    def has_something_due(self) -> bool:
        """Tell whether something is to be done unasked now."""
        due = self.due_at()
        return due is not None and due <= time.monotonic()

    def _change(self, task: Task, **values: Any) -> None:
        """Change a task, in the database too, and move it to where it belongs now."""
        self._remove(task)
        for name, value in values.items():
            setattr(task, name, value)
        if task.phase in (Phase.PENDING, Phase.ERROR):
            task.slots = {}
        self.database.save(task)
        if task.phase is not Phase.ENDED:
            self._add(task)

    def _add(self, task: Task) -> None:
        if task.asks is None:
            task.asks, task.fits_nowhere = needs_of(task, self.layout)
        if task.asks.held != task.held:
            task.asks = dataclasses.replace(task.asks, held=task.held)
        self.tasks[task.key] = task
        if task.phase is Phase.PENDING:
            self._waiting.add(task.asks)
        elif task.active:
            placement.take(self._room, task.slots, task.asks)

    def _remove(self, task: Task) -> None:
        del self.tasks[task.key]
        if task.asks is None:
            return
        if task.phase is Phase.PENDING:
            self._waiting.remove(task.asks)
        elif task.active:
            placement.take(self._room, task.slots, task.asks, -1)
