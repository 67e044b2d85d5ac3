"""The language of the channel, in which the cell's process speaks to the supervisor."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DRAIN", "END", "EVENT", "HEAD", "MARK", "SWITCH", "TO_STDERR", "TO_STDOUT", "FrameReader"]


# Bare bytes are text of the stream chosen last. 0xFF, which no UTF-8 text has, opens a frame: its kind, the
# length of what follows, and that. So plain printing costs one write and almost nothing to read.
MARK = 0xFF
HEAD = struct.Struct("<BcI")
TO_STDOUT, TO_STDERR, DRAIN, EVENT, END = b"o", b"e", b"d", b"j", b"x"
SWITCH = {TO_STDOUT: HEAD.pack(MARK, TO_STDOUT, 0), TO_STDERR: HEAD.pack(MARK, TO_STDERR, 0)}


class FrameReader:
    """Takes the channel's bytes apart."""

    def __init__(self, on_text: Callable[[str, bytes], None], on_frame: Callable[[bytes, bytes], None]) -> None:
        self._on_text = on_text
        self._on_frame = on_frame
        self._stream = "stdout"
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes; text and whole frames are handed on in order."""
        data, start = self._rest + data if self._rest else data, 0
        while start < len(data):
            mark = data.find(MARK, start)
            if mark != start:
                end = mark if mark >= 0 else len(data)
                self._on_text(self._stream, data[start:end])
                start = end
                continue
            if len(data) - start < HEAD.size:
                break
            _, kind, size = HEAD.unpack_from(data, start)
            if len(data) - start - HEAD.size < size:
                break
            start += HEAD.size
            self._take(kind, data[start : start + size])
            start += size
        self._rest = data[start:]

    def _take(self, kind: bytes, content: bytes) -> None:
        if kind in SWITCH:
            self._stream = "stdout" if kind == TO_STDOUT else "stderr"
        else:
            self._on_frame(kind, content)
