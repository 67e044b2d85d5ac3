"""How the tasks of a sweep ended, as their runners wrote it: a line each, a file a host (docs/event-log.md)."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.growing_file import GrowingFile

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["EndLines", "end_in_log"]

_TAIL_BYTES = 1 << 16


class EndLines:
    """A cursor on the ``ends-<host>.jsonl`` files of a sweep's folder.

    Parameters
    ----------
    folder
        The sweep's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, GrowingFile] = {}
        #: Lines that could not be read, because a crash or a full disk cut them short.
        self.damaged = 0

    def read(self) -> list[dict[str, Any]]:
        """Return the ends that came since the last call, those of one host in order.

        Raises
        ------
        OSError
            If the folder is there and cannot be read.
        """
        try:
            names = [name for name in os.listdir(self._folder) if name.startswith("ends-")]  # noqa: PTH208  (hot)
        except FileNotFoundError:
            return []
        found: list[dict[str, Any]] = []
        for name in sorted(names):
            file = self._files.setdefault(name, GrowingFile(self._folder / name))
            while lines := file.read_lines():
                found += filter(None, map(self._end, lines))
        return found

    def _end(self, line: bytes) -> dict[str, Any] | None:
        try:
            end: dict[str, Any] = json.loads(line)
            if end["task"] >= 1 and end["round"] >= 1 and "exit_status" in end:
                return end
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        self.damaged += 1
        return None


def end_in_log(log: Path, after_try: int = 0) -> dict[str, Any] | None:
    """Return the last event of a task's own log if it tells its end: for a task whose line was lost.

    Parameters
    ----------
    log
        The log.
    after_try
        The number of the last try whose end is known already; of a later one it must be.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    try:
        event = json.loads(next(line for line in reversed(lines[:-1]) if line))
    except (StopIteration, ValueError):
        return None
    if not isinstance(event, dict) or event.get("type") != "finished":
        return None
    return event if not after_try or _last_try(log) > after_try else None


def _last_try(log: Path) -> int:
    """Return how often a task has started, by its log."""
    found = 0
    with log.open("rb") as file:
        for line in file:
            with contextlib.suppress(ValueError):
                event = json.loads(line) if b'"started"' in line else None
                if isinstance(event, dict) and event.get("type") == "started":
                    found = int(event.get("try") or found + 1)
    return found
