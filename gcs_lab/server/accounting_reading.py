"""Whether records of accounting can be asked now: much that is new is read beside, and never within a request."""

from __future__ import annotations

import logging
import threading
import weakref
from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from gcs_lab.accounting import Accounting
    from gcs_lab.accounting.progress import Progress

__all__ = ["why_not_ready"]

_log = logging.getLogger(__name__)

#: Bytes that are read within a question: some tenths of a second.
MOST_AT_ONCE = 100_000_000
_COMPRESSED = {".gz", ".xz", ".bz2", ".zst"}


class _Reading:
    """Reads the records of one cluster in a thread, and knows how far it is."""

    def __init__(self, accounting: Accounting) -> None:
        self._accounting = accounting
        self.progress: Progress | None = None
        self.failure = ""
        self.thread = threading.Thread(target=self._read, name="gcs-lab-accounting", daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            self._accounting.refresh(progress=self._take)
        except GcsError as error:
            self.failure = str(error)
        except Exception as error:
            _log.exception("reading the records of accounting failed")
            self.failure = f"{type(error).__name__}: {error}"

    def _take(self, progress: Progress) -> None:
        self.progress = progress


_readings: weakref.WeakKeyDictionary[Accounting, _Reading] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def unread_bytes(accounting: Accounting) -> int:
    """Return about how many bytes of records there are that the store does not have.

    Raises
    ------
    GcsError
        If the records may not be read.
    """
    plain = compressed = 0
    for path in accounting.backend.record_files():
        try:
            size = path.stat().st_size
        except OSError:
            continue
        if path.suffix in _COMPRESSED:
            compressed += size
        else:
            plain += size
    totals = accounting.store.totals()
    # The store counts the text; what is compressed is larger than it looks, so it is not counted once some is read.
    return max(plain + (0 if totals.records else compressed) - totals.bytes, 0)


def why_not_ready(accounting: Accounting) -> str:
    """Return '' if a question is answered at once, else how far the reading is, which this begins.

    Raises
    ------
    GcsError
        If the records may not be read.
    """
    with _lock:
        reading = _readings.get(accounting)
        if reading is not None and reading.thread.is_alive():
            return _told(reading.progress)
        if reading is not None and reading.failure:
            # The next question tries again.
            del _readings[accounting]
            return f"the records of accounting could not be read: {reading.failure}"
        unread = unread_bytes(accounting)
        if unread <= MOST_AT_ONCE:
            return ""
        _readings[accounting] = _Reading(accounting)
        return f"{unread / 1e9:.1f} GB of records of accounting are read first; ask again in a while."


def _told(progress: Progress | None) -> str:
    if progress is None or not progress.bytes_total:
        return "the records of accounting are being read; ask again in a while."
    left = "" if progress.left is None else f", about {progress.left:.0f} s are left"
    part = progress.bytes_done / progress.bytes_total
    return f"the records of accounting are being read: {part:.0%} of {progress.bytes_total / 1e9:.1f} GB{left}."
