"""Reads the values of a filter: numbers, memory, lengths of time, moments."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

__all__ = ["BYTES", "DURATION", "MOMENT", "read_boolean", "read_bytes", "read_duration", "read_moment", "read_number"]

#: What each kind of value looks like, for messages.
BYTES = "a number with K, M, G or T (powers of 1024) or k, m, g or t (powers of 1000), for example 4G"
DURATION = "a length of time such as 90s, 30m, 2h, 1d12h or 1:30:00"
MOMENT = "a day, or a moment of it, such as 2026-11-20, 2026-11-20T08:30, today or yesterday"

_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_BYTES = re.compile(
    r"(?P<number>\d{1,18}(?:\.\d{1,18})?)(?P<unit>[kKmMgGtT]?)(?P<binary>i?)(?P<bytes>[bB]?)", re.ASCII
)
_SPAN = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(weeks?|w|days?|d|hours?|h|min|m|sec|s)", re.ASCII)
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_CLOCK = re.compile(r"(?:(\d{1,12}):)?(\d{1,9}):(\d{1,9})", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d)(?::(\d\d)(?::(\d\d))?)?(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?)?", re.ASCII
)


def read_number(text: str) -> float | None:
    """Return the number that `text` says; None: it says none."""
    return float(text) if _NUMBER.fullmatch(text) else None


def read_bytes(text: str) -> float | None:
    """Return the bytes that `text` says; None: it says none.

    Units are Grid Engine's (``sge_types(1)``): ``4G`` and ``4GiB`` are 4 times 1024**3, ``4g`` is 4 times 1000**3.
    ``4GB`` could be either, and is none.
    """
    match = _BYTES.fullmatch(text)
    if match is None or (match["bytes"] and match["unit"] and not match["binary"]):
        return None
    if match["binary"] and not (match["unit"] and match["bytes"]):
        return None
    base = 1024 if match["unit"].isupper() or match["binary"] else 1000
    return float(match["number"]) * float(base ** " kmgt".index(match["unit"].lower() or " "))


def read_duration(text: str, *, plain: bool = True) -> float | None:
    """Return the seconds that `text` says; None: it says none.

    Parameters
    ----------
    text
        ``90s``, ``30m``, ``2h``, ``1d12h``, ``1w``; with `plain` also seconds without a unit, and ``1:30:00``.
    plain
        Whether those without a unit count.
    """
    if plain and _NUMBER.fullmatch(text) and not text.startswith("-"):
        return float(text)
    if plain and (clock := _CLOCK.fullmatch(text)):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return hours * 3600.0 + minutes * 60 + seconds
    total, end = 0.0, 0
    for span in _SPAN.finditer(text.lower()):
        if span.start() != end:
            return None
        total += float(span[1]) * _SECONDS[span[2][0]]
        end = span.end()
    return total if end and end == len(text) and math.isfinite(total) else None


def read_moment(text: str, now: float) -> tuple[float, float] | None:
    """Return when what `text` says begins and ends, in seconds since the epoch; None: it says no moment.

    A day is the whole day, ``2026-11`` the whole month, ``2026-11-20T08`` the whole hour. Without a zone (``Z``,
    ``+01:00``) it is local time of this process.
    """
    if text.lower() in {"today", "yesterday"}:
        midnight = (
            datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        )
        start = midnight if text.lower() == "today" else midnight - timedelta(days=1)
        return start.timestamp(), (start + timedelta(days=1)).timestamp()
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (None if part is None else int(part) for part in match.groups()[:6])
    zone = match["zone"]
    try:
        begin = datetime(year or 0, month or 0, day or 1, hour or 0, minute or 0, second or 0)  # noqa: DTZ001
        if zone is not None:
            begin = begin.replace(tzinfo=datetime.strptime("Z" if zone in "Zz" else zone, "%z").tzinfo)
        end = _end_of(begin, day, hour, minute, second)
        return begin.timestamp(), end.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _end_of(begin: datetime, day: int | None, hour: int | None, minute: int | None, second: int | None) -> datetime:
    if day is None:
        return begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    if hour is None:
        return begin + timedelta(days=1)
    if minute is None:
        return begin + timedelta(hours=1)
    return begin + (timedelta(minutes=1) if second is None else timedelta(seconds=1))


def read_boolean(text: str) -> bool | None:
    """Return what ``yes``, ``true``, ``no`` or ``false`` says; None: it is another word."""
    return {"yes": True, "true": True, "y": True, "no": False, "false": False, "n": False}.get(text.lower())
