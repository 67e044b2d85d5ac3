"""What a browser may say to the host of a cockpit, and whether a message is one of those.

The other half of ``labextension/src/protocol/messages.ts``; docs/cockpit-protocol.md says when each is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MOST_TARGETS", "PROTOCOL", "VIEWS", "check_message", "grid_of"]

PROTOCOL = 1
VIEWS = ("jobs", "queues", "queue_instances", "hosts")

#: Jobs that one action is done to.
MOST_TARGETS = 10_000
#: Rows, columns and keys that one message may name, and characters of one text: more is no cockpit's.
_MOST_ROWS = 1_000
_MOST_COLUMNS = 100
_MOST_KEYS = 100_000
_MOST_CHARACTERS = 10_000
#: Numbers that JavaScript has exactly.
_MOST = 2**53

#: Bits of a request's number below those that tell which grid it is of.
_GRID_BITS = 32


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_CHARACTERS


def _job_id(value: object) -> bool:
    return _text(value) and bool(value)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST


def _task(value: object) -> bool:
    return value is None or _whole(value)


def _moment(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MOST)


def _one_of(*names: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in names


def _list_of(part: Callable[[object], bool], most: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(part, value))


def _rows(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_ROWS


def _key(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 20 and value.isdecimal() and value.isascii()  # noqa: PLR2004


def _keys(value: object) -> bool:
    return _list_of(_key, _MOST_KEYS)(value)


def _columns(value: object) -> bool:
    return _list_of(_text, _MOST_COLUMNS)(value)


def _sorting(value: object) -> bool:
    if not isinstance(value, list) or len(value) > _MOST_COLUMNS:
        return False
    order = _one_of("ascending", "descending")
    return all(isinstance(part, list) and len(part) == 2 and _text(part[0]) and order(part[1]) for part in value)  # noqa: PLR2004


def _target(value: object) -> bool:
    return (
        isinstance(value, dict) and _text(value.get("job_id")) and bool(value["job_id"]) and _task(value.get("task"))
    )


def _targets(value: object) -> bool:
    return value == "matching" or _list_of(_target, _MOST_KEYS)(value)


def _fields(value: object) -> bool:
    return isinstance(value, dict) and all(_text(name) and _text(said) for name, said in value.items())


_VIEW = _one_of(*VIEWS)
_STREAM = _one_of("stdout", "stderr")
_ACTION: dict[str, Callable[[object], bool]] = {"id": _whole, "action": _text, "targets": _targets, "fields": _fields}

#: Parts of each kind of message; all of them have to be there.
_PARTS: dict[str, dict[str, Callable[[object], bool]]] = {
    "hello": {"protocol": _whole},
    "view": {
        "view": _VIEW,
        "id": _whole,
        "sort": _sorting,
        "first": _whole,
        "count": _rows,
        "columns": _columns,
        "expanded": _keys,
        "anew": _flag,
    },
    "unview": {"view": _VIEW},
    "filter": {"text": _text, "mine": _flag},
    "replay": {"at": _moment},
    "map": {"open": _flag},
    "charts": {"names": _columns},
    "details": {"id": _whole, "job_id": _job_id, "task": _task},
    "close_details": {},
    "log": {"id": _whole, "job_id": _job_id, "task": _task, "stream": _STREAM, "offset": _whole},
    "plan": _ACTION,
    "act": _ACTION,
    "copy": {
        "id": _whole,
        "view": _VIEW,
        "format": _one_of("text", "csv", "qdel"),
        "keys": lambda value: value == "matching" or _keys(value),
        "columns": _columns,
    },
    "module": {"id": _whole, "name": _text},
    "visible": {"visible": _flag},
}


def grid_of(message: Mapping[str, Any]) -> int:
    """Return which grid a message ``view`` or ``unview`` is of: requests of one grid differ in their last 32 bits."""
    number = message.get("id")
    return number >> _GRID_BITS if _whole(number) and isinstance(number, int) else 0


def check_message(message: object) -> Mapping[str, Any]:
    """Return `message` if it is one that a browser may send.

    Raises
    ------
    InvalidArgument
        If it is none; the text names the part that is wrong.
    """
    if not isinstance(message, dict):
        raise InvalidArgument(f"a message is {_short(message)}; expected an object with a `kind`.")
    kind = message.get("kind")
    parts = _PARTS.get(kind) if isinstance(kind, str) else None
    if parts is None:
        raise InvalidArgument(
            f"no message is of the kind {_short(kind)}; there are {', '.join(_PARTS)}. If the page is older than the "
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
