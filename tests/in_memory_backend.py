"""A fake system that runs nothing: it keeps states in memory and answers as it was told.

For tests of the code above a backend (area, board, cluster) only. What real systems do is tested on real systems.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.errors import ClusterNotFound, GcsError, InvalidState
from gcs_lab.jobs import Catalogue, Complex, JobAction
from gcs_lab.vocabulary import Capability, JobInfo, JobState, JobStatus, JobTemplate

if TYPE_CHECKING:
    from collections.abc import Collection

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
    """A fake of :class:`~gcs_lab.jobs.JobsBackend`; ``asked`` records the ids of every status question."""

    system = "in-memory system"
    supported_attributes = frozenset(
        {"remote_command", "args", "job_name", "queue_name", "parallel_environment", "min_slots", "resource_requests"}
    )

    def __init__(self, poll_floor: float = 0.02) -> None:
        self.poll_floor = poll_floor
        self.states: dict[str, JobState] = {}
        self.templates: dict[str, JobTemplate] = {}
        self.asked: list[set[str]] = []
        self.catalogue_questions = 0
        self.actions: Counter[JobAction] = Counter()
        self.fault: GcsError | None = None
        self.answer_may_go = threading.Event()
        self.answer_may_go.set()

    def submit(self, template: JobTemplate) -> str:
        job_id = str(len(self.templates) + 1)
        self.templates[job_id] = template
        self.states[job_id] = JobState.QUEUED
        return job_id

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        self.actions[action] += 1
        ended = [job_id for job_id in job_ids if self.states[job_id].terminated]
        if action is JobAction.TERMINATE:
            self.states.update(dict.fromkeys(set(job_ids) - set(ended), JobState.FAILED))
        return {job_id: InvalidState(f"job {job_id} has ended") for job_id in ended}

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        self.asked.append(set(job_ids))
        assert self.answer_may_go.wait(10)
        if self.fault is not None:
            raise self.fault
        return {job_id: JobStatus(self.states[job_id]) for job_id in job_ids if job_id in self.states}

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        return {
            job_id: JobInfo(job_id=job_id, job_state=self.states[job_id])
            for job_id in job_ids
            if job_id in self.states
        }

    def job_ids(self) -> list[str]:
        return [job_id for job_id, state in self.states.items() if not state.terminated]

    def catalogue(self) -> Catalogue:
        self.catalogue_questions += 1
        return CATALOGUE

    def supports(self, capability: Capability) -> bool:
        return capability is Capability.JT_MAXSLOTS


class InMemoryStatus:
    """A fake of :class:`~gcs_lab.status.StatusBackend` with two jobs."""

    def jobs_table(self) -> dict[str, list[object]]:
        return {"job_id": ["1", "2"], "owner": ["ann", "bob"]}

    def queues_table(self) -> dict[str, list[object]]:
        return {"queue": ["all.q"], "host": ["node1"]}

    def hosts_table(self) -> dict[str, list[object]]:
        return {"host": ["node1"], "cores": [2]}


class InMemorySystem:
    """A fake of :class:`~gcs_lab.backends.provider.SystemBackend`."""

    def __init__(self, cluster: str, *, with_status: bool = True) -> None:
        self.cluster = cluster
        self.system = "in-memory system"
        self.jobs = InMemoryJobs()
        self.status = InMemoryStatus() if with_status else None
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
