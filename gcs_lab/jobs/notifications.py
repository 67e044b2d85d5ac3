"""Telling callbacks what happens to jobs (DRMAA2 ``registerEventNotification``), from one thread an area."""

from __future__ import annotations

import atexit
import logging
import threading
from typing import TYPE_CHECKING, Self

from gcs_lab.errors import GcsError, InvalidArgument
from gcs_lab.jobs.event_rounds import EventRounds
from gcs_lab.jobs.tracked_states import TrackedStates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from types import TracebackType

    from gcs_lab.jobs.protocol import JobsBackend
    from gcs_lab.jobs.status_board import StatusBoard
    from gcs_lab.vocabulary import JobEvent, TaskRange

__all__ = ["Notifier", "Subscription"]

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 30.0
#: Seconds that the end waits for a callback or a question that is under way.
_END_SECONDS = 1.0


class Subscription:
    """One callback that hears of events; made by ``Jobs.on_event``. A context manager that closes itself."""

    def __init__(self, notifier: Notifier, callback: Callable[[JobEvent], None]) -> None:
        self._notifier = notifier
        self._callback = callback
        #: Set when it hears of events, or cannot: then ``refused`` says why.
        self.joined = threading.Event()
        self.refused: Exception | None = None
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hear of nothing more: no call begins after this has returned; one that is under way may end."""
        self._notifier.leave(self)

    def watch(self, job_ids: Collection[str], array_ids: Collection[str] = ()) -> None:
        """Hear of these jobs, too, on a system whose states are polled: jobs that this area has not submitted.

        Parameters
        ----------
        job_ids
            Ids of jobs and tasks (the id of an array: of the array as a whole).
        array_ids
            Ids of arrays, of all whose tasks is heard.

        Raises
        ------
        GcsError
            If the system does not answer: the present states are asked for, and only what follows is told.
        """
        self._notifier.watch(job_ids, array_ids)

    def tell(self, event: JobEvent) -> None:
        """Call the callback; what it raises is logged. Called by the notifier."""
        if self.closed:
            return
        try:
            self._callback(event)
        except BaseException:  # SystemExit of one listener is no affair of the others
            _log.exception("a callback for events of jobs failed: %r, with %r", self._callback, event)


class Notifier:
    """The one thread of a jobs area that asks for events and tells them, while anyone listens.

    Parameters
    ----------
    backend
        Asked for events every ``poll_floor``; where it keeps none, states are compared.
    board
        Asked for states.
    """

    def __init__(self, backend: JobsBackend, board: StatusBoard) -> None:
        self._backend = backend
        self._board = board
        self._changed = threading.Condition()
        self._subscriptions: list[Subscription] = []
        self._joining: list[Subscription] = []
        self._tracked = TrackedStates()
        self._thread: threading.Thread | None = None
        self._exiting = False

    def submitted(self, job_ids: Iterable[str]) -> None:
        """Follow jobs that were submitted just now: their first state will be told."""
        with self._changed:
            for job_id in job_ids:
                self._tracked.add(job_id)

    def submitted_array(self, array_id: str, tasks: TaskRange) -> None:
        """Follow the tasks of an array that was submitted just now."""
        with self._changed:
            self._tracked.add_array(array_id, tasks)

    def watch(self, job_ids: Collection[str], array_ids: Collection[str]) -> None:
        """Follow jobs and arrays from their present states on."""
        with self._changed:
            new_jobs = [job_id for job_id in job_ids if job_id not in self._tracked]
            new_arrays = [array_id for array_id in array_ids if array_id not in self._tracked.arrays]
        statuses = self._board.status(new_jobs, max_age=0)
        arrays = self._board.array_status(new_arrays, max_age=0)
        with self._changed:
            for job_id in new_jobs:
                self._tracked.add(job_id)
            for array_id, status in arrays.items():
                if status is not None:
                    self._tracked.add_array(array_id, status.tasks)
            self._tracked.compare(statuses, arrays)

    def subscribe(self, callback: Callable[[JobEvent], None]) -> Subscription:
        """Return a subscription that hears of what happens from now on. Raises GcsError if nothing can be asked."""
        if not callable(callback):
            raise InvalidArgument(f"expected a function that takes an event, not {callback!r}.")
        subscription = Subscription(self, callback)
        with self._changed:
            if threading.current_thread() is self._thread:
                # A callback registers another one: what is being told now happened before.
                self._subscriptions.append(subscription)
                return subscription
            self._joining.append(subscription)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gcs_lab job events", daemon=True)
                self._thread.start()
                atexit.register(self._end_at_exit)
            self._changed.notify_all()
        subscription.joined.wait()
        if subscription.refused is not None:
            raise subscription.refused
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Tell a subscription nothing more; the thread ends with the last one."""
        with self._changed:
            subscription.closed = True
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
            self._changed.notify_all()

    def close(self) -> None:
        """Tell nobody anything more, and wait a second for the thread's end; who subscribes later starts it anew."""
        with self._changed:
            for subscription in [*self._joining, *self._subscriptions]:
                subscription.closed = True
            self._subscriptions.clear()
            self._admit(list(self._joining), None)
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_END_SECONDS)

    def _end_at_exit(self) -> None:
        with self._changed:
            self._exiting = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(_END_SECONDS)

    def _run(self) -> None:
        rounds = EventRounds(self._backend, self._board, self._tracked, self._changed)
        fault: Exception | None = None
        pause = 0.0
        while (turn := self._next_turn()) is not None:
            joining, listening = turn
            try:
                events = rounds.next(fresh=bool(joining))
            except Exception as error:
                pause = min(max(2 * pause, rounds.interval), _LONGEST_PAUSE)
                if fault is None and listening:
                    _log_fault(self._backend.system, error)
                fault = error
            else:
                if fault is not None and listening:
                    _log.warning("%s tells of its jobs again.", self._backend.system)
                fault, pause = None, 0.0
                for event in events:
                    for subscription in listening:
                        subscription.tell(event)
            self._admit(joining, fault)
            with self._changed:
                if not self._joining and self._subscriptions and not self._exiting:
                    self._changed.wait(pause or rounds.interval)
        rounds.close()

    def _next_turn(self) -> tuple[list[Subscription], list[Subscription]] | None:
        """Return who joins and who listens; None if nobody does, and then the thread is at its end."""
        with self._changed:
            if self._exiting or not (self._joining or self._subscriptions):
                self._thread = None
                self._admit(list(self._joining), None)
                atexit.unregister(self._end_at_exit)
                return None
            # They stay among those who join until they have: the area may be closed meanwhile.
            return list(self._joining), list(self._subscriptions)

    def _admit(self, joining: list[Subscription], fault: Exception | None) -> None:
        with self._changed:
            for subscription in joining:
                if subscription not in self._joining:
                    continue
                self._joining.remove(subscription)
                subscription.refused = fault
                if fault is None and not subscription.closed:
                    self._subscriptions.append(subscription)
                subscription.joined.set()


def _log_fault(system: str, error: Exception) -> None:
    if isinstance(error, GcsError):
        _log.warning(
            "%s does not tell of its jobs: %s It is asked again, at least every %g s; nothing is lost.",
            system, error, _LONGEST_PAUSE,
        )  # fmt: skip
    else:
        _log.error("asking %s for events failed; it is asked again.", system, exc_info=error)
