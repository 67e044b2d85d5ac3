"""What the ``jobs`` area asks of a system: the protocol that a backend implements.

Each method says who calls it and when. All of them may block for as long as the system takes to answer, may be
called from any thread, and raise only :class:`~gcs_lab.errors.GcsError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gcs_lab.errors import GcsError
    from gcs_lab.vocabulary import Capability, JobInfo, JobStatus, JobTemplate

__all__ = ["Catalogue", "Complex", "JobAction", "JobsBackend"]


class JobAction(StrEnum):
    """What can be done to a job (DRMAA2 ``Job`` methods)."""

    HOLD = "hold"
    RELEASE = "release"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"


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
    """The names that a submission may use; what a request is checked against before it is sent."""

    queues: tuple[str, ...] = ()
    parallel_environments: tuple[str, ...] = ()
    complexes: tuple[Complex, ...] = ()
    projects: tuple[str, ...] = ()
    by_name: Mapping[str, Complex] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = {c.shortcut: c for c in self.complexes} | {c.name: c for c in self.complexes}
        object.__setattr__(self, "by_name", names)


@runtime_checkable
class JobsBackend(Protocol):
    """A system that runs jobs."""

    #: Name for messages: ``"embedded"``, ``"Grid Engine 8.1.9"`` …
    system: str
    #: Attributes of :class:`JobTemplate` that :meth:`submit` honours; the area refuses all others.
    supported_attributes: frozenset[str]
    #: Seconds that at least lie between two state questions.
    poll_floor: float

    def submit(self, template: JobTemplate) -> str:
        """Submit one job and return its id.

        Called by ``Jobs.submit`` after the template was checked against :attr:`supported_attributes` and the
        catalogue. When it returns, the job is durable: no crash loses it. When it raises, there is no job.
        """
        ...

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Do `action` to all `job_ids` in one command; return what went wrong, by id.

        Called by ``Job.hold`` and its like, by ``%gcs cancel`` and the card's buttons. An id the system does not
        know is an ``InvalidArgument``; an action that the job's state does not allow an ``InvalidState``.
        """
        ...

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return the state of every one of `job_ids`, with one question to the system for all of them.

        Called by the status board, at most once per :attr:`poll_floor`, for all jobs that anyone watches. A job
        that has left the queue is ``DONE`` or ``FAILED`` only if accounting says so; until then it is
        ``UNDETERMINED`` with a sub state that says what is awaited.
        """
        ...

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        """Return all that is known of each of `job_ids`; an id the system does not know is left out.

        Called by ``Job.info`` and once at the end of every cell's job, for its final line.
        """
        ...

    def job_ids(self) -> list[str]:
        """Return the ids of this user's jobs that have not ended, oldest first. Called by ``Jobs.list``."""
        ...

    def catalogue(self) -> Catalogue:
        """Return the names that submissions may use. Called before a submission, at most once a minute."""
        ...

    def supports(self, capability: Capability) -> bool:
        """Tell whether an optional ability is there. Called by ``Cluster.supports``."""
        ...
