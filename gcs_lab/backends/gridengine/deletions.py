"""Who deleted a job: from what qdel said to us, and from the qmaster's messages where they tell.

``qdel`` and, at ``loglevel log_info`` (sge_conf(5)), ``$qmaster_spool_dir/messages`` use the same words: "root has
deleted job 5", "… job-array task 5.3", "… job-array tasks 2-4:1 of job 5" for what had not started, "root has
registered the job 5 for deletion" for what runs (seen on 8.1.9). 9.1.2 and later tell in accounting (``deleted_by``).
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gcs_lab.backends.gridengine.task_ranges import parse_ranges

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["Deletion", "Deletions"]

_SAID = re.compile(
    r"(?:^|\|)(?P<user>[^\s|]+) (?:has (?P<at_once>deleted)|has registered the|forced the deletion of) "
    r"(?:job-array tasks (?P<ranges>[\d,:-]+) of job (?P<array>\d+)"
    r"|job-array task (?P<of>\d+)\.(?P<task>\d+)|job (?P<job>\d+))",
    re.MULTILINE,
)
#: How much of the end of the qmaster's messages is read at first.
_TAIL = 1 << 20


class Deletion(NamedTuple):
    """That `user` deleted a job; ``at_once``: it had not started, so that accounting will not tell of it."""

    user: str
    at_once: bool


@dataclass
class _OfJob:
    user: str
    whole: bool = False
    waiting: list[range] = field(default_factory=list)
    registered: set[int] = field(default_factory=set)


class Deletions:
    """What is known of deletions.

    Parameters
    ----------
    cell
        The cell, whose qmaster's messages are read if this user may.
    """

    def __init__(self, cell: SgeCell) -> None:
        self._cell = cell
        self._lock = threading.Lock()
        self._jobs: dict[str, _OfJob] = {}
        self._messages: Path | None = None
        self._place = (0, 0)

    def note(self, said: str) -> None:
        """Take in what qdel said."""
        with self._lock:
            for match in _SAID.finditer(said):
                job_id = match["array"] or match["of"] or match["job"]
                known = self._jobs.setdefault(job_id, _OfJob(match["user"]))
                known.user = match["user"]
                index = int(match["task"] or 0)
                if not match["at_once"]:
                    known.registered.add(index)
                elif match["ranges"]:
                    known.waiting += parse_ranges(match["ranges"])
                elif match["task"]:
                    known.waiting.append(range(index, index + 1))
                else:
                    known.whole = True

    def of(self, job_id: str, index: int | None = None) -> Deletion | None:
        """Return the deletion of a single job, or of one task of an array job; None if none is known."""
        with self._lock:
            known = self._jobs.get(job_id)
            if known is None:
                return None
            if (index or 0) in known.registered:
                return Deletion(known.user, at_once=False)
            if known.whole or any(index in tasks for tasks in known.waiting):
                return Deletion(known.user, at_once=True)
            return None

    def read_messages(self) -> None:
        """Take in what was appended to the qmaster's messages; nothing if this user may not read them."""
        try:
            if self._messages is None:
                self._messages = _messages(self._cell)
            with self._messages.open("rb") as file:
                size = file.seek(0, 2)
                inode = self._messages.stat().st_ino
                known_inode, position = self._place
                if inode != known_inode or size < position:
                    position = max(0, size - _TAIL)
                file.seek(position)
                text = file.read()
        except OSError:
            return
        end = text.rfind(b"\n") + 1
        self._place = (inode, position + end)
        self.note(text[:end].decode("utf-8", "replace"))


def _messages(cell: SgeCell) -> Path:
    """Return where the qmaster writes its messages (sge_bootstrap(5), qmaster_spool_dir)."""
    for line in (cell.common / "bootstrap").read_text(errors="replace").splitlines():
        name, _, value = line.partition(" ")
        if name == "qmaster_spool_dir":
            return Path(value.strip()) / "messages"
    raise FileNotFoundError(cell.common / "bootstrap")
