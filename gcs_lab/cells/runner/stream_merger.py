"""Text gathered into few events."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .event_writer import EventWriter

__all__ = ["StreamMerger"]


_MERGE_SECONDS = 0.05
_PARTIAL_SECONDS = 0.005
_MERGE_CHARACTERS = 1 << 16


class StreamMerger:
    """Gathers text into stream events: the first after a pause at once, then one each 50 ms or 64 Ki characters."""

    def __init__(self, log: EventWriter) -> None:
        self._log = log
        self._name = ""
        self._pieces: list[str] = []
        self._size = 0
        self._due = 0.0

    @property
    def due(self) -> float | None:
        """Monotonic time at which :meth:`flush` must be called; None: nothing waits."""
        return self._due if self._pieces else None

    def add(self, name: str, text: str) -> None:
        """Take text of a stream."""
        if not text:
            return
        if name != self._name:
            self.flush()
            self._name = name
        self._pieces.append(text)
        self._size += len(text)
        if self._size >= _MERGE_CHARACTERS:
            self._send_full_events()
        now = time.monotonic()
        if self._pieces and now >= self._due:
            if text.endswith("\n") or self._size > len(text):
                self.flush()
            else:
                # `print(a, b)` writes four times: what begins a line waits a moment for its rest.
                self._due = now + _PARTIAL_SECONDS

    def flush(self) -> None:
        """Write what waits."""
        if self._pieces:
            self._send("".join(self._pieces))
            self._pieces, self._size = [], 0

    def _send_full_events(self) -> None:
        text = "".join(self._pieces)
        whole = len(text) // _MERGE_CHARACTERS * _MERGE_CHARACTERS
        for start in range(0, whole, _MERGE_CHARACTERS):
            self._send(text[start : start + _MERGE_CHARACTERS])
        rest = text[whole:]
        self._pieces, self._size = ([rest] if rest else []), len(rest)

    def _send(self, text: str) -> None:
        self._log.event("stream", name=self._name, text=text)
        self._due = time.monotonic() + _MERGE_SECONDS
