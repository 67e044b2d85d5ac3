"""What follows from an end: the jobs and tasks that waited for it go on (``qsub -hold_jid``, ``-hold_jid_ad``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.state_codes import TASK_HOLD, USER_HOLD
from gcs_lab.backends.embedded.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.backends.embedded.array_job import ArrayJob
    from gcs_lab.backends.embedded.scheduler import Scheduler

__all__ = ["Followers"]


class Followers:
    """Lets jobs and tasks go on that waited for others, within the scheduler's transactions.

    Parameters
    ----------
    scheduler
        Whose jobs they are.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def arrays_before(self, array: ArrayJob) -> list[ArrayJob]:
        """Return the arrays that have not ended and whose tasks those of `array` wait for."""
        found = [self._scheduler.array(job_id) for job_id in array.job.waits_for_tasks_of]
        return [other for other in found if other is not None]

    def task_ended(self, array: ArrayJob, index: int) -> None:
        """Let the same tasks of other arrays go on."""
        for follower in self._after(array):
            if all(other.is_ended(index) for other in self.arrays_before(follower)):
                self._unblock_task(follower, index)

    def tasks_ended(self, array: ArrayJob) -> None:
        """As :meth:`task_ended`, of many tasks at once."""
        for follower in self._after(array):
            was = follower.waits
            self._scheduler.row_log.note(follower.job.job_id)
            self._scheduler.changes.unheld(follower, follower.block_like(self.arrays_before(follower)))
            self._scheduler.update_waiting(follower, was=was)

    def unblock(self, job_id: int) -> None:
        """Let a job go on that waits neither for others nor for its start time any more."""
        scheduler = self._scheduler
        entry = scheduler.jobs.get(job_id)
        waits = scheduler.dependencies.wait(job_id) or job_id in scheduler.early
        if entry is None or not entry.blocked or waits:
            return
        was = entry.waits
        scheduler.row_log.note(job_id)
        if isinstance(entry, Task):
            before = entry.state_and_letters()
            entry.blocked = False
            scheduler.changes.task(entry, before)
        else:
            entry.blocked = False
            scheduler.changes.unheld(entry, list(entry.plain_places(None)))
        scheduler.update_waiting(entry, was=was)

    def _after(self, array: ArrayJob) -> Iterator[ArrayJob]:
        for job_id in self._scheduler.dependencies.array_followers(array.job.job_id):
            if (follower := self._scheduler.array(job_id)) is not None:
                yield follower

    def _unblock_task(self, array: ArrayJob, index: int) -> None:
        place = array.tasks.indices.index(index)
        if array.codes[place] & ~USER_HOLD == TASK_HOLD:
            was = array.waits
            array.codes[place] ^= TASK_HOLD
            self._scheduler.row_log.note(array.job.job_id)
            self._scheduler.changes.unheld(array, [place])
            self._scheduler.update_waiting(array, was=was)
