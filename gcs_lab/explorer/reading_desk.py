"""Looks for new records: at first, each minute, and when asked; tells how far it is, and can be stopped."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.accounting.area import Accounting
    from gcs_lab.accounting.progress import Progress

__all__ = ["ReadingDesk"]

#: Seconds between two messages, and after which a reading is worth one.
_PACE_SECONDS, _QUIET_SECONDS = 0.25, 0.3
#: Seconds between two looks at what is there, while much is read.
_PARTIAL_SECONDS = 4.0


class ReadingDesk:
    """Reads in one thread at a time; any thread may stop it.

    Parameters
    ----------
    accounting
        Whose records.
    send
        Sends a message.
    came
        Called in the reading thread when there may be other records: at the end, and now and then meanwhile.
    """

    def __init__(
        self, accounting: Accounting, send: Callable[[dict[str, Any]], None], came: Callable[[], None]
    ) -> None:
        self._accounting, self._send, self._came = accounting, send, came
        self._stop = threading.Event()
        #: Whether somebody stopped it: then it does not begin by itself.
        self.is_cancelled = False
        #: Why the last look failed, or ''.
        self.failure = ""
        #: Part that was read, 0 to 1.
        self.part = 1.0
        self._is_awaited = False
        self._began = self._told_at = self._partial_at = 0.0
        self._last: Progress | None = None
        self._before: object = None

    def cancel(self) -> None:
        """Stop reading; what was read stays."""
        self.is_cancelled = True
        self._stop.set()

    def await_first(self) -> None:
        """Take it that a look comes next: without any record, nobody is to be told meanwhile that there is none."""
        if not self.is_cancelled and not self._accounting.store.totals().records:
            self.part, self._is_awaited = 0.0, True

    def read(self, *, asked: bool = False) -> None:
        """Read what came. `asked`: somebody wants it, so that it goes on after a stop, and its end is told."""
        if self.is_cancelled and not asked:
            return
        self.is_cancelled = False
        self._stop.clear()
        self._began = self._partial_at = time.monotonic()
        self._told_at, self._last = 0.0, None
        before = self._mark()
        self.failure = ""
        self.part = 0.0
        try:
            ingested = self._accounting.refresh(progress=self._on_progress, stop=self._stop)
        except GcsError as reason:
            self.failure = str(reason)
            self._tell("failed", self.failure)
            return
        finally:
            self.part = 1.0
            if self._mark() != before or self._told_at or self._is_awaited:
                self._is_awaited = False
                self._came()
        state = "done" if ingested.complete else "cancelled"
        if self._told_at or asked or not ingested.complete:
            words = f"{ingested.records:,} records came in {ingested.seconds:.1f} s."
            if not ingested.complete:
                words = f"Stopped: {ingested.records:,} records were read and are kept; going on begins there."
            self._tell(state, " ".join([words, *ingested.notes]))

    def _mark(self) -> object:
        try:
            return self._accounting.store.totals()
        except GcsError:
            return None

    def _on_progress(self, progress: Progress) -> None:
        self._last = progress
        if progress.bytes_total:
            self.part = progress.bytes_done / progress.bytes_total
        now = time.monotonic()
        if now - self._began < _QUIET_SECONDS or now - self._told_at < _PACE_SECONDS:
            return
        self._told_at = now
        self._tell("reading", progress.message)
        if now - self._partial_at >= _PARTIAL_SECONDS:
            self._partial_at = now
            self._came()

    def _tell(self, state: str, message: str) -> None:
        last = self._last
        self._send(
            {
                "kind": "ingest",
                "state": state,
                "bytes_done": 0 if last is None else last.bytes_done,
                "bytes_total": 0 if last is None else last.bytes_total,
                "records": 0 if last is None else last.records,
                "rejects": 0 if last is None else last.rejects,
                "rate": 0.0 if last is None else round(last.rate, 1),
                "left": None if last is None or last.left is None else round(last.left, 1),
                "message": message,
            }
        )
