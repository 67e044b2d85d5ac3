"""The text that a job, or a task of a sweep, printed: from its log."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from gcs_lab.cells.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gcs_lab.cells.job_folder import JobFolder

__all__ = ["log_text"]


def log_text(folder: JobFolder, streams: Collection[str], lines: int | None = None, *, last_try: bool = False) -> str:
    """Return what a job printed.

    Parameters
    ----------
    folder
        Its folder.
    streams
        Which of ``"stdout"`` and ``"stderr"``; in the order in which they were written.
    lines
        Only that many of the last lines; None: all of them.
    last_try
        Only what it printed since it started last; else of all its tries.
    """
    pieces: deque[str] = deque(maxlen=None if lines is None else max(lines, 1))
    rest = ""
    for text in _texts(folder, streams):
        if text is None:
            if last_try:
                pieces.clear()
                rest = ""
            continue
        *whole, rest = (rest + text).split("\n")
        pieces.extend(line.rpartition("\r")[2] + "\n" for line in whole)
    if rest:
        pieces.append(rest.rpartition("\r")[2])
    for stream, path in (("stdout", folder.stdout), ("stderr", folder.stderr)):
        if stream in streams and path.exists():
            # What the scheduler's shell or a dying interpreter said before or after the runner.
            pieces.extend(path.read_text(errors="replace").splitlines(keepends=True))
    return "".join(pieces)


def _texts(folder: JobFolder, streams: Collection[str]) -> Iterator[str | None]:
    """Yield what was printed, in pieces, and None where the job started (again)."""
    log = EventLog(folder.events)
    while events := log.read():
        for event in events:
            if event.type == "started":
                yield None
            elif event.type == "stream" and event.body.get("name") in streams:
                yield str(event.body["text"])
