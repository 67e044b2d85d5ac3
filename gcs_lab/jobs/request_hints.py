"""What a value that cannot be read was probably meant to say: ``4GB`` is ``4G``, ``1h`` is ``1:00:00``."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["hint", "meant_boolean", "meant_memory", "meant_number", "meant_time"]

# The counts of digits are bounded, as in gcs_lab.jobs.requests.
_NUMBER = r"\d{1,15}(?:[.,]\d{1,2})?"
_MEMORY = re.compile(rf"-?(?P<number>{_NUMBER})\s?(?P<unit>[kmgtp]?)(?:i?b(?:ytes?)?)?", re.ASCII | re.IGNORECASE)
_SPANS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SPAN = re.compile(
    rf"(?P<number>{_NUMBER})\s?(?P<unit>d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?![a-z])[\s,]?",
    re.ASCII | re.IGNORECASE,
)
#: Days as other systems write them: ``1-12:00:00`` (Slurm).
_DAYS = re.compile(r"(?P<d>\d{1,6})-(?P<h>\d{1,6})(?::(?P<m>\d{1,6}))?(?::(?P<s>\d{1,6}))?", re.ASCII)
_BOOLEANS = {"yes": "TRUE", "y": "TRUE", "on": "TRUE", "no": "FALSE", "n": "FALSE", "off": "FALSE", "none": "FALSE"}


def hint(meant: str | None) -> str:
    """Return the sentence that offers `meant`; nothing if it is None."""
    return f" Did you mean {meant}?" if meant else ""


def meant_memory(text: str) -> str | None:
    """Return the memory value that `text` probably means: ``"4GB"`` → ``"4G"``, ``"1,5g"`` → ``"1.5G"``."""
    match = _MEMORY.fullmatch(text.strip())
    if match is None:
        return None
    number, unit = match["number"].replace(",", "."), match["unit"].upper()
    if unit == "P":
        whole = Fraction(number) * 1024
        return f"{whole}T" if whole.denominator == 1 else None
    return number + unit if unit or "." not in number else None


def meant_time(text: str) -> str | None:
    """Return the time that `text` probably means: ``"1h"`` → ``"1:00:00"``, ``"1-12:00"`` → ``"36:00:00"``."""
    text = text.strip().removeprefix("-")
    if days := _DAYS.fullmatch(text):
        parts = {unit: int(days[unit] or 0) for unit in "dhms"}
        return _clock(sum(number * _SPANS[unit] for unit, number in parts.items()))
    total, rest = Fraction(0), text
    while rest:
        span = _SPAN.match(rest)
        if span is None:
            # `1h30` is half past one; a number alone has no unit to go by.
            minutes = re.fullmatch(r"\d{1,2}", rest, re.ASCII)
            if minutes is None or rest == text or total % 3600:
                return text if re.fullmatch(r"\d{1,9}(?::\d{1,2}){0,2}", text, re.ASCII) else None
            return _clock(int(total) + int(rest) * 60)
        total += Fraction(span["number"].replace(",", ".")) * _SPANS[span["unit"][0].lower()]
        rest = rest[span.end() :]
    return _clock(int(total)) if total else None


def meant_number(text: str) -> str | None:
    """Return the whole number that `text` begins with: ``"4G"`` → ``"4"``, ``"8 cores"`` → ``"8"``."""
    match = re.match(r"-?(\d{1,15})(?![\d.,])", text.strip(), re.ASCII)
    return match[1] if match else None


def meant_boolean(text: str) -> str | None:
    """Return ``TRUE`` or ``FALSE`` for another word that says so."""
    folded = text.strip().casefold()
    if folded in _BOOLEANS:
        return _BOOLEANS[folded]
    return "TRUE" if folded.startswith("t") else "FALSE" if folded.startswith("f") else None


def _clock(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"
