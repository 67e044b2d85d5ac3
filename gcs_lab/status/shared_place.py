"""The folder by which the processes of a user on a host share one poller of a cluster.

===================== ==============================================================================================
``lock``              held (flock) by the process that asks the cluster; the system lets go of it when that dies
``state.json``        what is known of the latest question (:class:`SharedState`), replaced after each
``snapshot-N.arrow``  the latest snapshot, memory-mapped by all; the one before it stays for who is just reading
``wanted``            its time of change says when somebody last wanted an answer to a new question
``looked``            its time of change says when somebody last looked at what the poller brings
``asking``            its time of change says when the one who asks last began to
===================== ==============================================================================================

Times of change are set by the monotonic clock, which all processes of a host share until it is started again: the
wall clock may jump.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import socket
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from gcs_lab.status.snapshot_file import read_snapshot, write_snapshot, write_whole
from gcs_lab.user_paths import private_folder, runtime_folder

if TYPE_CHECKING:
    from gcs_lab.status.snapshot import Snapshot

__all__ = ["Mark", "SharedPlace", "SharedState", "folder_name"]

#: What the times of change of files say.
Mark = Literal["wanted", "looked", "asking"]

#: Snapshots that stay: the latest, and the one before it for who is just opening it.
_KEPT = 2


@dataclass(frozen=True)
class SharedState:
    """What is known of the questions so far. ``began``, ``tried`` and ``ended`` are of the monotonic clock.

    ``recent`` are the times at which the latest few questions began, the oldest first.
    ``began`` is when the question began that the latest snapshot answers, ``tried`` and ``ended`` when the latest
    question began and ended, answered or not; ``failures`` is how many questions were not answered since the latest
    answer. ``took`` are the seconds of the latest two answers; at first there is a 0: in a first one libraries
    are loaded.
    """

    sequence: int = 0
    time: float = 0.0
    began: float = 0.0
    tried: float = 0.0
    ended: float = 0.0
    took: tuple[float, ...] = (0.0,)
    polls: int = 0
    commands: int = 0
    failures: int = 0
    error: str = ""
    stale_since: float = 0.0
    interval: float = 0.0
    boot: str = ""
    recent: tuple[float, ...] = ()


def folder_name(cluster: str, identity: str) -> str:
    """Return a name for files of a cluster: readable, safe, and another one for another cluster of the same name."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", cluster)[:40].lstrip(".") or "cluster"
    whole = f"{cluster}\x00{identity}".encode()
    return f"{safe}-{hashlib.blake2b(whole, digest_size=6).hexdigest()}"


class SharedPlace:
    """The shared folder of one cluster.

    Parameters
    ----------
    cluster
        Its name.
    identity
        What tells it from another of the same name.

    Raises
    ------
    OSError
        If the folder cannot be made or written; also by the methods.
    """

    def __init__(self, cluster: str, identity: str) -> None:
        # A runtime folder may be on a disk that several hosts mount; the number is that of the files' format.
        host = socket.gethostname().partition(".")[0]
        self.folder = private_folder(
            private_folder(runtime_folder() / "status-1") / folder_name(cluster, f"{identity}\0{host}")
        )
        self._descriptor: int | None = None
        for name in ("lock", *get_args(Mark)):
            os.close(os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    @property
    def locked(self) -> bool:
        """Whether this process is the one that asks."""
        return self._descriptor is not None

    def lock(self) -> bool:
        """Become the one that asks, unless another process is; return whether this one is."""
        if self._descriptor is None:
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError:
                os.close(descriptor)
                raise
            self._descriptor = descriptor
        return True

    def unlock(self) -> None:
        """Let another process ask. In a forked child: forget the parent's lock, which stays the parent's."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def state(self) -> SharedState:
        """Return what is known; a new one if there is nothing, or nothing of this start of the host."""
        try:
            fields = json.loads((self.folder / "state.json").read_bytes())
            found = SharedState(**{**fields, "recent": tuple(fields["recent"]), "took": tuple(fields["took"])})
        except (OSError, ValueError, TypeError, KeyError):
            return SharedState(boot=_boot())
        if found.boot == _boot():
            return found
        # The monotonic clock began anew, and what was asked before that is of no use.
        return SharedState(sequence=found.sequence, polls=found.polls, commands=found.commands, boot=_boot())

    def publish(self, state: SharedState, snapshot: Snapshot | None) -> None:
        """Tell the others; `snapshot` if it is a new one. Called by the one who asks."""
        if snapshot is not None:
            write_snapshot(self.folder / _file_name(snapshot.sequence), snapshot)
        text = json.dumps(dataclasses.asdict(state)).encode()
        write_whole(self.folder / "state.json", lambda file: file.write(text))
        if snapshot is not None:
            self._remove_old(snapshot.sequence)

    def snapshot(self, sequence: int) -> Snapshot | None:
        """Return the snapshot of that number; None if it is not there (any more)."""
        try:
            return read_snapshot(self.folder / _file_name(sequence))
        except (OSError, ValueError):
            return None

    def mark(self, what: Mark) -> None:
        """Say that a new answer is wanted now, that somebody looks, or that a question begins."""
        now = time.monotonic_ns()
        os.utime(self.folder / what, ns=(now, now))

    def marked(self, what: Mark) -> float:
        """Return when that was last said, by the monotonic clock; 0.0: never since the host was started."""
        try:
            marked = (self.folder / what).stat().st_mtime_ns
        except FileNotFoundError:
            return 0.0
        # A file that was only made, or marked before the host was started again, has a time that is still to come.
        return 0.0 if marked > time.monotonic_ns() else marked / 1e9

    def _remove_old(self, sequence: int) -> None:
        # Whoever was killed while it wrote has left a file of another name.
        for path in {*self.folder.glob("snapshot-*"), *self.folder.glob("*.tmp")}:
            number = path.name.removeprefix("snapshot-").partition(".")[0]
            ours = path.name == _file_name(int(number)) if number.isdecimal() else False
            if not ours or not sequence - _KEPT < int(number) <= sequence:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()


def _file_name(sequence: int) -> str:
    return f"snapshot-{sequence}.arrow"


@cache
def _boot() -> str:
    """Return what tells this start of the host from others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
