"""Read accounting.jsonl, the records of OCS 9.x: one JSON object a line.

Whole blocks are parsed by pyarrow; only the lines on which it gives up are read one by one, so that a bad line costs
itself and not its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from gcs_lab.accounting.batch import Batch, Reject
from gcs_lab.accounting.json_blocks import parse_block, parse_lines
from gcs_lab.accounting.json_columns import flat_schema, json_records
from gcs_lab.accounting.json_one_line import parse_line
from gcs_lab.accounting.record_frame import no_records

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JsonLinesReader"]


class _Line(NamedTuple):
    number: int
    offset: int
    text: bytes


class JsonLinesReader:
    """Reads ``accounting.jsonl`` of OCS 9.0 to 9.2; see :class:`gcs_lab.accounting.batch.Batch` for what it makes.

    Every version is read alike: ``usage`` of 9.0.0 to 9.0.5 is ``eusage``; ``pe_taskid`` may be absent or ``NONE``;
    ``deleted_by``, ``ioops`` and ``maxpss`` may be missing. Fields that no version is known to write, the objects of
    usage patterns and a field of an unexpected type go to the column ``more``.
    """

    name = "accounting.jsonl of OCS 9.x"

    def read(self, block: bytes, offset: int) -> Batch:
        """Return the records in `block`, whole lines that begin at `offset` of the file. It never raises."""
        count = block.count(b"\n") + (not block.endswith(b"\n") and bool(block))
        if _looks_clean(block, count) and (flat := parse_block(block, count)) is not None:
            return Batch(json_records(flat), [], count)
        return _read_line_by_line(block, offset)


def _looks_clean(block: bytes, count: int) -> bool:
    """Say whether every line begins with ``{`` and ends with ``}``, so that no object can span lines."""
    if not block.startswith(b"{") or not block.endswith((b"}", b"}\n")) or block.count(b"}\n{") != count - 1:
        return False
    if b"\0" in block:
        return False
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_line_by_line(block: bytes, offset: int) -> Batch:
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    rejects: list[Reject] = []
    good: list[_Line] = []
    begin = offset
    for number, raw in enumerate(lines):
        line = raw.strip()
        if line and not line.startswith(b"#"):
            why = _not_an_object(line)
            if why is None:
                good.append(_Line(number, begin, line.decode("utf-8", "replace").encode()))
            else:
                rejects.append(Reject.of(raw, begin, number, why))
        begin += len(raw) + 1
    records = _sorted_out(good, rejects)
    return Batch(records, sorted(rejects, key=lambda reject: reject.line), len(lines))


def _not_an_object(line: bytes) -> str | None:
    if b"\0" in line:
        return "expected a JSON object, found binary data"
    if not line.startswith(b"{"):
        return "expected a JSON object that begins with {"
    return None if line.endswith(b"}") else "expected a JSON object; it is cut off"


def _sorted_out(lines: Sequence[_Line], rejects: list[Reject]) -> pl.DataFrame:
    """Return the records in `lines`, in order; what is none is added to `rejects`."""
    flat, odd = parse_lines([line.text for line in lines])
    rows: dict[int, tuple[Any, ...]] = {}
    for index in odd:
        line = lines[index]
        parsed = parse_line(line.text)
        if isinstance(parsed, str):
            rejects.append(Reject.of(line.text, line.offset, line.number, parsed))
        else:
            rows[index] = parsed
    frames = [] if flat is None else [flat]
    if rows:
        frames.append(pl.DataFrame(list(rows.values()), schema=flat_schema(), orient="row"))
    if not frames:
        return no_records()
    left_out = set(odd)
    order = pl.Series([*(i for i in range(len(lines)) if i not in left_out), *rows], dtype=pl.UInt32)
    return json_records(pl.concat(frames)[order.arg_sort()])
