# ruff: noqa: PTH118, PTH123
# Importing pathlib alone would add a tenth to the start of every job.
"""The event log, as it is written (docs/event-log.md)."""

from __future__ import annotations

import os
import time

from .private_file import write_all
from .strict_json import to_json

__all__ = ["RETRY_SECONDS", "EventWriter", "say"]


_BACKLOG_BYTES = 4 << 20
RETRY_SECONDS = 1.0
_PREFIX = rb'\{"seq":(\d+),"t":[0-9.]+,"type":"'


class EventWriter:
    """Appends events to the log, one write a line, and bears with a disk that is full or gone.

    What cannot be written is kept, up to 4 MiB, and tried again each second; what is beyond that is counted.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "events.jsonl")
        self._descriptor: int | None = None
        self._torn = False
        self._backlog: list[bytes] = []
        self._backlog_bytes = 0
        self._lost = 0
        self._retry_at = 0.0
        self.seq = 0
        self.tries = 0
        self.failure: OSError | None = None
        try:
            self._open()
        except OSError as error:
            self._fail(error)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(self._path, flags, 0o600)
        if not self.seq and os.fstat(self._descriptor).st_size:
            self._continue_earlier()

    def _continue_earlier(self) -> None:
        """Find the number reached by an earlier try of this job, and how many there were."""
        import re

        with open(self._path, "rb") as file:
            started, last, line = re.compile(_PREFIX + b"started"), re.compile(_PREFIX), b""
            for line in file:
                found = last.match(line)
                if found and line.endswith(b"\n"):
                    self.seq = int(found.group(1)) + 1
                    self.tries += started.match(line) is not None
            self._torn = not line.endswith(b"\n")

    def write(self, body: bytes) -> None:
        """Append one event; `body` is its JSON object without number and time."""
        stamped = b'"t":%.6f,' % time.time() + body[1:]
        if self._backlog or self._descriptor is None:
            self._keep(stamped)
            self.retry()
        elif not self._append(stamped):
            self._keep(stamped)

    def event(self, kind: str, **keys: object) -> None:
        """Append an event of the supervisor's own."""
        self.write(to_json({"type": kind, **keys}))

    def _append(self, stamped: bytes) -> bool:
        line = b'{"seq":%d,' % self.seq + stamped + b"\n"
        # A line that was cut short is ended first, so that it can only hurt itself.
        line = b"\n" + line if self._torn else line
        try:
            count = os.write(self._descriptor, line) if self._descriptor is not None else 0
        except OSError as error:
            self._fail(error)
            return False
        if count < len(line):
            self._torn = self._torn or count > 0
            self._fail(OSError(28, "only part of a line could be written"))
            return False
        self._torn = False
        self.seq += 1
        return True

    def _keep(self, stamped: bytes) -> None:
        if self._backlog_bytes + len(stamped) <= _BACKLOG_BYTES or not self._backlog:
            self._backlog.append(stamped)
            self._backlog_bytes += len(stamped)
        else:
            self._lost += 1

    def _fail(self, error: OSError) -> None:
        if self.failure is None:
            say(f"the event log {self._path} cannot be written: {error}. The cell goes on; it is tried again.")
        self.failure = error
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def check(self) -> None:
        """Notice that the log was deleted under the running job: writes to it would go nowhere without an error."""
        if self._descriptor is None:
            return
        try:
            gone = os.fstat(self._descriptor).st_nlink == 0
        except OSError:
            gone = True
        if gone:
            os.close(self._descriptor)
            self._descriptor = None
            self._fail(FileNotFoundError(2, "it was deleted"))

    def retry(self, *, now: bool = False) -> None:
        """Write what was kept, if a second has passed since it failed (or `now`)."""
        if self.failure is None or (not now and time.monotonic() < self._retry_at):
            return
        try:
            if self._descriptor is None:
                self._open()
        except OSError as error:
            self._fail(error)
            return
        while self._backlog:
            if not self._append(self._backlog[0]):
                return
            self._backlog_bytes -= len(self._backlog.pop(0))
        self.failure = None
        if self._lost:
            text = f"\n[{self._lost} events were lost while the event log could not be written]\n"
            self._lost = 0
            self.event("stream", name="stderr", text=text)


def say(text: str) -> None:
    """Tell the scheduler's own stderr file."""
    try:
        write_all(2, f"gcs_lab: {text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        return
