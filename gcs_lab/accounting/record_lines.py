"""Files of lines other than records of jobs, piece by piece, and the account of the lines that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from gcs_lab.accounting.batch import Reject
from gcs_lab.accounting.source_file import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Piece", "Rejects", "pieces"]

#: Bytes that are looked at together.
_PIECE = 8 << 20
#: A line longer than this is damage.
_LONGEST = 64 << 20
#: So many bad lines are kept; all are counted.
_MOST = 10_000


class Rejects:
    """The bad lines of some files."""

    def __init__(self) -> None:
        self._kept: list[tuple[str, int, int, str, str]] = []
        #: How many there are.
        self.count = 0

    def add(self, path: Path, reject: Reject) -> None:
        """Add one; its line is the line of the file, from 0."""
        self.count += 1
        if len(self._kept) < _MOST:
            self._kept.append((str(path), reject.line + 1, reject.offset, reject.reason, reject.text))

    def frame(self) -> pl.DataFrame:
        """Return them: file, line (from 1), offset in bytes, reason, text; 10,000 at most, then how many more."""
        rows = list(self._kept)
        if self.count > len(rows):
            rows.append(("", 0, 0, f"and {self.count - len(rows):,} more lines that are no records", ""))
        schema = {"file": pl.String, "line": pl.Int64, "offset": pl.Int64, "reason": pl.String, "text": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


class Piece(NamedTuple):
    """Some whole lines of one file: `lines` with the number (from 0) and the offset of each."""

    path: Path
    lines: list[bytes]
    numbers: list[int]
    offsets: list[int]
    rejects: Rejects

    def reject(self, index: int, reason: str) -> None:
        """Say that a line of this piece is no record."""
        reject = Reject.of(self.lines[index], self.offsets[index], self.numbers[index], reason)
        self.rejects.add(self.path, reject)


def pieces(paths: Sequence[Path], rejects: Rejects, *, comments: str = "#") -> Iterator[Piece]:
    """Yield all lines of `paths` in order, without comments and empty ones.

    Lines with NUL bytes are rejects, and so is what is missing of a damaged compressed file.

    Raises
    ------
    OSError
        If a file cannot be opened.
    """
    mark = comments.encode()
    for path in paths:
        with open_source(path) as file:
            rest, offset, number = b"", 0, 0
            while True:
                try:
                    data = file.read(_PIECE)
                except OSError as error:
                    # A compressed file that is damaged or ends early: what is whole counts.
                    data = b""
                    rejects.add(path, Reject.of(rest, offset, number, str(error)))
                block = rest + data
                cut = block.rfind(b"\n") + 1 if data and len(block) < _LONGEST else len(block)
                if block[:cut]:
                    piece = _piece(Piece(path, [], [], [], rejects), block[:cut], (offset, number), mark)
                    number += block.count(b"\n", 0, cut)
                    offset += cut
                    if piece.lines:
                        yield piece
                rest = block[cut:]
                if not data:
                    break


def _piece(piece: Piece, block: bytes, begin: tuple[int, int], mark: bytes) -> Piece:
    """Return `piece`, filled with the lines of a block that begins at an offset and the number of a line."""
    offset, number = begin
    for i, raw in enumerate(block.split(b"\n")):
        line = raw.rstrip(b"\r")
        if line.strip() and not line.startswith(mark):
            if b"\0" in line:
                piece.rejects.add(piece.path, Reject.of(line, offset, number + i, "expected text, found binary data"))
            else:
                piece.lines.append(line)
                piece.numbers.append(number + i)
                piece.offsets.append(offset)
        offset += len(raw) + 1
    return piece
