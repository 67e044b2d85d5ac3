"""What the parts of a message from a browser may be, and whether a message has all that its kind needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "MOST_KEYS",
    "are_columns",
    "are_keys",
    "checked_message",
    "is_flag",
    "is_moment",
    "is_row_count",
    "is_sorting",
    "is_text",
    "is_whole",
    "list_of",
    "one_of",
]

#: Rows, columns and keys that one message may name, and characters of one text: more is no cockpit's.
_MOST_ROWS = 1_000
_MOST_COLUMNS = 100
MOST_KEYS = 100_000
_MOST_CHARACTERS = 10_000
#: Numbers that JavaScript has exactly.
_MOST = 2**53


def is_text(value: object) -> bool:
    """Tell whether it is a text that is not too long."""
    return isinstance(value, str) and len(value) <= _MOST_CHARACTERS


def is_flag(value: object) -> bool:
    """Tell whether it is true or false."""
    return isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Tell whether it is a whole number from 0 on that JavaScript has exactly."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST


def is_moment(value: object) -> bool:
    """Tell whether it is seconds since the epoch, or null."""
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MOST)


def one_of(*names: str) -> Callable[[object], bool]:
    """Return what tells whether a value is one of these texts."""
    return lambda value: isinstance(value, str) and value in names


def list_of(part: Callable[[object], bool], most: int) -> Callable[[object], bool]:
    """Return what tells whether a value is a list of such parts, of at most so many."""
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(part, value))


def is_row_count(value: object) -> bool:
    """Tell whether it is a count of rows that one window may have."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_ROWS


def _key(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 20 and value.isdecimal() and value.isascii()  # noqa: PLR2004


def are_keys(value: object) -> bool:
    """Tell whether it is a list of keys of rows."""
    return list_of(_key, MOST_KEYS)(value)


def are_columns(value: object) -> bool:
    """Tell whether it is a list of names of columns."""
    return list_of(is_text, _MOST_COLUMNS)(value)


def is_sorting(value: object) -> bool:
    """Tell whether it is a list of columns, each with its direction."""
    if not isinstance(value, list) or len(value) > _MOST_COLUMNS:
        return False
    order = one_of("ascending", "descending")
    return all(isinstance(part, list) and len(part) == 2 and is_text(part[0]) and order(part[1]) for part in value)  # noqa: PLR2004


def checked_message(message: object, kinds: Mapping[str, Mapping[str, Callable[[object], bool]]]) -> dict[str, Any]:
    """Return `message` if it is one of some kinds, with all the parts that its kind has to have.

    Parameters
    ----------
    message
        What came.
    kinds
        By kind: what tells of each part whether its value can be.

    Raises
    ------
    InvalidArgument
        If it is none; the text names the part that is wrong.
    """
    if not isinstance(message, dict):
        raise InvalidArgument(f"a message is {_short(message)}; expected an object with a `kind`.")
    kind = message.get("kind")
    parts = kinds.get(kind) if isinstance(kind, str) else None
    if parts is None:
        raise InvalidArgument(
            f"no message is of the kind {_short(kind)}; there are {', '.join(kinds)}. If the page is older than the "
            "kernel's gcs_lab, load it again."
        )
    for name, fits in parts.items():
        if name not in message or not fits(message[name]):
            raise InvalidArgument(
                f"`{name}` of the message {kind!r} is {_short(message.get(name))}, which cannot be. If the page is "
                "older than the kernel's gcs_lab, load it again."
            )
    return message


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"  # noqa: PLR2004
