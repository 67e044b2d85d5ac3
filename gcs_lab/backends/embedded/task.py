"""A job, or a task of an array, as the scheduler knows it, with Grid Engine's letters for its state."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping  # noqa: TC003  (dataclass fields are inspected at run time)
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.state_codes import waiting_letters
from gcs_lab.vocabulary import JobState, TaskRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.backends.embedded.placement import Instance, Request
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["NO_ARRAY", "OWN", "REQUEUED_BY", "Job", "Phase", "SharedRequest", "Task"]

#: Task id of a job that is no array, as in Grid Engine's accounting.
NO_ARRAY = 0
#: How :attr:`Task.to_end` begins if the run is ended so that the task runs again (``qmod -rj``).
REQUEUED_BY = "requeued by "
#: Entries of a request that do not matter for where it is placed: jobs that differ in them alone share the rest.
OWN = frozenset(
    {
        "args",
        "command",
        "deadline_time",
        "environment",
        "error_path",
        "hold_jid",
        "hold_jid_ad",
        "input_path",
        "max_parallel",
        "name",
        "output_path",
        "start_time",
        "tasks",
        "working_directory",
    }
)

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Phase(StrEnum):
    """Where a task is. ``DISPATCHING``: its start was decided and recorded, and its shepherd is being forked."""

    PENDING = "pending"
    DISPATCHING = "dispatching"
    RUNNING = "running"
    ERROR = "error"
    ENDED = "ended"


@dataclass(slots=True, eq=False, weakref_slot=True)
class SharedRequest:
    """What many jobs ask for alike. ``asks`` and ``fits_nowhere`` are made from it and the layout, not stored."""

    request_id: int
    request: SubmitRequest
    #: What the placement is asked for.
    asks: Request
    #: Which request fits nowhere even in an empty cluster, in words.
    fits_nowhere: str | None = None


@dataclass(slots=True, eq=False)
class Job:
    """What was submitted; ``submitted`` in seconds since the epoch.

    ``own`` are the entries of the request in which this job differs from ``shared``, as JSON. ``waits_for`` and
    ``waits_for_tasks_of`` are the jobs that ``-hold_jid`` and ``-hold_jid_ad`` meant when it was submitted.
    """

    job_id: int
    owner: str
    submitted: float
    token: str
    shared: SharedRequest
    own: str | None = None
    waits_for: tuple[int, ...] = ()
    waits_for_tasks_of: tuple[int, ...] = ()

    @property
    def request(self) -> SubmitRequest:
        """Everything that the submission said."""
        return dataclasses.replace(self.shared.request, **json.loads(self.own)) if self.own else self.shared.request

    def asked(self, entry: str) -> Any:
        """Return one entry of the request; for one of :data:`OWN` quicker than by :attr:`request`."""
        if self.own and f'"{entry}": ' in self.own:
            own = json.loads(self.own)
            if entry in own:
                return own[entry]
        return getattr(self.shared.request, entry)

    @property
    def tasks(self) -> TaskRange | None:
        """The indices of an array; None if it is none."""
        tasks = self.asked("tasks")
        return None if tasks is None else TaskRange(*tasks)

    @property
    def rank(self) -> tuple[int, tuple[int, int]]:
        """Its place among those that wait: high priority first, then the older job."""
        return -self.shared.request.priority, (self.job_id, 0)


@dataclass(slots=True, eq=False)
class Task:
    """One task with its present state. Times are seconds since the epoch; ``run`` counts its runs from 1.

    ``held`` is the user's hold; ``blocked`` says that a dependency or its start time keeps it back. ``halted`` is
    ``S`` or ``T`` or both while the state of a queue that it runs in suspends it; it follows from the queue states.
    ``to_end`` says why a run is being ended (``"deleted by alice"``, ``"requeued by alice"``).
    """

    job: Job
    task_id: int = NO_ARRAY
    phase: Phase = Phase.PENDING
    held: bool = False
    blocked: bool = False
    suspended: bool = False
    halted: str = ""
    requeued: bool = False
    run: int = 0
    slots: Mapping[Instance, int] = field(default_factory=lambda: _NOTHING)
    dispatched: float | None = None
    finished: float | None = None
    outcome: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    deleted_by: str | None = None
    annotation: str | None = None
    to_end: str | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Job id and task id."""
        return self.job.job_id, self.task_id

    @property
    def name(self) -> str:
        """The id by which clients know it: ``"5"``, or ``"5.3"`` for the task of an array."""
        return f"{self.job.job_id}.{self.task_id}" if self.task_id else str(self.job.job_id)

    @property
    def mark(self) -> str:
        """Value that marks all processes of the present run; it cannot be guessed, so nobody has it by chance."""
        return f"{self.job.token}.{self.task_id}.{self.run}"

    @property
    def active(self) -> bool:
        """Whether it holds slots."""
        return self.phase in (Phase.DISPATCHING, Phase.RUNNING)

    @property
    def to_requeue(self) -> bool:
        """Whether its run is being ended so that it runs again."""
        return self.to_end is not None and self.to_end.startswith(REQUEUED_BY)

    @property
    def to_go(self) -> bool:
        """Whether its run is being ended for good."""
        return self.to_end is not None and not self.to_requeue

    @property
    def waits(self) -> bool:
        """Whether it starts as soon as there is room."""
        return self.phase is Phase.PENDING and not self.held and not self.blocked

    @property
    def request(self) -> Request:
        """What the placement is asked for."""
        return self.job.shared.asks

    @property
    def rank(self) -> tuple[int, tuple[int, int]]:
        """Its place among those that wait."""
        return self.job.rank

    def starts(self) -> Iterator[Task]:
        """Yield what may start now: itself."""
        yield self

    def state_and_letters(self) -> tuple[JobState, str]:
        """Return DRMAA2's word for the state, and the state as qstat prints it (``sge_status(5)``)."""
        again = "R" if self.requeued or self.to_requeue else ""
        match self.phase:
            case Phase.ENDED:
                good = self.outcome.get("exit_status") == 0 and self.outcome.get("failed") == 0
                return (JobState.DONE if good else JobState.FAILED), "z"
            case Phase.ERROR:
                return JobState.FAILED, f"E{'h' if self.held else ''}{again}qw"
            case Phase.PENDING:
                return waiting_letters(held=self.held or self.blocked, again=self.requeued)
            case Phase.DISPATCHING | Phase.RUNNING:
                stopped = self.suspended or bool(self.halted)
                now = "t" if self.phase is Phase.DISPATCHING else "" if stopped else "r"
                # The order is Grid Engine's own (8.1.9 prints SRs, where its manual page has RS).
                letters = f"{'d' if self.to_go else ''}{self.halted}{again}{now}{'s' if self.suspended else ''}"
                return (JobState.SUSPENDED if stopped else JobState.RUNNING), letters

    def letters(self) -> str:
        """Return the state as qstat prints it."""
        return self.state_and_letters()[1]

    def state(self) -> JobState:
        """Return DRMAA2's word for the state."""
        return self.state_and_letters()[0]
