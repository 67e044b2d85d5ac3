"""Find jobs in the accounting file, reading each of its bytes at most once."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from typing import TYPE_CHECKING, NamedTuple

from gcs_lab.backends.gridengine.accounting_record import FIELDS, AccountingRecord, parse_record
from gcs_lab.backends.gridengine.task_ends import TaskEnds
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["AccountingFile"]

_CHUNK = 4 << 20
#: How far back a job is looked for: some 600,000 records, and 80 MB of memory for where they are.
_BACKWARDS = 256 << 20
_JOB, _FAILED, _EXIT = FIELDS.index("job_number"), FIELDS.index("failed"), FIELDS.index("exit_status")
_PE, _TASK = FIELDS.index("granted_pe"), FIELDS.index("task_number")
_PE_TASK_FROM_THE_END = len(FIELDS) - FIELDS.index("pe_taskid")
_JSON = {
    name: re.compile(rb'"' + name.encode() + rb'":\s*"?(\w+)')
    for name in ("job_number", "task_number", "failed", "exit_status", "pe_taskid")
}
_NO_PE_TASK = {b"NONE", b""}


class _Entry(NamedTuple):
    offset: int
    job_id: str
    task: int
    failed: int
    exit_status: int


class AccountingFile:
    """The accounting file of one cell, which grows, and may be rotated or truncated at any time.

    What is read first is its end, where the jobs that someone waits for stand; older parts are read only when a job
    is asked for that was not found yet. Kept in memory is where each job's last record begins, and of array jobs 16
    bytes a task.

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
        self._arrays: dict[str, TaskEnds] = {}
        self._low = self._high = self._oldest = self._beginning = 0
        self._looked = False
        with contextlib.suppress(OSError), self._open() as file:
            self._read_what_was_appended(file)
        self._looked = True

    def find(self, job_ids: Collection[str], *, recent: bool = False) -> dict[str, AccountingRecord]:
        """Return the last record of each of `job_ids` that has one; a job that ran twice has two.

        A task is found by its own id (``"5.3"``); an array job as a whole has no record. `recent` says that none of
        them had ended when this object was made, so that nothing older is read.

        Raises
        ------
        OSError
            If there is no file that we may read.
        """
        with self._lock, self._open() as file:
            self._read_what_was_appended(file)
            places = self._places(job_ids)
            while self._low > self._end_of_search(recent=recent) and len(places) < len(job_ids):
                self._read_what_is_before(file)
                places = self._places(job_ids)
            records = _records(file, places.values())
            return {record.id: record for record in records if record.id in places}

    def tasks(self, array_id: str, enough: Callable[[TaskEnds], bool], *, recent: bool = False) -> TaskEnds:
        """Return how the tasks of an array job ended; older parts are read until `enough` says so.

        `recent` is as in :meth:`find`.

        Raises
        ------
        OSError
            As :meth:`find`.
        """
        with self._lock, self._open() as file:
            self._read_what_was_appended(file)
            ends = self._arrays.get(array_id, TaskEnds())
            while self._low > self._end_of_search(recent=recent) and not enough(ends):
                self._read_what_is_before(file)
                ends = self._arrays.get(array_id, TaskEnds())
            return ends

    def task_records(self, array_id: str) -> list[AccountingRecord]:
        """Return the last records of all tasks of an array job that were found so far. Raises as :meth:`find`."""
        with self._lock, self._open() as file:
            self._read_what_was_appended(file)
            return list(_records(file, self._arrays.get(array_id, TaskEnds()).last_offsets().values()))

    def _end_of_search(self, *, recent: bool) -> int:
        return max(self._oldest, self._beginning) if recent else self._oldest

    def _places(self, job_ids: Collection[str]) -> dict[str, int]:
        places = {}
        by_array: dict[str, list[int]] = {}
        for job_id in job_ids:
            array_id, index = split_id(job_id)
            if index is not None:
                by_array.setdefault(array_id, []).append(index)
            elif job_id in self._offsets:
                places[job_id] = self._offsets[job_id]
        for array_id, indices in by_array.items():
            if array_id in self._arrays:
                offsets = self._arrays[array_id].last_offsets(indices)
                places |= {f"{array_id}.{index}": offset for index, offset in offsets.items()}
        return places

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
            # New, rotated or truncated. What is in it when it is seen first is older than this object; what is in one
            # that came later is not.
            self._beginning = size if self._identity is None and not self._looked else 0
            self._identity = identity
            self._offsets, self._arrays = {}, {}
            self._low = self._high = _line_start(file, size)
            self._oldest = max(0, size - _BACKWARDS)
        while self._high < size:
            file.seek(self._high)
            chunk = file.read(_CHUNK)
            end = chunk.rfind(b"\n") + 1  # a torn last line is read again when it is whole
            if not end:
                break
            offsets, arrays = _sorted_out(_entries(chunk[:end], self._high))
            self._offsets |= offsets
            for array_id, ends in arrays.items():
                known = self._arrays.get(array_id)
                self._arrays[array_id] = ends if known is None else known.followed_by(ends)
            self._high += end

    def _read_what_is_before(self, file: BinaryIO) -> None:
        start = _line_start(file, max(0, self._low - _CHUNK))
        if start >= self._low:  # a line longer than a chunk: it is no record
            start = 0
        file.seek(start)
        offsets, arrays = _sorted_out(_entries(file.read(self._low - start), start))
        self._offsets = offsets | self._offsets
        for array_id, ends in arrays.items():
            known = self._arrays.get(array_id)
            self._arrays[array_id] = ends if known is None else ends.followed_by(known)
        self._low = start


def _records(file: BinaryIO, offsets: Iterable[int]) -> Iterator[AccountingRecord]:
    for offset in sorted(offsets):
        file.seek(offset)
        record = parse_record(file.readline().decode("utf-8", "replace"))
        if record is not None:
            yield record


def _sorted_out(entries: Iterable[_Entry]) -> tuple[dict[str, int], dict[str, TaskEnds]]:
    """Return where the single jobs' last records are, and the array jobs' ends."""
    offsets: dict[str, int] = {}
    arrays: dict[str, TaskEnds] = {}
    for entry in entries:
        if entry.task == 0:
            offsets[entry.job_id] = entry.offset
        else:
            ends = arrays.get(entry.job_id)
            if ends is None:
                ends = arrays[entry.job_id] = TaskEnds()
            ends.add(entry.task, entry.offset, entry.failed, entry.exit_status)
    return offsets, arrays


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


def _entries(block: bytes, start: int) -> list[_Entry]:
    """Return what the records in `block` say in short; those of a parallel job's single processes are left out."""
    found = []
    offset = start
    for line in block.split(b"\n"):
        job, task, failed, exit_status = _from_json(line) if line.startswith(b"{") else _from_classic(line)
        if job.isdigit() and task.isdigit() and failed.isdigit() and exit_status.isdigit():
            # 16 and 15 bits hold every code that there is; a record that says more is damaged.
            found.append(
                _Entry(offset, job.decode(), int(task), min(int(failed), 0x7FFF), min(int(exit_status), 0xFFFF))
            )
        offset += len(line) + 1
    return found


_NOTHING = (b"", b"", b"", b"")


def _from_classic(line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    fields = line.split(b":", _TASK + 1)
    if len(fields) <= _TASK + 1:
        return _NOTHING
    if fields[_PE] != b"NONE" and line.rsplit(b":", _PE_TASK_FROM_THE_END)[1] not in _NO_PE_TASK:
        return _NOTHING
    return fields[_JOB], fields[_TASK], fields[_FAILED], fields[_EXIT]


def _from_json(line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    values = {name: match[1] for name, pattern in _JSON.items() if (match := pattern.search(line))}
    if values.get("pe_taskid", b"NONE") not in _NO_PE_TASK:
        return _NOTHING
    return (
        values.get("job_number", b""),
        values.get("task_number", b"0"),
        values.get("failed", b""),
        values.get("exit_status", b""),
    )
