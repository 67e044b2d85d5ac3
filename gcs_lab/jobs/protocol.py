"""What the ``jobs`` area asks of a system: the protocol that a backend implements.

Each method says who calls it and when. All of them may block for as long as the system takes to answer, may be
called from any thread, and raise only :class:`~gcs_lab.errors.GcsError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gcs_lab.errors import GcsError
    from gcs_lab.jobs.job_changes import JobChanges
    from gcs_lab.vocabulary import (
        ArrayStatus,
        Capability,
        JobEvent,
        JobInfo,
        JobStatus,
        JobTemplate,
        MachineInfo,
        PendingReason,
        QueueInfo,
        ReservationInfo,
        ReservationTemplate,
        TaskRange,
    )

__all__ = ["Catalogue", "Complex", "EventBatch", "JobAction", "JobsBackend", "ReservationsBackend"]


class JobAction(StrEnum):
    """What can be done to a job: the ``Job`` methods of DRMAA2, and two that its users miss there.

    The value says it in words: ``f"{action} job 5"``.
    """

    HOLD = "hold"
    RELEASE = "release"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"
    #: Let a job in error state (``Eqw``) wait again (``qmod -cj``).
    CLEAR_ERROR = "clear the error of"
    #: End the run of a job that is rerunnable, and let it wait again (``qmod -rj``).
    REQUEUE = "requeue"


@dataclass(frozen=True)
class Complex:
    """A resource that a job may ask for (``qconf -sc``, ``complex(5)``).

    ``type`` is Grid Engine's word: ``INT DOUBLE TIME MEMORY BOOL STRING CSTRING RESTRING HOST RSMAP``.
    """

    name: str
    shortcut: str
    type: str
    requestable: bool = True
    consumable: bool = False


@dataclass(frozen=True)
class Catalogue:
    """The names that a submission may use; what a request is checked against before it is sent.

    ``pe_slots`` has the slots that a parallel environment gives out in all, of those for which the system tells.
    """

    queues: tuple[str, ...] = ()
    parallel_environments: tuple[str, ...] = ()
    complexes: tuple[Complex, ...] = ()
    projects: tuple[str, ...] = ()
    job_categories: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    pe_slots: Mapping[str, int] = field(default_factory=dict)
    by_name: Mapping[str, Complex] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = {c.shortcut: c for c in self.complexes} | {c.name: c for c in self.complexes}
        object.__setattr__(self, "by_name", names)


@dataclass(frozen=True)
class EventBatch:
    """What happened since a cursor was given out; ``cursor`` is where the next question goes on.

    ``gap`` says that events were lost before the first one (the system was started anew, or nobody asked for long):
    then the present states are to be compared with those known.
    """

    cursor: str
    events: tuple[JobEvent, ...]
    gap: bool = False


@runtime_checkable
class ReservationsBackend(Protocol):
    """The part of a system that knows advance reservations (DRMAA2 ``ReservationSession``)."""

    #: Attributes of :class:`ReservationTemplate` that :meth:`request` honours.
    supported_attributes: frozenset[str]
    #: For attributes that it does not honour: what to use instead, as a sentence.
    refusals: Mapping[str, str]

    def request(self, template: ReservationTemplate) -> str:
        """Reserve, and return the reservation's id; when it raises, nothing is reserved.

        Called by ``Reservations.request`` after the template was checked. The reservation is granted when this
        returns; one that cannot be granted is a ``DeniedByDrms`` that says why.
        """
        ...

    def terminate(self, reservation_ids: Collection[str]) -> dict[str, GcsError]:
        """Give reservations back, with the jobs in them; return what went wrong, by id.

        An unknown one is an ``InvalidArgument``, one that has ended an ``InvalidState``.
        """
        ...

    def info(self, reservation_ids: Collection[str] | None) -> dict[str, ReservationInfo]:
        """Return what is known of some reservations (None: of all of all users), with one question.

        One that the system does not know is left out.
        """
        ...


@runtime_checkable
class JobsBackend(Protocol):
    """A system that runs jobs.

    Ids are text: ``"5"`` is a job or a whole array job, ``"5.3"`` the task of an array job with index 3.
    """

    #: Name for messages: ``"embedded"``, ``"Grid Engine 8.1.9"`` …
    system: str
    #: Seconds that at least lie between two state questions.
    poll_floor: float
    #: Advance reservations; None where the system has none.
    reservations: ReservationsBackend | None

    @property
    def supported_attributes(self) -> frozenset[str]:
        """Attributes of :class:`JobTemplate` that :meth:`submit` honours; the area refuses all others.

        They may change with the system's configuration.
        """
        ...

    @property
    def refusals(self) -> Mapping[str, str]:
        """For attributes that it does not honour: what to use instead, as a sentence.

        Every attribute of :class:`JobTemplate` is in the one or the other.
        """
        ...

    def submit(self, template: JobTemplate, token: str | None = None) -> str:
        """Submit one job and return its id.

        Called by ``Jobs.submit`` after the template was checked against :attr:`supported_attributes` and the
        catalogue. When it returns, the job is durable: no crash loses it. When it raises, there is no job. `token`
        (32 hexadecimal digits, new for each submission) is kept with the job, for :meth:`find_submissions`.
        """
        ...

    def submit_many(self, templates: Sequence[JobTemplate], tokens: Sequence[str] | None = None) -> list[str]:
        """Submit many jobs at once and return their ids, in order; as :meth:`submit` otherwise.

        A system that takes all or none raises what is wrong with one of them, and there are no jobs. A system that
        takes them one by one raises ``PartlySubmitted`` if it had taken some.
        """
        ...

    def submit_array(
        self, template: JobTemplate, tasks: TaskRange, max_parallel: int | None = None, token: str | None = None
    ) -> str:
        """Submit an array job and return its id; as :meth:`submit` otherwise.

        At most `max_parallel` tasks run at once (None: as many as there is room for). It costs the same for one task
        and for 100,000.
        """
        ...

    def find_submissions(self, tokens: Collection[str]) -> dict[str, str]:
        """Return the ids of the jobs that were submitted with `tokens`, by token.

        Called after a crash between a submission and its record. A token of which the system knows no job (any more)
        is left out.
        """
        ...

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Do `action` to all `job_ids` in one command; return what went wrong, by id.

        Called by ``Job.hold`` and its like, by ``%gcs cancel`` and the card's buttons. An id the system does not
        know is an ``InvalidArgument``; an action that the job's state does not allow an ``InvalidState``. An array
        job's id stands for those of its tasks whose state allows the action; it is an ``InvalidState`` if none does.
        A whole array, or 100,000 tasks of one, costs a few commands at the most. A run that is requeued has ended, or
        is about to end, when this returns.
        """
        ...

    def alter(self, changes: JobChanges, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Change what all `job_ids` ask for, with as few commands as possible; return what went wrong, by id.

        Called by ``Jobs.alter`` and its like after the names were checked; complexes are called by their full names.
        Requests are added to those that each job has. The id of a task is an ``InvalidArgument``: what tasks of an
        array ask for is one for all of them. Of one job all is changed, or nothing.
        """
        ...

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return the state of every one of `job_ids`, with one question to the system for all of them.

        Called by the status board, at most once per :attr:`poll_floor`, for all jobs that anyone watches. A job
        that has left the queue is ``DONE`` or ``FAILED`` only if accounting says so; until then it is
        ``UNDETERMINED`` with a sub state that says what is awaited. An array job as a whole is in the state of its
        task that is furthest (RUNNING, SUSPENDED, then QUEUED, REQUEUED, held ones, then in error); when all have
        ended it is ``FAILED`` if one of them is, else ``DONE``.
        """
        ...

    def array_status(self, array_ids: Collection[str]) -> dict[str, ArrayStatus]:
        """Return the states of all tasks of array jobs, with one question to the system for all of them.

        Called as :meth:`status`, where many tasks of an array are watched. An id that is no array job that the system
        knows is left out.
        """
        ...

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        """Return all that is known of each of `job_ids`; an id the system does not know is left out.

        Called by ``Job.info`` and once at the end of every cell's job, for its final line. Of an array job as a
        whole it has what its tasks share, and as times and usage what they come to: first start, last end, the sums.
        """
        ...

    def pending_reasons(self, job_ids: Collection[str]) -> dict[str, list[PendingReason]]:
        """Return why each of `job_ids` has not started, the weightiest reason first.

        Called by ``Jobs.pending_reasons`` with ids of jobs and whole array jobs, for each of them at most once in ten
        seconds. It costs at most one command of each kind for all that is asked. A job in error state waits, too; of
        an array job it is told why those of its tasks wait that do. One that waits for nothing has an empty list, one
        that the system does not know is left out. A job that waits has at least one reason.
        """
        ...

    def job_ids(self) -> list[str]:
        """Return the ids of this user's jobs that have not ended, oldest first; an array job is one id.

        Called by ``Jobs.list``.
        """
        ...

    def all_jobs(self) -> list[JobInfo]:
        """Return what is known of the jobs of all users that have not ended, with one question, oldest first.

        Called by monitoring sessions. Tasks that run stand one by one (``"5.3"``); the tasks of an array that wait
        stand together under the array's id.
        """
        ...

    def queues(self) -> list[QueueInfo]:
        """Return the cluster queues. Called by monitoring sessions."""
        ...

    def machines(self) -> list[MachineInfo]:
        """Return the machines that run jobs, with one question. Called by monitoring sessions."""
        ...

    def events(self, cursor: str | None) -> EventBatch | None:
        """Return what happened to this user's jobs since `cursor` (None: from now on), in order, each event once.

        Called every :attr:`poll_floor` seconds while someone has registered a callback. None: this system keeps no
        events, and states are to be polled.
        """
        ...

    def catalogue(self) -> Catalogue:
        """Return the names that submissions may use. Called before a submission, at most once a minute."""
        ...

    def supports(self, capability: Capability) -> bool:
        """Tell whether an optional ability is there. Called by ``Cluster.supports``."""
        ...
