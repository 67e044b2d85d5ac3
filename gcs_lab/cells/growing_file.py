"""A file of lines that grows while it is read, perhaps on another host."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["GrowingFile"]


class GrowingFile:
    """A cursor on a file to which whole lines are appended.

    Attributes
    ----------
    position
        Bytes read so far: whole lines.
    generation
        How often the file was found replaced or cut short; each time it is read from its start again.

    Parameters
    ----------
    path
        The file; it need not be there yet.
    patience_seconds
        How long zero bytes are taken for text that a network file system has not shown yet, before they count
        as damage.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience_seconds: float = 10.0) -> None:
        self.path = Path(path)
        self.position = 0
        self.generation = 0
        self._patience = patience_seconds
        self._inode: int | None = None
        self._blank_since: float | None = None

    def read_lines(self, limit_bytes: int = 4 << 20) -> list[bytes]:
        """Return the lines that came since the last call, empty ones left out; none if the file is not there yet.

        Parameters
        ----------
        limit_bytes
            About how much to read at once; a single longer line is still read whole. Call again for the rest.

        Raises
        ------
        OSError
            If the file is there and cannot be read.
        """
        # It is opened anew each time: that is when a network file system looks for what another host has written.
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        try:
            self._notice_replacement(descriptor)
            data = self._whole_lines(descriptor, limit_bytes)
        finally:
            os.close(descriptor)
        self.position += len(data)
        return [line for line in data.split(b"\n") if line]

    def _notice_replacement(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        replaced = self._inode not in (None, status.st_ino) or status.st_size < self.position
        # A log cut short and grown again is known by what stands before the place reached: always a line's end.
        if not replaced and self.position:
            replaced = os.pread(descriptor, 1, self.position - 1) != b"\n"
        if replaced:
            self.position, self._blank_since = 0, None
            self.generation += 1
        self._inode = status.st_ino

    def _whole_lines(self, descriptor: int, limit: int) -> bytes:
        data = os.pread(descriptor, limit, self.position)
        pieces = [data]
        while data and b"\n" not in data:
            data = os.pread(descriptor, limit, self.position + sum(map(len, pieces)))
            pieces.append(data)
        data = b"".join(pieces)
        return self._without_unseen(data[: data.rfind(b"\n") + 1])

    def _without_unseen(self, data: bytes) -> bytes:
        """Hold back lines with zero bytes for a while: pages that were written and not yet seen read as zeros."""
        blank = data.find(b"\0")
        if blank < 0:
            self._blank_since = None
            return data
        kept = data[: data.rfind(b"\n", 0, blank) + 1]
        now = time.monotonic()
        if kept or self._blank_since is None:
            self._blank_since = now
        elif now - self._blank_since >= self._patience:
            self._blank_since = None
            return data
        return kept
