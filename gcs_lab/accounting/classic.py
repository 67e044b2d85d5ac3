"""The classic accounting file of Sun Grid Engine and its relatives, at the speed of polars' CSV reader.

A block of lines is parsed at once, leniently. Four cheap facts then tell whether each of its lines was plain: there
are as many rows as lines; every number is there, finite and in range; the block has exactly as many separators as
plain lines would have (with the last field there, no line has too few, so none has too many); and it has no NUL
byte. Lines with more separators are tried once more, as if those were their category's. Only what is not plain then
goes through Python, line by line (:mod:`gcs_lab.accounting.classic_lines`). What fields there are, of which systems,
stands in :mod:`gcs_lab.accounting.classic_fields`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from gcs_lab.accounting.batch import Batch, Reject
from gcs_lab.accounting.classic_columns import COLON_BYTE, all_plain, is_plain, record_columns
from gcs_lab.accounting.classic_fields import (
    ALL_FIELDS,
    BESIDE,
    CATEGORY,
    FIELDS,
    LEAST_MILLISECOND,
    NUMBERS,
    TIMES,
    WIDTHS,
    field_schema,
)
from gcs_lab.accounting.classic_lines import Row, read_line
from gcs_lab.accounting.record_frame import no_records
from gcs_lab.accounting.tables import record_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy.typing as npt

    Indices = npt.NDArray[np.int64]

__all__ = ["ClassicReader", "as_records", "count_lines", "guess_width", "has_plain_shape", "lenient"]

_COLON, _NEWLINE, _HASH = b":\n#"
#: What a colon of a category is while the line is parsed: a control character that no text has.
_HIDDEN = 0x1E
#: More than these are no category's: two records in one line have at least 38 too many.
_MOST_COLONS = 30
#: So many lines, and bytes, are looked at to tell how many fields the lines of a block have.
_LOOK_LINES, _LOOK_BYTES = 40, 64 << 10


class ClassicReader:
    """Reads blocks of the classic file. It keeps nothing from one block to the next.

    The lines of one file may be of several relatives, as after an update. A block whose lines are nearly all of one
    kind is read fastest.
    """

    name = "classic"

    def read(self, block: bytes, offset: int) -> Batch:
        """Return the records in `block`, whole lines that begin at `offset` of the file. Raises nothing."""
        lines = count_lines(block)
        if not lines:
            return Batch(no_records(), [], 0)
        width = guess_width(block)
        raw = pl.DataFrame(lenient(block, width).collect())
        if has_plain_shape(block, len(raw), lines, width) and all_plain(raw):
            return Batch(as_records(raw, width), [], lines)
        look = _look_again(block, raw, lines, width)
        plain = np.ones(lines, dtype=bool)
        plain[look.numbers] = False
        # One part after the other: frames, and the numbers of their lines.
        parts = [(as_records(raw.filter(pl.Series(plain)), width), np.flatnonzero(plain))] if plain.any() else []
        left = look.numbers
        if (look.excess > 0).any():
            long, taken = _with_long_categories(block, look, width)
            parts.append((long, taken))
            left = np.setdiff1d(left, taken)
        odd = _read_lines(block, look, left, offset)
        parts.append((_as_records_of_rows(odd.rows), np.array(odd.places, dtype=np.int64)))
        return Batch(_in_order(parts), odd.rejects, lines)


def count_lines(block: bytes) -> int:
    """Return how many lines `block` has; the last one may lack its newline."""
    # Several times faster than bytes.count, which stops at each newline.
    newlines = np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == _NEWLINE)
    return int(newlines) + (not block.endswith(b"\n") and bool(block))


def guess_width(block: bytes) -> int:
    """Return how many fields most of the first lines have."""
    widths: Counter[int] = Counter()
    for line in block[:_LOOK_BYTES].split(b"\n", _LOOK_LINES)[:_LOOK_LINES]:
        fields = line.split(b":", len(FIELDS))
        count = line.count(b":") + 1
        # A category with colons makes as many fields as a wider record has, but no numbers where that has some.
        if count in WIDTHS and (count <= len(FIELDS) or fields[len(FIELDS) - 1].isdigit()):
            widths[count] += 1
    return widths.most_common(1)[0][0] if widths else len(FIELDS)


def lenient(block: bytes, width: int) -> pl.LazyFrame:
    """Return the raw fields of `block`; what is not of its column's type is null, what is too many is left out."""
    if width > len(FIELDS) and b"\xff" in block:
        block = block.replace(b"\xff", COLON_BYTE.encode())
    options: dict[str, Any] = {"missing_columns": "insert", "extra_columns": "ignore"}
    return pl.scan_csv(
        block,
        separator=":",
        has_header=False,
        quote_char=None,
        schema=field_schema(ALL_FIELDS[:width]),
        null_values="NONE",
        ignore_errors=True,
        encoding="utf8-lossy",
        **options,
    )


def has_plain_shape(block: bytes, rows: int, lines: int, width: int) -> bool:
    """Tell whether `block` can be of plain lines only: one row a line, no NUL, no comment, all separators there.

    If besides every row has its numbers, each line has exactly `width` fields.
    """
    if rows != lines or b"\0" in block:
        return False
    # The first test is many times faster, and mostly enough.
    if b"#" in block and (block.startswith(b"#") or b"\n#" in block):
        return False
    array = np.frombuffer(block, dtype=np.uint8)
    if int(np.count_nonzero(array == _COLON)) != lines * (width - 1):
        return False
    # A number at the end is missing where a line is too short; of words that cannot be told, so that each is counted.
    return ALL_FIELDS[width - 1] in NUMBERS or bool((_excess(array, _starts(array, lines), width) == 0).all())


def _starts(array: npt.NDArray[np.uint8], lines: int) -> Indices:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.flatnonzero(array == _NEWLINE) + 1))[:lines]


def _excess(array: npt.NDArray[np.uint8], starts: Indices, width: int) -> Indices:
    return np.asarray(np.add.reduceat(array == _COLON, starts, dtype=np.int64) - (width - 1))


def as_records(raw: pl.DataFrame, width: int, columns: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Return the record `columns` (None: all) of plain rows of raw fields, TIMES among them."""
    latest = raw.select(pl.max_horizontal(pl.col(name).max() for name in TIMES)).item() if len(raw) else None
    made = record_columns(width, milliseconds=(latest or 0) >= LEAST_MILLISECOND, columns=columns)
    # Not select alone: of columns that all are null throughout it would make one row.
    return raw.with_columns(made).select(record_schema().names() if columns is None else columns)


def _as_records_of_rows(rows: Sequence[Row]) -> pl.DataFrame:
    schema = pl.Schema({**field_schema(), BESIDE: pl.String()})
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.select(record_columns(len(ALL_FIELDS), milliseconds=True, from_python=True))


def _in_order(parts: Sequence[tuple[pl.DataFrame, Indices]]) -> pl.DataFrame:
    filled = [part for part in parts if len(part[0])]
    if len(filled) < 2:  # noqa: PLR2004
        return filled[0][0] if filled else no_records()
    places = pl.Series("place", np.concatenate([part[1] for part in filled]))
    return pl.concat([part[0] for part in filled]).with_columns(places).sort("place").drop("place")


class _Look(NamedTuple):
    """Where each line begins and ends; the numbers of those that need a second look.

    ``excess``: how many separators each of these has too many, if its category may be the reason; else 0.
    """

    starts: Indices
    ends: Indices
    numbers: Indices
    excess: Indices


def _look_again(block: bytes, raw: pl.DataFrame, lines: int, width: int) -> _Look:
    array = np.frombuffer(block, dtype=np.uint8)
    starts = _starts(array, lines)
    ends = np.append(starts[1:], len(block))
    excess = _excess(array, starts, width)
    damaged = array[starts] == _HASH
    if b"\0" in block:
        damaged |= np.add.reduceat(array == 0, starts, dtype=np.int64) > 0
    odd = damaged | (excess != 0)
    if len(raw) == lines:
        odd |= ~raw.select(is_plain(raw.schema).fill_null(value=False)).to_series().to_numpy()
    else:
        odd[:] = True
    excess[damaged | (excess > _MOST_COLONS)] = 0
    return _Look(starts, ends, np.flatnonzero(odd), np.maximum(excess[odd], 0))


def _with_long_categories(block: bytes, look: _Look, width: int) -> tuple[pl.DataFrame, Indices]:
    """Return the records whose categories have colons of their own, and the numbers of their lines.

    The colons that are too many behind the 39th field are hidden, and the lines are parsed again. What is not plain
    then is left to Python.
    """
    few = look.excess > 0
    numbers, excess = look.numbers[few], look.excess[few]
    lines = zip(look.starts[numbers].tolist(), look.ends[numbers].tolist(), strict=True)
    array = np.frombuffer(bytearray(b"".join([block[start:end] for start, end in lines])), dtype=np.uint8)
    colons = np.flatnonzero(array == _COLON)
    each = excess + width - 1
    which = np.arange(len(colons)) - np.repeat(np.cumsum(each) - each, each)
    array[colons[(which >= CATEGORY) & (which < CATEGORY + np.repeat(excess, each))]] = _HIDDEN
    raw = lenient(array.tobytes(), width).collect()
    if len(raw) != len(numbers) or bytes([_HIDDEN]) in block:
        return no_records(), numbers[:0]
    plain = raw.select(is_plain(raw.schema).fill_null(value=False)).to_series()
    shown = pl.col("category").str.replace_all(chr(_HIDDEN), ":", literal=True)
    return as_records(raw.filter(plain).with_columns(shown), width), numbers[plain.to_numpy()]


class _Odd(NamedTuple):
    """Values of the records among odd lines, their places, and the rejects."""

    rows: list[Row]
    places: list[int]
    rejects: list[Reject]


def _read_lines(block: bytes, look: _Look, numbers: Indices, offset: int) -> _Odd:
    odd = _Odd([], [], [])
    starts, ends = look.starts[numbers].tolist(), look.ends[numbers].tolist()
    for number, start, end in zip(numbers.tolist(), starts, ends, strict=True):
        line = block[start:end]
        found = read_line(line)
        if isinstance(found, str):
            odd.rejects.append(Reject.of(line, offset + start, number, found))
        elif found is not None:
            odd.rows.append(found)
            odd.places.append(number)
    return odd
