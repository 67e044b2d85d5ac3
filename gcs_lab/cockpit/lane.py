"""A thread that does one thing after the other, of which only the latest of each sort need be done."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Lane"]

_LOG = logging.getLogger(__name__)
#: Seconds that a thread without work waits for more before it ends.
_IDLE_SECONDS = 5.0


class Lane:
    """Does work in the order in which it came, in a thread that is there while there is something to do.

    Parameters
    ----------
    name
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        # A dictionary keeps the order, and finds what a newer work of the same sort replaces.
        self._works: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def do(self, work: Callable[[], None], sort: Hashable = None, after: float = 0.0) -> None:
        """Do `work` after what is waiting, and not before so many seconds.

        Work of a `sort` (not None) takes the place of what waits of the same sort, and is due when that was.
        """
        with self._changed:
            if self._closed:
                return
            key: Hashable = object() if sort is None else sort
            due = time.monotonic() + after if after > 0 else 0.0
            if key in self._works:
                due = min(due, self._works.pop(key)[0])
            self._works[key] = (due, work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self, wait_seconds: float = 0.0) -> None:
        """Do nothing more; what is being done is waited for so long."""
        with self._changed:
            self._closed = True
            self._works.clear()
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread() and wait_seconds > 0:
            thread.join(wait_seconds)

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except BaseException:
                # Those who give work catch what they expect; a fault must not end the thread, not even a
                # panic of polars, which is no Exception.
                _LOG.exception("%s: something could not be done", self._name)
            # What it holds on to (a whole snapshot, perhaps) may go while nothing is to be done.
            del work

    def _next(self) -> Callable[[], None] | None:
        idle_until = time.monotonic() + _IDLE_SECONDS
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for key, (due, work) in self._works.items():
                    if due <= now:
                        del self._works[key]
                        return work
                until = min((due for due, _ in self._works.values()), default=idle_until)
                if until <= now:
                    break
                self._changed.wait(until - now)
            self._thread = None
            return None
