"""A fake system that runs nothing: it keeps states in memory and answers as it was told.

For tests of the code above a backend (area, board, cluster) only. What real systems do is tested on real systems.
"""

from __future__ import annotations

import getpass
import threading
from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import ClusterNotFound, GcsError, InvalidArgument, InvalidState
from gcs_lab.jobs import Catalogue, Complex, EventBatch, JobAction, JobChanges
from gcs_lab.status import JobDetails, Poll
from gcs_lab.status.keys import named_keys, task_keys
from gcs_lab.status.tables import schema
from gcs_lab.vocabulary import (
    ArrayStatus,
    Capability,
    JobEvent,
    JobInfo,
    JobState,
    JobStatus,
    JobTemplate,
    MachineInfo,
    PendingReason,
    QueueInfo,
    ReservationInfo,
    ReservationTemplate,
    TaskRange,
    split_id,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import pyarrow as pa

    from gcs_lab.backends.provider import Offer

CATALOGUE = Catalogue(
    queues=("all.q", "short.q"),
    parallel_environments=("smp", "mpi"),
    complexes=(
        Complex("h_rt", "h_rt", "TIME"),
        Complex("h_vmem", "h_vmem", "MEMORY"),
        Complex("num_proc", "p", "INT"),
        Complex("load_avg", "la", "DOUBLE"),
        Complex("exclusive", "excl", "BOOL"),
        Complex("arch", "a", "RESTRING"),
        Complex("slots", "s", "INT", requestable=False),
    ),
)


class InMemoryJobs:
    """A fake of :class:`~gcs_lab.jobs.JobsBackend`; ``asked`` and ``arrays_asked`` record the ids of every question.

    Tests set ``states`` (of jobs; ``places`` says where they run) and ``task_states`` (of the tasks of arrays, by
    index). With ``keeps_events`` it answers ``events`` with what tests put into ``log``.
    """

    system = "in-memory system"

    def __init__(self, poll_floor: float = 0.02) -> None:
        self.poll_floor = poll_floor
        self.supported_attributes = frozenset(
            [
                "remote_command",
                "args",
                "job_name",
                "queue_name",
                "parallel_environment",
                "min_slots",
                "resource_requests",
            ]
        )
        self.refusals: dict[str, str] = {
            f.name: f"use something else than {f.name}."
            for f in fields(JobTemplate)
            if f.name not in self.supported_attributes
        }
        self.reservations: InMemoryReservations | None = None
        self.capabilities = {Capability.JT_MAXSLOTS, Capability.BULK_JOBS_MAXPARALLEL}
        self.states: dict[str, JobState] = {}
        self.places: dict[str, JobStatus] = {}
        self.templates: dict[str, JobTemplate] = {}
        self.tokens: dict[str, str] = {}
        self.tasks: dict[str, TaskRange] = {}
        self.task_states: dict[str, dict[int, JobState]] = {}
        self.max_parallel: dict[str, int | None] = {}
        self.asked: list[set[str]] = []
        self.arrays_asked: list[set[str]] = []
        self.catalogue_questions = 0
        self.actions: Counter[JobAction] = Counter()
        self.controlled: list[tuple[JobAction, list[str]]] = []
        self.altered: list[tuple[JobChanges, list[str]]] = []
        self.fault: GcsError | None = None
        self.answer_may_go = threading.Event()
        self.answer_may_go.set()
        self.keeps_events = False
        self.log: list[JobEvent] = []
        self.gap_at: int | None = None
        self.known_catalogue = CATALOGUE
        self.others: list[JobInfo] = []
        self.reasons: dict[str, list[PendingReason]] = {}
        self.reasons_asked: list[set[str]] = []
        self.reasons_fault: GcsError | None = None

    def supports_everything(self) -> None:
        self.supported_attributes = frozenset(f.name for f in fields(JobTemplate))
        self.refusals = {}

    def submit(self, template: JobTemplate, token: str | None = None) -> str:
        job_id = str(len(self.templates) + 1)
        self.templates[job_id] = template
        self.states[job_id] = JobState.QUEUED
        if token is not None:
            self.tokens[token] = job_id
        return job_id

    def submit_many(self, templates: Sequence[JobTemplate], tokens: Sequence[str] | None = None) -> list[str]:
        return [self.submit(template, tokens and tokens[place]) for place, template in enumerate(templates)]

    def submit_array(
        self, template: JobTemplate, tasks: TaskRange, max_parallel: int | None = None, token: str | None = None
    ) -> str:
        array_id = self.submit(template, token)
        self.tasks[array_id] = tasks
        self.task_states[array_id] = dict.fromkeys(tasks.indices, JobState.QUEUED)
        self.max_parallel[array_id] = max_parallel
        return array_id

    def find_submissions(self, tokens: Collection[str]) -> dict[str, str]:
        return {token: self.tokens[token] for token in tokens if token in self.tokens}

    def _state(self, job_id: str) -> JobState | None:
        array, index = split_id(job_id)
        if index is None:
            return self.states.get(job_id)
        return self.task_states.get(array, {}).get(index)

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        self.actions[action] += 1
        self.controlled.append((action, list(job_ids)))
        failures: dict[str, GcsError] = {}
        for job_id in job_ids:
            state = self._state(job_id)
            array, index = split_id(job_id)
            if state is None:
                failures[job_id] = InvalidArgument(f"no job {job_id}")
            elif state.terminated:
                failures[job_id] = InvalidState(f"job {job_id} has ended")
            elif action is JobAction.TERMINATE and index is None:
                self.states[job_id] = JobState.FAILED
                for task, state_of_task in self.task_states.get(job_id, {}).items():
                    if not state_of_task.terminated:
                        self.task_states[job_id][task] = JobState.FAILED
            elif action is JobAction.TERMINATE and index is not None:
                self.task_states[array][index] = JobState.FAILED
        return failures

    def alter(self, changes: JobChanges, job_ids: Collection[str]) -> dict[str, GcsError]:
        self.altered.append((changes, list(job_ids)))
        return {job_id: InvalidArgument(f"no job {job_id}") for job_id in job_ids if job_id not in self.states}

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        self.asked.append(set(job_ids))
        assert self.answer_may_go.wait(10)
        if self.fault is not None:
            raise self.fault
        states = {job_id: self._state(job_id) for job_id in job_ids}
        return {
            job_id: self.places.get(job_id) or JobStatus(state)
            for job_id, state in states.items()
            if state is not None
        }

    def array_status(self, array_ids: Collection[str]) -> dict[str, ArrayStatus]:
        self.arrays_asked.append(set(array_ids))
        if self.fault is not None:
            raise self.fault
        palette = tuple((state, "") for state in JobState)
        return {
            array_id: ArrayStatus(self.tasks[array_id], palette, bytes(self.task_states[array_id].values()), {})
            for array_id in array_ids
            if array_id in self.tasks
        }

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        states = {job_id: self._state(job_id) for job_id in job_ids}
        return {
            job_id: JobInfo(job_id=job_id, job_state=state) for job_id, state in states.items() if state is not None
        }

    def pending_reasons(self, job_ids: Collection[str]) -> dict[str, list[PendingReason]]:
        self.reasons_asked.append(set(job_ids))
        if self.reasons_fault is not None:
            raise self.reasons_fault
        return {job_id: self.reasons.get(job_id, []) for job_id in job_ids if job_id in self.states}

    def job_ids(self) -> list[str]:
        return [job_id for job_id, state in self.states.items() if not state.terminated]

    def all_jobs(self) -> list[JobInfo]:
        own = [JobInfo(job_id=job_id, job_state=self.states[job_id], job_owner="me") for job_id in self.job_ids()]
        return own + self.others

    def queues(self) -> list[QueueInfo]:
        return [QueueInfo("all.q", 4), QueueInfo("short.q", 2)]

    def machines(self) -> list[MachineInfo]:
        return [MachineInfo(name="node1"), MachineInfo(name="node2")]

    def events(self, cursor: str | None) -> EventBatch | None:
        if self.fault is not None:
            raise self.fault
        if not self.keeps_events:
            return None
        end = len(self.log)
        if cursor is None:
            return EventBatch(str(end), ())
        gap = self.gap_at is not None and int(cursor) < self.gap_at
        return EventBatch(str(end), tuple(self.log[max(int(cursor), self.gap_at or 0) : end]), gap)

    def catalogue(self) -> Catalogue:
        self.catalogue_questions += 1
        return self.known_catalogue

    def supports(self, capability: Capability) -> bool:
        return capability in self.capabilities


class InMemoryReservations:
    """A fake of :class:`~gcs_lab.jobs.ReservationsBackend` that grants everything."""

    def __init__(self) -> None:
        self.supported_attributes = frozenset(f.name for f in fields(ReservationTemplate)) - {"users_acl"}
        self.refusals = {"users_acl": "reservations are your own."}
        self.granted: dict[str, ReservationTemplate] = {}
        self.infos: dict[str, ReservationInfo] = {}

    def request(self, template: ReservationTemplate) -> str:
        reservation_id = str(len(self.granted) + 1)
        self.granted[reservation_id] = template
        self.infos[reservation_id] = ReservationInfo(
            reservation_id=reservation_id,
            reservation_name=template.reservation_name,
            reserved_slots=template.min_slots,
            owner=getpass.getuser(),
        )
        return reservation_id

    def terminate(self, reservation_ids: Collection[str]) -> dict[str, GcsError]:
        return {
            key: InvalidState(f"reservation {key} has ended")
            for key in reservation_ids
            if not self.infos.pop(key, None)
        }

    def info(self, reservation_ids: Collection[str] | None) -> dict[str, ReservationInfo]:
        return {key: info for key, info in self.infos.items() if reservation_ids is None or key in reservation_ids}


def task_row(job_id: str, owner: str = "ann", letters: str = "r", **others: Any) -> dict[str, Any]:
    """Return a row of ``TASK_COLUMNS`` for :meth:`InMemoryStatus.poll`; columns that are not named are null."""
    states = {"r": "RUNNING", "qw": "QUEUED", "hqw": "QUEUED_HELD", "s": "SUSPENDED", "Eqw": "FAILED"}
    row = {
        "job_id": job_id,
        "owner": owner,
        "letters": letters,
        "state": states[letters],
        "task_count": 1,
        "slots": 1,
    }
    return row | {"name": f"job{job_id}", "queue": "all.q" if letters in "rs" else None} | others


class InMemoryStatus:
    """A fake of :class:`~gcs_lab.status.StatusBackend` with two jobs; tests change ``tasks``, ``fault`` and others.

    ``polls`` counts the questions. While ``answer_may_go`` is cleared, a question waits (10 s at the most).
    """

    def __init__(self, poll_floor: float = 0.02, identity: str = "in memory") -> None:
        self.poll_floor = poll_floor
        self.identity = identity
        self.tasks: list[dict[str, Any]] = [task_row("1"), task_row("2", "bob", "qw")]
        self.queue_instances: list[dict[str, Any]] = [
            {"queue": "all.q", "host": "node1", "type": "BIP", "slots_used": 1, "slots_total": 4, "state": ""}
        ]
        self.hosts: list[dict[str, Any]] = [{"host": "node1", "cores": 2, "slots_total": 4, "state": ""}]
        self.details: dict[str, JobDetails] = {}
        self.quota_rows: list[dict[str, Any]] = []
        self.polls = 0
        self.fault: Exception | None = None
        self.answer_may_go = threading.Event()
        self.answer_may_go.set()
        self.operator = False

    def poll(self) -> Poll:
        import pyarrow as pa

        self.polls += 1
        assert self.answer_may_go.wait(10)
        if self.fault is not None:
            raise self.fault
        tasks = _table("tasks", self.tasks)
        together = pa.array([row.get("tasks") is not None and row.get("task") is None for row in self.tasks])
        tasks = tasks.set_column(0, "key", task_keys(tasks["job_id"], tasks["task"].combine_chunks(), together))
        instances, hosts = _table("queue_instances", self.queue_instances), _table("hosts", self.hosts)
        instances = instances.set_column(0, "key", named_keys(instances["queue"], instances["host"]))
        hosts = hosts.set_column(0, "key", named_keys(hosts["host"]))
        return Poll(tasks, instances, hosts, ("ask jobs", "ask hosts"))

    def job_details(self, job_ids: Collection[str]) -> dict[str, JobDetails]:
        return {job_id: self.details[job_id] for job_id in job_ids if job_id in self.details}

    def host_groups(self) -> pa.Table:
        return _table("host_groups", [{"group": "@allhosts", "host": "node1"}])

    def complexes(self) -> pa.Table:
        return _table("complexes", [{"name": "h_rt", "shortcut": "h_rt", "type": "TIME", "urgency": 0.0}])

    def quotas(self) -> pa.Table:
        return _table("quotas", self.quota_rows)

    def is_operator(self) -> bool:
        return self.operator


def _table(columns: str, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=schema(columns))


class InMemoryAccounting:
    """A fake of :class:`~gcs_lab.accounting.protocol.AccountingBackend` with the files that tests put into ``files``."""

    def __init__(self, identity: str = "in memory") -> None:
        self.identity = identity
        self.files: list[Path] = []
        self.printed: bytes | None = None
        self.slots: int | None = None

    def record_files(self) -> Sequence[Path]:
        return self.files

    def qacct(self, since: float | None) -> bytes | None:
        return self.printed

    def other_files(self, kind: str) -> Sequence[Path]:
        return ()

    def capacity(self) -> int | None:
        return self.slots


class InMemorySystem:
    """A fake of :class:`~gcs_lab.backends.provider.SystemBackend`."""

    def __init__(self, cluster: str, *, with_status: bool = True, with_accounting: bool = False) -> None:
        self.cluster = cluster
        self.system = "in-memory system"
        self.jobs = InMemoryJobs()
        self.status = InMemoryStatus(identity=cluster) if with_status else None
        self.accounting = InMemoryAccounting(identity=cluster) if with_accounting else None
        self.closed = False

    def close(self) -> None:
        self.closed = True


class InMemoryProvider:
    """A fake of :class:`~gcs_lab.backends.provider.BackendProvider` that offers what it is given."""

    def __init__(self, name: str, *offers: Offer) -> None:
        self.name = name
        self._offers = list(offers)
        self.connected: list[str] = []

    def offers(self) -> list[Offer]:
        return self._offers

    def explain(self) -> str:
        return f"{len(self._offers)} in memory."

    def connect(self, cluster: str) -> InMemorySystem:
        if cluster not in [offer.cluster for offer in self._offers]:
            raise ClusterNotFound(cluster)
        self.connected.append(cluster)
        return InMemorySystem(cluster)
