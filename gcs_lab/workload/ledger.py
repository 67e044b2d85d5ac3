"""What was sent to a cluster by invented people: ids and names, by which it is found and deleted again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidState
from gcs_lab.jobs import JobAction
from gcs_lab.user_paths import private_folder, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gcs_lab.cluster import Cluster
    from gcs_lab.errors import GcsError

__all__ = ["ACCOUNT", "Ledger"]

#: Begins the account of all that is invented (``qsub -A``); the person's name follows.
ACCOUNT = "class."

_TRIES = 20
#: Stand for the id of a job that is being sent, and of one that was refused.
_UNKNOWN, _NONE = "?", "-"


@dataclass(frozen=True)
class Ledger:
    """The files of what is played on one cluster; the one class that knows their names."""

    cluster: str

    @property
    def folder(self) -> Path:
        """Where they are."""
        return private_folder(state_folder() / "workload")

    @property
    def jobs_file(self) -> Path:
        """A line a job: its id (before it is known: ``?``), a space, its name."""
        return self.folder / f"{self.cluster}.jobs"

    @property
    def log(self) -> Path:
        """What a process in the background says."""
        return self.folder / f"{self.cluster}.log"

    @property
    def lock(self) -> Path:
        """Held by the process that plays; its number is in it."""
        return self.folder / f"{self.cluster}.pid"

    def announce(self, names: Iterable[str]) -> None:
        """Remember the names of jobs that are sent next: who is killed meanwhile has sent some. Raises OSError."""
        self._append("".join(f"{_UNKNOWN} {name}\n" for name in names))

    def refused(self, names: Iterable[str]) -> None:
        """Remember that jobs of these names, which were announced, are not there. Raises OSError."""
        self._append("".join(f"{_NONE} {name}\n" for name in names))

    def add(self, jobs: Iterable[tuple[str, str]]) -> None:
        """Remember jobs: ids and names. Raises OSError."""
        self._append("".join(f"{job_id} {name}\n" for job_id, name in jobs))

    def _append(self, text: str) -> None:
        descriptor = os.open(self.jobs_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def sent(self) -> dict[str, str]:
        """Return all that is remembered: ids to names."""
        return {job_id: name for job_id, name in self._lines() if job_id not in {_UNKNOWN, _NONE}}

    def _lines(self) -> list[tuple[str, str]]:
        try:
            lines = self.jobs_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [(job_id, name) for job_id, _, name in (line.partition(" ") for line in lines)]

    def _perhaps_sent(self) -> set[str]:
        """Return the names that were announced more often than jobs of that name are known."""
        open_ones = Counter[str]()
        for job_id, name in self._lines():
            open_ones[name] += 1 if job_id == _UNKNOWN else -1
        return {name for name, number in open_ones.items() if number > 0}

    def left(self, cluster: Cluster) -> dict[str, str]:
        """Return what of it is still on the cluster: ids to names.

        A number that went to another job is none of it, nor is a job that is being deleted (``dr``, ``dt``).
        Of a job of which only the name is known, its account must say, too, that it is of the invented people.

        Raises
        ------
        GcsError
            If the cluster does not answer.
        """
        sent, perhaps = self.sent(), self._perhaps_sent()
        if not sent and not perhaps:
            return {}
        infos = [info for info in cluster.jobs.find() if "d" not in info.job_sub_state]
        found = {info.job_id.partition(".")[0]: info.job_name or "" for info in infos}
        unknown = [job_id for job_id, name in found.items() if job_id not in sent and name in perhaps]
        details = cluster.status.backend.job_details(unknown) if unknown else {}
        theirs = {job_id for job_id, told in details.items() if told.facts.get("account", "").startswith(ACCOUNT)}
        return {job_id: name for job_id, name in found.items() if job_id in theirs or sent.get(job_id) == name}

    def delete(self, cluster: Cluster) -> tuple[int, dict[str, GcsError]]:
        """Delete what is left; return how many jobs and arrays that were, and what went wrong, by id.

        Raises
        ------
        GcsError
            If the cluster does not answer.
        """
        left = self.left(cluster)
        problems = cluster.jobs.control(JobAction.TERMINATE, list(left)) if left else {}
        # What had just ended is no problem.
        still = self.left(cluster) if problems else {}
        problems = {job_id: error for job_id, error in problems.items() if job_id in still}
        if not problems:
            self.jobs_file.unlink(missing_ok=True)
        return len(left), problems

    @contextlib.contextmanager
    def playing(self) -> Iterator[None]:
        """Be the one that plays on the cluster.

        Raises
        ------
        InvalidState
            If another process does.
        """
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _taken(descriptor):
                raise InvalidState(
                    f"{self.cluster} is being populated already (process {self.player()}). Wait for its end, or end "
                    f"it: `gcs-lab demo populate {self.cluster} --stop`."
                )
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            yield
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def player(self) -> int | None:
        """Return the number of the process that plays; None: nobody does."""
        try:
            descriptor = os.open(self.lock, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(descriptor, 32, 0).decode()
            return int(text) if text.isdigit() else 0
        finally:
            os.close(descriptor)
        return None


def _taken(descriptor: int) -> bool:
    """Take the lock; somebody who only looks at it has it for a moment."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return True
    return False
