"""A look at the whole cluster (DRMAA2 ``MonitoringSession``): everybody's jobs and reservations, queues, machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from gcs_lab.cluster import connect
from gcs_lab.drmaa2.attributes import NameAttribute
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.drmaa2.job import Job
from gcs_lab.drmaa2.job_info import JobInfo, job_filter_of
from gcs_lab.drmaa2.machine_info import MachineInfo, QueueInfo
from gcs_lab.drmaa2.reservation import Reservation
from gcs_lab.drmaa2.reservation_info import ReservationInfo, find_reservations
from gcs_lab.drmaa2.session_object import name_and_contact
from gcs_lab.errors import InvalidSession
from gcs_lab.jobs.session_store import user_sessions
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from gcs_lab.jobs import Jobs

__all__ = ["MonitoringSession"]


class MonitoringSession(Drmaa2Object):
    """A look at a cluster. What it finds is read-only, and it is kept nowhere.

    Parameters
    ----------
    name
        Any name; None: a random one.
    session_dict
        ``name`` and ``contact`` as a dictionary.
    contact
        Name of the cluster, as :func:`gcs_lab.connect` takes it; None: the one that this finds.

    Raises
    ------
    ClusterNotFound
        If the cluster is not there.
    InvalidArgument
        If name or contact is no text, or something else is in the dictionary.
    """

    name = NameAttribute("Name of the session.")
    contact = NameAttribute("Name of the cluster that it looks at.")

    def __init__(
        self, name: str | None = None, session_dict: Mapping[str, Any] | None = None, contact: str | None = None
    ) -> None:
        super().__init__()
        name, contact = name_and_contact(name, contact, session_dict)
        cluster = connect(contact or None)
        self.fill(name=name or uuid4().hex, contact=cluster.name)
        self._area: Jobs | None = cluster.jobs
        self._read_only = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Open the session again after :meth:`close`; does nothing if it is open."""
        if self._area is None:
            self._area = connect(self.contact).jobs

    def close(self) -> None:
        """Close the session; using it is an InvalidSession until it is opened again."""
        self._area = None

    def get_all_jobs(self, filter: JobInfo | Mapping[str, Any] | None = None) -> list[Job]:  # noqa: A002
        """Return the jobs of all users that have not ended, as far as the system shows them.

        Parameters
        ----------
        filter
            A JobInfo or a dictionary: those that match only, as GFD.231 says.
        """
        area = self._open_area()
        found = area.find(job_filter_of(filter))
        arrays = {info.job_id: split_id(info.job_id)[0] for info in found}
        sessions = user_sessions().session_of(area.cluster, {*arrays, *arrays.values()})
        return [
            Job(
                area.job(info.job_id),
                None,
                job_name=info.job_name,
                session_name=sessions.get(info.job_id) or sessions.get(arrays[info.job_id]),
                known=info,
            )
            for info in found
        ]

    def get_all_queues(self, filter: Sequence[str] | None = None) -> list[QueueInfo]:  # noqa: A002
        """Return the queues with these names (None: all)."""
        return [QueueInfo(info) for info in self._open_area().queues(filter)]

    def get_all_machines(self, filter: Sequence[str] | None = None) -> list[MachineInfo]:  # noqa: A002
        """Return the machines with these names (None: all)."""
        return [MachineInfo(info) for info in self._open_area().machines(filter)]

    def get_all_reservations(
        self,
        filter: ReservationInfo | Mapping[str, Any] | None = None,  # noqa: A002
    ) -> list[Reservation]:
        """Return the reservations of all users, as far as the system shows them.

        Parameters
        ----------
        filter
            A ReservationInfo or a dictionary: those that match only, as GFD.231 says.

        Raises
        ------
        UnsupportedOperation
            If the cluster has no reservations.
        """
        reservations = self._open_area().reservations
        found = find_reservations(reservations, filter)
        return [Reservation(reservations.reservation(info.reservation_id), None, info) for info in found]

    def _open_area(self) -> Jobs:
        if self._area is None:
            raise InvalidSession(f"monitoring session {self.name!r} was closed; open it again.")
        return self._area
