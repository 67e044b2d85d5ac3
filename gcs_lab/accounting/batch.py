"""What a reader makes of some lines: typed records, and the lines that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Batch", "Reject"]

#: Characters of a bad line that are kept.
KEPT_TEXT = 200


class Reject(NamedTuple):
    """A line that is no record.

    ``offset`` is where it begins in the (uncompressed) file, in bytes; ``line`` its number in the block that was
    read, from 0; ``reason`` says what was expected and found; ``text`` is its beginning, made readable.
    """

    offset: int
    line: int
    reason: str
    text: str

    @classmethod
    def of(cls, line: bytes, offset: int, number: int, reason: str) -> Reject:
        r"""Return the reject of a raw line; what cannot be printed is shown as an escape, a NUL as ``\x00``."""
        # Cut before it is decoded: a damaged file may be one line of a gigabyte.
        text = line[: 4 * KEPT_TEXT].decode("utf-8", "backslashreplace").rstrip("\r\n")
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        return cls(offset, number, reason, shown[:KEPT_TEXT])


class Batch(NamedTuple):
    """``records`` has the columns of :func:`gcs_lab.accounting.tables.record_schema`, in the order of the lines.

    ``lines`` counts all lines of the block: records, rejects, comments and empty ones.
    """

    records: pl.DataFrame
    rejects: list[Reject]
    lines: int
