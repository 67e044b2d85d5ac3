"""What the values of templates must be, whatever the system: types, characters, sizes.

Each check takes the attribute's name and its value, returns the bytes that the value takes, and raises
InvalidArgument that names the attribute, the value and what was expected.
"""

from __future__ import annotations

import re
import reprlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import IntEnum

    Check = Callable[[str, Any], int]

__all__ = [
    "MOST_ENTRIES",
    "boolean",
    "enumeration",
    "listing",
    "mapping",
    "moment",
    "pattern",
    "refuse",
    "text",
    "whole_number",
]

#: Entries that a list or a mapping may have.
MOST_ENTRIES = 100_000
_LINE_BREAK = re.compile(r"[\0\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029]")
#: Grid Engine keeps times in 32 bits; what is later than this is a mistake anyway.
_LAST_YEAR = 2100
_FIRST_YEAR = 1970
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


def refuse(name: str, value: object, expected: str) -> InvalidArgument:
    """Return the error for a value that cannot work; `expected` says what can, and what to do."""
    try:
        shown = _short.repr(value)
    except Exception:  # a value of the user's own type may not even be printable
        shown = f"a {type(value).__name__}"
    return InvalidArgument(f"{name} is {shown}; expected {expected}")


def text(most: int, *, empty: bool = False, line_breaks: bool = False, control: bool = True) -> Check:
    """Return a check for text of at most `most` bytes of UTF-8.

    Parameters
    ----------
    most
        Bytes.
    empty
        Whether it may be empty.
    line_breaks
        Whether it may have more than one line.
    control
        Whether it may have other control characters (a tab).
    """
    forbidden = re.compile(r"\0") if line_breaks else _LINE_BREAK if control else _CONTROL

    def check(name: str, value: Any) -> int:
        if not isinstance(value, str):
            raise refuse(name, value, f"text, not a {type(value).__name__}.")
        if not value and not empty:
            raise refuse(name, value, "something; leave it out (None) if nothing is to be set.")
        try:
            size = len(value) if value.isascii() else len(value.encode())
        except UnicodeEncodeError:
            raise refuse(
                name, value, "text that can be written as UTF-8; it has half of a surrogate pair, as names of files "
                "have that are not in UTF-8. Rename the file, or mend the text."
            ) from None  # fmt: skip
        if size > most:
            raise refuse(name, value, f"{most} bytes at the most; it has {size}. Put long text into a file.")
        if found := forbidden.search(value):
            what = "a NUL character" if found[0] == "\0" else f"a line break or control character ({found[0]!r})"
            raise refuse(name, value, f"text without {what}, which no scheduler carries.")
        return size

    return check


def pattern(regex: re.Pattern[str], expected: str, most: int) -> Check:
    """Return a check for text that matches `regex` from its first character to its last."""
    check_text = text(most, control=False)

    def check(name: str, value: Any) -> int:
        size = check_text(name, value)
        if not regex.fullmatch(value):
            raise refuse(name, value, expected)
        return size

    return check


def boolean(name: str, value: Any) -> int:
    """Check True or False."""
    if not isinstance(value, bool):
        raise refuse(name, value, "True or False.")
    return 1


def whole_number(least: int, most: int, unit: str = "") -> Check:
    """Return a check for a whole number within bounds."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise refuse(name, value, f"a whole number from {least} to {most}{unit and ' ' + unit}.")
        return 8

    return check


def enumeration(kind: type[IntEnum]) -> Check:
    """Return a check for a member of an enumeration."""

    def check(name: str, value: Any) -> int:
        if not isinstance(value, kind):
            raise refuse(name, value, f"a member of {kind.__name__}, for example {kind.__name__}({max(kind).value}).")
        return 8

    return check


def moment(name: str, value: Any) -> int:
    """Check a date and time, aware or local."""
    if not isinstance(value, datetime):
        raise refuse(name, value, "a datetime (a naive one is this machine's local time).")
    try:
        year = value.astimezone().year
    except Exception:  # years 1 and 9999, and time zones of the user's own making
        year = 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise refuse(name, value, f"a time in the years {_FIRST_YEAR} to {_LAST_YEAR}.")
    return 8


def listing(check_entry: Check, *, empty: bool = False) -> Check:
    """Return a check for a list (or tuple) whose entries pass another check."""

    def check(name: str, value: Any) -> int:
        if not isinstance(value, list | tuple):
            hint = " A single text is no list: put it in brackets." if isinstance(value, str) else ""
            raise refuse(name, value, f"a list of texts, not a {type(value).__name__}.{hint}")
        if not value and not empty:
            raise refuse(name, value, "at least one entry; leave it out (None) if nothing is to be set.")
        _check_number(name, len(value))
        try:
            return sum([check_entry(name, entry) for entry in value])
        except InvalidArgument:
            # Only now it pays to say which one it is.
            for place, entry in enumerate(value):
                check_entry(f"{name}[{place}]", entry)
            raise

    return check


def mapping(check_key: Check, check_value: Check) -> Check:
    """Return a check for a dict whose keys and values pass other checks."""

    def check(name: str, value: Any) -> int:
        if not isinstance(value, dict):
            raise refuse(name, value, f"a dict of texts, not a {type(value).__name__}.")
        _check_number(name, len(value))
        try:
            return sum([check_key(name, key) + check_value(name, entry) for key, entry in value.items()])
        except InvalidArgument:
            for key, entry in value.items():
                check_key(f"a key of {name}", key)
                check_value(f"{name}[{key!r:.80}]", entry)
            raise

    return check


def _check_number(name: str, number: int) -> None:
    if number > MOST_ENTRIES:
        raise InvalidArgument(f"{name} has {number} entries; expected {MOST_ENTRIES} at the most.")
