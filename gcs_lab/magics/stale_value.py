"""A value that is shown at once, however old, and read anew in the background."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["StaleValue"]

T = TypeVar("T")
_log = logging.getLogger(__name__)


class StaleValue(Generic[T]):
    """The last value that `read` returned.

    Parameters
    ----------
    read
        Returns the present value. It runs in a thread, one at a time, and may take as long as it likes.
    present
        The value until then; None if there is none.
    fresh_seconds
        How long a value (or a failure) stands before it is read again.
    """

    def __init__(self, read: Callable[[], T], present: T | None = None, fresh_seconds: float = 60.0) -> None:
        self._read = read
        self._present = present
        self._fresh_seconds = fresh_seconds
        self._looked = float("-inf")
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()

    @property
    def known(self) -> bool:
        """Whether there is a value at all."""
        return self._present is not None

    def get(self, patience: float = 0.0) -> T | None:
        """Return the value, and have it read anew if it is old.

        Parameters
        ----------
        patience
            Seconds to wait if there is no value yet.
        """
        with self._lock:
            if self._idle.is_set() and time.monotonic() - self._looked > self._fresh_seconds:
                self._idle.clear()
                threading.Thread(target=self._renew, name="gcs-lab completion", daemon=True).start()
        if self._present is None and patience:
            self._idle.wait(patience)
        return self._present

    def _renew(self) -> None:
        try:
            self._present = self._read()
        except Exception as error:
            # A Tab is no place for an error: the submission says what is wrong.
            _log.debug("completion: %r", error)
        finally:
            self._looked = time.monotonic()
            self._idle.set()
