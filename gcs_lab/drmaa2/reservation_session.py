"""A reservation session (DRMAA2 ``ReservationSession``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gcs_lab.drmaa2.reservation import Reservation
from gcs_lab.drmaa2.reservation_template import ReservationTemplate
from gcs_lab.drmaa2.session_object import SessionObject
from gcs_lab.drmaa2.sudo import Sudo, check_authority
from gcs_lab.jobs import reservation_session
from gcs_lab.jobs.session_store import SessionKind, SessionRecord, SessionStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.jobs import Jobs

    Authority = Sudo | Mapping[str, Any] | None

__all__ = ["ReservationSession"]


class ReservationSession(SessionObject):
    """Reservations that belong together, known to every process of the user that opens the session.

    The parameters are those of :class:`~gcs_lab.drmaa2.session_object.SessionObject`; on a cluster without
    reservations making one is an UnsupportedOperation.
    """

    kind: ClassVar[SessionKind] = SessionKind.RESERVATION
    _core: reservation_session.ReservationSession

    @property
    def core(self) -> reservation_session.ReservationSession:
        """The session as the rest of gcs_lab has it."""
        return self._core

    @property
    def closed(self) -> bool:
        """Whether the session was closed here."""
        return self._core.closed

    def request_reservation(
        self, template: ReservationTemplate | Mapping[str, Any], auth: Authority = None
    ) -> Reservation:
        """Reserve; when this returns, it is granted.

        Parameters
        ----------
        template
            What is asked for: a ReservationTemplate or a dictionary.
        auth
            On whose behalf: the user's own, or nothing.

        Raises
        ------
        DeniedByDrms
            If it cannot be granted.
        UnsupportedAttribute, InvalidArgument
            If the cluster cannot honour an attribute, or a value cannot work.
        InvalidSession
            If the session was closed or destroyed.
        """
        check_authority(auth)
        plain = ReservationTemplate.create_from_dict(template).plain()
        return Reservation(self._core.request_reservation(plain), self)

    def get_reservation(self, id: str) -> Reservation:  # noqa: A002  (the binding's name)
        """Return a reservation of the session. Raises InvalidArgument if it has no such reservation."""
        return Reservation(self._core.get_reservation(id), self)

    def get_reservations(self) -> list[Reservation]:
        """Return the reservations of the session that were not terminated through it."""
        return [Reservation(one, self) for one in self._core.get_reservations()]

    def _check_possible(self, area: Jobs) -> None:
        _ = area.reservations

    def _open_core(self, area: Jobs, record: SessionRecord, store: SessionStore) -> None:
        self._core = reservation_session.ReservationSession.open(area, record.name, store=store)

    def _close_core(self) -> None:
        self._core.close()
