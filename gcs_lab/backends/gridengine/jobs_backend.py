"""The ``jobs`` area of a cell: what :class:`~gcs_lab.jobs.JobsBackend` asks, put together."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.accounting_file import AccountingFile
from gcs_lab.backends.gridengine.alterations import alter_jobs, refuse_task
from gcs_lab.backends.gridengine.array_jobs import ArrayJobs
from gcs_lab.backends.gridengine.catalogue import read_catalogue
from gcs_lab.backends.gridengine.control import Orders, not_held_by_user, unknown_job
from gcs_lab.backends.gridengine.ended_jobs import EndedJobs
from gcs_lab.backends.gridengine.job_infos import infos_of_rows, status_of_rows
from gcs_lab.backends.gridengine.job_questions import JobQuestions, by_job
from gcs_lab.backends.gridengine.job_request import (
    REFUSALS,
    REQUEST_CAPABILITIES,
    SUPPORTED_ATTRIBUTES,
    RequestMaker,
)
from gcs_lab.backends.gridengine.job_rows import JobRows
from gcs_lab.backends.gridengine.machines import machine_infos, queue_infos
from gcs_lab.backends.gridengine.pending_questions import PendingQuestions
from gcs_lab.backends.gridengine.requeues import requeue
from gcs_lab.backends.gridengine.reservations import RESERVATION_CAPABILITIES, GridEngineReservations
from gcs_lab.backends.gridengine.submission import Submitter
from gcs_lab.backends.gridengine.submission_times import SubmissionTimes
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import Capability, split_id

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gcs_lab.backends.gridengine.job_request import JobRequest
    from gcs_lab.backends.gridengine.qstat_xml import JobRow
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.errors import GcsError
    from gcs_lab.jobs import JobChanges
    from gcs_lab.jobs.protocol import Catalogue, EventBatch, ReservationsBackend
    from gcs_lab.vocabulary import (
        ArrayStatus,
        JobInfo,
        JobStatus,
        JobTemplate,
        MachineInfo,
        PendingReason,
        QueueInfo,
        TaskRange,
    )

__all__ = ["GridEngineJobs"]

#: A cell tells of no events; callbacks are called by the area, which compares states.
_CAPABILITIES = (
    REQUEST_CAPABILITIES | RESERVATION_CAPABILITIES | {Capability.BULK_JOBS_MAXPARALLEL, Capability.CALLBACK}
)


class GridEngineJobs:
    """Jobs on one cell.

    Parameters
    ----------
    cell
        The cell.
    system
        Its name for messages.
    transport
        ``"drmaa"`` or ``"qsub"`` to submit that way; None: the best there is.
    """

    supported_attributes = SUPPORTED_ATTRIBUTES
    refusals = REFUSALS
    poll_floor = 1.0

    def __init__(self, cell: SgeCell, system: str, transport: str | None = None) -> None:
        self.system = system
        reservations = GridEngineReservations(cell)
        self.reservations: ReservationsBackend | None = reservations
        self._cell = cell
        self._requests = RequestMaker(cell)
        user = getpass.getuser()
        self.submitter = Submitter(cell, user, transport)
        self._ended = EndedJobs(cell, AccountingFile(cell.common))
        self._rows = JobRows(cell, user)
        self._submission_times = SubmissionTimes(cell)
        self._arrays = ArrayJobs(cell, self._ended)
        self._questions = JobQuestions(cell, self._rows, self._arrays, self._ended)
        self._pending = PendingQuestions(cell, self._rows, reservations, user)

    def start(self) -> None:
        """Start in the background what the first submission needs."""
        self.submitter.start()

    def close(self) -> None:
        """End the helper; jobs go on."""
        self.submitter.close()

    def submit(self, template: JobTemplate, token: str | None = None) -> str:
        """Submit one job; when it returns, the qmaster has spooled the job."""
        request = self._requests.of(template)
        return self._noted(self.submitter.submit(request, token=token), request, None)

    def submit_many(self, templates: Sequence[JobTemplate], tokens: Sequence[str] | None = None) -> list[str]:
        """Submit many jobs, one after the other without waiting for each answer.

        Raises
        ------
        PartlySubmitted
            If some had been taken when one was refused.
        """
        requests = [self._requests.of(template) for template in templates]
        job_ids = self.submitter.submit_many(requests, tokens)
        return [self._noted(job_id, request, None) for job_id, request in zip(job_ids, requests, strict=True)]

    def submit_array(
        self, template: JobTemplate, tasks: TaskRange, max_parallel: int | None = None, token: str | None = None
    ) -> str:
        """Submit an array job with one request. Raises InvalidArgument if the cell allows fewer tasks."""
        request = self._requests.of(template)
        return self._noted(self.submitter.submit(request, tasks, max_parallel, token=token), request, tasks)

    def find_submissions(self, tokens: Collection[str]) -> dict[str, str]:
        """Return the jobs in the queue that carry `tokens`; those that have ended carry none any more."""
        return self.submitter.find(tokens)

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Do `action` to all `job_ids`: one question about their states, one command (several for very many).

        A whole array, and indices that are ranges with steps, are a word or a few. Indices picked at random are a
        word for each range: on 8.1.9 that takes 20 to 50 ms a range where very many tasks have mixed states, so that
        half of 50,000 tasks takes minutes. If the cell stops answering meanwhile, what was not done is told by id.
        """
        wanted = by_job(job_ids)
        whole = set(job_ids) & wanted.keys()
        rows = self._questions.rows_of(wanted)
        held = self._rows.of(set(rows), held_by="u") if action is JobAction.RELEASE and rows else {}
        orders = Orders(action)
        for job, indices in wanted.items():
            some = rows.get(job, [])
            tasks = self._arrays.tasks(job)
            if tasks is None:
                if job in whole:
                    self._order_job(orders, job, some, held)
                orders.failures |= {
                    task_id: unknown_job(action, task_id, ended=False)
                    for task_id in (f"{job}.{index}" for index in indices)
                }
            else:
                self._order_array(orders, job, indices, some, held, whole=job in whole)
        if action is JobAction.REQUEUE:
            requeue(orders, self._cell, self._rows, rows)
            return orders.failures
        said = orders.run(self._cell)
        if action is JobAction.TERMINATE:
            self._ended.deletions.note(said)
        return orders.failures

    def alter(self, changes: JobChanges, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Change what jobs and whole arrays ask for: one ``qalter`` for all that get the same, after a ``qstat``.

        What runs is altered, too, as far as Grid Engine allows it; its present run keeps what it started with.
        """
        wanted = by_job(job_ids)
        failures = {
            task_id: refuse_task(job, task_id)
            for job, indices in wanted.items()
            for task_id in (f"{job}.{index}" for index in indices)
        }
        whole = [job for job in wanted if job in set(job_ids)]
        rows = self._questions.rows_of(whole)
        gone = [job for job in whole if job not in rows]
        failures |= {job: unknown_job("alter", job, ended=self._has_ended(job)) for job in gone}
        return failures | alter_jobs(self._cell, changes, [job for job in whole if job in rows])

    def _order_job(self, orders: Orders, job: str, rows: Sequence[JobRow], held: dict[str, list[JobRow]]) -> None:
        if not rows:
            orders.failures[job] = unknown_job(orders.action, job, ended=self._has_ended(job))
            return
        status = status_of_rows(rows)
        if orders.action is JobAction.RELEASE and status.state.held and job not in held:
            orders.failures[job] = self._not_held(job)
        else:
            orders.add_job(job, status)

    def _order_array(
        self,
        orders: Orders,
        job: str,
        indices: Sequence[int],
        rows: Sequence[JobRow],
        held: dict[str, list[JobRow]],
        *,
        whole: bool,
    ) -> None:
        if not rows:
            ids = [*([job] if whole else []), *(f"{job}.{index}" for index in indices)]
            orders.failures |= {some_id: unknown_job(orders.action, some_id, ended=True) for some_id in ids}
            return
        present = self._questions.present_states(job, rows)
        if orders.action is JobAction.RELEASE:
            ours = self._questions.present_states(job, held.get(job, ()))
            if whole and present.held() and not ours.held():
                orders.failures[job] = self._not_held(job)
                whole = False
            if whole:
                orders.add_array(job, ours if ours.held() else present)
            foreign = set(indices) & (set(present.held()) - set(ours.held()))
            orders.failures |= {f"{job}.{index}": self._not_held(f"{job}.{index}") for index in foreign}
            indices = [index for index in indices if index not in foreign]
        elif whole:
            orders.add_array(job, present)
        orders.add_tasks(job, indices, present)

    def _not_held(self, job_id: str) -> GcsError:
        job = {split_id(job_id)[0]}
        return not_held_by_user(job_id, by_operator=any(self._rows.of(job, held_by=who) for who in "os"))

    def _has_ended(self, job: str) -> bool:
        return self._ended.seen(job) or self._ended.deletions.of(job) is not None or bool(self._ended.records([job]))

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return the states: one ``qstat`` for all, then accounting's new lines for those that are gone."""
        return self._questions.status(job_ids)

    def array_status(self, array_ids: Collection[str]) -> dict[str, ArrayStatus]:
        """Return the states of all tasks of array jobs, with one ``qstat`` for all."""
        return self._questions.array_status(array_ids)

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        """Return what ``qstat -j`` says of jobs in the queue and accounting of those that ended."""
        return self._questions.info(job_ids)

    def pending_reasons(self, job_ids: Collection[str]) -> dict[str, list[PendingReason]]:
        """Return why jobs wait, from qstat, the scheduler's messages and ``qalter -w p`` and ``-w v``."""
        found = self._pending.of(by_job(job_ids))
        return {
            job_id: found.get(job, [])
            for job_id in job_ids
            for job in [split_id(job_id)[0]]
            if job in found or self._has_ended(job)
        }

    def job_ids(self) -> list[str]:
        """Return the ids of this user's jobs in the queue, oldest first."""
        return sorted({row.job_id for row in self._rows.of_user()}, key=int)

    def all_jobs(self) -> list[JobInfo]:
        """Return what one ``qstat -u '*'`` tells of all jobs in the queue; of a job's hosts it names the first.

        When it was submitted, each job that runs is asked once.
        """
        rows = self._rows.of_all()
        return infos_of_rows(rows, self._submission_times.of(rows))

    def queues(self) -> list[QueueInfo]:
        """Return the cluster queues."""
        return queue_infos(self._cell)

    def machines(self) -> list[MachineInfo]:
        """Return the execution hosts."""
        return machine_infos(self._cell)

    def events(self, cursor: str | None) -> EventBatch | None:  # noqa: ARG002
        """Return None: a cell tells no user what happened to his jobs, so states are polled."""
        return None

    def catalogue(self) -> Catalogue:
        """Return queues, parallel environments, complexes and projects, from ``qconf``."""
        return read_catalogue(self._cell)

    def supports(self, capability: Capability) -> bool:
        """Tell whether an optional ability of DRMAA2 is there."""
        return capability in _CAPABILITIES

    def _noted(self, job_id: str, request: JobRequest, tasks: TaskRange | None) -> str:
        self._rows.note_own([job_id])
        self._arrays.note_submitted(job_id, tasks)
        self._ended.note_submitted(job_id)
        self._ended.reserved.note_submitted(job_id, request.reservation())
        return job_id
