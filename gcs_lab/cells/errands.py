"""Threads for what may take long and must not hold up those who follow jobs: a scheduler's commands and answers."""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from gcs_lab.errors import DrmCommunication

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ERRANDS", "Errands", "until_answered"]

_log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Errands:
    """Does things later, one after the other, in a thread of its own that is there while there is something to do."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], float | None]]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    def after(self, seconds: float, errand: Callable[[], float | None]) -> None:
        """Call `errand` after so many seconds; if it returns a number, again after that many seconds."""
        with self._changed:
            if self._process != os.getpid():
                # After a fork the errands are the parent's.
                self._process, self._thread, self._due = os.getpid(), None, []
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), errand))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gcs-lab-errands", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._due:
                    self._thread = None
                    return
                at, _, errand = self._due[0]
                pause = at - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
                heapq.heappop(self._due)
            try:
                again = errand()
            except Exception:
                # One broken errand must not keep the others from being done.
                _log.exception("an errand failed")
                continue
            if again is not None:
                self.after(again, errand)


def until_answered(errand: Callable[[], object]) -> Callable[[], float | None]:
    """Return an errand that is done again, after pauses that grow to a minute, while the cluster does not answer."""
    pauses = itertools.accumulate(itertools.repeat(_FIRST_PAUSE), lambda pause, _: min(2 * pause, _LONGEST_PAUSE))

    def again() -> float | None:
        try:
            errand()
        except DrmCommunication:
            return next(pauses)
        return None

    return again


#: Ends jobs which wait in vain.
ERRANDS = Errands()
