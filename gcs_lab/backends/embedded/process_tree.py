"""The processes of a job, read from ``/proc`` (``proc(5)``).

A shepherd adopts orphans, so that whatever a job starts stays below it in the tree: descendants are the job.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MARK", "ProcessIdentity", "TreeUsage", "descendants", "kill_marked", "measure", "signal_all"]

#: Environment variable that every process of a job inherits; its value is unique to the run.
MARK = "GCS_LAB_EMBEDDED_RUN"

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@functools.cache
def boot_id() -> str:
    """Return the id of this boot of the machine: a process identity means nothing after a reboot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@dataclass(frozen=True)
class _Stat:
    state: str
    parent: int
    cpu: float
    start: int
    vmem: int
    rss: int


def _stat(pid: int) -> _Stat | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  (Path costs more than the read)
            # The name in parentheses may hold anything, a parenthesis too.
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return _Stat(
        state=fields[0].decode(),
        parent=int(fields[1]),
        cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
        start=int(fields[19]),
        vmem=int(fields[20]),
        rss=int(fields[21]) * _PAGE,
    )


@dataclass(frozen=True)
class ProcessIdentity:
    """A process for good: its pid may be given again, its pid with start time and boot may not."""

    pid: int
    start: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """Return the identity of a process that runs.

        Raises
        ------
        ProcessLookupError
            If there is none of that pid.
        """
        stat = _stat(pid)
        if stat is None:
            raise ProcessLookupError(f"there is no process {pid}")
        return cls(pid, stat.start, boot_id())

    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        if self.boot != boot_id():
            return False
        stat = _stat(self.pid)
        return stat is not None and stat.start == self.start and stat.state not in "ZX"


@dataclass(frozen=True)
class TreeUsage:
    """What some processes use together: CPU in seconds so far, memory in bytes now."""

    cpu: float = 0.0
    vmem: int = 0
    rss: int = 0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:  # noqa: PTH123
                found += map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


@functools.cache
def _kernel_lists_children() -> bool:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists()


def descendants(root: int) -> list[int]:
    """Return the pids of all processes below `root`, zombies too, without `root` itself."""
    if _kernel_lists_children():
        found: list[int] = []
        level = [root]
        while level:
            level = [child for pid in level for child in _children(pid)]
            found += level
        return found
    # CONFIG_PROC_CHILDREN is off: look at every process's parent.
    parents = {pid: stat.parent for pid in _all_pids() if (stat := _stat(pid)) is not None}
    below = {root}
    while more := {pid for pid, parent in parents.items() if parent in below and pid not in below}:
        below |= more
    return list(below - {root})


def measure(pids: Iterable[int]) -> TreeUsage:
    """Return what `pids` use together; those that are gone count nothing."""
    stats = [stat for pid in pids if (stat := _stat(pid)) is not None]
    return TreeUsage(sum(s.cpu for s in stats), sum(s.vmem for s in stats), sum(s.rss for s in stats))


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each of `pids`; those that are gone are passed over."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _marked(mark: str) -> list[int]:
    wanted = f"{MARK}={mark}".encode()
    found = []
    for pid in _all_pids():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
            if wanted in file.read().split(b"\0"):
                found.append(pid)
    return found


def kill_marked(mark: str, rounds: int = 20) -> int:
    """Kill every process that carries `mark` in its environment, and all below it; return how many were found.

    Used only when a shepherd was killed: its job's processes have then been given to another parent. It is
    repeated until none is left, because a process may fork while it is being killed.
    """
    killed: set[int] = set()
    for _ in range(rounds):
        roots = [pid for pid in _marked(mark) if pid != os.getpid()]
        if not roots:
            break
        victims = {*roots, *(pid for root in roots for pid in descendants(root))}
        signal_all(victims, signal.SIGKILL)
        killed |= victims
    return len(killed)
