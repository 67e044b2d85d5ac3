"""Times that people give: pandas' and Python's, days, "so long ago", and qacct's own ``[[CC]YY]MMDDhhmm[.SS]``."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any, NamedTuple

from gcs_lab.errors import InvalidArgument
from gcs_lab.status.filter_values import read_duration, read_moment

__all__ = ["Period", "period_of", "seconds_of"]

_QACCT = re.compile(r"(\d\d)??(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?", re.ASCII)
#: qacct(1): without CC, a YY below this is of this century.
_CENTURY_TURN = 70
#: Seconds from the epoch that no record has: milliseconds that are taken for seconds.
_FAR = 1e11
_DAY = 86400.0
_EXPECTED = (
    'a day or a moment of it ("2026-11-01", "2026-11-01T08:30", "today"), how long ago ("7d", "12h"), a datetime, a '
    "pandas Timestamp, seconds since the epoch, or qacct's [[CC]YY]MMDDhhmm[.SS]"
)


class Period(NamedTuple):
    """From `begin`, to `end` (with it, where `closed`), in seconds since the epoch; None: without bound."""

    begin: float | None
    end: float | None
    closed: bool


def period_of(since: Any, until: Any, before: Any, days: float | None, now: float) -> Period:
    """Return the period that the keywords of a question say; :class:`gcs_lab.accounting.choice.Choice` names them.

    Raises
    ------
    InvalidArgument
        If one of them is no time, if all three of since, until and days are given (qacct ignores the days then), or
        if it would end before it begins.
    """
    if until is not None and before is not None:
        raise InvalidArgument("until= and before= are two ends of one time; give one of them.")
    begin = None if since is None else seconds_of("since", since, now)[0]
    end, closed = _end_of(until, before, now)
    if days is not None:
        if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days * _DAY < _FAR:
            raise InvalidArgument(f"days={days!r}: expected a number of days, 0 or more.")
        if begin is not None and end is not None:
            raise InvalidArgument(
                "since=, until= and days= together say too much (qacct would ignore the days); leave one out."
            )
        span = days * _DAY
        if begin is not None:
            end, closed = begin + span, True
        elif end is not None:
            begin = end - span
        else:
            begin = float(math.floor(now)) - span
    if begin is not None and end is not None and end < begin:
        raise InvalidArgument(f"the time ends before it begins: since={since!r}, until={until or before!r}.")
    return Period(begin, end, closed)


def _end_of(until: Any, before: Any, now: float) -> tuple[float | None, bool]:
    if before is not None:
        return seconds_of("before", before, now)[0], False
    if until is None:
        return None, True
    begin, end = seconds_of("until", until, now)
    # Of a day, or a month, all of it is meant.
    return (begin, True) if end is None else (end, False)


def seconds_of(word: str, value: Any, now: float) -> tuple[float, float | None]:
    """Return the seconds since the epoch of a time, and of a whole day or month its end, else None.

    Raises
    ------
    InvalidArgument
        If it is no time; `word` is the keyword it was given for.
    """
    if isinstance(value, str):
        return _of_text(word, value.strip(), now)
    if isinstance(value, datetime):  # pandas' Timestamp is one
        if value != value:  # noqa: PLR0124 - NaT
            raise InvalidArgument(f"{word}={value!r} is no time; expected {_EXPECTED}.")
        return value.timestamp() if value.tzinfo is not None else _local(value), None
    if isinstance(value, date):
        begin, end = read_moment(value.isoformat(), now) or (math.nan, math.nan)
        return begin, end
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _FAR:
        return float(value), None
    if hasattr(value, "astype") and hasattr(value, "item"):  # numpy
        made = value.astype("datetime64[us]").item() if "datetime64" in str(value.dtype) else value.item()
        if isinstance(made, datetime):  # numpy's times are UTC by convention
            return made.timestamp() if made.tzinfo else datetime.fromisoformat(
                f"{made.isoformat()}Z"
            ).timestamp(), None
        if isinstance(made, int | float):
            return seconds_of(word, made, now)
    raise InvalidArgument(f"{word}={value!r} is no time; expected {_EXPECTED}.")


def _local(value: datetime) -> float:
    return datetime(  # noqa: DTZ001 - of this process, as qacct reads it
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, fold=value.fold
    ).timestamp()


def _of_text(word: str, text: str, now: float) -> tuple[float, float | None]:
    span = read_duration(text, plain=False)
    if span is not None:
        return now - span, None
    if moment := read_moment(text, now):
        whole = text.lower() in {"today", "yesterday"} or not re.search(r"[Tt ]", text)
        return moment[0], moment[1] if whole else None
    match = _QACCT.fullmatch(text)
    if match is not None:
        century, short, *parts = match.groups()
        if century is not None and short is None:
            century, short = None, century
        year = datetime.fromtimestamp(now).year  # noqa: DTZ006 - local, as qacct
        if short is not None:
            year = int((century or ("20" if int(short) < _CENTURY_TURN else "19")) + short)
        try:
            month, day, hour, minute = (int(part) for part in parts[:4])
            made = datetime(year, month, day, hour, minute, int(parts[4] or 0))  # noqa: DTZ001
        except ValueError:
            pass
        else:
            return made.timestamp(), None
    hint = f" A day is written {text[:4]}-{text[4:6]}-{text[6:]}." if re.fullmatch(r"(19|20)\d{6}", text) else ""
    raise InvalidArgument(f"{word}={text!r} is no time; expected {_EXPECTED}.{hint}")
