"""Asking a cluster on behalf of all processes of a user on a host: one of them asks, the others read its answer."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

from gcs_lab.errors import DrmCommunication, GcsError
from gcs_lab.status.pace import pause
from gcs_lab.status.shared_place import Mark, SharedPlace, SharedState
from gcs_lab.status.taking import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.status.protocol import StatusBackend
    from gcs_lab.status.snapshot import Snapshot

__all__ = ["Asking"]

_log = logging.getLogger(__name__)

#: Seconds beyond its own pace after which the one who asks counts as stuck (stopped, or in code that never returns
#: to Python): a poll's commands may take 60 s each.
SILENCE = 180.0
#: Seconds after which who calls for an answer asks for itself, if the one who asks has not begun to.
PATIENCE = 10.0
#: Seconds for which an earlier answer is worth showing to somebody who comes anew.
AT_HAND = 600.0
#: Seconds that somebody who looked counts as looking.
LOOKS = 15.0
#: Seconds between two tries of a folder that could not be written.
RETRY_PLACE = 60.0
#: Questions that people ask for themselves may come at once, so many of them; on average the floor lies between two.
AT_ONCE = 3
#: Of a message for people.
_LONGEST_LINE = 400


class Asking:
    """The latest snapshot of a cluster, and the right to ask for the next.

    Any thread may use it. What this process knows is in `state` and `snapshot`; `renewed` is called after each change
    of them, in the thread that brought it about.

    Parameters
    ----------
    backend
        The system.
    cluster
        Its name.
    renewed
        Called without arguments.
    """

    def __init__(self, backend: StatusBackend, cluster: str, renewed: Callable[[], None]) -> None:
        self._backend, self._cluster, self._renewed = backend, cluster, renewed
        self.state = SharedState()
        self.snapshot: Snapshot | None = None
        #: Whether the right to ask is kept between two questions: while somebody follows.
        self.keeps = False
        #: Why this process shares with no other; "" while it does.
        self.alone = ""
        self._place: SharedPlace | None = None
        self._retry_at = 0.0
        self._looked = 0.0
        self._fault: GcsError | None = None
        self._reset_locks()
        _all.add(self)

    def _reset_locks(self) -> None:
        # One thread of this process asks at a time; the other guards the fields.
        self._turn = threading.Lock()
        self._guard = threading.RLock()

    @property
    def asks(self) -> bool:
        """Whether this process is the one that asks (or one of those that do, if they cannot share)."""
        return self._place is None or self._place.locked

    # -- what the others did ------------------------------------------------------------------------------------

    def look(self) -> None:
        """Take over what another process has published since the last look."""
        place = self._shared()
        if place is not None and not place.locked:
            self._take_over(place)

    def _take_over(self, place: SharedPlace) -> None:
        state = place.state()
        with self._guard:
            if state == self.state or state.tried < self.state.tried:
                return
            snapshot = self.snapshot
            if snapshot is None or (state.sequence, state.time) != (snapshot.sequence, snapshot.time):
                too_old = time.monotonic() - state.began > AT_HAND
                snapshot = None if not state.began or too_old else place.snapshot(state.sequence)
                if snapshot is None and state.began and not too_old and not state.failures:
                    return  # it is gone already: a newer one is there in a moment
            self.state, self.snapshot, self._fault = state, snapshot or self.snapshot, None
        self._renewed()

    def interval(self) -> float:
        """Return the pause between two polls as it is now, in seconds."""
        if self.state.failures:
            return self.state.interval
        return pause(self._backend.poll_floor, min(self.state.took), looked_at=self.somebody_looks())

    def due(self) -> float:
        """Return when the next regular poll is due, by the monotonic clock."""
        return self.state.ended + self.interval() if self.state.tried else 0.0

    def wanted(self) -> bool:
        """Tell whether a process waits for an answer to a question that has not been asked yet."""
        place = self._shared()
        try:
            return place is not None and place.marked("wanted") > self.state.tried
        except OSError as error:
            self._give_up_sharing(error)
            return False

    def somebody_looks(self) -> bool:
        """Tell whether in any process somebody has looked in the last seconds."""
        last = self._looked
        if self._place is not None:
            try:
                last = max(last, self._place.marked("looked"))
            except OSError as error:
                self._give_up_sharing(error)
        return bool(last) and time.monotonic() - last < LOOKS

    def say_looking(self) -> None:
        """Say that somebody in this process looks now."""
        now = time.monotonic()
        if now - self._looked > LOOKS / 3:
            self._looked = now
            self._mark("looked")

    def _mark(self, what: Mark) -> None:
        if self._place is not None:
            try:
                self._place.mark(what)
            except OSError as error:
                self._give_up_sharing(error)

    # -- asking -------------------------------------------------------------------------------------------------

    def may_ask(self, called: float | None = None) -> bool:
        """Tell whether this process may ask, taking the right to it if nobody has it or who has it is stuck.

        It is stuck, for somebody who called for an answer at `called`, if it does not even begin to ask.
        """
        place = self._shared()
        if place is None or place.locked:
            return True
        try:
            if place.lock():
                self._take_over(place)
                return True
            began = place.marked("asking")
        except OSError as error:
            self._give_up_sharing(error)
            return True
        state, now = self.state, time.monotonic()
        under_way = began > state.tried
        if called is not None and now > called + PATIENCE and began < called and not under_way:
            return True
        return bool(state.tried) and now > state.ended + 1.5 * state.interval + SILENCE

    def ask(self, called: float) -> bool:
        """Ask, unless a question was asked since `called`, or another process is the one who asks.

        Waits so that on average the floor lies between two questions. With a cluster that does not answer, the state
        says so; nothing is raised. Returns False if it is another process that asks.
        """
        with self._turn:
            if not self.may_ask(called):
                return False
            try:
                if self.state.tried <= called:
                    if self._place is not None and self._place.locked:
                        self._mark("asking")
                    self._wait_for_floor()
                    self._ask_now()
            finally:
                if not self.keeps:
                    self.release()
        return True

    def want(self, called: float) -> None:
        """Leave word for the process that asks that an answer to a question after `called` is wanted.

        Once is enough: word that is left while that question is asked would bring about another one.
        """
        if self._place is not None:
            try:
                if self._place.marked("wanted") <= called:
                    self._place.mark("wanted")
            except OSError as error:
                self._give_up_sharing(error)

    def release(self) -> None:
        """Let another process ask from now on."""
        if self._place is not None:
            self._place.unlock()

    def _wait_for_floor(self) -> None:
        # Not each question by itself: the calls in one cell should not wait for each other.
        recent, most = self.state.recent, AT_ONCE * self._backend.poll_floor
        if len(recent) == AT_ONCE:
            time.sleep(min(max(0.0, recent[0] + most - time.monotonic()), most))

    def fault(self) -> GcsError:
        """Return why there is no answer."""
        return self._fault or DrmCommunication(self.state.error)

    def _ask_now(self) -> None:
        before, began = self.state, time.monotonic()
        snapshot: Snapshot | None = None
        fault: GcsError | None = None
        try:
            snapshot = take_snapshot(self._backend, self._cluster, before.sequence + 1)
        except GcsError as error:
            fault = error
        state = replace(before, tried=began, ended=time.monotonic(), polls=before.polls + 1)
        state = replace(state, recent=(*before.recent, began)[-AT_ONCE:])
        if snapshot is not None:
            state = replace(state, sequence=snapshot.sequence, time=snapshot.time, began=began, failures=0, error="")
            state = replace(state, stale_since=0.0, took=(state.took[-1], round(snapshot.seconds, 6)))
            state = replace(state, commands=before.commands + len(snapshot.commands))
        else:
            since = before.stale_since or before.time or time.time()
            # Whoever tries before it is time does not make the pause longer for all who follow.
            early = before.failures and began < before.ended + before.interval
            failures = before.failures + (not early)
            state = replace(state, failures=failures, error=_line(fault), stale_since=since)
        interval = pause(self._backend.poll_floor, min(state.took), state.failures, looked_at=self.somebody_looks())
        state = replace(state, interval=round(interval, 3))
        with self._guard:
            self.state, self.snapshot, self._fault = state, snapshot or self.snapshot, fault
        self._publish(snapshot)
        self._renewed()

    def _publish(self, snapshot: Snapshot | None) -> None:
        place = self._place
        if place is not None and place.locked:
            try:
                place.publish(self.state, snapshot)
            except OSError as error:
                self._give_up_sharing(error)

    # -- the folder ---------------------------------------------------------------------------------------------

    def _shared(self) -> SharedPlace | None:
        with self._guard:
            if self._place is None and time.monotonic() >= self._retry_at:
                try:
                    self._place = SharedPlace(self._cluster, self._backend.identity)
                    self.alone = ""
                except OSError as error:
                    self._give_up_sharing(error)
            return self._place

    def _give_up_sharing(self, error: OSError) -> None:
        with self._guard:
            if self._place is not None:
                self._place.unlock()
                self._place = None
            self._retry_at = time.monotonic() + RETRY_PLACE
            self.alone = f"each notebook asks the cluster for itself, because they cannot share a file: {error}"
        _log.debug("status of %s: %s", self._cluster, self.alone)

    def after_fork(self) -> None:
        """Forget, in a forked child, what is the parent's."""
        self._reset_locks()
        self.keeps = False
        self.release()


def _line(error: GcsError | None) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 1]}…"


_all: weakref.WeakSet[Asking] = weakref.WeakSet()


def _forget_in_child() -> None:
    for asking in list(_all):
        asking.after_fork()


os.register_at_fork(after_in_child=_forget_in_child)
