"""What a run over the files tells while it goes on, and when it may be told to stop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gcs_lab.accounting.progress import Ingested, Progress

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from gcs_lab.accounting.ingest_text import Text
    from gcs_lab.accounting.manifest import Source

__all__ = ["Report"]

#: Seconds between two calls of the user's function.
_EVERY = 0.2


class Report:
    """Counts what was done, and tells it to `progress`; `stop` is looked at between two blocks."""

    def __init__(self, progress: Callable[[Progress], None] | None, stop: threading.Event | None) -> None:
        self._progress = progress
        self._stop = stop
        self._began = time.monotonic()
        self._told = 0.0
        self._total = self._done = self._done_before = 0
        self._records = self._rejects = self._dropped = 0

    @property
    def stopped(self) -> bool:
        """Whether the run is to end."""
        return self._stop is not None and self._stop.is_set()

    def begin(self, pairs: Sequence[tuple[Text, Source | None]]) -> None:
        """Say what is ahead: files, and the source that each goes on."""
        self._total = self._done + sum(
            max(0, text.status.st_size - (source.offset if source is not None and not text.compressed else 0))
            for text, source in pairs
        )

    def advance(self, text: Text, length: int, records: int, rejects: int) -> None:
        """Count `length` bytes of the text of a file as stored, with what they held."""
        self._records += records
        self._rejects += rejects
        if text.compressed:
            self._done = max(self._done, self._done_before + text.position)
        else:
            self._done += length
        self._tell(f"reading {text.path.name}")

    def finished(self, text: Text, started: int) -> None:
        """Count a file as read to its end; it began at `started` of its text."""
        skipped = 0 if text.compressed else started
        self._done = self._done_before = self._done_before + max(0, text.status.st_size - skipped)

    def dropped(self, records: int) -> None:
        """Count records that were taken out."""
        self._dropped += records

    def found(self, records: int, rejects: int) -> None:
        """Count what was found, where bytes say nothing."""
        self._records += records
        self._rejects += rejects

    def wait(self, message: str) -> bool:
        """Say what is waited for; True: wait no longer."""
        self._tell(message)
        return self.stopped

    def ingested(self, *, complete: bool, notes: Sequence[str]) -> Ingested:
        """Return what the run did."""
        if self._told:
            self._tell("done" if complete else "stopped; what was read stays", always=True)
        seconds = time.monotonic() - self._began
        return Ingested(self._records, self._rejects, self._dropped, seconds, complete, tuple(notes))

    def _tell(self, message: str, *, always: bool = False) -> None:
        now = time.monotonic()
        if self._progress is None or not (always or now - self._told >= _EVERY):
            return
        self._told = now
        total = max(self._total, self._done)
        self._progress(Progress(self._done, total, self._records, self._rejects, now - self._began, message))
