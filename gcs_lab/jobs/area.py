"""The ``jobs`` area of a cluster: submit, find, control and wait for jobs."""

from __future__ import annotations

import threading
import time
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError, InvalidArgument, UnknownName, UnsupportedOperation
from gcs_lab.jobs.argument_checks import check_id, check_max_parallel, check_tokens
from gcs_lab.jobs.catalogue_checks import check_names, is_about_names
from gcs_lab.jobs.job import Job
from gcs_lab.jobs.job_array import JobArray
from gcs_lab.jobs.job_changes import by_full_names
from gcs_lab.jobs.job_filter import select_jobs, select_named
from gcs_lab.jobs.notifications import Notifier
from gcs_lab.jobs.pending import PendingReasons
from gcs_lab.jobs.reservations import Reservations
from gcs_lab.jobs.status_board import StatusBoard
from gcs_lab.jobs.template_checks import check_supported, check_template
from gcs_lab.jobs.waiting import Wait
from gcs_lab.vocabulary import JobTemplate, TaskRange

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Collection, Iterable, Sequence

    from gcs_lab.jobs.job_changes import JobChanges
    from gcs_lab.jobs.notifications import Subscription
    from gcs_lab.jobs.protocol import Catalogue, JobAction, JobsBackend
    from gcs_lab.vocabulary import (
        Capability,
        JobEvent,
        JobInfo,
        MachineInfo,
        PendingReason,
        QueueInfo,
        ReservationTemplate,
    )

__all__ = ["Jobs"]

CATALOGUE_SECONDS = 60.0
_STARTED, _TERMINATED = attrgetter("started"), attrgetter("terminated")


class Jobs:
    """Jobs on one system.

    Waits take their timeout in seconds: None waits without end, 0 looks once; running out raises ``Timeout``.

    Parameters
    ----------
    backend
        The system.
    cluster
        Name by which :func:`gcs_lab.connect` finds it again; empty if it does not.
    """

    def __init__(self, backend: JobsBackend, cluster: str = "") -> None:
        self.backend = backend
        self.cluster = cluster
        self.board = StatusBoard(backend)
        self._notifier = Notifier(backend, self.board)
        self._pending = PendingReasons(backend, self.board)
        self._catalogue: tuple[float, Catalogue] | None = None
        self._catalogue_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Jobs on {self.system}>"

    @property
    def system(self) -> str:
        """Name of the system, for messages."""
        return self.backend.system

    @property
    def reservations(self) -> Reservations:
        """Advance reservations. Raises UnsupportedOperation if the system has none."""
        if self.backend.reservations is None:
            raise UnsupportedOperation(f"{self.system} has no advance reservations.")
        return Reservations(self, self.backend.reservations)

    def run(self, command: str, *args: str, **attributes: Any) -> Job:
        """Submit a command with its arguments; `attributes` are those of :class:`JobTemplate`.

        Raises
        ------
        GcsError
            As :meth:`submit`.
        """
        return self.submit(JobTemplate(remote_command=command, args=list(args), **attributes))

    def submit(self, template: JobTemplate, *, token: str | None = None) -> Job:
        """Check the template, submit it, and return the job.

        Parameters
        ----------
        template
            What is asked for.
        token
            32 hexadecimal digits, new for each submission, by which ``backend.find_submissions`` finds the job.

        Raises
        ------
        UnsupportedAttribute
            If the system cannot honour an attribute that is set.
        UnknownName
            If a queue, parallel environment or complex does not exist.
        InvalidArgument
            If a value cannot work.
        DeniedByDrms, DrmCommunication
            If the system refuses or does not answer.
        """
        self.check(template)
        check_tokens([token])
        job_id = self.backend.submit(template) if token is None else self.backend.submit(template, token)
        self._notifier.submitted([job_id])
        return Job(self, job_id)

    def submit_many(self, templates: Iterable[JobTemplate], *, tokens: Sequence[str] | None = None) -> list[Job]:
        """Check all templates, submit them at once, and return the jobs, in order.

        Raises
        ------
        PartlySubmitted
            If the system took some, then refused one.
        GcsError
            As :meth:`submit`; then there are no jobs.
        """
        templates = list(templates)
        check_tokens(tokens, len(templates))
        checked: set[int] = set()
        for number, template in enumerate(templates, 1):
            if id(template) not in checked:
                self._check_one_of_many(template, number, len(templates))
                checked.add(id(template))
        if not templates:
            return []
        job_ids = self.backend.submit_many(templates, tokens)
        self._notifier.submitted(job_ids)
        return [Job(self, job_id) for job_id in job_ids]

    def submit_array(
        self,
        template: JobTemplate,
        begin: int,
        end: int,
        step: int = 1,
        max_parallel: int | None = None,
        *,
        token: str | None = None,
    ) -> JobArray:
        """Submit one job with a task for each index (``qsub -t begin-end:step -tc max_parallel``).

        Parameters
        ----------
        template
            What is asked for, of each task.
        begin, end, step
            The indices: from `begin` (1 or more) to `end`.
        max_parallel
            How many tasks run at the same time at the most; None: as many as there is room for.
        token
            As in :meth:`submit`.

        Raises
        ------
        GcsError
            As :meth:`submit`; UnsupportedAttribute also if the system cannot honour `max_parallel`.
        """
        tasks = TaskRange(begin, end, step)
        check_max_parallel(max_parallel, self.backend)
        check_tokens([token])
        self.check(template, tasks)
        array_id = self.backend.submit_array(template, tasks, max_parallel, token)
        self._notifier.submitted_array(array_id, tasks)
        return JobArray(self, array_id, tasks)

    def job(self, job_id: str) -> Job:
        """Return a handle on a job or task that exists; its existence is not checked."""
        check_id(job_id)
        return Job(self, job_id)

    def array(self, array_id: str, tasks: TaskRange | None = None) -> JobArray:
        """Return a handle on an array job that exists.

        Parameters
        ----------
        array_id
            Its id.
        tasks
            The indices of its tasks; None: the system is asked for them.

        Raises
        ------
        UnknownName
            If the system is asked, and knows no such array job.
        """
        check_id(array_id)
        if tasks is None:
            status = self.board.array_status([array_id])[array_id]
            if status is None:
                raise UnknownName("array job", array_id, self.backend.job_ids(), where=self.system)
            tasks = status.tasks
        return JobArray(self, array_id, tasks)

    def list(self) -> list[Job]:
        """Return this user's jobs that have not ended, oldest first; an array job is one."""
        return [Job(self, job_id) for job_id in self.backend.job_ids()]

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Do `action` to many jobs, tasks and arrays at once; return what went wrong, by id (empty: nothing)."""
        if not job_ids:
            return {}
        try:
            return self.backend.control(action, job_ids)
        finally:
            self.board.expire()

    def alter(self, changes: JobChanges, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Change what many jobs and whole arrays ask for at once; return what went wrong, by id (empty: nothing).

        Of a job that runs Grid Engine takes all of it, but the run goes on with what it started with; the embedded
        cluster takes its name and priority alone.

        Parameters
        ----------
        changes
            What is to be changed.
        job_ids
            Ids of jobs and whole arrays; tasks cannot be altered one by one.

        Raises
        ------
        InvalidArgument, UnknownName
            If a value cannot work, or a name does not exist; then nothing is changed.
        GcsError
            If the system does not answer.
        """
        self.check_names(changes.checked())
        changes = by_full_names(changes, self.catalogue)
        if not job_ids:
            return {}
        try:
            return self.backend.alter(changes, job_ids)
        finally:
            self.board.expire()

    def wait_any_started(self, jobs: Iterable[Job | JobArray], timeout: float | None = None) -> Job:
        """Wait until one of `jobs` runs or has ended, and return it; the first in their order if there are several.

        Parameters
        ----------
        jobs
            Jobs and arrays; an array stands for its tasks.
        timeout
            Seconds.

        Raises
        ------
        Timeout
            If none has by then.
        InvalidArgument
            If there is none, or one is no job of this cluster, or the timeout is no number from 0 on.
        GcsError
            What the system says, but for silence (which is told only if the timeout is 0).
        """
        return Wait(self, jobs, _STARTED, "start").any(timeout)

    def wait_any_terminated(self, jobs: Iterable[Job | JobArray], timeout: float | None = None) -> Job:
        """Wait until one of `jobs` has ended, and return it; as :meth:`wait_any_started`."""
        return Wait(self, jobs, _TERMINATED, "end").any(timeout)

    def wait_all_started(self, jobs: Iterable[Job | JobArray], timeout: float | None = None) -> None:
        """Wait until each of `jobs` has run or ended; as :meth:`wait_any_started`."""
        Wait(self, jobs, _STARTED, "start").all(timeout)

    def wait_all_terminated(self, jobs: Iterable[Job | JobArray], timeout: float | None = None) -> None:
        """Wait until all of `jobs` have ended; as :meth:`wait_any_started`."""
        Wait(self, jobs, _TERMINATED, "end").all(timeout)

    def find(self, wanted: JobInfo | None = None) -> builtins.list[JobInfo]:
        """Return the jobs of all users that have not ended and that fit the filter, oldest first.

        Parameters
        ----------
        wanted
            A filter as :func:`~gcs_lab.jobs.job_filter.fits` has it; None: all jobs.

        Raises
        ------
        GcsError
            If the filter is none, or the system does not answer.
        """
        return select_jobs(self.backend.all_jobs, wanted)

    def pending_reasons(self, job_ids: str | Collection[str]) -> dict[str, builtins.list[PendingReason]]:
        """Return why jobs have not started, by id, the weightiest reason first; empty for one that does not wait.

        The system is asked at most once in 10 s about each job, with one question for all; in between the last
        answer counts. A task of an array job has the reasons of its whole array.

        Parameters
        ----------
        job_ids
            An id, or several; one that the system does not know is left out.

        Raises
        ------
        GcsError
            If the system does not answer.
        """
        ids = [job_ids] if isinstance(job_ids, str) else list(job_ids)
        for job_id in ids:
            check_id(job_id)
        return self._pending.of(ids)

    def reasons_age(self, job_ids: Collection[str]) -> float:
        """Return how many seconds ago the system told the oldest of what :meth:`pending_reasons` says of these."""
        return self._pending.age(job_ids)

    def queues(self, names: Collection[str] | None = None) -> builtins.list[QueueInfo]:
        """Return the cluster queues; with `names` only those that are called so."""
        return select_named(self.backend.queues, names)

    def machines(self, names: Collection[str] | None = None) -> builtins.list[MachineInfo]:
        """Return the machines that run jobs; with `names` only those that are called so."""
        return select_named(self.backend.machines, names)

    def on_event(self, callback: Callable[[JobEvent], None]) -> Subscription:
        """Call `callback` with everything that happens to jobs from now on, in order, each event once.

        It is called in a thread of the area's own, one call at a time; an error in it is logged. On a system that
        keeps no events (see ``JobsBackend.events``) the states of the jobs are compared that this area submitted
        or was asked to :meth:`~gcs_lab.jobs.notifications.Subscription.watch`; a state that comes and goes between
        two looks is not seen then.

        Raises
        ------
        GcsError
            If the system does not answer.
        InvalidArgument
            If `callback` cannot be called.
        """
        return self._notifier.subscribe(callback)

    def close(self) -> None:
        """End the callbacks of :meth:`on_event`, and the thread that asks for events; jobs go on."""
        self._notifier.close()

    def supports(self, capability: Capability) -> bool:
        """Tell whether the system has an optional ability of the standard."""
        return self.backend.supports(capability)

    def catalogue(self, max_age: float = CATALOGUE_SECONDS) -> Catalogue:
        """Return the queues, parallel environments and complexes there are, at most a minute old."""
        now = time.monotonic()
        with self._catalogue_lock:
            if self._catalogue is None or now - self._catalogue[0] > max_age:
                self._catalogue = (now, self.backend.catalogue())
            return self._catalogue[1]

    def check(self, template: JobTemplate, tasks: TaskRange | None = None, *, must_fit: bool = False) -> None:
        """Raise what :meth:`submit` (with `tasks`: :meth:`submit_array`) would raise before it sends anything.

        With `must_fit` also InvalidArgument if the job would wait for ever: for more slots than its parallel
        environment has.
        """
        check_template(template, is_array=tasks is not None)
        check_supported(template.attributes_set(), self.backend)
        self.check_names(template, must_fit=must_fit)

    def check_names(
        self, template: JobTemplate | ReservationTemplate, project: str | None = None, *, must_fit: bool = False
    ) -> None:
        """Raise UnknownName if a queue, complex, host … of the template, or `project`, is not on the system.

        Raises
        ------
        InvalidArgument
            As :func:`~gcs_lab.jobs.catalogue_checks.check_names`; one error says all that is wrong.
        """
        try:
            check_names(template, self.catalogue, self.system, project, must_fit=must_fit)
        except InvalidArgument as error:
            if not is_about_names(error):
                raise
            # It may be new: the cluster was changed within the minute.
            check_names(template, lambda: self.catalogue(max_age=1.0), self.system, project, must_fit=must_fit)

    def _check_one_of_many(self, template: JobTemplate, number: int, of: int) -> None:
        try:
            self.check(template)
        except GcsError as error:
            error.args = (f"template {number} of {of}: {error}",)
            raise
