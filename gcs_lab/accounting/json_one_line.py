"""Read one JSON record that is odd: a field of another type, a number in quotes, or no record at all."""

from __future__ import annotations

import json
import math
from typing import Any

from gcs_lab.accounting.json_columns import COUNTS, EUSAGE, FIELDS, REQUIRED, RUSAGE, WORDS
from gcs_lab.accounting.record_frame import as_more

__all__ = ["as_count", "as_double", "parse_line"]

_INT64 = 2**63


def parse_line(line: bytes) -> tuple[Any, ...] | str:
    """Return the values of a record, one for each of FIELDS and ``extra``; text: the reason why it is none."""
    try:
        found = json.loads(line.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError) as error:
        return f"expected a JSON object: {error}"
    if not isinstance(found, dict):
        return "expected a JSON object"
    extra: dict[str, Any] = {}
    values = _values(found, extra)
    missing = [name for name in REQUIRED if values.get(name) is None]
    if missing:
        return f"expected a record of accounting; it has no {' and no '.join(missing)}"
    try:
        rest = as_more(extra)
    except RecursionError:
        return "expected a record of accounting; its objects are nested too deeply"
    return (*(values.get(name) for name in FIELDS), rest)


def _values(found: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """Return the record's values by the fields' names; what is unexpected goes to `extra`."""
    values: dict[str, Any] = {}
    usage = found.pop("usage", None)
    _take(found, (*COUNTS, *WORDS), values, extra)
    if isinstance(usage, dict):
        for part, fields in (("rusage", RUSAGE), ("eusage", EUSAGE), ("usage", EUSAGE)):
            inside = usage.pop(part, None)
            if isinstance(inside, dict):
                _take(inside, fields, values, extra)
            elif inside is not None:
                extra[part] = inside
        extra |= {name: value for name, value in usage.items() if value is not None}
    elif usage is not None:
        extra["usage"] = usage
    return values


def _take(found: dict[str, Any], fields: tuple[str, ...], values: dict[str, Any], extra: dict[str, Any]) -> None:
    for name, value in found.items():
        if value is None:
            continue
        typed = _typed(name, value) if name in fields else None
        if typed is None:
            extra[name] = value
        else:
            values.setdefault(name, typed)


def _typed(name: str, value: Any) -> Any:
    if name in COUNTS:
        return as_count(value)
    if name in WORDS:
        if isinstance(value, (dict, list)):
            return None
        return str(value).encode("utf-8", "replace").decode()
    return as_double(value)


def as_double(value: Any) -> float | None:
    """Return a finite number, also of one in quotes; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_count(value: Any) -> int | None:
    """Return a whole number of 64 bits, also of one in quotes or with ``.0``; None for anything else."""
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            value = as_double(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_INT64 <= value < _INT64 else None
