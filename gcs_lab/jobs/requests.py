"""Resource requests as batch systems write them: ``-l h_rt=1:00:00,h_vmem=4G``.

The syntax is that of POSIX ``qsub -l`` with Grid Engine's units (``complex(5)``, ``sge_types(1)``): memory
multipliers ``k m g t`` are powers of 1000 and ``K M G T`` of 1024; times are ``[[hours:]minutes:]seconds`` or a
plain number of seconds; both know ``INFINITY``.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.request_hints import hint, meant_memory, meant_time

__all__ = [
    "format_memory",
    "format_time",
    "parse_memory",
    "parse_requests",
    "parse_slots",
    "parse_time",
]

# The counts of digits are bounded: no cluster has more, and Python refuses to read thousands of them.
_MEMORY = re.compile(r"(?P<number>\d{1,30}(?:\.\d{1,30})?)(?P<unit>[kKmMgGtT]?)\Z", re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_TIME = re.compile(r"(?:(?:(?P<h>\d{0,18}):)?(?P<m>\d{0,18}):)?(?P<s>\d{0,18})\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][\w.\-]*\Z", re.ASCII)
_SLOTS = re.compile(r"(?P<least>\d{1,9})?(?P<dash>-)?(?P<most>\d{1,9})?\Z", re.ASCII)
#: What ``-pe smp 4-`` asks for at most.
_UNLIMITED_SLOTS = 9_999_999
_INFINITE = {"INFINITY", "INFINITE", "-1"}


def parse_memory(text: str) -> float:
    """Return the bytes that `text` says (``"4G"`` is 4294967296, ``"4g"`` is 4000000000).

    Raises
    ------
    InvalidArgument
        If it is no memory value.
    """
    if text.upper() in _INFINITE:
        return math.inf
    match = _MEMORY.match(text)
    if match is None:
        raise InvalidArgument(
            f"{text!r} is not a memory value. Expected a number with k, m, g, t (powers of 1000) or K, M, G, T "
            f"(powers of 1024) and nothing after it, for example 4G or 500M.{hint(meant_memory(text))}"
        )
    unit = match["unit"]
    base = 1024 if unit.isupper() else 1000
    return int(Fraction(match["number"]) * base ** _POWERS[unit.lower()])


def parse_time(text: str) -> float:
    """Return the seconds that `text` says (``"1:30:00"`` is 5400).

    Raises
    ------
    InvalidArgument
        If it is no time value.
    """
    if text.upper() in _INFINITE:
        return math.inf
    match = _TIME.match(text)
    if match is None or not any(match.groups()):
        raise InvalidArgument(
            f"{text!r} is not a time. Expected seconds, minutes:seconds or hours:minutes:seconds, for example "
            f"90, 1:30 or 2:00:00.{hint(meant_time(text))}"
        )
    hours, minutes, seconds = (int(match[part] or 0) for part in "hms")
    return hours * 3600 + minutes * 60 + seconds


def format_memory(size: float) -> str:
    """Return bytes as people read them: ``"1.5 GiB"``."""
    if math.isinf(size):
        return "unlimited"
    unit = "B"
    # 1023.5 would be written as 1024 of the smaller unit.
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1023.5:  # noqa: PLR2004
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 99.95 else f"{size:.1f} {unit}"  # noqa: PLR2004


def format_time(seconds: float) -> str:
    """Return a duration as people read it: ``"0.4 s"``, ``"12 s"``, ``"3:05"``, ``"1:02:03"``."""
    if math.isinf(seconds):
        return "unlimited"
    if seconds < 9.95:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, second = divmod(round(seconds), 60)
    if not minutes:
        return f"{second} s"
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _split(text: str) -> list[str]:
    """Split at commas that stand outside double or single quotes; the quotes go."""
    parts, current, quote = [], "", ""
    for char in text:
        if quote:
            if char == quote:
                quote = ""
            else:
                current += char
        elif char in "\"'":
            quote = char
        elif char == ",":
            parts.append(current)
            current = ""
        else:
            current += char
    if quote:
        raise InvalidArgument(f"-l {text}: a {quote} is opened and not closed.")
    return [*parts, current]


def parse_requests(text: str) -> dict[str, str]:
    """Return the requests of one ``-l`` value; a complex without ``=`` asks for ``TRUE``, as in qsub.

    Raises
    ------
    InvalidArgument
        If it is not of the form ``name=value,name=value``, or a value has characters no scheduler takes.
    """
    requests: dict[str, str] = {}
    last = ""
    for part in _split(text):
        name, equals, value = part.strip().partition("=")
        if not _NAME.match(name) or (equals and not value):
            # `h_vmem=1,5G`: a decimal comma, as half of the world writes it.
            decimal = last and re.match(r"\d{1,2}[a-zA-Z]{0,3}\Z", part) and re.search(r"=\d+\Z", last)
            comma = f" A comma begins the next request.{hint(f'{last}.{part}')}" if decimal else ""
            raise InvalidArgument(
                f"-l {text}: {part!r} is not a request. Expected name=value, for example -l h_rt=1:00:00,h_vmem=4G."
                f"{comma}"
            )
        last = part.strip()
        if any(not c.isprintable() or c.isspace() for c in value):
            raise InvalidArgument(
                f"-l {text}: the value {value!r} has white space or control characters, which no scheduler takes."
            )
        requests[name] = value if equals else "TRUE"
    return requests


def parse_slots(text: str) -> tuple[int, int]:
    """Return least and most of a slot range: ``4``, ``2-8``, ``2-``, ``-8`` (``qsub(1)``, -pe).

    Raises
    ------
    InvalidArgument
        If it is none.
    """
    match = _SLOTS.match(text)
    if match is None or not (match["least"] or match["most"]):
        raise InvalidArgument(f"-pe: {text!r} is no range of slots; expected for example 4, 2-8, 2- or -8.")
    least = int(match["least"] or 1)
    most = int(match["most"] or (_UNLIMITED_SLOTS if match["dash"] else least))
    if not 1 <= least <= most:
        raise InvalidArgument(f"-pe: {text!r} asks for {least} to {most} slots; expected 1 <= least <= most.")
    return least, most
