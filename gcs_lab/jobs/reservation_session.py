"""A reservation session (DRMAA2 ``ReservationSession``): reservations that belong together."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, ClassVar

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.session import Session
from gcs_lab.jobs.session_store import SessionKind
from gcs_lab.vocabulary import ReservationTemplate

if TYPE_CHECKING:
    from gcs_lab.jobs.area import Jobs
    from gcs_lab.jobs.reservations import Reservation

__all__ = ["ReservationSession"]


class ReservationSession(Session):
    """Reservations of one session on one cluster; made by :meth:`create` and :meth:`open`.

    The parameters are those of :class:`~gcs_lab.jobs.session.Session`.
    """

    kind: ClassVar[SessionKind] = SessionKind.RESERVATION

    def request_reservation(self, template: ReservationTemplate) -> Reservation:
        """Reserve, and return the reservation.

        A program that is killed in the moment between the system's grant and its record leaves a reservation that
        the session does not know; a monitoring session shows it.

        Raises
        ------
        GcsError
            As ``Reservations.request``; InvalidSession if the session was closed or destroyed.
        """
        self.check_open()
        self.check_exists()
        reservation = self.area.reservations.request(template)
        with self.store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO reservations VALUES (?, ?, ?, ?)",
                (self.record.number, reservation.id, json.dumps(template.to_json()), time.time()),
            )
        return reservation

    def get_reservation(self, reservation_id: str) -> Reservation:
        """Return a reservation of this session. Raises InvalidArgument if it has no such reservation."""
        self._template_text(reservation_id)
        return self.area.reservations.reservation(reservation_id)

    def get_reservations(self) -> list[Reservation]:
        """Return the reservations of this session that were not terminated through it, oldest first."""
        self.check_open()
        with self.store.reading() as connection:
            rows = connection.execute(
                "SELECT reservation_id FROM reservations WHERE session = ? ORDER BY requested", (self.record.number,)
            ).fetchall()
        reservations = self.area.reservations
        return [reservations.reservation(reservation_id) for (reservation_id,) in rows]

    def template_of(self, reservation_id: str) -> ReservationTemplate:
        """Return the template that a reservation was requested with."""
        return ReservationTemplate.from_json(json.loads(self._template_text(reservation_id)))

    def terminate(self, reservation_id: str) -> None:
        """Give a reservation back, with the jobs in it; the session does not know it afterwards.

        Raises
        ------
        InvalidArgument
            If it is not of this session (any more).
        GcsError
            If the system refuses or does not answer.
        """
        self.get_reservation(reservation_id).terminate()
        with self.store.writing() as connection:
            connection.execute(
                "DELETE FROM reservations WHERE session = ? AND reservation_id = ?",
                (self.record.number, reservation_id),
            )

    def _template_text(self, reservation_id: str) -> str:
        self.check_open()
        with self.store.reading() as connection:
            row = connection.execute(
                "SELECT template FROM reservations WHERE session = ? AND reservation_id = ?",
                (self.record.number, reservation_id),
            ).fetchone()
        if row is None:
            self.check_exists()
            raise InvalidArgument(
                f"reservation {reservation_id} is not in reservation session {self.name!r}: it was requested "
                "elsewhere, or it was terminated. get_reservations() returns those that are."
            )
        return str(row[0])

    @classmethod
    def _check_possible(cls, area: Jobs) -> None:
        _ = area.reservations
