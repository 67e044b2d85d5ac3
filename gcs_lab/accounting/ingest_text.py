"""The text of one file of accounting, plain or compressed, in blocks of whole lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, Self

import xxhash

from gcs_lab.accounting.manifest import HEAD, Seen
from gcs_lab.accounting.source_file import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

__all__ = ["BLOCK", "Block", "Text", "tail_hash"]

#: Bytes read at once: large enough that polars works at full speed, small enough that several fit into the memory.
BLOCK = 24 << 20
#: A line longer than this is no record of anything; it is skipped up to its newline.
LONGEST_LINE = 128 << 20
#: What a reader is chosen by.
_LOOK = 64 << 10
_STEP = 1 << 20
#: First bytes of gzip, Zstandard, bzip2 and xz files.
_MAGIC = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00")


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
        self._file: BinaryIO = path.open("rb")
        self.status = os.fstat(self._file.fileno())
        self.compressed = self._file.read(8).startswith(_MAGIC)
        if self.compressed:
            self._file.close()
            self._file = open_source(path)
        self._at = 0
        #: Bytes of a plain file; of a compressed one it is known at the end.
        self.size: int | None = None if self.compressed else self.status.st_size
        #: What went wrong while a compressed file was read, in words.
        self.problem = ""
        self._hashes: dict[tuple[int, int], int | None] = {}
        self.look = self.read_at(0, _LOOK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def head(self) -> bytes:
        """What tells this text from others: its first bytes."""
        return self.look[:HEAD]

    def seen(self, source: int, torn: int) -> Seen:
        """Return how the file looked when it was opened."""
        s = self.status
        return Seen(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, source, torn)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on; fewer at the end. Going back in a compressed file costs time."""
        if self.size is not None:
            length = max(0, min(length, self.size - offset))
        self._go_to(offset)
        return self._read(length)

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

    def _go_to(self, offset: int) -> None:
        if not self.compressed:
            self._file.seek(offset)
            self._at = offset
            return
        if offset < self._at:
            self._file.close()
            self._file, self._at = open_source(self.path), 0
        while self._at < offset and self._read(min(_STEP, offset - self._at)):
            pass

    def _read(self, length: int) -> bytes:
        """Read up to `length` bytes where the file is."""
        pieces: list[bytes] = []
        while length > 0:
            try:
                piece = self._file.read(length)
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
