"""The texts of a job: what its cell printed, from the event log, and the files that its scheduler wrote."""

from __future__ import annotations

import json
import os
import re
import stat
from collections import OrderedDict
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from gcs_lab.server.log_index import LineIndex, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.server.log_index import TextSource

__all__ = ["FileSource", "Indices", "PrintedSource"]

_BLOCK = 1 << 20
#: Events that have a part in what was printed: they say early what they are.
_TOLD = re.compile(rb'"type":"(?:stream|started)"')
#: Logs whose index is kept.
_MOST_KEPT = 64


class FileSource:
    """A file of text, read as this user. Only regular files are read: a pipe or device would block, or move.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _opened(self) -> Iterator[int | None]:
        """Yield a descriptor of the file, None if it is not there. Raises OSError if it may not be read."""
        try:
            # Before it is opened: to open a pipe or a device may wake or move something.
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise OSError(0, "it is no regular file", str(self.path))
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except FileNotFoundError:
            yield None
            return
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(0, "it is no regular file", str(self.path))
            yield descriptor
        finally:
            os.close(descriptor)

    def mark(self) -> object:
        """Return device and inode; None: it is not there. Raises OSError."""
        with self._opened() as descriptor:
            if descriptor is None:
                return None
            status = os.fstat(descriptor)
            return status.st_dev, status.st_ino

    def tail(self, place: int, length: int) -> bytes:
        """Return the bytes before a place. Raises OSError."""
        with self._opened() as descriptor:
            if descriptor is None or not place:
                return b""
            return os.pread(descriptor, min(length, place), max(place - length, 0))

    def pieces(self, place: int) -> Iterator[Piece]:
        """Yield blocks of the file from a byte on. Raises OSError."""
        with self._opened() as descriptor:
            if descriptor is None:
                return
            while data := os.pread(descriptor, _BLOCK, place):
                yield Piece(place, data)
                place += len(data)
            yield Piece(place, b"")


class PrintedSource(FileSource):
    """What a cell printed, both streams in the order in which they were written; a place is a byte of the log.

    Where it ran again (it was put back into the queue, or is a point of a sweep that was rerun) a line says so.

    Parameters
    ----------
    path
        ``events.jsonl`` of the job folder, or of a task's.
    """

    def pieces(self, place: int) -> Iterator[Piece]:
        """Yield the texts of the events from a place on, without one that is not whole yet. Raises OSError."""
        rest = b""
        for block in super().pieces(place):
            *lines, rest = (rest + block.data).split(b"\n")
            for line in lines:
                if _TOLD.search(line, 0, 120) and (text := _text(line)):
                    yield Piece(place, text)
                place += len(line) + 1
        yield Piece(place, b"")


def _text(line: bytes) -> bytes:
    try:
        event = json.loads(line)
        if event["type"] == "stream":
            return str(event["text"]).encode("utf-8", "replace")
        again = int(event.get("try") or 1) if event["type"] == "started" else 1
        return f"\n--- it started again (try {again}) ---\n".encode() if again > 1 else b""
    except (ValueError, KeyError, TypeError, RecursionError):
        # A line that was torn by a crash.
        return b""


class Indices:
    """Indices of the logs that were asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[type, str], LineIndex] = OrderedDict()
        self._lock = Lock()

    def of(self, kind: type[FileSource], path: Path) -> LineIndex:
        """Return the index of a file's text; the same one each time, so that it is counted once."""
        key = (kind, str(path))
        with self._lock:
            if key not in self._kept:
                source: TextSource = kind(path)
                self._kept[key] = LineIndex(source)
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]
