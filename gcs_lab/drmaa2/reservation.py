"""A reservation of a session (DRMAA2 ``Reservation``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.drmaa2.attributes import NameAttribute, TextAttribute
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.drmaa2.reservation_info import ReservationInfo
from gcs_lab.drmaa2.reservation_template import ReservationTemplate
from gcs_lab.drmaa2.sudo import Sudo, check_authority
from gcs_lab.errors import UnsupportedOperation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab import vocabulary
    from gcs_lab.drmaa2.reservation_session import ReservationSession
    from gcs_lab.jobs import reservations

    Authority = Sudo | Mapping[str, Any] | None

__all__ = ["Reservation"]


class Reservation(Drmaa2Object):
    """A reservation; made by sessions, never directly. It keeps its session object alive, as a Job does.

    Parameters
    ----------
    reservation
        The reservation of the cluster.
    session
        Its reservation session; None for one that a monitoring session found: it can be looked at, and nothing else.
    known
        What the monitoring session was told of it.
    """

    id = NameAttribute("Id of the reservation.")
    session_name = TextAttribute("Name of the reservation session that it belongs to.")

    def __init__(
        self,
        reservation: reservations.Reservation,
        session: ReservationSession | None,
        known: vocabulary.ReservationInfo | None = None,
    ) -> None:
        super().__init__()
        self._reservation, self._session, self._known = reservation, session, known
        self.fill(id=reservation.id, session_name=session.name if session else None)
        self._read_only = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reservation) and self._reservation == other._reservation

    def __hash__(self) -> int:  # type: ignore[override]  # an id does not change
        return hash(self._reservation)

    def terminate(self, auth: Authority = None) -> None:
        """Give the reservation back, with the jobs in it; the session does not know it afterwards.

        Parameters
        ----------
        auth
            On whose behalf: the user's own, or nothing.

        Raises
        ------
        UnsupportedOperation
            If a monitoring session found it: it is read-only then.
        InvalidSession, InvalidArgument
            If its session was closed, or it was terminated before.
        InvalidState
            If it has ended.
        """
        check_authority(auth)
        if self._session is None:
            raise UnsupportedOperation(
                f"reservation {self.id} was found by a monitoring session, and its reservations are read-only. Open "
                "the reservation session that it belongs to."
            )
        self._session.core.terminate(self._reservation.id)

    def get_template(self) -> ReservationTemplate:
        """Return what was asked for; of a monitoring session's, what is known of that."""
        if self._session is not None:
            return ReservationTemplate(self._session.core.template_of(self._reservation.id))
        template = ReservationTemplate()
        if self._known is not None:
            template.fill(reservation_name=self._known.reservation_name, users_acl=self._known.users_acl)
        return template

    def get_info(self) -> ReservationInfo:
        """Return what is known of it. Raises InvalidArgument if the system does not know it (any more)."""
        if self._session is not None:
            self._session.core.get_reservation(self._reservation.id)
        return ReservationInfo.of(self._reservation.info())
