"""Parse many JSON records at once with pyarrow, and find those lines on which it gives up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import polars as pl

from gcs_lab.accounting.json_columns import COUNTS, EUSAGE, REQUIRED, RUSAGE, arrow_schema, flat_schema
from gcs_lab.accounting.record_frame import as_more

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

__all__ = ["parse_block", "parse_lines"]

#: What to do with a field that no version is known to write.
_Mode = Literal["error", "infer"]
_MODES: tuple[_Mode, ...] = ("error", "infer")
#: Longer lines are not given to pyarrow: its parser recurses, and objects nested deep enough end the process.
_LONG = 1 << 14
#: So many lines cost as much, read one by one, as one more call of the fast parser.
_FEW = 64
_ROW = re.compile(r"in row (\d+)")
_NUMBER = re.compile(r"couldn't parse:(.+)")
_TWO_OBJECTS = re.compile(rb"\}\s*\{")


def parse_block(block: bytes, count: int) -> pl.DataFrame | None:
    """Return the flat frame of `count` lines of which each is a good record; None if one is not.

    Every line must begin with ``{`` and end with ``}``, so that no object can span lines, and be UTF-8.
    """
    for mode in _MODES:
        if mode == "infer" and max(map(len, block.split(b"\n"))) > _LONG:
            return None
        try:
            flat = _flat(_table(block, mode), count)
        except (ValueError, pl.exceptions.PolarsError):
            continue
        if flat is not None:
            return flat if all(flat[name].null_count() == 0 for name in REQUIRED) else None
    return None


def parse_lines(lines: Sequence[bytes]) -> tuple[pl.DataFrame | None, list[int]]:
    """Return the flat frame of those of `lines` that are good records, in order, and the indices of all others.

    The others may be records too: they must be looked at one by one. The frame is None if there is no good one.
    """
    odd = {i for i, line in enumerate(lines) if len(line) > _LONG}
    while True:
        good = [i for i in range(len(lines)) if i not in odd]
        if not good:
            return None, sorted(odd)
        block = b"\n".join(lines[i] for i in good)
        if (flat := parse_block(block, len(good))) is not None:
            return flat, sorted(odd)
        incomplete = _without_a_key(block, len(good))
        found = incomplete or _odd_ones([lines[i] for i in good])
        if not found:  # each of them is good, but they do not agree on the type of a field
            found = set(range(min(len(good), _FEW)))
        odd |= {good[i] for i in found}


def _table(block: bytes | pa.Buffer, mode: _Mode) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    # One piece in one thread: several blocks are read at once.
    return arrow_json.read_json(
        pa.BufferReader(block),
        arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
        arrow_json.ParseOptions(explicit_schema=arrow_schema(), unexpected_field_behavior=mode),
    )


def _flat(table: pa.Table, count: int) -> pl.DataFrame | None:
    """Return the flat frame of a parsed table; None if it has other than `count` rows or types that JSON has not."""
    if table.num_rows != count:
        return None
    known = arrow_schema().names
    frame = pl.DataFrame(pl.from_arrow(table))
    usage = pl.col("usage").struct
    older = usage.field("usage").struct
    flat = frame.select(
        *(pl.col(name) for name in known if name != "usage"),
        *(usage.field("rusage").struct.field(name) for name in RUSAGE),
        *(pl.coalesce(usage.field("eusage").struct.field(name), older.field(name)).alias(name) for name in EUSAGE),
    )
    extra: list[pl.Expr] = [pl.col(name) for name in table.column_names if name not in known]
    for part in table.schema.field("usage").type:
        expected = {"rusage": RUSAGE, "eusage": EUSAGE, "usage": EUSAGE}.get(part.name)
        if expected is None:
            extra.append(usage.field(part.name))
        else:
            extra += [usage.field(part.name).struct.field(f.name) for f in part.type if f.name not in expected]
    if not extra:
        return flat.with_columns(extra=pl.lit(None, dtype=pl.String)).select(flat_schema().names())
    others = frame.select(extra)  # the same name in two places: DuplicateError, and the lines are read one by one
    if not all(_is_plain(kind) for kind in others.dtypes):
        return None
    texts = [as_more(kept) if (kept := _present(row)) else None for row in others.iter_rows(named=True)]
    return flat.with_columns(pl.Series("extra", texts, dtype=pl.String)).select(flat_schema().names())


def _is_plain(kind: object) -> bool:
    """Say whether a column's values are what stood in the file (a date, say, would be written in another way)."""
    if isinstance(kind, pl.Struct):
        return all(_is_plain(field.dtype) for field in kind.fields)
    return kind in {pl.Int64, pl.Float64, pl.String, pl.Boolean}


def _present(values: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in values.items():
        kept = _present(value) if isinstance(value, dict) else value
        if kept is not None and kept != {}:
            found[name] = kept
    return found


def _without_a_key(block: bytes, count: int) -> set[int]:
    """Return the lines that are well-formed but lack a field that every record has; none if they cannot be parsed."""
    for mode in _MODES:
        try:
            flat = _flat(_table(block, mode), count)
        except (ValueError, pl.exceptions.PolarsError):
            continue
        if flat is not None:
            missing = flat.select(pl.any_horizontal(pl.col(name).is_null() for name in REQUIRED)).to_series()
            return set(missing.arg_true().to_list())
    return set()


def _odd_ones(lines: Sequence[bytes]) -> set[int]:
    """Return the lines that pyarrow cannot parse: it stops at the first, and what follows is tried again."""
    import pyarrow as pa

    buffer = pa.py_buffer(b"\n".join([*lines, b""]))
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    odd: set[int] = set()
    mode: _Mode = "error"
    first, window = 0, len(lines)
    while first < len(lines):
        last = min(first + window, len(lines))
        piece = buffer.slice(starts[first], starts[last] - starts[first])
        try:
            rows = _table(piece, mode).num_rows
        except ValueError as error:
            if "unexpected field" in str(error) and mode == "error":
                mode = "infer"
                continue
            found = _blamed(str(error), lines, first, last)
            if found is None and last - first > _FEW:
                window = max(_FEW, (last - first) // 4)
                continue
            close = found is None or found - first < _FEW
            stop = last if found is None else found + 1
            # Where they stand close together, the lines between are quicker read one by one.
            odd.update(range(first, stop) if close else (stop - 1,))
            first, window = stop, len(lines)
            continue
        if rows != last - first:
            odd.update(i for i in range(first, last) if _TWO_OBJECTS.search(lines[i]))
        first, window = last, len(lines)
    return odd


def _blamed(message: str, lines: Sequence[bytes], first: int, last: int) -> int | None:
    """Return the line of which pyarrow's message speaks; None if it does not say which."""
    if (row := _ROW.search(message)) and first + int(row[1]) < last:
        return first + int(row[1])
    if number := _NUMBER.search(message):
        name = "|".join(COUNTS).encode()
        pattern = re.compile(rb'"(?:' + name + rb')"\s*:\s*' + re.escape(number[1].encode()) + rb"\s*[,}]")
        return next((i for i in range(first, last) if pattern.search(lines[i])), None)
    return None
