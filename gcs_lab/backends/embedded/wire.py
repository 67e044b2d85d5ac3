"""What client and scheduler say to each other: one JSON object a line, version 2. Nothing is pickled.

Question: ``{"v": 2, "do": "submit", "with": {…}}``. Answer: ``{"v": 2, "answer": …}`` or
``{"v": 2, "error": {"type": "InvalidState", "message": …}}``. What all versions understand is asked in version 1, so
that the scheduler of another version can be looked at and stopped.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

from gcs_lab import errors
from gcs_lab.errors import GcsError, Internal, UnknownName

__all__ = ["LONGEST_LINE", "TIMELESS", "VERSION", "decode", "describe_error", "encode", "peer_uid", "rebuild_error"]

VERSION = 2
#: Questions that are the same in all versions.
TIMELESS = frozenset({"about", "stop"})
#: A line of more bytes is no question.
LONGEST_LINE = 64 * 2**20


def encode(message: dict[str, Any]) -> bytes:
    """Return one line. All is ASCII, so that even names that are not valid Unicode pass unchanged."""
    version = 1 if message.get("do") in TIMELESS else VERSION
    return json.dumps({"v": version, **message}, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes, *, timeless: bool = False) -> dict[str, Any]:
    """Return the message of one line; `timeless`: it answers a question that all versions understand.

    Raises
    ------
    InvalidArgument
        If it is no message of this version.
    """
    try:
        message = json.loads(line)
    except ValueError:
        raise errors.InvalidArgument(f"a line is no JSON: {line[:80]!r}. Expected one JSON object a line.") from None
    version = message.get("v") if isinstance(message, dict) else None
    timeless = timeless or (isinstance(message, dict) and message.get("do") in TIMELESS)
    if version != VERSION and not (timeless and version == 1):
        raise errors.InvalidArgument(
            f"the other side speaks version {version!r} of the protocol, this side {VERSION}. After an upgrade of "
            "gcs_lab, stop the old scheduler (gcs-lab embedded stop; its jobs go on) and try again."
        )
    assert isinstance(message, dict)  # noqa: S101  (narrowed by the version)
    return message


def describe_error(error: GcsError) -> dict[str, Any]:
    """Return an error as data."""
    told: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    if isinstance(error, UnknownName):
        told["unknown"] = [error.kind, error.name, error.known]
    return told


def rebuild_error(told: dict[str, Any]) -> GcsError:
    """Return the error that :func:`describe_error` told of; one of an unknown type becomes ``Internal``."""
    if "unknown" in told:
        kind, name, known = told["unknown"]
        return UnknownName(kind, name, known, where="embedded")
    found = getattr(errors, str(told.get("type")), None)
    if not (isinstance(found, type) and issubclass(found, GcsError)) or found.__init__ is not GcsError.__init__:
        found = Internal
    return found(str(told.get("message")))


def peer_uid(connection: socket.socket) -> int:
    """Return the user id of the process at the other end (``SO_PEERCRED``, ``unix(7)``)."""
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(uid)
