"""Reads a job's event log as it grows (docs/event-log.md)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from gcs_lab.cells.growing_file import GrowingFile

if TYPE_CHECKING:
    import os

__all__ = ["KNOWN_TYPES", "Event", "EventLog"]

#: The types of version 1; others are of a later version and are skipped.
KNOWN_TYPES = frozenset(
    {
        "started",
        "stream",
        "display",
        "update_display",
        "clear_output",
        "progress",
        "heartbeat",
        "result",
        "error",
        "outputs",
        "finished",
    }
)
_HASH = re.compile(r"[0-9a-f]{64}")


class Event(NamedTuple):
    """One event: its type, its number, its time (seconds since the epoch, the job's host's clock), and the rest."""

    type: str
    seq: int
    t: float
    body: dict[str, Any]


class EventLog(GrowingFile):
    """A cursor on an event log that may be written at this moment, on another host.

    Large parts of displays lie in ``files/`` beside it.

    Attributes
    ----------
    damaged
        Lines that were no events (torn by a crash, or by a disk that was full); they are skipped.

    Parameters
    ----------
    path
        The file ``events.jsonl``.
    patience_seconds
        How long zero bytes are taken for text that a network file system has not shown yet, before they count
        as damage.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience_seconds: float = 10.0) -> None:
        super().__init__(path, patience_seconds=patience_seconds)
        self.damaged = 0

    def read(self, limit_bytes: int = 4 << 20) -> list[Event]:
        """Return the events that came since the last call; none if the file is not there yet.

        Parameters
        ----------
        limit_bytes
            About how much to read at once; a single longer line is still read whole. Call again for the rest.

        Raises
        ------
        OSError
            If the file is there and cannot be read.
        """
        return [event for line in self.read_lines(limit_bytes) if (event := self._event(line)) is not None]

    def _event(self, line: bytes) -> Event | None:
        try:
            body = json.loads(line)
            event = Event(body.pop("type"), int(body.pop("seq")), float(body.pop("t")), body)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.damaged += 1
            return None
        return event if event.type in KNOWN_TYPES else None

    def resolve(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return `body` with the large parts of its ``data`` loaded from ``files/``.

        A part that cannot be had is left out, and ``text/plain`` says why: an output is shown as well as it can be.
        """
        data = body.get("data")
        if not isinstance(data, dict) or not any(_is_reference(part) for part in data.values()):
            return body
        loaded: dict[str, Any] = {}
        problems = []
        for mime, part in data.items():
            try:
                loaded[mime] = self._load(part) if _is_reference(part) else part
            except (OSError, ValueError) as error:
                problems.append(f"[the {mime} part of this output cannot be shown: {error}]")
        if problems:
            loaded["text/plain"] = "\n".join([str(loaded.get("text/plain", "")), *problems]).lstrip("\n")
        return {**body, "data": loaded}

    def _load(self, reference: dict[str, Any]) -> Any:
        name = reference["$file"]
        if not isinstance(name, str) or not _HASH.fullmatch(name):
            raise ValueError(f"{name!r} is no SHA-256 in lower-case hexadecimal")
        text = (self.path.parent / "files" / name).read_text(encoding="utf-8")
        return json.loads(text) if reference.get("encoding") == "json" else text


def _is_reference(part: object) -> bool:
    return isinstance(part, dict) and "$file" in part and set(part) <= {"$file", "encoding"}
