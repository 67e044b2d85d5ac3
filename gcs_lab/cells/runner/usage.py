# ruff: noqa: PTH123, PTH208
# Importing pathlib alone would add a tenth to the start of every job.
"""What a job uses: CPU seconds and memory."""

from __future__ import annotations

import os
import sys

__all__ = ["Usage", "cpu_seconds", "max_rss_of_ended", "status_bytes"]


class Usage:
    """What the process tree of this supervisor uses: seconds and bytes (Linux: ``proc(5)``; else ``getrusage``)."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self.max_rss = 0
        self.max_vmem = 0

    def sample(self, child: int) -> dict[str, float]:
        """Measure now, and remember the peaks."""
        if sys.platform == "linux":
            cpu, rss, vmem = _tree_usage(os.getpid())
            peaks = status_bytes(child)
            self.note(max(rss, peaks.get("VmHWM", 0)), max(vmem, peaks.get("VmPeak", 0)))
        else:
            cpu, rss, vmem = cpu_seconds(), max_rss_of_ended(), 0
            self.note(rss, 0)
        self.cpu = max(self.cpu, cpu)
        return {
            "cpu": round(self.cpu, 3),
            "rss": rss,
            "vmem": vmem,
            "max_rss": self.max_rss,
            "max_vmem": self.max_vmem,
        }

    def note(self, rss: int, vmem: int) -> None:
        """Remember peaks that were measured elsewhere."""
        self.max_rss, self.max_vmem = max(self.max_rss, rss), max(self.max_vmem, vmem)


def _tree_usage(root: int) -> tuple[float, int, int]:
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    cpu, rss, vmem, todo = 0, 0, 0, [root]
    while todo:
        pid = todo.pop()
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    todo += [int(number) for number in file.read().split()]
        except OSError:
            # It has ended meanwhile.
            continue
        # proc(5), counted from the state: utime, stime, cutime and cstime; vsize; rss in pages.
        cpu += sum(int(field) for field in fields[11:15])
        vmem += int(fields[20])
        rss += int(fields[21]) * page
    return cpu / ticks, rss, vmem


def status_bytes(pid: int) -> dict[str, int]:
    """Return the peaks ``VmHWM`` and ``VmPeak`` of a process in bytes (proc(5)); empty where there are none."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            lines = [line.split() for line in file if line.startswith((b"VmHWM", b"VmPeak"))]
    except OSError:
        return {}
    return {line[0].decode().rstrip(":"): int(line[1]) * 1024 for line in lines}


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def max_rss_of_ended() -> int:
    """Return the largest resident set of a child that has ended, in bytes (getrusage(2))."""
    import resource

    # getrusage(2) counts kibibytes on Linux and bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
