"""The standard's own way in (DRMAA2 ``SessionManager``): sessions are made and opened by functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gcs_lab.drmaa2.job_session import JobSession
from gcs_lab.drmaa2.library_manager import LibraryManager
from gcs_lab.drmaa2.monitoring_session import MonitoringSession
from gcs_lab.drmaa2.notification import Notification
from gcs_lab.drmaa2.reservation_session import ReservationSession
from gcs_lab.drmaa2.version import Version
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab import vocabulary
    from gcs_lab.drmaa2.drmaa2_constants import Capability

__all__ = ["SessionManager"]

T = TypeVar("T")


class SessionManager:
    """Makes, opens, closes and destroys sessions; they live until they are destroyed."""

    @property
    def drms_name(self) -> str:
        """Name of the system."""
        return LibraryManager.get_drms_name()

    @property
    def drms_version(self) -> Version:
        """Version of the system."""
        return Version.get_drms_version()

    @property
    def drmaa_name(self) -> str:
        """Name of this implementation."""
        return LibraryManager.get_drmaa_name()

    @property
    def drmaa_version(self) -> Version:
        """Version of this implementation."""
        return Version.get_drmaa_version()

    @staticmethod
    def supports(capability: Capability | vocabulary.Capability | str | int) -> bool:
        """Tell whether the system has an optional ability; as ``LibraryManager.drmaa_supports``."""
        return LibraryManager.drmaa_supports(capability)

    @staticmethod
    def create_job_session(name: str | None = None, contact: str | None = None) -> JobSession:
        """Make a job session, and open it.

        Parameters
        ----------
        name
            Its name; None: a random one.
        contact
            Name of the cluster; None: the one that :func:`gcs_lab.connect` finds.

        Raises
        ------
        InvalidArgument
            If there is one of that name, or it cannot be a name.
        """
        return JobSession(name, contact, destroy_on_exit=False, check_for_existing_session=False)

    @staticmethod
    def open_job_session(name: str) -> JobSession:
        """Open a job session that exists. Raises InvalidArgument if there is none of that name."""
        return JobSession.opened(name)

    @staticmethod
    def close_job_session(session: JobSession) -> None:
        """Close a job session here. Raises InvalidArgument if it is none."""
        _expect(session, JobSession).close()

    @staticmethod
    def destroy_job_session(name: str) -> None:
        """Forget a job session; its jobs go on. Raises InvalidArgument if there is none of that name."""
        JobSession.destroy_by_name(name)

    @staticmethod
    def get_job_session_names() -> list[str]:
        """Return the names of the user's job sessions."""
        return JobSession.list_session_names()

    @staticmethod
    def create_reservation_session(name: str | None = None, contact: str | None = None) -> ReservationSession:
        """Make a reservation session, and open it; as :meth:`create_job_session`.

        Raises
        ------
        UnsupportedOperation
            If the cluster has no reservations.
        """
        return ReservationSession(name, contact, destroy_on_exit=False, check_for_existing_session=False)

    @staticmethod
    def open_reservation_session(name: str) -> ReservationSession:
        """Open a reservation session that exists. Raises InvalidArgument if there is none of that name."""
        return ReservationSession.opened(name)

    @staticmethod
    def close_reservation_session(session: ReservationSession) -> None:
        """Close a reservation session here. Raises InvalidArgument if it is none."""
        _expect(session, ReservationSession).close()

    @staticmethod
    def destroy_reservation_session(name: str) -> None:
        """Forget a reservation session. Raises InvalidArgument if there is none of that name."""
        ReservationSession.destroy_by_name(name)

    @staticmethod
    def get_reservation_session_names() -> list[str]:
        """Return the names of the user's reservation sessions."""
        return ReservationSession.list_session_names()

    @staticmethod
    def open_monitoring_session(contact: str | None = None) -> MonitoringSession:
        """Look at a cluster; None: the one that :func:`gcs_lab.connect` finds."""
        return MonitoringSession(contact=contact)

    @staticmethod
    def close_monitoring_session(session: MonitoringSession) -> None:
        """Close a monitoring session. Raises InvalidArgument if it is none."""
        _expect(session, MonitoringSession).close()

    @staticmethod
    def register_event_notification(callback: Callable[[Notification], None] | None) -> None:
        """Call `callback` for what happens to jobs; as ``Notification.register_event_notification``."""
        Notification.register_event_notification(callback)


def _expect(session: object, kind: type[T]) -> T:
    if not isinstance(session, kind):
        raise InvalidArgument(f"expected a {kind.__name__}, got {session!r:.80} ({type(session).__name__}).")
    return session
