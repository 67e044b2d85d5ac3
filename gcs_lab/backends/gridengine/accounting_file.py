"""Find jobs in the accounting file, reading each of its bytes at most once."""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.accounting_record import AccountingRecord, parse_record

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["AccountingFile"]

_CHUNK = 4 << 20
#: How far back a job is looked for: some 600,000 records, and 80 MB of memory for where they are.
_BACKWARDS = 256 << 20
_JSON_NUMBER = re.compile(rb'"job_number":\s*(\d+)')
_NUMBER_FIELD = 5


class AccountingFile:
    """The accounting file of one cell, which grows, and may be rotated or truncated at any time.

    What is read first is its end, where the jobs that someone waits for stand; older parts are read only when a job
    is asked for that was not found yet. Kept in memory is where each job's last record begins, nothing else.

    Parameters
    ----------
    folder
        The cell's ``common`` folder; ``accounting.jsonl`` (OCS) is taken before ``accounting``.
    """

    def __init__(self, folder: Path) -> None:
        self._candidates = (folder / "accounting.jsonl", folder / "accounting")
        self._lock = threading.Lock()
        self._identity: tuple[str, int] | None = None
        self._offsets: dict[str, int] = {}
        self._low = self._high = self._oldest = 0

    def find(self, job_ids: Collection[str]) -> dict[str, AccountingRecord]:
        """Return the last record of each of `job_ids` that has one; a job that ran twice has two.

        Raises
        ------
        OSError
            If there is no file that we may read.
        """
        with self._lock, self._open() as file:
            self._read_what_was_appended(file)
            while self._low > self._oldest and any(job_id not in self._offsets for job_id in job_ids):
                self._read_what_is_before(file)
            found = {}
            for job_id in job_ids:
                offset = self._offsets.get(job_id)
                if offset is not None:
                    file.seek(offset)
                    record = parse_record(file.readline().decode("utf-8", "replace"))
                    if record is not None and record.job_id == job_id:
                        found[job_id] = record
            return found

    def _open(self) -> BinaryIO:
        for path in self._candidates[:-1]:
            try:
                return path.open("rb")
            except FileNotFoundError:
                continue
        return self._candidates[-1].open("rb")

    def _read_what_was_appended(self, file: BinaryIO) -> None:
        size = file.seek(0, 2)
        identity = (file.name, os.fstat(file.fileno()).st_ino)
        if identity != self._identity or size < self._high:
            # New, rotated or truncated.
            self._identity = identity
            self._offsets.clear()
            self._low = self._high = _line_start(file, size)
            self._oldest = max(0, size - _BACKWARDS)
        while self._high < size:
            file.seek(self._high)
            chunk = file.read(_CHUNK)
            end = chunk.rfind(b"\n") + 1  # a torn last line is read again when it is whole
            if not end:
                break
            for offset, job_id in _job_ids(chunk[:end], self._high):
                self._offsets[job_id] = offset
            self._high += end

    def _read_what_is_before(self, file: BinaryIO) -> None:
        start = _line_start(file, max(0, self._low - _CHUNK))
        if start >= self._low:  # a line longer than a chunk: it is no record
            start = 0
        file.seek(start)
        older = {job_id: offset for offset, job_id in _job_ids(file.read(self._low - start), start)}
        for job_id, offset in older.items():
            self._offsets.setdefault(job_id, offset)
        self._low = start


def _line_start(file: BinaryIO, near: int) -> int:
    """Return where the first line begins at or after `near`, or, at the file's end, the torn line's beginning."""
    if near <= 0:
        return 0
    size = file.seek(0, 2)
    back = min(near, 1 << 16)
    if near >= size:
        file.seek(near - back)
        return near - back + file.read(back).rfind(b"\n") + 1
    file.seek(near - 1)
    file.readline()
    return file.tell()


def _job_ids(block: bytes, start: int) -> list[tuple[int, str]]:
    found = []
    offset = start
    for line in block.split(b"\n"):
        if line.startswith(b"{"):
            match = _JSON_NUMBER.search(line)
            number = match[1] if match else b""
        else:
            fields = line.split(b":", _NUMBER_FIELD + 1)
            number = fields[_NUMBER_FIELD] if len(fields) > _NUMBER_FIELD else b""
        if number.isdigit():
            found.append((offset, number.decode()))
        offset += len(line) + 1
    return found
