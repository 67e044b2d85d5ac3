"""The poller: the latest snapshot of a cluster, for all who look at it in whatever process of a user on a host."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidState
from gcs_lab.status.asking import Asking
from gcs_lab.status.difference import changes_between
from gcs_lab.status.recorder import Recorder
from gcs_lab.status.snapshot import Changes, Health, Snapshot, Update

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.status.protocol import StatusBackend

__all__ = ["Following", "Poller"]

_log = logging.getLogger(__name__)

#: Seconds after which the thread sees at the latest what other processes published or want.
TICK = 0.15
#: The same for who waits for another process's answer.
_WAITS = 0.05
#: Seconds that the wall clock may gain on the monotonic one before the host counts as having slept.
_SLEPT = 5.0
#: Seconds that closing waits for a question that is being asked.
_LAST_ANSWER = 5.0


class Following:
    """That somebody follows a poller; until :meth:`close`.

    ``looked_at`` may be set to False while nobody sees what comes of it: if that is so everywhere, the cluster is
    asked four times less often.
    """

    def __init__(self, poller: Poller, listener: Callable[[Update], None]) -> None:
        self._poller, self._listener = poller, listener
        self.looked_at = True
        self.closed = False
        #: Whether it has been told anything yet.
        self.begun = False

    def tell(self, update: Update) -> None:
        """Call the listener; an error in it is logged."""
        if self.closed:
            return
        self.begun = True
        try:
            self._listener(update)
        except Exception:
            _log.exception("a listener of the cluster's status failed; it is called again with the next snapshot")

    def close(self) -> None:
        """End it: the listener is not called again, but for a call that is under way."""
        self.closed = True
        self._poller.forget(self)


class Poller:
    """Keeps up with one cluster: one per cluster and process, and of all processes one that asks.

    There is a thread only while somebody follows; :meth:`fresh` and :meth:`latest` need none.

    Parameters
    ----------
    backend
        The system.
    cluster
        Its name.
    """

    def __init__(self, backend: StatusBackend, cluster: str) -> None:
        self._asking = Asking(backend, cluster, self._wake)
        self.recorder = Recorder(cluster, backend.identity)
        self._followings: list[Following] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self._told: Snapshot | None = None
        self._told_health = Health()
        self._news = threading.Condition()
        _all.add(self)

    # -- for all ------------------------------------------------------------------------------------------------

    def latest(self) -> Snapshot | None:
        """Return the latest snapshot that any process of the user has taken in the last minutes, without waiting."""
        if self._thread is None:
            self._asking.look()
        return self._asking.snapshot

    def fresh(self) -> Snapshot:
        """Return an answer to a question that began after the call.

        Whoever calls it while nobody has asked yet shares the question, in whatever process. A few
        questions may come at once; on average the system's floor lies between two.

        Raises
        ------
        GcsError
            If the system does not answer, or the poller is closed.
        """
        called = time.monotonic()
        asking = self._asking
        while not self._closed:
            if not asking.ask(called):
                asking.want(called)
                time.sleep(_WAITS)
                asking.look()
            state, snapshot = asking.state, asking.snapshot
            if state.began > called and snapshot is not None:
                return snapshot
            if state.tried > called and state.failures:
                raise asking.fault()
        raise InvalidState("the connection to the cluster was closed; gcs_lab.connect() opens a new one.")

    @property
    def health(self) -> Health:
        """How it stands with the cluster's answers."""
        if self._thread is None:
            self._asking.look()
        return self._health()

    def follow(self, listener: Callable[[Update], None]) -> Following:
        """Call `listener` with every snapshot and every change of the health from now on, in the poller's thread.

        The first call comes at once if a snapshot is at hand. Calls come one at a time; what is slow in one delays
        the others.

        Raises
        ------
        InvalidState
            If the poller is closed.
        """
        following = Following(self, listener)
        with self._news:
            if self._closed:
                raise InvalidState("the connection to the cluster was closed; gcs_lab.connect() opens a new one.")
            self._followings.append(following)
            if self._thread is None:
                self._asking.keeps = True
                self._thread = threading.Thread(target=self._run, name="gcs_lab-status", daemon=True)
                self._thread.start()
            self._news.notify_all()
        return following

    def forget(self, following: Following) -> None:
        """Leave out one who followed; with the last one the thread ends."""
        with self._news:
            if following in self._followings:
                self._followings.remove(following)
            self._news.notify_all()

    def close(self) -> None:
        """End the thread, and let another process ask; who follows is not called again."""
        with self._news:
            self._closed = True
            for following in self._followings:
                following.closed = True
            self._followings.clear()
            thread = self._thread
            self._news.notify_all()
        if thread is not None and thread is not threading.current_thread():
            # A command that the system lets hang is not waited for; the thread ends when it does.
            thread.join(_LAST_ANSWER)
        self.recorder.close()

    # -- the thread ---------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()

    def _run(self) -> None:
        ahead = time.time() - time.monotonic()
        hurry = False
        while True:
            with self._news:
                if not self._followings or self._closed:
                    self._thread = None
                    self._asking.keeps = False
                    self._asking.release()
                    return
            try:
                hurry = self._round(hurry=hurry)
            except Exception:
                _log.exception("the status of the cluster could not be kept up; the next round tries again")
            # A host that slept shows what was hours ago: that is not left to the interval.
            before, ahead = ahead, time.time() - time.monotonic()
            hurry = hurry or ahead - before > _SLEPT
            self._pause()

    def _round(self, *, hurry: bool) -> bool:
        """Look at what others published, ask if it is time, and tell; return whether it is still to be hurried."""
        asking = self._asking
        if any(following.looked_at for following in self._followings):
            asking.say_looking()
        asking.look()
        asking.may_ask()  # takes the place of one who has gone
        self._tell()  # what is at hand, before a question that may take a while
        now = time.monotonic()
        if (hurry or now >= asking.due() or asking.wanted()) and asking.ask(now):
            hurry = False
        self._tell()
        return hurry

    def _pause(self) -> None:
        with self._news:
            if self._closed or not self._followings or not all(one.begun for one in self._followings):
                # A new follower is told at once if there is something to tell.
                wait = 0.0 if self._asking.snapshot is not None else TICK
            else:
                wait = TICK
            left = self._asking.due() - time.monotonic() if self._asking.asks else TICK
            self._news.wait(min(wait, max(left, 0.001)))

    def _tell(self) -> None:
        asking = self._asking
        snapshot, health = asking.snapshot, self._health()
        changes: Changes | None = None
        new = snapshot is not None and snapshot is not self._told
        if snapshot is not None and new:
            changes = changes_between(self._told, snapshot) if self._told is not None else None
            if asking.asks:
                self.recorder.add(snapshot, self._told, changes)
                health = self._health()
        with self._news:
            followings = list(self._followings)
            self._told = snapshot
        changed_health, self._told_health = health != self._told_health, health
        for following in followings:
            if not following.begun and (snapshot is not None or health.error):
                following.tell(Update(snapshot, None, health))
            elif new:
                following.tell(Update(snapshot, changes, health))
            elif changed_health and following.begun:
                following.tell(Update(snapshot, Changes(), health))

    def _health(self) -> Health:
        asking, state = self._asking, self._asking.state
        return Health(
            stale_since=state.stale_since,
            error=state.error,
            interval=round(asking.interval(), 3),
            polls=state.polls,
            commands=state.commands,
            asks=asking.asks,
            note="; ".join(filter(None, (asking.alone, self.recorder.trouble))),
        )

    def after_fork(self) -> None:
        """Forget, in a forked child, the parent's thread and those whom it told."""
        self._news = threading.Condition()
        self._thread = None
        for following in self._followings:
            following.closed = True
        self._followings = []


_all: weakref.WeakSet[Poller] = weakref.WeakSet()


def _forget_in_child() -> None:
    for poller in list(_all):
        poller.after_fork()


os.register_at_fork(after_in_child=_forget_in_child)
