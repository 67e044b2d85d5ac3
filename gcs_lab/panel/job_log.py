"""What a cell's job says in its event log while it runs: that it started, how far it is, that it ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.event_log import EventLog

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.cells.growing_file import GrowingFile

__all__ = ["JobLog", "begin_near_end"]

#: What is further back than this is passed over: what counts is told again, or stands at the end.
NEAR = 1 << 18


def begin_near_end(log: GrowingFile, near: int = NEAR) -> None:
    """Go on with the last `near` bytes of a log (whole lines), if there is more that was not read.

    Raises
    ------
    OSError
        If the file is there and cannot be read.
    """
    try:
        descriptor = os.open(log.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        begin = os.fstat(descriptor).st_size - near
        if begin <= log.position:
            return
        line = os.pread(descriptor, near, begin).find(b"\n")
        if line >= 0:
            log.position = begin + line + 1
    finally:
        os.close(descriptor)


class JobLog:
    """The latest news of one job, from the end of its event log.

    Attributes
    ----------
    started
        When it started, by its host's clock (seconds since the epoch); 0.0: that was not read.
    progress
        ``fraction`` (0 to 1, or None) and ``text``; None if it told nothing.
    finished
        The last event's body with ``t``; None while it runs.
    error
        The body of its ``error`` event; None if there was none.

    Parameters
    ----------
    events
        The log.
    """

    def __init__(self, events: Path) -> None:
        self._log = EventLog(events)
        self.started = 0.0
        self.progress: dict[str, Any] | None = None
        self.finished: dict[str, Any] | None = None
        self.error: dict[str, Any] | None = None

    @property
    def began(self) -> bool:
        """Whether it has written anything."""
        return self._log.position > 0

    def look(self) -> bool:
        """Read what is new; return whether it changes anything. A log that cannot be read now says nothing."""
        try:
            begin_near_end(self._log)
            events = self._log.read(2 * NEAR)
        except OSError:
            return False
        changed = False
        for event in events:
            changed |= event.type in {"started", "progress", "error", "finished"}
            if event.type == "started":
                self.started = event.t
                self.progress = self.finished = self.error = None
            elif event.type == "progress":
                self.progress = _progress(event.body)
            elif event.type == "error":
                self.error = event.body
            elif event.type == "finished":
                self.finished = {**event.body, "t": event.t}
        return changed


def _progress(body: dict[str, Any]) -> dict[str, Any]:
    n, total = float(body.get("n") or 0), body.get("total")
    count = f"{n:g}/{total:g}" if total else f"{n:g}"
    told = " ".join(str(part) for part in (body.get("desc"), count, body.get("unit")) if part)
    fraction = round(min(1.0, max(0.0, n / total)), 4) if total else None
    return {"fraction": fraction, "text": str(body.get("text") or told)}
