"""When the first and the last record of a file of accounting ended: to tell whether two files hold the same jobs."""

from __future__ import annotations

import contextlib
import json
from functools import partial
from typing import TYPE_CHECKING

from gcs_lab.accounting.source_file import open_source
from gcs_lab.backends.gridengine.accounting_record import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["RecordEnds"]

_END = FIELDS.index("end_time")
#: Bytes at the end of a file that are looked through: some 800 records.
_TAIL = 1 << 18
_CHUNK = 1 << 22
_MICROSECONDS = 1e6


class RecordEnds:
    """Answers out of the files' first and last lines, once for each state of a file.

    Times are seconds since the epoch; None: there is no record in the file.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[Path, int], float] = {}
        self._last: dict[tuple[Path, int, int], float | None] = {}

    def first(self, path: Path) -> float | None:
        """Return when the first record ended. Raises OSError if the file cannot be read."""
        key = (path, path.stat().st_ino)
        if key not in self._first:
            with open_source(path) as file:
                found = next(_ends(file), None)
            if found is None:
                return None  # one may yet come
            self._first[key] = found
        return self._first[key]

    def last(self, path: Path) -> float | None:
        """Return when the last record ended. Raises OSError if the file cannot be read."""
        status = path.stat()
        key = (path, status.st_ino, status.st_size)
        if key not in self._last:
            self._last[key] = max(_ends(_tail(path).split(b"\n")), default=None)
        return self._last[key]


def _tail(path: Path) -> bytes:
    """Return the last bytes of what a file holds; of a compressed one they are known when all of it was read."""
    tail = b""
    with open_source(path) as file:
        if file.seekable():
            file.seek(max(0, file.seek(0, 2) - _TAIL))
        # Of one that is damaged, what is whole.
        with contextlib.suppress(OSError):
            for block in iter(partial(file.read, _CHUNK), b""):
                tail = (tail + block)[-_TAIL:]
    return tail


def _ends(lines: Iterable[bytes]) -> Iterator[float]:
    for line in lines:
        end = _end_of(line)
        if end is not None:
            yield end


def _end_of(line: bytes) -> float | None:
    """Return when a record ended; None for what is no record, or torn."""
    try:
        if line.startswith(b"{"):
            return float(json.loads(line)["end_time"]) / _MICROSECONDS
        return float(line.split(b":", _END + 1)[_END])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
