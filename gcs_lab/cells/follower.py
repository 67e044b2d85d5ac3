"""The two threads that follow all jobs and sweeps of this process: one reads logs, one asks clusters for states."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol

from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from gcs_lab.cluster import Cluster

__all__ = ["Followed", "Follower", "follower"]

_HOT, _WARM = 0.015, 0.1
_HOT_SECONDS = 3.0
_LONGEST_PAUSE = 60.0

_log = logging.getLogger(__name__)


class Followed(Protocol):
    """What can be followed: the handle of a cell's job, or of a sweep."""

    cluster: Cluster
    #: Set when nothing more will come.
    concluded: threading.Event

    @property
    def id(self) -> str:
        """The scheduler's id."""
        ...

    def watch(self) -> None:
        """Be part of every question that is asked about states."""
        ...

    def unwatch(self) -> None:
        """Undo :meth:`watch`."""
        ...

    def read_log(self) -> bool:
        """Take what was written since the last call; return whether there was anything."""
        ...

    def take_state(self) -> None:
        """Take the state that the cluster's status board knows, which asks for all that is watched if it is old.

        Raises
        ------
        GcsError
            If the cluster does not answer.
        """
        ...

    def take_silence(self, since: float) -> None:
        """Hear since when (seconds since the epoch) the cluster has not answered; 0.0: it answers again."""
        ...

    def give_up(self, error: Exception) -> None:
        """Be concluded, because following it fails."""
        ...


class Follower:
    """Follows jobs and sweeps until they are concluded.

    A log that spoke lately, and a job submitted lately, are looked at every 15 ms, the others every 0.1 s; looking
    is one ``stat``. States are asked for all jobs of a cluster with one question, through its status board.
    """

    def __init__(self) -> None:
        self._jobs: list[Followed] = []
        self._hot_until = 0.0
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._silent: dict[str, tuple[float, float]] = {}

    @property
    def jobs(self) -> list[Followed]:
        """The jobs that are followed now."""
        with self._changed:
            return list(self._jobs)

    def follow(self, job: Followed) -> None:
        """Follow `job` until it is concluded."""
        with self._changed:
            if job not in self._jobs and not job.concluded.is_set():
                self._jobs.append(job)
                job.watch()
            self._hot_until = time.monotonic() + _HOT_SECONDS
            self._start()
            self._changed.notify_all()

    def _start(self) -> None:
        # After a fork only the forking thread lives: start again in the child when it follows something.
        if not all(thread.is_alive() for thread in self._threads) or not self._threads:
            self._threads = [
                threading.Thread(target=self._read_logs, name="gcs-lab-logs", daemon=True),
                threading.Thread(target=self._ask_states, name="gcs-lab-states", daemon=True),
            ]
            for thread in self._threads:
                thread.start()

    def _wait_for_jobs(self) -> list[Followed]:
        with self._changed:
            while not self._jobs:
                self._changed.wait()
            return list(self._jobs)

    def _read_logs(self) -> None:
        while True:
            for job in self._wait_for_jobs():
                try:
                    if job.read_log():
                        self._hot_until = time.monotonic() + _HOT_SECONDS
                except OSError as error:
                    # A network file system that is away for a while: the log is looked at again.
                    _log.debug("the log of job %s cannot be read now: %s", job.id, error)
                except Exception as error:
                    # One broken job must not silence the others, nor keep someone waiting.
                    _log.exception("following job %s failed", job.id)
                    job.give_up(error)
                if job.concluded.is_set():
                    self._drop(job)
            time.sleep(_HOT if time.monotonic() < self._hot_until else _WARM)

    def _drop(self, job: Followed) -> None:
        with self._changed:
            # A sweep may have begun again meanwhile.
            if job in self._jobs and job.concluded.is_set():
                self._jobs.remove(job)
                job.unwatch()

    def _ask_states(self) -> None:
        while True:
            by_cluster: dict[str, tuple[Cluster, list[Followed]]] = {}
            for job in self._wait_for_jobs():
                by_cluster.setdefault(job.cluster.name, (job.cluster, []))[1].append(job)
            pause = _LONGEST_PAUSE
            for cluster, jobs in by_cluster.values():
                pause = min(pause, self._ask(cluster, jobs))
            # A new job wakes the thread, so that its first state comes at once.
            with self._changed:
                self._changed.wait(pause)

    def _ask(self, cluster: Cluster, jobs: list[Followed]) -> float:
        """Ask one cluster; return the seconds until it should be asked again."""
        since, pause = self._silent.get(cluster.name, (0.0, 0.0))
        try:
            # The first of them asks for all that are watched.
            for job in jobs:
                self._take_state(job)
        except GcsError:
            since = since or time.time()
            pause = min(_LONGEST_PAUSE, max(2 * pause, cluster.jobs.board.interval))
            self._silent[cluster.name] = (since, pause)
            for job in jobs:
                job.take_silence(since)
            return pause
        if self._silent.pop(cluster.name, None):
            for job in jobs:
                job.take_silence(0.0)
        return cluster.jobs.board.interval

    @staticmethod
    def _take_state(job: Followed) -> None:
        try:
            job.take_state()
        except GcsError:
            raise
        except Exception:
            _log.exception("taking the state of job %s failed", job.id)


_follower: Follower | None = None
_lock = threading.Lock()


def follower() -> Follower:
    """Return the one follower of this process."""
    global _follower  # noqa: PLW0603
    with _lock:
        _follower = _follower or Follower()
        return _follower
