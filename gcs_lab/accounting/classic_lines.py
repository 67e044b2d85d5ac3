"""One classic line in Python: what is not plain enough for the columnar reader ends up here, line by line."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from gcs_lab.accounting.classic_fields import (
    ALL_FIELDS,
    CATEGORY,
    ESSENTIAL,
    FIELDS,
    LARGEST_MEMORY,
    LATEST_SECOND,
    MEMORY,
    NUMBERS,
    TIMES,
    WHOLE_NUMBERS,
    WIDTHS,
    field_schema,
)
from gcs_lab.accounting.record_frame import as_more

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Row", "read_line"]

#: The values of ALL_FIELDS and BESIDE, None where there is none.
Row = tuple["str | int | float | None", ...]

_WHOLE = re.compile(r" *[+-]?[0-9]{1,300}")
_FIGURE = re.compile(r" *[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DECIMALS = re.compile(r"[0-9]+\.[0-9]{6}")
_LOOSE = re.compile(r" *[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_NAME, _JOB, _ACCOUNT = (FIELDS.index(name) for name in ("job_name", "job_number", "account"))
_FIRST_FIGURE, _LAST_FIGURE = FIELDS.index("priority"), FIELDS.index("ru_nivcsw")
#: A line cut off after this field or later can be told from a name with colons, by the figures in between.
_AFTER_WORDS = _ACCOUNT
#: More separators than any record has; a line of nothing else would fill the memory with its pieces.
_MOST_SEPARATORS = 20_000
_MOST_COLONS_IN_NAMES = 50
_KEPT = 200
_KNOWN = f"{FIELDS[0]}:{FIELDS[1]}:…, {len(FIELDS)} fields of sge_accounting(5) (relatives have 43, 52, 54 or 55)"
_RANGES = {
    name: (-(2**31), 2**31) if type_.is_integer() and str(type_) == "Int32" else (-(2**63), 2**63)
    for name, type_ in field_schema().items()
    if name in WHOLE_NUMBERS
}


def read_line(line: bytes) -> Row | str | None:
    """Return the values in `line`, why it is no record, or None for a comment or an empty line.

    Colons are looked for in ``category`` first (39 fields before it, the rest after it), then in the job's name and
    account, which qsub of 8.1.9 refuses: the figures between them say which is which. What was cut off and has a
    whole record behind it on the same line is kept beside that record. Text that is not UTF-8 is replaced; Univa's
    0xFF is the ``:`` that it stands for.
    """
    if line.startswith(b"#") or not line.strip():
        return None
    if b"\0" in line:
        return f"there are NUL bytes in it; expected text: {_KNOWN}"
    if line.count(b":") > _MOST_SEPARATORS:
        return f"it has {line.count(b':') + 1:,} fields; expected {_KNOWN}"
    # What 0xFF means is known only when the fields are counted: U+DCFF stands for it until then.
    pieces = _pieces(line.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))
    return pieces if isinstance(pieces, str) else _row(*pieces)


def _pieces(line: str) -> tuple[list[str], str] | str:
    """Return the fields and what stands before them of another record, or why there are none."""
    tokens = line.split(":")
    if len(tokens) < WIDTHS[0]:
        return f"it has {len(tokens):,} fields; expected {_KNOWN}"
    # A line of 45 that was cut off in the 43rd has the fields of 6.1, but seldom the six decimals of its last.
    exact = len(tokens) in WIDTHS and (len(tokens) > WIDTHS[0] or bool(_DECIMALS.fullmatch(tokens[-1])))
    if exact and _fits(tokens):
        return tokens, ""
    for width in WIDTHS:
        cut = len(tokens) - width
        if cut > 0 and _run_together(tokens, cut):
            return tokens[cut:], ":".join(tokens[: cut + 1])
    # The widths of those that escape no colon.
    for width in (width for width in WIDTHS[1::-1] if width < len(tokens)):
        for fields in (_with_long_category(tokens, width), _with_long_names(tokens, width)):
            if fields is not None and _fits(fields):
                return fields, ""
    fault = _fault(tokens)
    if exact and fault is None:
        return tokens, ""  # some figure is none; the record is not lost for that
    return (fault if exact else None) or f"it has {len(tokens):,} fields; expected {_KNOWN}"


def _fits(fields: Sequence[str]) -> bool:
    """Tell whether all figures are figures, or empty, and the essential ones are there."""
    return _fault(fields) is None and all(
        _is_figure(name, text) for name, text in zip(ALL_FIELDS, fields, strict=False)
    )


def _is_figure(name: str, text: str) -> bool:
    if name not in NUMBERS or not text:
        return True
    return bool(_FIGURE.fullmatch(text) or _LOOSE.fullmatch(text))


def _fault(fields: Sequence[str]) -> str | None:
    """Return what is wrong with the essential fields."""
    for position, (name, text) in enumerate(zip(ALL_FIELDS, fields, strict=False), 1):
        if name in ESSENTIAL and not _WHOLE.fullmatch(text):
            return f"field {position} ({name}) is {text[:40]!r}; expected a whole number"
    return None


def _run_together(tokens: list[str], cut: int) -> bool:
    """Tell whether the last tokens are a whole record and the first `cut` the beginning of another, cut off."""
    rest = tokens[cut:]
    if not _fits(rest):
        return False
    # A job's name with colons looks the same as a record that was cut off before any of its figures.
    return cut > _AFTER_WORDS or rest[0].endswith(tokens[0])


def _with_long_category(tokens: list[str], width: int) -> list[str] | None:
    more = len(tokens) - width
    if more < 0:
        return None
    category = ":".join(tokens[CATEGORY : CATEGORY + more + 1])
    return [*tokens[:CATEGORY], category, *tokens[CATEGORY + more + 1 :]]


def _with_long_names(tokens: list[str], width: int) -> list[str] | None:
    """Return the fields if name, account and category share the colons that are too many."""
    more = len(tokens) - width
    if more > _MOST_COLONS_IN_NAMES:
        return None
    many = _LAST_FIGURE - _FIRST_FIGURE + 1
    for first in range(_FIRST_FIGURE, _FIRST_FIGURE + max(0, more) + 1):
        run = zip(FIELDS[_FIRST_FIGURE : _LAST_FIGURE + 1], tokens[first : first + many], strict=False)
        if not all(_is_figure(name, text) for name, text in run):
            continue
        # An account without a colon is likelier than one with: the job's number is looked for from the right.
        for job in range(first - 2, _JOB - 1, -1):
            if _WHOLE.fullmatch(tokens[job]):
                name, account = ":".join(tokens[_NAME:job]), ":".join(tokens[job + 1 : first])
                short = [*tokens[:_NAME], name, tokens[job], account, *tokens[first:]]
                fields = _with_long_category(short, width)
                if fields is not None and _fits(fields):
                    return fields
    return None


def _row(fields: list[str], before: str) -> Row:
    beside: dict[str, object] = {}
    colon = len(fields) > len(FIELDS)
    values: list[str | int | float | None] = []
    for name, raw in zip(ALL_FIELDS, fields, strict=False):
        text = raw.replace("\udcff", ":") if colon else raw
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if text in {"", "NONE"}:
            values.append(None)
        elif name in NUMBERS:
            value = _number(name, text)
            if value is None:
                beside[name] = text[:_KEPT]
            values.append(value)
        else:
            values.append(text)
    if before:
        beside["cut_off_before_it"] = before.encode("utf-8", "replace").decode()[:_KEPT]
    values += [None] * (len(ALL_FIELDS) - len(values))
    return (*values, as_more(beside))


def _number(name: str, text: str) -> int | float | None:
    """Return the number, None where there is none that the column can hold."""
    if name not in WHOLE_NUMBERS:
        figure = float(text) if _FIGURE.fullmatch(text) else math.nan
        limit = LARGEST_MEMORY if name in MEMORY else math.inf
        return figure if abs(figure) < limit else None
    if not _WHOLE.fullmatch(text):
        return None
    number = int(text)
    if name in TIMES and not 0 <= number <= 1000 * LATEST_SECOND:
        return None
    low, high = _RANGES[name]
    return number if low <= number < high else None
