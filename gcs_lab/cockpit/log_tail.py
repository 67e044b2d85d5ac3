"""The end of what a job printed, and what has come since somebody looked last."""

from __future__ import annotations

import codecs
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.printed_text import log_text
from gcs_lab.cells.terminal_text import plain_text, screen_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cells.job_folder import JobFolder

__all__ = ["FileText", "FolderText", "LogTail", "Printed"]

#: Bytes that are shown of a file that is looked at for the first time.
TAIL_BYTES = 64 << 10
#: A tail that has grown to so much is cut to its end again.
_MOST_BYTES = 2 * TAIL_BYTES
_LINES = 2_000


@dataclass(frozen=True)
class Printed:
    """What there is to show: the text from some place on, and what to say beside it.

    ``source`` tells one source from another: a file that was replaced is another one.
    """

    text: str
    note: str = ""
    source: tuple[object, ...] = ()


@dataclass
class LogTail:
    """What a browser has been shown of one stream of one job, so that it is sent only what is new.

    Parameters
    ----------
    read
        Returns what there is now. May raise OSError.
    """

    read: Callable[[], Printed]
    _sent: str = ""
    _source: tuple[object, ...] = ()
    _offset: int = field(default=0)

    def answer(self, offset: int) -> dict[str, str | int | bool]:
        """Return ``text``, ``offset``, ``whole`` and ``note`` of an ``ILog``.

        Parameters
        ----------
        offset
            What the last answer gave out as offset; 0: nothing is shown yet. Text is sent anew as a whole where what
            is shown does not go on: another offset, a file that was replaced or cut short, a line that was rewritten.
        """
        try:
            now = self.read()
        except OSError as reason:
            now = Printed("", f"it cannot be read: {reason.strerror or reason}.")
        goes_on = offset > 0 and offset == self._offset and now.source == self._source
        whole = not goes_on or not now.text.startswith(self._sent)
        text = now.text if whole else now.text[len(self._sent) :]
        self._sent, self._source = now.text, now.source
        # Never 0 again: that is a browser which shows nothing.
        self._offset = (offset + len(text) if not whole else len(text)) + (1 if whole else 0)
        return {"text": text, "offset": self._offset, "whole": whole, "note": now.note}


class FileText:
    """The end of a file that a job writes, read as this user.

    Only regular files are read: what a job names as its output may be a pipe or a device.

    Parameters
    ----------
    path
        Where the system says that the output goes.
    host
        The host on which it is written; None: not known.
    """

    def __init__(self, path: str, host: str | None) -> None:
        self._path, self._host = path, host
        self._start = 0
        self._identity: tuple[int, int] | None = None
        self._size = 0
        self._replaced = 0

    def __call__(self) -> Printed:
        """Return the text from the beginning of the tail on. Raises OSError if it is there and cannot be read."""
        if self._path == os.devnull:
            return Printed("", "its output goes to /dev/null.")
        try:
            # Before it is opened: to open a pipe or a device may wake or move something.
            if not stat.S_ISREG(Path(self._path).stat().st_mode):
                return Printed("", f"{self._path} is no regular file, so it is not read.")
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except FileNotFoundError:
            return Printed("", self._missing())
        except PermissionError:
            return Printed("", f"{self._path} may not be read by you.")
        try:
            return self._printed(descriptor)
        finally:
            os.close(descriptor)

    def _missing(self) -> str:
        where = f" It is written on {self._host}, which may have a file system of its own." if self._host else ""
        return f"{self._path} is not there.{where}"

    def _printed(self, descriptor: int) -> Printed:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Printed("", f"{self._path} is no regular file, so it is not read.")
        identity, size = (status.st_dev, status.st_ino), status.st_size
        if self._identity is not None and (identity != self._identity or size < self._size):
            self._replaced += 1
            self._start = 0
        if self._identity is None or identity != self._identity or size - self._start > _MOST_BYTES:
            self._start = max(size - TAIL_BYTES, 0)
        self._identity, self._size = identity, size
        data = os.pread(descriptor, min(size - self._start, _MOST_BYTES), self._start)
        if self._start:
            # It begins in the middle of a line.
            data = data[data.find(b"\n") + 1 :]
        # A character that is written in two halves is shown when it is whole.
        text = screen_text(codecs.getincrementaldecoder("utf-8")(errors="replace").decode(data))
        notes = []
        if self._start:
            notes.append(f"{self._start:,} bytes before it are left out.")
        if self._replaced:
            notes.append("the file was cut short or replaced meanwhile.")
        return Printed(text, " ".join(notes), (identity, self._start, self._replaced))


class FolderText:
    """The end of what the job of a cell printed, from the log in its folder.

    Parameters
    ----------
    folder
        The job folder, or that of a task of a sweep.
    stream
        ``"stdout"`` or ``"stderr"``.
    """

    def __init__(self, folder: JobFolder, stream: str) -> None:
        self._folder, self._stream = folder, stream
        self._mark: tuple[tuple[int, ...], ...] = ()
        self._kept = Printed("")

    def __call__(self) -> Printed:
        """Return its last 2,000 lines. Raises OSError if the log is there and cannot be read."""
        mark = tuple(map(_mark, (self._folder.events, getattr(self._folder, self._stream))))
        if not any(mark):
            return Printed("", "it has not begun to run.")
        # A log is read as a whole, so only when it has grown.
        if mark != self._mark:
            text = plain_text(log_text(self._folder, {self._stream}, _LINES))
            self._mark, self._kept = mark, Printed(text)
        return self._kept


def _mark(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns
