"""The scheduler: all jobs that have not ended, and every change of them.

It knows nothing of sockets. Whatever changes a task is written within the caller's transaction; whatever touches
the world (a fork, a signal, a file) is put into ``effects`` and done by the caller after the commit, and what is
told of it (``changes``) likewise. So a crash at any point leaves either nothing, or a record from which the next
scheduler goes on.
"""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from gcs_lab.backends.embedded import placement
from gcs_lab.backends.embedded.array_job import ArrayJob, Ending
from gcs_lab.backends.embedded.change_log import ChangeLog
from gcs_lab.backends.embedded.dependencies import Dependencies, JobNames
from gcs_lab.backends.embedded.followers import Followers
from gcs_lab.backends.embedded.letters import end_letter, waiting_letter
from gcs_lab.backends.embedded.mail import post
from gcs_lab.backends.embedded.needs import empty_room, needs_of
from gcs_lab.backends.embedded.row_log import RowLog
from gcs_lab.backends.embedded.run_watch import RunWatch
from gcs_lab.backends.embedded.slot_keeper import ALARM, SlotKeeper
from gcs_lab.backends.embedded.state_codes import TASK_HOLD, USER_HOLD
from gcs_lab.backends.embedded.task import REQUEUED_BY, Phase, SharedRequest, Task
from gcs_lab.backends.embedded.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gcs_lab.backends.embedded.database import Database
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.live_runs import LiveRuns
    from gcs_lab.backends.embedded.submit_request import SubmitRequest
    from gcs_lab.backends.embedded.task import Job

__all__ = ["Scheduler"]

#: What a timer is for: ``"start"`` or ``"deadline"`` and the job's id, or a reservation and its number.
Alarm = tuple[str, int]


class Scheduler:
    """All jobs that have not ended, and what is done with them.

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
        self.watch = RunWatch(self, runs)
        #: What is to be done after the commit.
        self.effects: list[Callable[[], None]] = []
        #: What is to be told after the commit.
        self.changes = ChangeLog()
        #: Whose rows in the status tables changed.
        self.row_log = RowLog()
        #: The jobs that have not ended, oldest first.
        self.jobs: dict[int, Task | ArrayJob] = {}
        #: The tasks that have slots.
        self.active: dict[tuple[int, int], Task] = {}
        self.timers: Timers[Alarm] = Timers()
        self.keeper = SlotKeeper(self)
        self.followers = Followers(self)
        #: Seconds that the last decision on who starts took, and the longest.
        self.pass_seconds = (0.0, 0.0)
        self.load()

    def load(self) -> None:
        """Take all jobs from the database: at the start, and when a transaction was rolled back."""
        self.effects.clear()
        self.changes.clear()
        self.row_log.forget()
        self.watch.forget()
        self.timers.clear()
        self.keeper.load()
        self.jobs, self.active = {}, {}
        #: The jobs whose start time has not come.
        self.early: set[int] = set()
        #: The requests that are in use, by number.
        self.shared: WeakValueDictionary[int, SharedRequest] = WeakValueDictionary()
        self.dependencies = Dependencies()
        self.names = JobNames(lambda: ((entry.job.asked("name"), job_id) for job_id, entry in self.jobs.items()))
        self._waiting = placement.WaitingList()
        self._room = empty_room(self.layout)
        rows: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in self.database.live_rows():
            rows[row[0]].append(row)
        for job in self.database.live_jobs(self.shared_request):
            tasks = [self.database.read_task(row, job) for row in rows.get(job.job_id, ())]
            if job.tasks is not None:
                self._enter(self.database.array(job), tasks)
            else:
                self._enter(tasks[0] if tasks else Task(job, held=job.shared.request.held), tasks)

    def tidy(self, ended_before: float) -> None:
        """Forget what ended before a time (seconds since the epoch). Raises sqlite3.Error."""
        self.database.forget(ended_before)
        # With the jobs their requests were forgotten, and the numbers of these are given out again.
        live = {entry.job.shared.request_id: entry.job.shared for entry in self.jobs.values()}
        self.shared = WeakValueDictionary(live)

    def shared_request(self, request_id: int) -> SharedRequest:
        """Return a request of the database, with what the placement is asked for; the same object for the same."""
        known = self.shared.get(request_id)
        if known is None:
            request = self.database.request(request_id)
            known = self.shared[request_id] = SharedRequest(request_id, request, *needs_of(request, self.layout))
        return known

    def share(self, request: SubmitRequest) -> SharedRequest:
        """Return what many jobs ask for alike; the same object for the same."""
        number = self.database.add_request(request)
        known = self.shared.get(number)
        if known is None:
            known = self.shared[number] = SharedRequest(number, request, *needs_of(request, self.layout))
        return known

    def array(self, job_id: int) -> ArrayJob | None:
        """Return an array job that has not ended."""
        entry = self.jobs.get(job_id)
        return entry if isinstance(entry, ArrayJob) else None

    # --- jobs come ---

    def add(self, job: Job) -> None:
        """Take in a job that was submitted just now."""
        entry = Task(job, held=job.shared.request.held) if job.tasks is None else ArrayJob(job)
        self._enter(entry, [])
        if self.names.in_use:
            self.names.add(job.asked("name"), job.job_id)
        self.changes.submitted(entry)

    def _enter(self, entry: Task | ArrayJob, tasks: Iterable[Task]) -> None:
        job = entry.job
        self.jobs[job.job_id] = entry
        self.row_log.note(job.job_id)
        for task in tasks:
            if task.active and self.watch.has_begun(task):
                task.phase = Phase.RUNNING
            if task.active:
                self._take(task, entry)
            if isinstance(entry, ArrayJob):
                entry.take(task)
                entry.settle(task)
        waits = self.dependencies.add(job.job_id, [other for other in job.waits_for if other in self.jobs])
        start, deadline = job.asked("start_time"), job.asked("deadline_time")
        if start is not None and start > time.time():
            self.early.add(job.job_id)
            self.timers.add(start, ("start", job.job_id))
            waits = True
        if deadline is not None:
            self.timers.add(deadline, ("deadline", job.job_id))
        # One that ran already waits for nothing but room.
        entry.blocked = waits and not (isinstance(entry, Task) and entry.run)
        if isinstance(entry, ArrayJob) and (before := self.followers.arrays_before(entry)):
            self.dependencies.add_array(job.job_id, [other.job.job_id for other in before])
            entry.block_like(before)
        if entry.waits:
            self._waiting.add(entry)

    # --- changes ---

    def hold(self, task: Task, *, held: bool) -> None:
        """Set or take off the user's hold of a task that waits."""
        self.change(task, held=held)

    def hold_places(self, array: ArrayJob, places: list[int], *, held: bool) -> None:
        """Set or take off the user's hold of tasks of an array that wait and have no object of their own."""
        was = array.waits
        for place in places:
            array.codes[place] = array.codes[place] & ~USER_HOLD | held
        self.row_log.note(array.job.job_id)
        self.database.save_array(array)
        if not array.blocked:
            self.changes.places(array, [place for place in places if not array.codes[place] & TASK_HOLD])
        self.update_waiting(array, was=was)

    def suspend(self, task: Task, *, suspended: bool) -> None:
        """Stop a running task, or let it go on."""
        self.change(task, suspended=suspended)
        self.effects.append(lambda: self.watch.tell_wanted(task))

    def rehalt(self, task: Task) -> None:
        """Stop a task, or let it go on, because the states of its queues changed."""
        before = task.state_and_letters()
        self.keeper.halt(task)
        self.row_log.note(task.job.job_id)
        if (array := self.array(task.job.job_id)) is not None:
            array.settle(task)
        self.changes.task(task, before)
        self.effects.append(lambda: self.watch.tell_wanted(task))

    def requeue(self, task: Task, by: str) -> None:
        """End the run of a task, so that it waits again."""
        self.change(task, to_end=f"{REQUEUED_BY}{by}")
        self.effects.append(lambda: self.watch.tell_wanted(task))

    def clear_error(self, task: Task) -> None:
        """Let a task in error state wait again."""
        self.change(task, phase=Phase.PENDING, annotation=None, outcome={})

    def end(self, task: Task, why: str, by: str | None = None) -> None:
        """End a task, whatever it is doing; `why` is told of it: ``"deleted by alice"``."""
        if task.active:
            if not task.to_go:
                self.change(task, to_end=why, deleted_by=by)
            # Told again, it ends what still copies the results of a job that was ended.
            self.effects.append(lambda: self.watch.tell_wanted(task))
            return
        note = f"{why} {'while it waited' if task.run else 'before it ran'}"
        self.change(task, phase=Phase.ENDED, to_end=why, deleted_by=by, finished=time.time(), annotation=note)

    def end_places(self, array: ArrayJob, places: list[int], why: str, by: str | None = None) -> None:
        """End tasks of an array that wait and have no object of their own."""
        was = array.waits
        if not array.end_at_once(places, Ending(time.time(), f"{why} before it ran", by)):
            for place in places:
                self.end(self._object(array, array.tasks.indices[place]), why, by)
            return
        self.database.save_array(array)
        self.row_log.note(array.job.job_id)
        if (letter := waiting_letter(array.job, len(places), f"{why} before they ran", self.layout)) is not None:
            self.effects.append(lambda: post(letter))
        self.changes.places(array, places)
        self.update_waiting(array, was=was)
        self.followers.tasks_ended(array)
        if array.all_ended():
            self._job_ended(array)

    def end_job(self, job_id: int, why: str, by: str | None = None) -> None:
        """End a job with all its tasks."""
        entry = self.jobs.get(job_id)
        if isinstance(entry, Task):
            self.end(entry, why, by)
        elif entry is not None:
            places = list(entry.plain_places(None))
            for task in list(entry.rows.values()):
                self.end(task, why, by)
            if places:
                self.end_places(entry, places, why, by)

    def _object(self, array: ArrayJob, index: int) -> Task:
        task = array.pending(index)
        array.take(task)
        return task

    def change(self, task: Task, **values: Any) -> None:
        """Change a task, in the database too, and move it to where it belongs now."""
        entry = self.jobs[task.job.job_id]
        before, was, last_phase = task.state_and_letters(), entry.waits, task.phase
        if task.active:
            self._give_back(task, entry)
        for name, value in values.items():
            setattr(task, name, value)
        if task.phase is not last_phase and (letter := end_letter(task, self.layout)) is not None:
            self.effects.append(lambda: post(letter))
        if task.phase in (Phase.PENDING, Phase.ERROR):
            task.slots = {}
        self.database.save(task)
        self.row_log.note(task.job.job_id)
        if task.active:
            self._take(task, entry)
        if isinstance(entry, ArrayJob):
            entry.settle(task)
        self.changes.task(task, before)
        self.update_waiting(entry, was=was)
        if task.phase is Phase.ENDED:
            self._task_ended(entry, task)

    def began(self, task: Task) -> None:
        """Note that the shepherd of a dispatched task is there.

        In the database it stays "dispatching": whether a run began is told by its run folder alone.
        """
        task.phase = Phase.RUNNING
        self.row_log.note(task.job.job_id)
        if (array := self.array(task.job.job_id)) is not None:
            array.settle(task)

    def _take(self, task: Task, entry: Task | ArrayJob) -> None:
        self.active[task.key] = task
        placement.take(self._room, task.slots, task.request)
        self.keeper.halt(task)
        if isinstance(entry, ArrayJob):
            entry.active += 1

    def _give_back(self, task: Task, entry: Task | ArrayJob) -> None:
        del self.active[task.key]
        placement.take(self._room, task.slots, task.request, -1)
        if isinstance(entry, ArrayJob):
            entry.active -= 1

    def update_waiting(self, entry: Task | ArrayJob, *, was: bool) -> None:
        """Put `entry` into the list of those that wait for room, or take it out; `was`: whether it was in it."""
        now = entry.waits
        if was and not now:
            self._waiting.remove(entry)
        elif now and not was:
            self._waiting.add(entry)

    # --- what follows from an end ---

    def _task_ended(self, entry: Task | ArrayJob, task: Task) -> None:
        if isinstance(entry, Task):
            self._job_ended(entry)
            return
        self.followers.task_ended(entry, task.task_id)
        if entry.all_ended():
            self._job_ended(entry)

    def _job_ended(self, entry: Task | ArrayJob) -> None:
        job = entry.job
        del self.jobs[job.job_id]
        self.row_log.note(job.job_id)
        if job.job_id in self.early:
            self.early.discard(job.job_id)
            self.timers.drop(("start", job.job_id))
        if job.asked("deadline_time") is not None:
            self.timers.drop(("deadline", job.job_id))
        self.database.end_job(job.job_id, time.time(), entry.end_states() if isinstance(entry, ArrayJob) else None)
        if self.names.in_use:
            self.names.remove(job.asked("name"), job.job_id)
        for follower in self.dependencies.ended(job.job_id):
            self.followers.unblock(follower)

    def ring(self) -> None:
        """Do what is due by the clock."""
        for what, job_id in self.timers.due():
            if what == "start":
                self.early.discard(job_id)
                self.followers.unblock(job_id)
            elif what == ALARM:
                self.keeper.ring()
            elif (entry := self.jobs.get(job_id)) is not None:
                at = datetime.fromtimestamp(entry.job.asked("deadline_time")).astimezone()
                self.end_job(job_id, f"ended at its deadline ({at:%Y-%m-%d %H:%M:%S})")

    # --- who starts ---

    @property
    def room(self) -> placement.Room:
        """What is free now; for looking only."""
        return self._room

    @property
    def waiting(self) -> placement.WaitingList:
        """What waits for room; who asks for something else is taken out before, and put in after."""
        return self._waiting

    def dispatch(self) -> None:
        """Give slots to tasks that wait, and have them started."""
        if self.watch.postponed():
            return
        began = time.perf_counter()
        decided = self.keeper.place(self._waiting, self._room)
        took = time.perf_counter() - began
        self.pass_seconds = (took, max(took, self.pass_seconds[1]))
        for task, slots in decided:
            # The change takes the slots on its own account.
            placement.take(self._room, slots, task.request, -1)
            entry = self.jobs[task.job.job_id]
            if isinstance(entry, ArrayJob):
                entry.take(task)
            last_host, first_host = task.outcome.get("host"), next(iter(slots)).host
            self.change(
                task,
                phase=Phase.DISPATCHING,
                run=task.run + 1,
                slots=slots,
                dispatched=time.time(),
                finished=None,
                outcome={},
                annotation=None,
            )
            if last_host not in (None, first_host):
                self.changes.migrated(task)
            self.effects.append(lambda task=task: self.watch.start(task))  # type: ignore[misc]

    def why_no_room(self, request: placement.Request) -> str | None:
        """Return why jobs that ask for `request` get no slots now, if reservations or queue states are the reason."""
        return self.keeper.why_waits(request, self._room)
