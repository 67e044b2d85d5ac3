"""Advance reservations of a cluster (DRMAA2 ``ReservationSession`` and ``Reservation``)."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs.job_filter import select_reservations
from gcs_lab.jobs.reservation_checks import check_reservation
from gcs_lab.jobs.template_checks import check_supported

if TYPE_CHECKING:
    import builtins

    from gcs_lab.jobs.area import Jobs
    from gcs_lab.jobs.protocol import ReservationsBackend
    from gcs_lab.vocabulary import ReservationInfo, ReservationTemplate

__all__ = ["Reservation", "Reservations"]


class Reservation:
    """A handle on one reservation; made by :class:`Reservations`, never directly."""

    __slots__ = ("area", "id")

    def __init__(self, area: Reservations, reservation_id: str) -> None:
        self.area = area
        self.id = reservation_id

    def __repr__(self) -> str:
        return f"<Reservation {self.id} on {self.area.system}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reservation) and (self.area, self.id) == (other.area, other.id)

    def __hash__(self) -> int:
        return hash((self.area, self.id))

    def info(self) -> ReservationInfo:
        """Return what is known of it.

        Raises
        ------
        UnknownName
            If the system knows no such reservation (any more).
        """
        info = self.area.backend.info([self.id]).get(self.id)
        if info is None:
            raise UnknownName("reservation", self.id, self.area.backend.info(None), where=self.area.system)
        return info

    def terminate(self) -> None:
        """Give it back, and end the jobs in it. Raises InvalidState if it has ended."""
        failures = self.area.backend.terminate([self.id])
        if self.id in failures:
            raise failures[self.id]


class Reservations:
    """The reservations of one system; ``Jobs.reservations``.

    Parameters
    ----------
    jobs
        The jobs area of the system.
    backend
        The system's reservations.
    """

    def __init__(self, jobs: Jobs, backend: ReservationsBackend) -> None:
        self._jobs = jobs
        self.backend = backend

    def __repr__(self) -> str:
        return f"<Reservations on {self.system}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reservations) and self._jobs == other._jobs

    def __hash__(self) -> int:
        return hash((id(self._jobs), "reservations"))

    @property
    def system(self) -> str:
        """Name of the system, for messages."""
        return self._jobs.system

    def request(self, template: ReservationTemplate) -> Reservation:
        """Check the template, reserve, and return the reservation, which is granted then.

        Raises
        ------
        UnsupportedAttribute
            If the system cannot honour an attribute that is set.
        InvalidArgument, UnknownName
            If a value cannot work, or a name does not exist.
        DeniedByDrms
            If it cannot be granted.
        """
        self.check(template)
        return Reservation(self, self.backend.request(template))

    def check(self, template: ReservationTemplate) -> None:
        """Raise what :meth:`request` would raise before it sends anything."""
        check_reservation(template)
        check_supported(template.attributes_set(), self.backend, self.system)
        self._jobs.check_names(template)

    def list(self) -> list[Reservation]:
        """Return this user's reservations that the system knows."""
        user = getpass.getuser()
        infos = self.backend.info(None)
        return [Reservation(self, key) for key, info in infos.items() if info.owner in (None, user)]

    def find(self, wanted: ReservationInfo | None = None) -> builtins.list[ReservationInfo]:
        """Return the reservations of all users that fit the filter.

        Parameters
        ----------
        wanted
            As in :func:`~gcs_lab.jobs.job_filter.reservation_fits`; None: all.
        """
        return select_reservations(lambda: self.backend.info(None).values(), wanted)

    def reservation(self, reservation_id: str) -> Reservation:
        """Return a handle on a reservation that exists; its existence is not checked."""
        if not isinstance(reservation_id, str) or not reservation_id:
            raise InvalidArgument(f"expected the id of a reservation as text, not {reservation_id!r}.")
        return Reservation(self, reservation_id)
