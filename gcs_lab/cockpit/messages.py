"""What a browser may say to the host of a cockpit, and whether a message is one of those.

The other half of ``labextension/src/protocol/messages.ts``; docs/cockpit-protocol.md says when each is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.message_parts import (
    MOST_KEYS,
    are_columns,
    are_keys,
    checked_message,
    is_flag,
    is_moment,
    is_row_count,
    is_sorting,
    is_text,
    is_whole,
    list_of,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MOST_TARGETS", "PROTOCOL", "VIEWS", "check_message", "grid_of"]

PROTOCOL = 1
VIEWS = ("jobs", "queues", "queue_instances", "hosts")

#: Jobs that one action is done to.
MOST_TARGETS = 10_000

#: Bits of a request's number below those that tell which grid it is of.
_GRID_BITS = 32


def _job_id(value: object) -> bool:
    return is_text(value) and bool(value)


def _task(value: object) -> bool:
    return value is None or is_whole(value)


def _target(value: object) -> bool:
    return (
        isinstance(value, dict)
        and is_text(value.get("job_id"))
        and bool(value["job_id"])
        and _task(value.get("task"))
    )


def _targets(value: object) -> bool:
    return value == "matching" or list_of(_target, MOST_KEYS)(value)


def _fields(value: object) -> bool:
    return isinstance(value, dict) and all(is_text(name) and is_text(said) for name, said in value.items())


_VIEW = one_of(*VIEWS)
_STREAM = one_of("stdout", "stderr")
_ACTION: dict[str, Callable[[object], bool]] = {
    "id": is_whole,
    "action": is_text,
    "targets": _targets,
    "fields": _fields,
}

#: Parts of each kind of message; all of them have to be there.
_PARTS: dict[str, dict[str, Callable[[object], bool]]] = {
    "hello": {"protocol": is_whole},
    "view": {
        "view": _VIEW,
        "id": is_whole,
        "sort": is_sorting,
        "first": is_whole,
        "count": is_row_count,
        "columns": are_columns,
        "expanded": are_keys,
        "anew": is_flag,
    },
    "unview": {"view": _VIEW},
    "filter": {"text": is_text, "mine": is_flag},
    "replay": {"at": is_moment},
    "map": {"open": is_flag},
    "charts": {"names": are_columns},
    "details": {"id": is_whole, "job_id": _job_id, "task": _task},
    "close_details": {},
    "log": {"id": is_whole, "job_id": _job_id, "task": _task, "stream": _STREAM, "offset": is_whole},
    "plan": _ACTION,
    "act": _ACTION,
    "copy": {
        "id": is_whole,
        "view": _VIEW,
        "format": one_of("text", "csv", "qdel"),
        "keys": lambda value: value == "matching" or are_keys(value),
        "columns": are_columns,
    },
    "module": {"id": is_whole, "name": is_text},
    "visible": {"visible": is_flag},
}


def grid_of(message: Mapping[str, Any]) -> int:
    """Return which grid a message ``view`` or ``unview`` is of: requests of one grid differ in their last 32 bits."""
    number = message.get("id")
    return number >> _GRID_BITS if is_whole(number) and isinstance(number, int) else 0


def check_message(message: object) -> Mapping[str, Any]:
    """Return `message` if it is one that a browser may send.

    Raises
    ------
    InvalidArgument
        If it is none; the text names the part that is wrong.
    """
    return checked_message(message, _PARTS)
