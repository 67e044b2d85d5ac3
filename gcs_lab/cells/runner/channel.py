"""The channel: what the cell's process says to the supervisor."""

from __future__ import annotations

import os
import threading
import time

from .frames import DRAIN, EVENT, HEAD, MARK, SWITCH, TO_STDERR, TO_STDOUT
from .private_file import write_all
from .strict_json import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Channel"]


_FIONREAD = 0x541B
_QUIET_SECONDS = 0.0002


class Channel:
    """The child's end of the pipe.

    Safe to use from threads, from signal handlers and from ``__del__``. In a process that the cell forks (a worker of
    multiprocessing) text goes to file descriptors 1 and 2 instead, and events are dropped: two writers of one
    pipe would mix their frames.
    """

    def __init__(self, descriptor: int, drained: int) -> None:
        self.descriptor = descriptor
        self.drained = drained
        self.busy = False
        self.interrupted = False
        self._detached = False
        self._lock = threading.RLock()
        self._stream = TO_STDOUT
        self._last = 0.0
        self._owed = 0
        self._deferred: list[tuple[bytes, bytes]] = []
        self._lines = {TO_STDOUT: b"", TO_STDERR: b""}
        os.register_at_fork(after_in_child=self._detach)

    @property
    def detached(self) -> bool:
        """Whether this process is one that the cell forked."""
        return self._detached

    def _detach(self) -> None:
        self._detached = True
        self._lock = threading.RLock()
        self.busy = False
        self._deferred.clear()

    def post(self, kind: bytes, data: bytes) -> None:
        """Send text (`kind` is a stream) or a frame; blocks while the supervisor is behind.

        Raises
        ------
        KeyboardInterrupt
            If the job was interrupted meanwhile: not in the middle of a frame, but after it.
        """
        with self._lock:
            if self.busy:
                self._deferred.append((kind, data))
                return
            self.busy = True
            try:
                self._send(kind, data)
                while self._deferred:
                    self._send(*self._deferred.pop(0))
            finally:
                self.busy = False
        if self.interrupted:
            self.interrupted = False
            raise KeyboardInterrupt

    def event(self, body: Mapping[str, object]) -> None:
        """Send one event of the log, without its time and number."""
        self.post(EVENT, to_json(body))

    def flush(self, kind: bytes) -> None:
        """Write the line begun, in a process that the cell forked; elsewhere nothing waits."""
        if self._lines[kind]:
            line, self._lines[kind] = self._lines[kind], b""
            write_all(1 if kind == TO_STDOUT else 2, line)

    def _send_lines(self, kind: bytes, data: bytes) -> None:
        # Whole lines, so that those of several workers do not mix.
        whole, newline, rest = (self._lines[kind] + data).rpartition(b"\n")
        self._lines[kind] = whole + newline
        self.flush(kind)
        self._lines[kind] = rest

    def _send(self, kind: bytes, data: bytes) -> None:
        is_text = kind in SWITCH
        if self._detached:
            if is_text:
                self._send_lines(kind, data)
            return
        now = time.monotonic()
        if now - self._last > _QUIET_SECONDS and _bytes_below_python():
            # What a subprocess wrote before must come before what Python writes now.
            self._drain()
            now = time.monotonic()
        if not is_text:
            data = HEAD.pack(MARK, kind, len(data)) + data
        elif kind != self._stream:
            self._stream = kind
            data = SWITCH[kind] + data
        self._last = now
        write_all(self.descriptor, data)

    def _drain(self) -> None:
        # The answer is waited for: else the supervisor might read at once what is written below Python later, too.
        write_all(self.descriptor, HEAD.pack(MARK, DRAIN, 0))
        self._owed += 1
        while self._owed:
            # A signal handler of the cell that raises leaves an answer owed, which comes before the next one.
            answers = os.read(self.drained, self._owed)
            if not answers:
                return
            self._owed -= len(answers)


def _bytes_below_python() -> bool:
    import fcntl

    for descriptor in (1, 2):
        try:
            if fcntl.ioctl(descriptor, _FIONREAD, b"\0\0\0\0") != b"\0\0\0\0":
                return True
        except OSError:
            continue
    return False
