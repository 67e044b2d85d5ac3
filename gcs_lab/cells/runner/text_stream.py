"""The cell's ``sys.stdout`` and ``sys.stderr``."""

from __future__ import annotations

import io

from .frames import TO_STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .channel import Channel

__all__ = ["TextStream"]


class TextStream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr``: every write goes out at once, so that a crash loses nothing."""

    def __init__(self, channel: Channel, kind: bytes) -> None:
        self._channel = channel
        self._kind = kind
        self.name = "<stdout>" if kind == TO_STDOUT else "<stderr>"
        self.mode = "w"
        self.line_buffering = True
        self.write_through = True
        self.buffer = io.BufferedWriter(_ByteStream(self), 1)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Always UTF-8."""
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """What cannot be encoded is shown escaped instead of failing the cell."""
        return "backslashreplace"

    def write(self, text: str) -> int:
        """Send `text`; return its length."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._channel.post(self._kind, text.encode("utf-8", "backslashreplace"))
        return len(text)

    def fileno(self) -> int:
        """Return the descriptor below, for subprocesses and C code."""
        return 1 if self._kind == TO_STDOUT else 2

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False: no terminal is there."""
        return False

    def flush(self) -> None:
        """Send what was written to ``.buffer``; text was sent when it was written."""
        if not self.buffer.closed:
            self.buffer.flush()
        self._channel.flush(self._kind)

    def reconfigure(self, **_: object) -> None:
        """Accept what ``io.TextIOWrapper`` accepts; there is nothing to choose."""

    def close(self) -> None:
        """Stay open: what comes later must not fail."""


class _ByteStream(io.RawIOBase):
    """``sys.stdout.buffer``: bytes join the text, decoded as they come."""

    def __init__(self, stream: TextStream) -> None:
        import codecs

        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, data: Any) -> int:
        self._stream.write(self._decoder.decode(bytes(data)))
        return memoryview(data).nbytes
