"""A job session (DRMAA2 ``JobSession``): jobs that belong together, known to every process that opens it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from gcs_lab.errors import DrmCommunication, GcsError, Internal, InvalidArgument, InvalidState, PartlySubmitted
from gcs_lab.jobs.job_array import JobArray
from gcs_lab.jobs.session import Session
from gcs_lab.jobs.session_job_list import SessionJobList
from gcs_lab.jobs.session_jobs import INTENT_SECONDS, SessionJobs, Submission
from gcs_lab.jobs.session_search import search
from gcs_lab.jobs.session_store import SessionKind
from gcs_lab.vocabulary import TaskRange, split_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gcs_lab.jobs.area import Jobs
    from gcs_lab.jobs.job import Job
    from gcs_lab.jobs.session_store import SessionRecord, SessionStore
    from gcs_lab.vocabulary import JobInfo, JobTemplate

__all__ = ["JobSession"]


class JobSession(Session):
    """Jobs of one session on one cluster; made by :meth:`create` and :meth:`open`.

    The parameters are those of :class:`~gcs_lab.jobs.session.Session`.
    """

    kind: ClassVar[SessionKind] = SessionKind.JOB

    def __init__(self, area: Jobs, record: SessionRecord, store: SessionStore) -> None:
        super().__init__(area, record, store)
        self._jobs = SessionJobs(store, record)
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()

    @property
    def submitting(self) -> bool:
        """Whether a submission is under way here that is not written down yet."""
        return bool(self._in_flight)

    @property
    def job_categories(self) -> list[str]:
        """The job categories that templates may name."""
        self.check_open()
        return list(self.area.catalogue().job_categories)

    def run_job(self, template: JobTemplate) -> Job:
        """Submit a job that belongs to this session.

        Raises
        ------
        GcsError
            As ``Jobs.submit``; InvalidSession if the session was closed or destroyed.
        """
        with self._intent([template]) as intent:
            job = self.area.submit(template, token=intent.tokens[0])
            intent.job_ids = [job.id]
        return job

    def run_jobs(self, templates: Iterable[JobTemplate]) -> list[Job]:
        """Submit many jobs at once; as :meth:`run_job` otherwise. ``PartlySubmitted`` says which were submitted."""
        all_ = list(templates)
        with self._intent(all_) as intent:
            jobs = self.area.submit_many(all_, tokens=intent.tokens)
            intent.job_ids = [job.id for job in jobs]
        return jobs

    def run_bulk_jobs(
        self, template: JobTemplate, begin: int, end: int, step: int = 1, max_parallel: int | None = None
    ) -> JobArray:
        """Submit an array job of the tasks `begin`, `begin` + `step` … up to `end`; as :meth:`run_job` otherwise.

        At most `max_parallel` tasks run at once (None: as many as there is room for).
        """
        with self._intent([template], TaskRange(begin, end, step), max_parallel) as intent:
            array = self.area.submit_array(template, begin, end, step, max_parallel, token=intent.tokens[0])
            intent.job_ids = [array.id]
        return array

    def get_jobs(self, filter: JobInfo | None = None) -> SessionJobList:  # noqa: A002  (GFD.231 calls it so)
        """Return the session's jobs, those that have ended among them, and the tasks of its arrays one by one.

        Parameters
        ----------
        filter
            Those that match only, as GFD.231 says: what is set (not None, empty or UNDETERMINED) must match.
        """
        self.check_open()
        self.check_exists()
        self._recover()
        return SessionJobList(self.area, search(self.area, self._jobs.all(), self._jobs.reaped_tasks(), filter))

    def get_job(self, job_id: str) -> Job:
        """Return a job, or an array's task, of this session. Raises InvalidArgument if it has no such job."""
        submission, task = self._submission(job_id)
        if submission.tasks is not None and task is None:
            raise InvalidArgument(f"{job_id} is an array job; ask get_job_array for it, or name a task: {job_id}.1")
        return self.area.job(job_id)

    def get_job_array(self, array_id: str) -> JobArray:
        """Return an array job of this session. Raises InvalidArgument if it has no such array."""
        submission, task = self._submission(array_id)
        if submission.tasks is None or task is not None:
            raise InvalidArgument(f"{array_id} is no array job, but a single job or a task; ask get_job for it.")
        return self.area.array(array_id, submission.tasks)

    def template_of(self, job: Job | JobArray) -> JobTemplate:
        """Return the template that a job, array or task was submitted with."""
        return self._submission(job.id)[0].template

    def wait_any_started(self, jobs: Iterable[Job | JobArray], timeout: float | None = None) -> Job:
        """Wait until one of `jobs` (all of this session) runs or has ended, and return it.

        Parameters
        ----------
        jobs
            Jobs and arrays; an array stands for those of its tasks that were not reaped.
        timeout
            Seconds; None waits for ever, 0 looks once.

        Raises
        ------
        Timeout
            If none has by then.
        InvalidArgument
            If there is none in `jobs`, or one is not of this session.
        """
        return self.area.wait_any_started(self._checked(jobs), timeout)

    def wait_any_terminated(self, jobs: Iterable[Job | JobArray], timeout: float | None = None) -> Job:
        """Wait until one of `jobs` has ended, and return it; as :meth:`wait_any_started` otherwise."""
        return self.area.wait_any_terminated(self._checked(jobs), timeout)

    def wait_all_started(self, jobs: Iterable[Job | JobArray], timeout: float | None = None) -> None:
        """Wait until all of `jobs` run or have ended; as :meth:`wait_any_started` otherwise."""
        self.area.wait_all_started(self._checked(jobs), timeout)

    def wait_all_terminated(self, jobs: Iterable[Job | JobArray], timeout: float | None = None) -> None:
        """Wait until all of `jobs` have ended; as :meth:`wait_any_started` otherwise."""
        self.area.wait_all_terminated(self._checked(jobs), timeout)

    def reap(self, job: Job | JobArray) -> None:
        """Forget a job, array or task that has ended; it is unknown to the session afterwards.

        Raises
        ------
        InvalidState
            If it is neither DONE nor FAILED.
        InvalidArgument
            If it is not of this session (any more).
        """
        submission, task = self._submission(job.id)
        if isinstance(job, JobArray):
            left = {state: number for state, number in job.counts().items() if not state.terminated}
            if left:
                states = ", ".join(f"{number} {state.name}" for state, number in left.items())
                raise InvalidState(f"array {job.id} has tasks that have not ended ({states}); wait for them first.")
        elif not (state := job.status().state).terminated:
            raise InvalidState(f"job {job.id} is {state.name}; only a job that is DONE or FAILED can be reaped.")
        self._jobs.reap(submission, task)

    def check_job(self, job_id: str) -> None:
        """Raise InvalidSession if the session is closed, InvalidArgument if the job is not of it (any more)."""
        self._submission(job_id)

    def _submission(self, job_id: str) -> tuple[Submission, int | None]:
        """Return what a job belongs to, and its index if it is a task."""
        self.check_open()
        found = self._found([job_id])
        if not found and self._recover():
            found = self._found([job_id])
        if job_id not in found:
            self.check_exists()
            raise InvalidArgument(
                f"job {job_id} is not in job session {self.name!r}: it was submitted elsewhere, or it was reaped. "
                "get_jobs() returns those that are."
            )
        return found[job_id]

    def _opened(self) -> None:
        # What was submitted but not written down because of a crash.
        self._recover()

    def _found(self, job_ids: Iterable[str]) -> dict[str, tuple[Submission, int | None]]:
        """Return the submissions, and index of tasks, of those of `job_ids` that are of this session."""
        parts = {job_id: split_id(job_id) for job_id in job_ids}
        submissions = self._jobs.find({array for array, _ in parts.values()})
        if len(parts) == 1:
            reaped: dict[int, set[int]] = {}
            for array, task in parts.values():
                one = submissions.get(array)
                if one is not None and task is not None and self._jobs.is_reaped(one, task):
                    reaped[one.number] = {task}
        else:
            reaped = self._jobs.reaped_tasks()
        found = {}
        for job_id, (array, task) in parts.items():
            one = submissions.get(array)
            if one is None or (task is not None and (one.tasks is None or task not in one.tasks.indices)):
                continue
            if task not in reaped.get(one.number, ()):
                found[job_id] = (one, task)
        return found

    def _checked(self, jobs: Iterable[Job | JobArray]) -> list[Job | JobArray]:
        """Return what is to be waited for. Raises InvalidArgument if one is not of this session (any more)."""
        self.check_open()
        given = list(jobs)
        found = self._found({job.id for job in given})
        arrays = [job for job in given if isinstance(job, JobArray)]
        reaped = self._jobs.reaped_tasks() if arrays else {}
        checked: list[Job | JobArray] = []
        for job in given:
            submission, _ = found.get(job.id) or self._submission(job.id)
            if isinstance(job, JobArray) and (gone := reaped.get(submission.number)):
                checked += [task for task in job.jobs if task.task_index not in gone]
            else:
                checked.append(job)
        return checked

    @contextmanager
    def _intent(
        self, templates: Sequence[JobTemplate], tasks: TaskRange | None = None, max_parallel: int | None = None
    ) -> Iterator[_Intent]:
        """Write down what is about to be submitted, and afterwards what became of it."""
        self.check_open()
        for template in {id(template): template for template in templates}.values():
            self.area.check(template)
        intent = _Intent([uuid4().hex for _ in templates])
        with self._lock:
            self._in_flight.update(intent.tokens)
        try:
            self._jobs.plan(templates, intent.tokens, tasks, max_parallel)
            try:
                yield intent
            except PartlySubmitted as error:
                intent.job_ids = error.job_ids
                self._jobs.forget(intent.tokens[len(error.job_ids) :])
                raise
            except (DrmCommunication, Internal):
                raise  # The system may have taken it: it will be asked when the session is looked at next.
            except GcsError:
                self._jobs.forget(intent.tokens)
                raise
            finally:
                if intent.job_ids:
                    self._jobs.record(dict(zip(intent.tokens, intent.job_ids, strict=False)))
        finally:
            with self._lock:
                self._in_flight.difference_update(intent.tokens)

    def _recover(self) -> bool:
        """Ask the system for submissions whose id was not written down; tell whether it knew any."""
        with self._lock:
            mine = set(self._in_flight)
        unresolved = {token: age for token, age in self._jobs.unresolved().items() if token not in mine}
        if not unresolved:
            return False
        found = self.area.backend.find_submissions(list(unresolved))
        self._jobs.record(found)
        self._jobs.forget([token for token, age in unresolved.items() if token not in found and age > INTENT_SECONDS])
        return bool(found)


class _Intent:
    """Submissions that are under way: their tokens, and the ids that the system gave."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.job_ids: list[str] = []
