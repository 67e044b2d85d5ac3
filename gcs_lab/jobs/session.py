"""What job and reservation sessions have in common: a name, a cluster, and that they can be closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self
from uuid import uuid4

from gcs_lab.errors import InvalidArgument, InvalidSession
from gcs_lab.jobs.session_store import SessionKind, SessionRecord, SessionStore, user_sessions

if TYPE_CHECKING:
    from gcs_lab.jobs.area import Jobs

__all__ = ["Session"]


class Session:
    """A session on one cluster; made by :meth:`create` and :meth:`open`.

    Any number of processes may have it open at once. Closing or destroying it does not touch what is in it.

    Parameters
    ----------
    area
        The jobs of the session's cluster.
    record
        The session.
    store
        Where it is kept.
    """

    kind: ClassVar[SessionKind]

    def __init__(self, area: Jobs, record: SessionRecord, store: SessionStore) -> None:
        self.area, self.record, self.store = area, record, store
        self._closed = False

    @classmethod
    def create(
        cls, area: Jobs, name: str | None = None, *, contact: str = "", store: SessionStore | None = None
    ) -> Self:
        """Make a new session on the cluster of `area` (`name` None: with a random name).

        Raises
        ------
        InvalidArgument
            If there is one of that name, or it cannot be a name.
        UnsupportedOperation
            If the system has no such sessions.
        """
        cls._check_possible(area)
        store = store or user_sessions()
        return cls(area, store.create(cls.kind, name or uuid4().hex, area.cluster, contact), store)

    @classmethod
    def open(cls, area: Jobs, name: str, *, store: SessionStore | None = None) -> Self:
        """Open a session that exists.

        Raises
        ------
        InvalidArgument
            If there is none of that name, or it is on another cluster.
        """
        store = store or user_sessions()
        record = store.find(cls.kind, name)
        if record.cluster != area.cluster:
            raise InvalidArgument(
                f"{cls.kind} session {record.name!r} is on the cluster {record.cluster!r}, not on {area.cluster!r}; "
                "connect to that one to open it."
            )
        session = cls(area, record, store)
        session._opened()
        return session

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} on {self.area.system}>"

    @property
    def name(self) -> str:
        """Name of the session."""
        return self.record.name

    @property
    def contact(self) -> str:
        """What its maker gave as contact; else the cluster's name."""
        return self.record.contact or self.record.cluster

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def close(self) -> None:
        """Close the session here; it goes on to exist. Closing it again does nothing."""
        self._closed = True

    def check_open(self) -> None:
        """Raise InvalidSession if the session was closed here."""
        if self._closed:
            self.check_exists()
            raise InvalidSession(f"{self.kind} session {self.name!r} was closed; open it again.")

    def check_exists(self) -> None:
        """Raise InvalidSession if the session was destroyed."""
        if not self.store.exists(self.record.number):
            raise InvalidSession(f"{self.kind} session {self.name!r} was destroyed; what was in it goes on.")

    @classmethod
    def _check_possible(cls, area: Jobs) -> None:
        """Raise UnsupportedOperation if the system has no such sessions."""

    def _opened(self) -> None:
        """Do what is to be done when a session that exists is opened."""
