"""The ``jobs`` area of a cluster: submit, find and control jobs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError, InvalidArgument, UnknownName, UnsupportedAttribute
from gcs_lab.jobs.job import Job
from gcs_lab.jobs.requests import parse_memory, parse_time
from gcs_lab.jobs.status_board import StatusBoard
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Collection

    from gcs_lab.jobs.protocol import Catalogue, JobAction, JobsBackend

__all__ = ["Jobs"]

CATALOGUE_SECONDS = 60.0


class Jobs:
    """Jobs on one system.

    Parameters
    ----------
    backend
        The system.
    """

    def __init__(self, backend: JobsBackend) -> None:
        self.backend = backend
        self.board = StatusBoard(backend)
        self._catalogue: tuple[float, Catalogue] | None = None

    def __repr__(self) -> str:
        return f"<Jobs on {self.system}>"

    @property
    def system(self) -> str:
        """Name of the system, for messages."""
        return self.backend.system

    def run(self, command: str, *args: str, **attributes: Any) -> Job:
        """Submit a command with its arguments; `attributes` are those of :class:`JobTemplate`.

        Raises
        ------
        GcsError
            As :meth:`submit`.
        """
        return self.submit(JobTemplate(remote_command=command, args=list(args), **attributes))

    def submit(self, template: JobTemplate) -> Job:
        """Check the template, submit it, and return the job.

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
        return Job(self, self.backend.submit(template))

    def job(self, job_id: str) -> Job:
        """Return a handle on a job that exists; its existence is not checked."""
        return Job(self, job_id)

    def list(self) -> list[Job]:
        """Return this user's jobs that have not ended, oldest first."""
        return [Job(self, job_id) for job_id in self.backend.job_ids()]

    def control(self, action: JobAction, job_ids: Collection[str]) -> dict[str, GcsError]:
        """Do `action` to many jobs at once; return what went wrong, by id (empty: nothing)."""
        return self.backend.control(action, job_ids)

    def catalogue(self) -> Catalogue:
        """Return the queues, parallel environments and complexes there are, at most a minute old."""
        now = time.monotonic()
        if self._catalogue is None or now - self._catalogue[0] > CATALOGUE_SECONDS:
            self._catalogue = (now, self.backend.catalogue())
        return self._catalogue[1]

    def check(self, template: JobTemplate) -> None:
        """Raise what :meth:`submit` would raise before it sends anything."""
        if not template.remote_command:
            raise InvalidArgument("the template has no remote_command; say which program the job shall run.")
        unsupported = sorted(template.attributes_set() - self.backend.supported_attributes)
        if unsupported:
            raise UnsupportedAttribute(
                f"{self.system} does not honour {', '.join(unsupported)}. It honours: "
                f"{', '.join(sorted(self.backend.supported_attributes))}."
            )
        asks_for_names = (template.queue_name, template.parallel_environment, template.resource_requests)
        if any(asks_for_names):
            self._check_names(template, self.catalogue())

    def _check_names(self, template: JobTemplate, catalogue: Catalogue) -> None:
        # A queue may be given as a list and with a host or host group: `all.q@node1,b*`; wildcards are the system's.
        for queue in (template.queue_name or "").split(","):
            name = queue.partition("@")[0].lstrip("!")
            if name and not any(c in name for c in "*?[|&()") and name not in catalogue.queues:
                raise UnknownName("queue", name, catalogue.queues, where=self.system)
        pe = template.parallel_environment
        if pe and not any(c in pe for c in "*?[") and pe not in catalogue.parallel_environments:
            raise UnknownName("parallel environment", pe, catalogue.parallel_environments, where=self.system)
        for name, value in template.resource_requests.items():
            known = catalogue.by_name.get(name)
            if known is None:
                raise UnknownName("complex", name, [c.name for c in catalogue.complexes], where=self.system)
            if not known.requestable:
                raise InvalidArgument(f"-l {name}: jobs may not request {known.name} on {self.system}.")
            _check_value(name, value, known.type)


def _check_value(name: str, value: str, kind: str) -> None:
    try:
        if kind == "MEMORY":
            parse_memory(value)
        elif kind == "TIME":
            parse_time(value)
        elif kind == "INT":
            int(value)
        elif kind == "DOUBLE":
            float(value)
        elif kind == "BOOL" and value.upper() not in {"TRUE", "FALSE", "1", "0", "T", "F"}:
            raise InvalidArgument(f"{value!r} is neither TRUE nor FALSE.")
    except InvalidArgument as error:
        raise InvalidArgument(f"-l {name}={value}: {error}") from None
    except ValueError:
        raise InvalidArgument(
            f"-l {name}={value}: {value!r} is not a number, and {name} is of type {kind}."
        ) from None
