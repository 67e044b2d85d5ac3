"""Which format a file of records has: told by its first lines, not by its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.classic_lines import read_line
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from gcs_lab.accounting.batch import Batch

__all__ = ["HEAD", "Reader", "SpanningReader", "reader_for"]

#: Bytes of the (uncompressed) file that tell its format.
HEAD = 64 << 10
_KNOWN = (
    "the classic accounting file of Grid Engine (45 fields with ':' between them; 43 of 6.1; 52, 54 or 55 of Univa), "
    "accounting.jsonl of OCS 9.x, `qacct -j`, `sacct -P` of Slurm"
)
_SHOWN = 80


@runtime_checkable
class Reader(Protocol):
    """Makes records of lines."""

    #: What it reads, in words.
    name: str

    def read(self, block: bytes, offset: int) -> Batch:
        """Return what is in `block`, whole lines that begin at byte `offset` of the uncompressed file.

        Only the last line of a file may lack its newline. Whatever the lines hold, each becomes a record or a reject
        (comments and empty lines: neither), and nothing is raised.
        """
        ...


@runtime_checkable
class SpanningReader(Reader, Protocol):
    """One whose records span lines. A file that grew is read again from its beginning."""

    def cut(self, block: bytes) -> int:
        """Return how many bytes of `block` hold whole records; the rest belongs to the next. 0: more is needed."""
        ...


def reader_for(head: bytes, name: str) -> Reader:
    """Return the reader of a file that begins with `head`.

    The first line that a format owns decides, so that a damaged beginning does no harm. A file without any such line
    is taken by its name: ``accounting`` and what begins like it (a cell's file that has only its comments yet).

    Parameters
    ----------
    head
        The first HEAD bytes of the uncompressed text, or all of it.
    name
        What the file is called.

    Raises
    ------
    InvalidArgument
        If it is of no known format; it says what was seen, and what is known.
    """
    lines = head.split(b"\n")
    if len(head) >= HEAD and len(lines) > 1:
        lines.pop()  # cut off
    for raw in lines:
        reader = _reader_of(raw.rstrip(b"\r").removeprefix(b"\xef\xbb\xbf"))
        if reader is not None:
            return reader
    if name.startswith("accounting"):
        return _json_lines() if ".jsonl" in name else ClassicReader()
    seen = next((line for line in lines if line.strip() and not line.startswith(b"#")), b"")
    what = f"its first line is {seen[:_SHOWN].decode('utf-8', 'backslashreplace')!r}" if seen else "it has no line"
    raise InvalidArgument(
        f"{name} is of no format of accounting that is known: {what}. Known are {_KNOWN}. Give one of those, plain "
        "or compressed (.gz .zst .bz2 .xz)."
    )


def _reader_of(line: bytes) -> Reader | None:
    """Return the reader that owns `line`; None: it tells nothing."""
    if not line.strip() or line.startswith(b"#"):
        return None
    if line.startswith(b"{"):
        return _json_lines() if _is_json_record(line) else None
    if line.startswith(b"====="):
        from gcs_lab.accounting.qacct_text import QacctTextReader

        return QacctTextReader()
    if b"|" in line and {b"JobID", b"JobIDRaw"} & set(line.split(b"|")):
        from gcs_lab.accounting.sacct import SacctReader

        return SacctReader(line)
    return ClassicReader() if isinstance(read_line(line), tuple) else None


def _is_json_record(line: bytes) -> bool:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "job_number" in value and "failed" in value


def _json_lines() -> Reader:
    from gcs_lab.accounting.json_lines import JsonLinesReader

    return JsonLinesReader()
