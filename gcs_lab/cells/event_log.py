"""Reads a job's event log as it grows (docs/event-log.md)."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

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


class EventLog:
    """A cursor on an event log that may be written at this moment, on another host.

    Attributes
    ----------
    position
        Bytes read and understood so far.
    damaged
        Lines that were no events (torn by a crash, or by a disk that was full); they are skipped.
    generation
        How often the file was found replaced or cut short; each time it is read from its start again.

    Parameters
    ----------
    path
        The file ``events.jsonl``; large parts of displays lie in ``files/`` beside it.
    patience_seconds
        How long zero bytes are taken for text that a network file system has not shown yet, before they count
        as damage.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience_seconds: float = 10.0) -> None:
        self.path = Path(path)
        self.position = 0
        self.damaged = 0
        self.generation = 0
        self._patience = patience_seconds
        self._inode: int | None = None
        self._blank_since: float | None = None

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
        # It is opened anew each time: that is when a network file system looks for what another host has written.
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        try:
            self._notice_replacement(descriptor)
            data = self._whole_lines(descriptor, limit_bytes)
        finally:
            os.close(descriptor)
        self.position += len(data)
        return [event for line in data.split(b"\n") if line and (event := self._event(line)) is not None]

    def _notice_replacement(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        replaced = self._inode not in (None, status.st_ino) or status.st_size < self.position
        # A log cut short and grown again is known by what stands before the place reached: always a line's end.
        if not replaced and self.position:
            replaced = os.pread(descriptor, 1, self.position - 1) != b"\n"
        if replaced:
            self.position, self._blank_since = 0, None
            self.generation += 1
        self._inode = status.st_ino

    def _whole_lines(self, descriptor: int, limit: int) -> bytes:
        data = os.pread(descriptor, limit, self.position)
        pieces = [data]
        while data and b"\n" not in data:
            data = os.pread(descriptor, limit, self.position + sum(map(len, pieces)))
            pieces.append(data)
        data = b"".join(pieces)
        return self._without_unseen(data[: data.rfind(b"\n") + 1])

    def _without_unseen(self, data: bytes) -> bytes:
        """Hold back lines with zero bytes for a while: pages that were written and not yet seen read as zeros."""
        blank = data.find(b"\0")
        if blank < 0:
            self._blank_since = None
            return data
        kept = data[: data.rfind(b"\n", 0, blank) + 1]
        now = time.monotonic()
        if kept or self._blank_since is None:
            self._blank_since = now
        elif now - self._blank_since >= self._patience:
            self._blank_since = None
            return data
        return kept

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
