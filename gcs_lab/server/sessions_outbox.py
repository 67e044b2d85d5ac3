"""What a server has told a page and the page has not confirmed: numbered, in order, bounded."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Outbox"]


class Outbox:
    """Messages for one page; hosts put them in from any thread, a line takes them out.

    Parameters
    ----------
    wake
        Called from any thread when there is something new, or when too much is kept.
    most_messages, most_bytes
        What is kept at the most: a page that confirms nothing must not fill the memory. Over that all is dropped
        (:attr:`overflown`), and the page has to begin anew.
    """

    def __init__(self, wake: Callable[[], None], *, most_messages: int = 5000, most_bytes: int = 64_000_000) -> None:
        self._wake, self._most_messages, self._most_bytes = wake, most_messages, most_bytes
        self._lock = threading.Lock()
        #: By number; the text as it is sent.
        self._kept: OrderedDict[int, str] = OrderedDict()
        self._bytes = 0
        self._seq = 0
        self._confirmed = 0
        self.overflown = False

    @property
    def seq(self) -> int:
        """Number of the last message; 0: there was none."""
        return self._seq

    def said(self, channel: int, message: object) -> None:
        """Add a host's message. Raises ValueError or TypeError if it is no JSON."""
        # Not under the lock: it takes a while for a big one.
        self._put(f'{{"op":"said","channel":{channel},"message":{_json(message)},"seq":')

    def failed(self, channel: int, problem: dict[str, Any]) -> None:
        """Add that a channel is closed, and why."""
        self._put(f'{{"op":"failed","channel":{channel},"error":{_json(problem)},"seq":')

    def _put(self, begun: str) -> None:
        with self._lock:
            if self.overflown:
                return
            self._seq += 1
            text = f"{begun}{self._seq}}}"
            self._kept[self._seq] = text
            self._bytes += len(text)
            if len(self._kept) > self._most_messages or self._bytes > self._most_bytes:
                self.overflown = True
                self._drop()
        self._wake()

    def confirm(self, seq: int) -> bool:
        """Forget what has come; return False if the number is none that was told."""
        with self._lock:
            if seq > self._seq:
                return False
            self._confirmed = max(self._confirmed, seq)
            while self._kept and next(iter(self._kept)) <= seq:
                _, text = self._kept.popitem(last=False)
                self._bytes -= len(text)
            return True

    def can_go_on_after(self, seq: int) -> bool:
        """Tell whether all that came after a number is here."""
        with self._lock:
            return not self.overflown and self._confirmed <= seq <= self._seq

    def after(self, seq: int) -> str | None:
        """Return the message that comes after a number; None: there is none yet."""
        with self._lock:
            return self._kept.get(seq + 1)

    def drop(self) -> None:
        """Keep nothing more: the session has ended."""
        with self._lock:
            self.overflown = True
            self._drop()

    def _drop(self) -> None:
        self._kept.clear()
        self._bytes = 0


def _json(value: object) -> str:
    # ASCII alone: a text of it takes one byte a character, whatever else is in it.
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
