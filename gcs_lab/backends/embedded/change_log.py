"""What is to be told of the changes of one turn, once they are committed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.array_job import ArrayJob
from gcs_lab.backends.embedded.state_codes import TASK_HOLD, USER_HOLD
from gcs_lab.vocabulary import Event, JobState

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.event_ring import Change
    from gcs_lab.backends.embedded.task import Task

__all__ = ["ChangeLog"]


class ChangeLog:
    """Changes in the order in which they are made."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def clear(self) -> None:
        """Forget all: the transaction was rolled back."""
        self._changes.clear()

    def take(self) -> list[Change]:
        """Return all, and begin anew."""
        changes, self._changes = self._changes, []
        return changes

    def submitted(self, entry: Task | ArrayJob) -> None:
        """Tell of a new job."""
        job = entry.job
        if not isinstance(entry, ArrayJob):
            self._changes.append((job.job_id, 0, Event.NEW_STATE, *entry.state_and_letters(), job.submitted))
            return
        codes = sorted(set(entry.codes))
        # That of all tasks, or of most: one that waits for its like in another array is held.
        self._changes.append((job.job_id, 0, Event.NEW_STATE, *entry.meaning(codes[-1]), job.submitted))
        if len(codes) > 1:
            self.unheld(entry, list(range(len(entry.codes))))

    def task(self, task: Task, before: tuple[JobState, str]) -> None:
        """Tell of a task whose state and letters were `before`, if they are others now."""
        now = task.state_and_letters()
        if now[0] is not before[0]:
            self._changes.append((*task.key, Event.NEW_STATE, *now, time.time()))
        elif now[1].lstrip("d") != before[1].lstrip("d"):
            self._changes.append((*task.key, Event.ATTRIBUTE_CHANGE, *now, time.time()))

    def migrated(self, task: Task) -> None:
        """Tell of a task that runs on another host than before."""
        self._changes.append((*task.key, Event.MIGRATED, *task.state_and_letters(), time.time()))

    def unheld(self, array: ArrayJob, places: list[int]) -> None:
        """Tell of those tasks at `places` that nothing holds any more."""
        if not array.blocked:
            self.places(array, [place for place in places if not array.codes[place] & (USER_HOLD | TASK_HOLD)])

    def places(self, array: ArrayJob, places: list[int]) -> None:
        """Tell of a new state of tasks that wait or waited: once, if it is that of the whole array."""
        if not places:
            return
        now, job_id = time.time(), array.job.job_id
        codes = {array.codes[place] for place in places}
        if len(places) == len(array.codes) and len(codes) == 1:
            self._changes.append((job_id, 0, Event.NEW_STATE, *array.meaning(codes.pop()), now))
            return
        meanings = {code: array.meaning(code) for code in codes}
        for place in places:
            told = meanings[array.codes[place]]
            self._changes.append((job_id, array.tasks.indices[place], Event.NEW_STATE, *told, now))
