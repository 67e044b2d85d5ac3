"""The one callback of a program that hears what happens to jobs of its user's sessions, on every cluster in use."""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING

from gcs_lab.cluster import connect
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.session_store import user_sessions
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.jobs import Jobs
    from gcs_lab.jobs.job_session import JobSession
    from gcs_lab.jobs.notifications import Subscription
    from gcs_lab.vocabulary import JobEvent

    Listener = Callable[[JobEvent, str], object]

__all__ = ["listen", "session_opened", "stop_listening"]

#: Seconds that an event waits for the record of the job whose submission is under way.
PATIENCE = 5.0

#: Nobody waits for anything else while holding it.
_lock = threading.Lock()
_listener: Listener | None = None
_subscriptions: dict[str, Subscription] = {}
_sessions: weakref.WeakSet[JobSession] = weakref.WeakSet()


def listen(listener: Listener, callback: object) -> None:
    """Tell `listener` of the events of all session jobs, with the session's name, from now on; nobody else any more.

    Parameters
    ----------
    listener
        Takes an event and the name of the session.
    callback
        The program's own function, which `listener` calls.

    Raises
    ------
    GcsError
        If the cluster does not answer.
    InvalidArgument
        If `callback` cannot be called.
    """
    global _listener  # noqa: PLW0603  (DRMAA2 knows one callback a program)
    if not callable(callback):
        raise InvalidArgument(f"expected a function that takes a notification, got {callback!r:.80}.")
    with _lock:
        idle, sessions = not _subscriptions, list(_sessions)
    if idle:
        _subscribe(connect().jobs)
    for session in sessions:
        _follow(session)
    with _lock:
        _listener = listener
        late = [session for session in _sessions if session not in sessions]
    for session in late:
        _follow(session)


def stop_listening() -> None:
    """Tell nobody of events any more."""
    global _listener  # noqa: PLW0603
    with _lock:
        _listener = None
        gone = list(_subscriptions.values())
        _subscriptions.clear()
    for subscription in gone:
        subscription.close()


def session_opened(session: JobSession) -> None:
    """Hear of the jobs of a session that was opened in this program, if anyone listens."""
    with _lock:
        _sessions.add(session)
        listening = _listener is not None
    if listening:
        _follow(session)


def _follow(session: JobSession) -> None:
    """Hear of a session's cluster, and of those of its jobs that other programs submitted."""
    if session.closed:
        return
    subscription = _subscribe(session.area)
    going_on = set(session.area.backend.job_ids())
    entries = [entry for entry in session.get_jobs().entries if entry.job_id in going_on]
    jobs = [entry.job_id for entry in entries if entry.indices is None]
    arrays = [entry.job_id for entry in entries if entry.indices is not None]
    if entries:
        subscription.watch(jobs, arrays)


def _subscribe(area: Jobs) -> Subscription:
    with _lock:
        found = _subscriptions.get(area.cluster)
    if found is not None and not found.closed:
        return found
    # Without the lock: this waits for the thread that calls the program's function, which may open a session.
    made = area.on_event(lambda event: _tell(area.cluster, event))
    with _lock:
        kept = _subscriptions.get(area.cluster)
        if kept is None or kept.closed:
            kept = _subscriptions[area.cluster] = made
    if kept is not made:  # another thread was quicker
        made.close()
    return kept


def _tell(cluster: str, event: JobEvent) -> None:
    name = _session_of(cluster, event.job_id)
    # The system may be quicker than the record of the submission that caused the event.
    deadline = time.monotonic() + PATIENCE
    while name is None and any(session.submitting for session in list(_sessions)) and time.monotonic() < deadline:
        time.sleep(0.01)
        name = _session_of(cluster, event.job_id)
    listener = _listener
    if name is not None and listener is not None:
        listener(event, name)


def _session_of(cluster: str, job_id: str) -> str | None:
    array = split_id(job_id)[0]
    found = user_sessions().session_of(cluster, {job_id, array})
    return found.get(job_id) or found.get(array)
