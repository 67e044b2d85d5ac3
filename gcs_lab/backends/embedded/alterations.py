"""Changes of what jobs ask for, after their submission (``qalter(1)``)."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.array_job import ArrayJob
from gcs_lab.backends.embedded.control import has_ended, number_of, unknown
from gcs_lab.backends.embedded.submission import checked_job_name
from gcs_lab.backends.embedded.submission_checks import check_submission
from gcs_lab.errors import GcsError, InvalidArgument, InvalidState
from gcs_lab.jobs.job_changes import JobChanges, merged_requests
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.task import Job, SharedRequest, Task

__all__ = ["Alterations"]


class Alterations:
    """Alters jobs, within the scheduler's transactions.

    Parameters
    ----------
    scheduler
        Whose jobs they are.
    ended
        Tells which of some jobs that are not in the queue have ended, rather than never been there.
    """

    def __init__(self, scheduler: Scheduler, ended: Callable[[Iterable[int]], Collection[int]]) -> None:
        self._scheduler = scheduler
        self._ended = ended

    def alter(self, wanted: dict[str, Any], ids: Iterable[str]) -> dict[str, GcsError]:
        """Alter jobs and whole arrays; return what went wrong, by id.

        Raises
        ------
        InvalidArgument
            If the new name cannot work.
        """
        changes = JobChanges(**wanted)
        if changes.name is not None:
            checked_job_name(changes.name, "")
        failures: dict[str, GcsError] = {}
        gone: dict[str, int] = {}
        made: dict[int, SharedRequest] = {}
        for job_id in dict.fromkeys(ids):
            text, index = split_id(job_id)
            number = number_of(text)
            if number is None:
                failures[job_id] = unknown(job_id)
            elif index is not None:
                failures[job_id] = InvalidArgument(
                    f"{job_id} is a task: what the tasks of an array ask for is one for all. Alter job {text}."
                )
            elif number not in self._scheduler.jobs:
                gone[job_id] = number
            else:
                try:
                    self._alter(self._scheduler.jobs[number], changes, made)
                except GcsError as error:
                    failures[job_id] = error
        known = self._ended(gone.values()) if gone else ()
        return failures | {
            job_id: has_ended(job_id) if number in known else unknown(job_id) for job_id, number in gone.items()
        }

    def _alter(self, entry: Task | ArrayJob, changes: JobChanges, made: dict[int, SharedRequest]) -> None:
        job, last = entry.job, entry.job.shared
        # Many jobs that ask for the same ask for the same afterwards.
        new = made.get(last.request_id)
        if new is None:
            requests = merged_requests(str(job.job_id), last.request.requests, changes)
            asked = dataclasses.replace(
                last.request,
                priority=last.request.priority if changes.priority is None else changes.priority,
                requests=requests,
                queues=last.request.queues if changes.queues is None else list(changes.queues),
            )
            new = self._scheduler.share(check_submission(asked, self._scheduler.layout))
        if changes.requests or changes.queues is not None:
            _check_running(entry, new)
        made[last.request_id] = new
        self._write(entry, new, _own(job, changes.name))

    def _write(self, entry: Task | ArrayJob, shared: SharedRequest, own: str | None) -> None:
        """Let a job ask for something else; what of it runs must hold the same as before."""
        scheduler, job, waits = self._scheduler, entry.job, entry.waits
        if waits:
            scheduler.waiting.remove(entry)
        last_name, job.shared, job.own = job.asked("name"), shared, own
        if waits:
            scheduler.waiting.add(entry)
        if scheduler.names.in_use:
            scheduler.names.remove(last_name, job.job_id)
            scheduler.names.add(job.asked("name"), job.job_id)
        scheduler.database.alter_job(job)
        scheduler.row_log.note(job.job_id)


def _own(job: Job, name: str | None) -> str | None:
    if name is None:
        return job.own
    return json.dumps({**(json.loads(job.own) if job.own else {}), "name": name})


def _check_running(entry: Task | ArrayJob, new: SharedRequest) -> None:
    """Make sure that what runs goes on with what it was given.

    Raises
    ------
    InvalidState
        If a job runs, or tasks do, and it would not.
    """
    job_id = entry.job.job_id
    if not isinstance(entry, ArrayJob):
        if entry.active:
            raise InvalidState(
                f"job {job_id} runs, with the requests and queues that it was given; only its name and priority can "
                "be altered. Requeue it after a hold, and alter it while it waits."
            )
        return
    was, now = entry.request, new.asks
    same = (was.consumes, was.consumes_once, was.runtime) == (now.consumes, now.consumes_once, now.runtime)
    if entry.active and not same:
        raise InvalidState(
            f"{entry.active} tasks of job {job_id} run, and its consumables and h_rt count for all of its tasks; "
            "they can be altered when none runs. Hold the job and wait for those, or requeue them."
        )
