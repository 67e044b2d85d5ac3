"""Things to be done at a time of the wall clock, however that clock is set meanwhile.

The kernel's timer (``timerfd_create(2)`` with ``TFD_TIMER_ABSTIME``) follows every step of the clock, so that
nothing has to be looked at from time to time.
"""

from __future__ import annotations

import ctypes
import heapq
import os
import time
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Timers"]

_CLOCK_REALTIME, _TFD_TIMER_ABSTIME, _TFD_NONBLOCK, _TFD_CLOEXEC = 0, 1, os.O_NONBLOCK, os.O_CLOEXEC
#: The kernel takes no time beyond the year 2262; nobody waits for that.
_LATEST = 2**33

#: So many that are of no use any more are kept, and half of all.
_MOST_DROPPED = 64

T = TypeVar("T", bound=Hashable)


class _Spec(ctypes.Structure):
    """``struct itimerspec`` on systems where a long has the size of a time."""

    _fields_ = (
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class Timers(Generic[T]):
    """What is due when; readable (``fileno``) when something is due."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.timerfd_create(_CLOCK_REALTIME, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._due: list[tuple[float, int, T]] = []
        self._dropped: set[T] = set()
        self._count = 0
        self._set_for: float | None = None

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when something is due."""
        return int(self._descriptor)

    def add(self, at: float, what: T) -> None:
        """Have `what` told at a time, in seconds since the epoch."""
        self._count += 1
        heapq.heappush(self._due, (at, self._count, what))

    def drop(self, what: T) -> None:
        """Have `what`, which is never added again, told no more."""
        self._dropped.add(what)
        # What is years away must not be kept until then for those that are long gone.
        if len(self._dropped) > max(_MOST_DROPPED, len(self._due) // 2):
            self._due = [entry for entry in self._due if entry[2] not in self._dropped]
            heapq.heapify(self._due)
            self._dropped.clear()

    def clear(self) -> None:
        """Forget all."""
        self._due.clear()
        self._dropped.clear()

    def due(self) -> list[T]:
        """Return what is due now, each once, earliest first."""
        now = time.time()
        found = []
        while self._due and self._due[0][0] <= now:
            what = heapq.heappop(self._due)[2]
            if what not in self._dropped:
                found.append(what)
        return found

    def is_due(self) -> bool:
        """Tell whether something is due now."""
        return bool(self._due) and self._due[0][0] <= time.time()

    def arm(self) -> None:
        """Have the kernel tell when the earliest is due. Raises OSError if it does not take the time."""
        at = self._due[0][0] if self._due else None
        if at == self._set_for:
            return
        self._set_for = at
        # All zeros would take the timer off; what is due in the past is told at once.
        seconds, rest = divmod(min(max(at, 1e-9), _LATEST), 1) if at is not None else (0, 0.0)
        spec = _Spec(0, 0, int(seconds), int(rest * 1e9))
        if self._libc.timerfd_settime(self._descriptor, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def rang(self) -> None:
        """Take note that the descriptor was readable."""
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return
        # The clock may show less than a nanosecond before; it is set again in any case.
        self._set_for = None
