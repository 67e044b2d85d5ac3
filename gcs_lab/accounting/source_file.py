"""Files of records as they lie on the disk: plain or compressed, rotated under other names."""

from __future__ import annotations

import io
import lzma
import os
import re
import sys
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Compression", "compression", "decompressed", "line_spans", "open_source", "rotated_files"]

Compression = Literal["gzip", "zstd", "bz2", "xz"]
#: How compressed files begin: RFC 1952, RFC 8878, bzip2, and the .xz file format 1.2.
_SIGNS: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}
_ENDING = r"(?:\.(?:gz|zst|bz2|xz))?"
#: .0 and .1 of Grid Engine's logchecker.sh and logrotate, -20261101 and .2026-11-01_00:00 of logrotate's dateext.
_NUMBER = re.compile(rf"\.(\d{{1,4}}){_ENDING}")
_DATE = re.compile(rf"[-._](\d{{4}}-?\d{{2}}-?\d{{2}}(?:[-_.T]?[\d:]+)?){_ENDING}")
_STEP = 1 << 20
#: How far before a block's end its last newline is looked for first; records have some 300 bytes.
_TAIL = 64 << 10


def compression(path: Path) -> Compression | None:
    """Return how a file is compressed, by its first bytes; None: it is plain (or empty).

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        return _kind(file)


def _kind(file: BinaryIO) -> Compression | None:
    head = file.read(8)
    return next((kind for sign, kind in _SIGNS.items() if head.startswith(sign)), None)


def open_source(path: Path) -> BinaryIO:
    """Open a file for reading, decompressed by what is in it, whatever it is called.

    A plain file can be sought in, a compressed one cannot. One of several members (``cat a.gz b.gz``) is read as one.
    A compressed file that is damaged or ends early gives all that is whole; the read after that raises.

    Raises
    ------
    OSError
        If it cannot be opened; from ``read``, also if it is damaged.
    """
    file = path.open("rb")
    text = decompressed(file, path)
    if text is None:
        return file
    file.close()
    return text


def decompressed(file: BinaryIO, path: Path) -> BinaryIO | None:
    """Return the text of an open compressed `file` from its beginning, as of :func:`open_source`; None: it is plain.

    It reads that very file, whatever `path` is the name of by then (that is for messages), and outlives `file`, whose
    position it moves.
    """
    file.seek(0)
    kind = _kind(file)
    file.seek(0)
    return None if kind is None else cast("BinaryIO", _Buffered(_Decompressed(file, path, kind), _STEP))


class _Buffered(io.BufferedReader):
    """A buffered reader that does not throw away what it has when its file fails in the middle of a call."""

    def read(self, size: int | None = -1, /) -> bytes:
        pieces: list[bytes] = []
        left = sys.maxsize if size is None or size < 0 else size
        while left:
            try:
                piece = self.read1(min(left, _STEP))
            except OSError:
                if pieces:
                    break  # the next call fails again
                raise
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)


class _Decompressed(io.RawIOBase):
    """The text of a compressed file, to the last byte that is whole."""

    def __init__(self, file: BinaryIO, path: Path, kind: Compression) -> None:
        super().__init__()
        self._path, self._kind = path, kind
        # Rotation may give the name to another file while this one is read.
        self._raw = os.fdopen(os.dup(file.fileno()), "rb", buffering=0)
        self._inner = _decompressing(self._raw, kind)
        self._at = 0
        self._failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._raw.close()
        super().close()

    def _read(self, most: int) -> bytes:
        if self._failure is not None:
            raise OSError(
                f"{self._path} is damaged or ends early, after {self._at:,} bytes of text ({self._failure}); what is "
                "before that was read. Restore the file from a copy for the rest."
            ) from self._failure
        try:
            return self._inner.read(most)
        except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
            self._failure = error
        rest = self._to_the_failure(most)
        return rest or self._read(most)

    def _to_the_failure(self, most: int) -> bytes:
        """Return what comes before the failure: the call that failed threw it away, so that it is read again."""
        self._inner.close()
        self._inner = _decompressing(self._raw, self._kind)
        rest = bytearray()
        try:
            left = self._at
            while left:
                left -= len(self._inner.read(min(_STEP, left)))
            while len(rest) < most and (byte := self._inner.read(1)):
                rest += byte
        except (OSError, EOFError, ValueError, lzma.LZMAError):
            pass
        return bytes(rest)


def _decompressing(raw: io.FileIO, kind: Compression) -> BinaryIO:
    """Return the text of a compressed file from its beginning; closing it leaves `raw` open."""
    os.lseek(raw.fileno(), 0, os.SEEK_SET)
    again = os.fdopen(os.dup(raw.fileno()), "rb", buffering=_STEP)
    if kind == "xz":
        return cast("BinaryIO", _Owning(again))
    import pyarrow as pa

    return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(again, "r"), kind))


class _Owning(lzma.LZMAFile):
    """One that closes the file that it reads."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._owned = file

    def close(self) -> None:
        super().close()
        self._owned.close()


def line_spans(descriptor: int, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield where blocks of whole lines begin and end, of `size` bytes or a little less, in a plain file.

    A block is longer than `size` only if a single line is. `start` and `end` are the beginning and the end of a line.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    while start < end:
        stop = start + size
        if stop >= end:
            stop = end
        else:
            stop = _after_newline_before(descriptor, start, stop) or _after_newline_from(descriptor, stop, end)
        yield start, stop
        start = stop


def _after_newline_before(descriptor: int, start: int, stop: int) -> int | None:
    tail = _TAIL
    while True:
        low = max(start, stop - tail)
        newline = os.pread(descriptor, stop - low, low).rfind(b"\n")
        if newline >= 0:
            return low + newline + 1
        if low == start:
            return None
        tail *= 8


def _after_newline_from(descriptor: int, at: int, end: int) -> int:
    while at < end and (data := os.pread(descriptor, min(_STEP, end - at), at)):
        newline = data.find(b"\n")
        if newline >= 0:
            return at + newline + 1
        at += len(data)
    return end


def rotated_files(path: Path) -> list[Path]:
    """Return `path` and what it was called before, the oldest first, the growing one last.

    Rotated files are those beside it that are called like it with a number (``accounting.0``, ``accounting.1.gz``:
    the larger, the older) or a date (``accounting-20261101.gz``) behind, or, as logrotate's ``extension`` does it,
    with the date before the ending (``accounting-20261101.jsonl``). Of a file that is just being compressed, the
    plain one is taken. Only what exists is returned.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    found: dict[str, tuple[Path, int | None, str]] = {}
    for entry in sorted(path.parent.iterdir()):
        place = _place(path, entry.name)
        if place is not None and entry.is_file():
            # Sorted, a plain name comes before the same with an ending.
            found.setdefault(re.sub(rf"{_ENDING}$", "", entry.name), (entry, *place))
    files = list(found.values())
    numbered, dated = [one for one in files if one[1] is not None], [one for one in files if one[1] is None]
    numbered.sort(key=lambda one: -(one[1] or 0))
    dated.sort(key=lambda one: one[2])
    if numbered and dated:
        # The site changed its ways; only the time of writing says which came first.
        order = [one[0] for one in sorted(dated + numbered, key=lambda one: one[0].stat().st_mtime)]
    else:
        order = [one[0] for one in dated + numbered]
    return [*order, path] if path.is_file() else order


def _place(path: Path, name: str) -> tuple[int | None, str] | None:
    """Return the number or the date in the name of a rotated file; None: it is another file."""
    for begin, ending in ((path.name, ""), (path.stem, path.suffix)):
        if not name.startswith(begin):
            continue
        behind = name[len(begin) :]
        # accounting.0 is none of accounting.jsonl's.
        if not ending and (number := _NUMBER.fullmatch(behind)):
            return int(number[1]), ""
        if ending:
            behind = behind.replace(ending, "", 1)
        if ending in name and (date := _DATE.fullmatch(behind)):
            return None, re.sub(r"\D", "", date[1])
    return None
