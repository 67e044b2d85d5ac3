"""What a job used in all: exact for what has ended (``wait4``), sampled for what runs."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.process_tree import TreeUsage

__all__ = ["UsageMeter"]

_SUMMED = ("ru_minflt", "ru_majflt", "ru_inblock", "ru_oublock", "ru_nvcsw", "ru_nivcsw")
#: What the child may touch between fork and exec.
_SLACK_KIB = 2048


class UsageMeter:
    """Adds up the usage of all processes of one run."""

    def __init__(self) -> None:
        #: CPU seconds of the processes that have ended.
        self.cpu = 0.0
        self._user = 0.0
        self._system = 0.0
        self._counts = dict.fromkeys(_SUMMED, 0)
        self._largest = 0
        self._peak_rss = 0
        self._peak_vmem = 0
        self._byte_seconds = 0.0
        self._sampled_at: float | None = None
        self._own_peak = 0

    def forked(self) -> None:
        """Note that the job was forked: its ``ru_maxrss`` begins with what it shared with this process then."""
        self._own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + _SLACK_KIB

    def ended(self, usage: resource.struct_rusage) -> None:
        """Count a process that has ended, with those that it waited for itself."""
        self._user += usage.ru_utime
        self._system += usage.ru_stime
        self.cpu = self._user + self._system
        for name in _SUMMED:
            self._counts[name] += getattr(usage, name)
        self._largest = max(self._largest, usage.ru_maxrss)

    def sample(self, usage: TreeUsage, now: float) -> None:
        """Count what runs; `now` in seconds."""
        self._peak_rss = max(self._peak_rss, usage.rss)
        self._peak_vmem = max(self._peak_vmem, usage.vmem)
        if self._sampled_at is not None:
            self._byte_seconds += usage.vmem * (now - self._sampled_at)
        self._sampled_at = now

    def totals(self) -> dict[str, float]:
        """Return the totals: seconds, bytes (``ru_maxrss`` in KiB as the kernel tells it), GiB seconds (``mem``).

        A peak is 0 if it is not known: the job was small, and ended before it was looked at.
        """
        largest = self._largest * 1024 if self._largest > self._own_peak else 0
        return {
            "ru_utime": self._user,
            "ru_stime": self._system,
            "ru_maxrss": self._largest,
            **self._counts,
            "max_rss": max(self._peak_rss, largest),
            "max_vmem": self._peak_vmem,
            "mem": self._byte_seconds / 2**30,
        }
