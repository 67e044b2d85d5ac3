"""The text that a job printed, from its log."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from gcs_lab.cells.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gcs_lab.cells.job_folder import JobFolder

__all__ = ["log_text"]


def log_text(folder: JobFolder, streams: Collection[str], lines: int | None = None) -> str:
    """Return what a job printed.

    Parameters
    ----------
    folder
        Its folder.
    streams
        Which of ``"stdout"`` and ``"stderr"``; in the order in which they were written.
    lines
        Only that many of the last lines; None: all of them.
    """
    pieces: deque[str] = deque(maxlen=None if lines is None else max(lines, 1))
    rest = ""
    for text in _texts(folder, streams):
        *whole, rest = (rest + text).split("\n")
        pieces.extend(line.rpartition("\r")[2] + "\n" for line in whole)
    if rest:
        pieces.append(rest.rpartition("\r")[2])
    for stream, path in (("stdout", folder.stdout), ("stderr", folder.stderr)):
        if stream in streams and path.exists():
            # What the scheduler's shell or a dying interpreter said before or after the runner.
            pieces.extend(path.read_text(errors="replace").splitlines(keepends=True))
    return "".join(pieces)


def _texts(folder: JobFolder, streams: Collection[str]) -> Iterator[str]:
    log = EventLog(folder.events)
    while events := log.read():
        yield from (str(e.body["text"]) for e in events if e.type == "stream" and e.body.get("name") in streams)
