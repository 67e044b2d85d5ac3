"""What a page says over its WebSocket: ``PageMessage`` of ``labextension/src/protocol/envelope.ts``, checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FACES", "PROTOCOL", "read_message"]

PROTOCOL = 1
FACES = ("panel", "cockpit", "explorer")
#: Numbers that JavaScript has exactly.
_LARGEST = 2**53 - 1
_LONGEST_FILTER = 10_000


def read_message(text: str | bytes) -> dict[str, Any]:
    """Return a message of a page, with all that its ``op`` needs.

    Raises
    ------
    InvalidArgument
        If it is none.
    """
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"a message is no JSON: {error}") from None
    if not isinstance(message, dict):
        raise InvalidArgument("a message is no object")
    op = message.get("op")
    check = _CHECKS.get(op) if isinstance(op, str) else None
    if check is None:
        raise InvalidArgument(f"a message has the op {str(op)[:40]!r}; there is: {', '.join(_CHECKS)}")
    check(message)
    return message


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _number(message: dict[str, Any], name: str) -> None:
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise InvalidArgument(f"{message['op']}: {name} is {str(value)[:40]!r}; expected a whole number from 0 on")


def _start(message: dict[str, Any]) -> None:
    _number(message, "protocol")
    _number(message, "seen")
    session = message.get("session")
    if session is not None and not isinstance(session, str):
        raise InvalidArgument("start: session is no text")
    if not isinstance(message.get("version"), str):
        raise InvalidArgument("start: version is no text")


def _open(message: dict[str, Any]) -> None:
    _number(message, "channel")
    if not isinstance(message.get("face"), str):
        raise InvalidArgument("open: face is no text")
    start = message.get("start")
    if not isinstance(start, dict) or not isinstance(start.get("cluster"), str):
        raise InvalidArgument("open: start names no cluster")
    if not isinstance(start.get("mine", False), bool):
        raise InvalidArgument("open: mine is neither true nor false")
    if not isinstance(start.get("wake", False), bool):
        raise InvalidArgument("open: wake is neither true nor false")
    filter_ = start.get("filter", "")
    if not isinstance(filter_, str) or len(filter_) > _LONGEST_FILTER:
        raise InvalidArgument("open: filter is no text, or too long")


def _say(message: dict[str, Any]) -> None:
    _number(message, "channel")
    if "message" not in message:
        raise InvalidArgument("say: there is no message")


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "start": _start,
    "open": _open,
    "say": _say,
    "close": lambda message: _number(message, "channel"),
    "seen": lambda message: _number(message, "seq"),
}
