"""The text of one file of accounting, plain or compressed, in blocks of whole lines."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, Self

import xxhash

from gcs_lab.accounting.manifest import HEAD, Seen
from gcs_lab.accounting.source_file import decompressed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

__all__ = ["BLOCK", "LONGEST_LINE", "Block", "Changed", "Text", "tail_hash"]

#: Bytes read at once: large enough that polars works at full speed, small enough that several fit into the memory.
BLOCK = 16 << 20
#: A line longer than this is no record of anything; it is skipped up to its newline.
LONGEST_LINE = 128 << 20
#: What a reader is chosen by.
_LOOK = 64 << 10
_STEP = 1 << 20


class Block(NamedTuple):
    """Bytes ``offset`` to ``end`` of a text.

    ``whole``: whole lines. ``torn``: the last line, which has no newline (yet). ``long``: one line that was too long,
    of which `data` is only the beginning. ``broken``: nothing more can be read (a compressed file that ends early);
    `data` is what was whole of the last line.
    """

    offset: int
    end: int
    data: bytes
    kind: Literal["whole", "torn", "long", "broken"]
    reason: str = ""


class Changed(OSError):
    """A file was cut off while it was read (``copytruncate``), or one that was closed lost its name to another."""


def tail_hash(tail: bytes) -> int:
    """Return the hash of the bytes before a checkpoint."""
    return xxhash.xxh3_64_intdigest(tail)


class Text:
    """An open file. What is appended after it was opened is not seen.

    Raises
    ------
    OSError
        If it cannot be opened or read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = path.open("rb")
        self.status = os.fstat(self._file.fileno())
        text = decompressed(self._file, path)
        self.compressed = text is not None
        #: The text of a compressed file, as far as _at; it is always of the file that was opened here.
        self._text = text
        self._at = 0
        #: Bytes of a plain file; of a compressed one it is known at the end.
        self.size: int | None = None if self.compressed else self.status.st_size
        #: What went wrong while a compressed file was read, in words.
        self.problem = ""
        self._hashes: dict[tuple[int, int], int | None] = {}
        self.look = b""
        self.look = self.read_at(0, _LOOK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. What is asked of it after that opens it again, and raises if its name is another's now."""
        for file in (self._text, self._file):
            if file is not None:
                file.close()
        self._text = self._file = None

    @property
    def position(self) -> int:
        """How much of the file on the disk was read: of a compressed one, of its compressed bytes."""
        # What decompresses it reads a duplicate of the descriptor: they have one position.
        return 0 if self._file is None else os.lseek(self._file.fileno(), 0, os.SEEK_CUR)

    @property
    def head(self) -> bytes:
        """What tells this text from others: its first bytes."""
        return self.look[:HEAD]

    def seen(self, source: int, torn: int) -> Seen:
        """Return how the file looked when it was opened."""
        s = self.status
        return Seen(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, source, torn)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on; fewer at the end. Going back in a compressed file costs time.

        Raises
        ------
        Changed
            If they are not of the text that was opened.
        """
        if self.size is not None:
            length = max(0, min(length, self.size - offset))
        self._go_to(offset)
        data = self._read(length)
        if self.size is not None:
            self._check(self.size)
        return data

    def _check(self, size: int) -> None:
        """See, after a piece was read, that the text before it is still what it was."""
        descriptor = self._opened().fileno()
        if os.fstat(descriptor).st_size < size or os.pread(descriptor, len(self.head), 0) != self.head:
            raise Changed(errno.ESTALE, "it was cut off while it was read", str(self.path))

    def tail(self, offset: int) -> int | None:
        """Return the hash of the bytes before `offset`; None where the text is shorter."""
        begin = max(0, offset - HEAD)
        return self.hash_of(begin, offset - begin)

    def hash_of(self, begin: int, length: int) -> int | None:
        """Return the hash of `length` bytes from `begin` on; None where the text is shorter."""
        if (begin, length) not in self._hashes:
            end = begin + length
            data = self.look[begin:end] if end <= len(self.look) else self.read_at(begin, length)
            self._hashes[begin, length] = tail_hash(data) if len(data) == length else None
        return self._hashes[begin, length]

    def blocks(self, start: int, size: int = BLOCK) -> Iterator[Block]:
        """Yield the text from `start` on, in order; `start` must be the beginning of a line."""
        rest, offset = b"", start
        while True:
            data = self.read_at(offset + len(rest), size)
            if not data:
                break
            cut = data.rfind(b"\n") + 1
            if not cut:
                rest += data
                if len(rest) > LONGEST_LINE:
                    too_long = self._skip_line(offset, rest)
                    yield too_long
                    rest, offset = b"", too_long.end
                continue
            block = rest + data[:cut] if rest else data[:cut]
            rest = data[cut:]
            yield Block(offset, offset + len(block), block, "whole")
            offset += len(block)
            del block, data
        if self.problem:
            yield Block(offset, offset + len(rest), rest, "broken", self.problem)
        elif rest:
            yield Block(offset, offset + len(rest), rest, "torn")

    def _skip_line(self, offset: int, begun: bytes) -> Block:
        at = offset + len(begun)
        reason = f"a line of more than {LONGEST_LINE >> 20} MiB; expected one record on a line"
        while data := self.read_at(at, _STEP):
            newline = data.find(b"\n")
            if newline >= 0:
                return Block(offset, at + newline + 1, begun[:HEAD], "long", reason)
            at += len(data)
        return Block(offset, at, begun[:HEAD], "long", reason)

    def _opened(self) -> BinaryIO:
        """Return the file; opened again if it was closed."""
        if self._file is None:
            try:
                file = self.path.open("rb")
            except FileNotFoundError as error:
                raise Changed(*error.args) from error
            now = os.fstat(file.fileno())
            if (now.st_dev, now.st_ino) != (self.status.st_dev, self.status.st_ino):
                file.close()
                raise Changed(errno.ENOENT, "another file has this name now", str(self.path))
            self._file = file
        return self._file

    def _go_to(self, offset: int) -> None:
        file = self._opened()
        if not self.compressed:
            file.seek(offset)
            self._at = offset
            return
        if self._text is None or offset < self._at:
            if self._text is not None:
                self._text.close()
            self._text, self._at = decompressed(file, self.path), 0
        while self._at < offset and self._read(min(_STEP, offset - self._at)):
            pass

    def _read(self, length: int) -> bytes:
        """Read up to `length` bytes where the file is."""
        file = self._text or self._opened()
        pieces: list[bytes] = []
        while length > 0:
            try:
                piece = file.read(length)
            except (OSError, EOFError, ValueError) as error:
                if not self.compressed:
                    raise
                self.problem = f"the compressed file is damaged or ends early: {error}"
                break
            if not piece:
                break
            pieces.append(piece)
            length -= len(piece)
            self._at += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
