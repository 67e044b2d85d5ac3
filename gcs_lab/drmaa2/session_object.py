"""What job and reservation sessions have in common: making, opening, closing and destroying them by name."""

from __future__ import annotations

import logging
import os
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import uuid4

from gcs_lab.cluster import connect
from gcs_lab.drmaa2.attributes import NameAttribute
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.drmaa2.sudo import Sudo, check_authority
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs.session_store import SessionKind, SessionRecord, SessionStore, user_sessions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from gcs_lab.jobs import Jobs

    Authority = Sudo | Mapping[str, Any] | None

__all__ = ["SessionObject", "name_and_contact"]

_logger = logging.getLogger("gcs_lab.drmaa2")


class SessionObject(Drmaa2Object):
    """A session that is opened if there is one of its name, else made.

    Parameters
    ----------
    name
        Name of the session; None: a random one, and a new session.
    contact
        Name of the cluster, as :func:`gcs_lab.connect` takes it; None: the one that this finds. A session remembers
        its cluster.
    destroy_on_exit
        Whether the session is destroyed when the object goes out of use, or the program ends. Its jobs go on.
    check_for_existing_session
        Whether a session of that name is opened; if not, and there is one, that is an InvalidArgument.
    session_dict
        ``name`` and ``contact`` as a dictionary.
    auth
        On whose behalf: the user's own, or nothing.

    Raises
    ------
    InvalidArgument
        If it cannot be the name of a session, or the session is on another cluster than `contact` says.
    ClusterNotFound
        If its cluster is not there.
    NotAuthorized
        If `auth` is somebody else.
    """

    name = NameAttribute("Name of the session.")
    contact = NameAttribute("Name of the cluster that the session is on.")

    kind: ClassVar[SessionKind]
    _finalizer: weakref.finalize[..., SessionObject] | None = None

    def __init__(  # noqa: PLR0917  (the binding's order)
        self,
        name: str | None = None,
        contact: str | None = None,
        destroy_on_exit: bool = True,
        check_for_existing_session: bool = True,
        session_dict: Mapping[str, Any] | None = None,
        auth: Authority = None,
    ) -> None:
        super().__init__()
        check_authority(auth)
        name, contact = name_and_contact(name, contact, session_dict)
        self._store = user_sessions()
        self._destroy_on_exit = destroy_on_exit
        record = self._existing(name) if name and check_for_existing_session else None
        if record is None:
            try:
                record = self._create(name or uuid4().hex, contact)
            except InvalidArgument:
                # Another process may have made it since.
                record = self._existing(name) if name and check_for_existing_session else None
                if record is None:
                    raise
        elif contact and contact not in (record.contact, record.cluster):
            raise InvalidArgument(
                f"{self.kind} session {record.name!r} is on the cluster {record.cluster!r}, not on {contact!r}. "
                "Leave `contact` out to open it, or choose another name for a new one."
            )
        self._attach(record)

    @classmethod
    def opened(cls, name: str) -> Self:
        """Open a session that exists, and is not destroyed when the object goes out of use (``openJobSession``).

        Raises
        ------
        InvalidArgument
            If there is none of that name.
        """
        store = user_sessions()
        record = store.find(cls.kind, name)
        return cls(record.name, destroy_on_exit=False)

    @classmethod
    def list_session_names(cls) -> list[str]:
        """Return the names of the user's sessions of this kind on all clusters, oldest first."""
        return user_sessions().names(cls.kind)

    @classmethod
    def destroy_by_name(cls, name: str, auth: Authority = None) -> None:
        """Forget a session; its jobs or reservations go on. Raises InvalidArgument if there is none of that name."""
        check_authority(auth)
        user_sessions().destroy(cls.kind, name)

    def open(self) -> None:
        """Open the session again after :meth:`close`; does nothing if it is open."""
        if self.closed:
            self._attach(self._store.find(self.kind, self._record.name))

    def close(self) -> None:
        """Close the session here; it goes on to exist. Using it is an InvalidSession until it is opened."""
        self._close_core()

    def destroy(self, auth: Authority = None) -> None:
        """Close the session and forget it; its jobs or reservations go on.

        Raises
        ------
        InvalidArgument
            If it was destroyed already.
        """
        check_authority(auth)
        self._close_core()
        self._detach()
        self._store.destroy(self.kind, self._record.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close_core()
        if self._finalizer is not None:
            self._finalizer()

    @property
    def closed(self) -> bool:
        """Whether the session was closed here."""
        raise NotImplementedError

    def _open_core(self, area: Jobs, record: SessionRecord, store: SessionStore) -> None:
        raise NotImplementedError

    def _close_core(self) -> None:
        raise NotImplementedError

    def _check_possible(self, area: Jobs) -> None:
        """Raise UnsupportedOperation if the cluster has no such sessions."""

    def _existing(self, name: str) -> SessionRecord | None:
        try:
            return self._store.find(self.kind, name)
        except UnknownName:
            return None

    def _create(self, name: str, contact: str | None) -> SessionRecord:
        cluster = connect(contact or None)
        self._check_possible(cluster.jobs)
        return self._store.create(self.kind, name, cluster.name, contact or "")

    def _attach(self, record: SessionRecord) -> None:
        area = connect(record.cluster).jobs
        self._check_possible(area)
        self._open_core(area, record, self._store)
        self._record = record
        self.fill(name=record.name, contact=record.contact or record.cluster)
        self._detach()
        if self._destroy_on_exit:
            self._finalizer = weakref.finalize(self, _destroy_quietly, self._store, record, os.getpid())
        self._read_only = True

    def _detach(self) -> None:
        """Leave the session alone when the object goes out of use."""
        if self._finalizer is not None:
            self._finalizer.detach()
            self._finalizer = None


def name_and_contact(
    name: str | None, contact: str | None, session_dict: Mapping[str, Any] | None
) -> tuple[str | None, str | None]:
    """Return the name and contact of a session, from arguments or, where these are not given, a dictionary.

    Raises
    ------
    InvalidArgument
        If there is anything else in the dictionary, or the contact is no text.
    """
    given = {} if session_dict is None else session_dict
    if not hasattr(given, "items") or not set(given) <= {"name", "contact"}:
        raise InvalidArgument(f"session_dict is {given!r:.80}; expected a dictionary of 'name' and 'contact'.")
    name, contact = name or given.get("name"), contact or given.get("contact")
    if contact is not None and not isinstance(contact, str):
        raise InvalidArgument(f"the contact is {contact!r:.80}; expected the name of a cluster, or None.")
    return name, contact


def _destroy_quietly(store: SessionStore, record: SessionRecord, pid: int) -> None:
    """Destroy the session of an object that goes out of use; a fault cannot be raised there."""
    if os.getpid() != pid:  # a forked child's copy of the object is not the one that owns the session
        return
    try:
        store.forget(record)
    except Exception as error:
        _logger.warning("%s session %r could not be destroyed: %s", record.kind, record.name, error)
