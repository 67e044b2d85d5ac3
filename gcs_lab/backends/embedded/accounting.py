"""Accounting in Grid Engine's own file format: 45 fields, ``:`` between them (``sge_accounting(5)``)."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gcs_lab.backends.embedded.database import Database
    from gcs_lab.backends.embedded.endings import Verdict
    from gcs_lab.backends.embedded.task import Task

__all__ = ["AccountingFile", "accounting_line", "group_of"]

_HEADER = "# Version: gcs_lab embedded cluster\n"


def group_of(owner: str) -> str:
    """Return the name of the owner's primary group, its number if it has no name."""
    try:
        number = pwd.getpwnam(owner).pw_gid
    except KeyError:
        number = os.getgid()
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _text(value: str | None) -> str:
    """Return a field's text: nothing escapes the delimiter, so it and line ends are replaced."""
    return "".join("_" if c == ":" or not c.isprintable() else c for c in value or "") or "NONE"


def _category(task: Task) -> str:
    """Return what was requested, as Grid Engine writes it; times in seconds, which have no ``:``."""
    asked = task.job.request
    words = [f"-q {','.join(asked.queues)}"] if asked.queues else []
    if asked.requests:
        words.append("-l " + ",".join(f"{name}={_plain(value)}" for name, value in sorted(asked.requests.items())))
    if asked.parallel_environment:
        words.append(f"-pe {asked.parallel_environment} {asked.min_slots}-{asked.max_slots}")
    return " ".join(words)


def _plain(value: str) -> str:
    if ":" not in value:
        return value
    try:
        return f"{parse_time(value):g}"
    except InvalidArgument:
        return value


def accounting_line(
    task: Task,
    verdict: Verdict,
    usage: Mapping[str, Any],
    wall: float,
    group: str,
    *,
    reserved: float | None = None,
) -> str:
    """Return the record of one run, with its line end.

    Parameters
    ----------
    task
        As it was while it ran.
    verdict
        How it ended.
    usage
        ``ru_*`` fields, ``mem`` in GiB seconds, ``max_vmem`` in bytes; what is missing counts 0.
    wall
        Seconds that it ran.
    group
        Primary group of the owner.
    reserved
        When its reservation was asked for, in seconds since the epoch.
    """
    asked = task.job.request
    # The first instance is where the job's own process runs.
    first = next(iter(task.slots))
    user, system = usage.get("ru_utime", 0.0), usage.get("ru_stime", 0.0)
    # A job that never started has no exit status; anything but 0 keeps readers from counting it as done.
    status = 1 if verdict.exit_status is None else verdict.exit_status
    began, finished = int(task.dispatched or 0), int(task.finished or 0)
    fields: list[object] = [
        *(_text(value) for value in (first.queue, first.host, group, task.job.owner, asked.name)),
        *(task.job.job_id, _text(asked.account), asked.priority),
        *(int(task.job.submitted), began, finished, verdict.failed, status, int(wall)),
        *(f"{user:.6f}", f"{system:.6f}", f"{usage.get('ru_maxrss', 0):.6f}"),
        *(0, 0, 0, 0),  # ru_ixrss ru_ismrss ru_idrss ru_isrss: the kernel does not count them
        *(usage.get("ru_minflt", 0), usage.get("ru_majflt", 0), 0),  # the last: ru_nswap, never counted
        *(f"{usage.get('ru_inblock', 0):.6f}", usage.get("ru_oublock", 0)),
        *(0, 0, 0, usage.get("ru_nvcsw", 0), usage.get("ru_nivcsw", 0)),  # zeros: ru_msgsnd ru_msgrcv ru_nsignals
        *("NONE", "defaultdepartment", _text(asked.parallel_environment), sum(task.slots.values()), task.task_id),
        *(f"{user + system:.6f}", f"{usage.get('mem', 0.0):.6f}", "0.000000"),
        *(_text(_category(task)), "0.000000", "NONE", f"{usage.get('max_vmem', 0):.6f}"),
        *(_text(asked.reservation_id) if asked.reservation_id else 0, int(reserved or 0)),
    ]
    return ":".join(str(field) for field in fields) + "\n"


class AccountingFile:
    """The file, to which each record is appended once, whatever dies in between.

    A record is first posted in the database, in the transaction that ends the run; then it is appended here; then
    it is taken from the database. After a crash, the end of the file tells which of the posted ones are there.

    Parameters
    ----------
    path
        The file.
    database
        Where records are posted.
    """

    def __init__(self, path: Path, database: Database) -> None:
        self._path = path
        self._database = database
        self._appended = 0

    def recover(self) -> None:
        """Take from the outbox what a scheduler that died has appended already. Raises OSError, sqlite3.Error."""
        due = self._database.accounting_due()
        if not due or not self._path.exists():
            return
        size = sum(len(line.encode()) for _, line in due)
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - size))
            end = file.read().decode(errors="replace")
        there = [number for number, line in due if line in end]
        if there:
            self._forget(max(there))

    def append_due(self) -> None:
        """Append what is posted.

        Raises
        ------
        OSError, sqlite3.Error
            If it cannot be written now; nothing is lost, and the next call tries again.
        """
        due = [(number, line) for number, line in self._database.accounting_due() if number > self._appended]
        if due:
            self._append("".join(line for _, line in due).encode())
            self._appended = due[-1][0]
        if self._appended:
            self._forget(self._appended)

    def _forget(self, last: int) -> None:
        with self._database.transaction():
            self._database.accounting_done(last)

    def _append(self, data: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            data = data if size else _HEADER.encode() + data
            try:
                while data:
                    data = data[os.write(descriptor, data) :]
            except OSError:
                # No torn record stays behind.
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
