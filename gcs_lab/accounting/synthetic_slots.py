"""The hosts of a synthetic site and who gets their slots when: each job is simulated, so that waits come from load.

Each queue has hosts of its own. What waits and fits is started in the order of a priority: the time of submission,
later for the tasks of large arrays (a share policy). As in Grid Engine without reservation, what does not fit is
passed by what does, so that jobs of many slots wait longer. In ``mpi.q`` jobs take whole hosts and none is passed. No
host ever has more slots in use than it has. What is left out: memory as a consumable, quotas, subordination, hosts
that are down, and users who send less when the queue is long.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Pool", "Work"]

_NEVER = 1 << 62
#: A number of a job stands in the lower bits, so that the heaps hold whole numbers.
_BITS = 24
_MASK = (1 << _BITS) - 1


@dataclass
class Work:
    """Jobs of one queue, in the order of submission: lists with one entry a job.

    ``key`` is the time of submission in seconds plus what the share policy adds; ``delay`` what passes between the
    decision and the start. ``again`` tells that the next entry is the same job's second run. ``breaks`` tells that
    it breaks on the bad host (never one that runs again). :meth:`Pool.run` fills in ``host``, ``start`` (seconds; -1:
    not yet) and ``broken``.
    """

    submitted: list[int]
    slots: list[int]
    wall: list[int]
    key: list[int]
    delay: list[int]
    again: list[int]
    breaks: list[int]
    host: list[int]
    start: list[int]
    broken: list[int]


class Pool:
    """The hosts of one queue.

    Parameters
    ----------
    hosts
        Their numbers.
    slots
        Slots of each.
    whole
        Whether jobs take whole hosts, in strict order.
    bad
        Number of the host on which jobs break, and since when; (-1, 0): none.
    """

    def __init__(
        self, hosts: Sequence[int], slots: int, *, whole: bool = False, bad: tuple[int, int] = (-1, 0)
    ) -> None:
        self._each = slots
        self._whole = whole
        self._bad = bad
        self._free = dict.fromkeys(hosts, slots)
        # Hosts by their free slots. An entry that is no longer true is dropped when it is met.
        self._by_free: list[list[int]] = [[] for _ in range(slots + 1)]
        self._by_free[slots] = list(hosts)
        self._idle = list(hosts)
        self._running: list[int] = []
        self._pending: dict[int, list[int]] = {}
        self._wide: dict[int, list[int]] = {}

    def renumber(self, new: dict[int, int]) -> None:
        """Give the jobs that run or wait new numbers: old to new."""
        self._running = [(entry >> _BITS) << _BITS | new[entry & _MASK] for entry in self._running]
        heapify(self._running)
        for size, heap in self._pending.items():
            self._pending[size] = [(entry >> _BITS) << _BITS | new[entry & _MASK] for entry in heap]
            heapify(self._pending[size])
        self._wide = {new[job]: hosts for job, hosts in self._wide.items()}

    def run(self, work: Work, begin: int, until: int | None) -> list[int]:
        """Let time pass up to `until` (seconds; None: all have ended); return the jobs that ended, in that order.

        Jobs before the number `begin` are known to the pool already.
        """
        ended: list[int] = []
        limit = _NEVER if until is None else until
        running, submitted, again, key, slots = self._running, work.submitted, work.again, work.key, work.slots
        start = self._start_whole if self._whole else self._start
        position, count = begin, len(submitted)
        while True:
            while position < count and submitted[position] < 0:
                # A second run: it is submitted when the first has ended.
                position += 1
            arrival = submitted[position] if position < count else _NEVER
            ending = running[0] >> _BITS if running else _NEVER
            if arrival >= limit and ending >= limit:
                return ended
            if ending <= arrival:
                job = heappop(running) & _MASK
                ended.append(job)
                room = self._release(job, work)
                if again[job]:
                    submitted[job + 1] = ending
                    key[job + 1] = ending
                    heappush(self._pending.setdefault(slots[job], []), ending << _BITS | job + 1)
                if self._pending:
                    self._dispatch(work, ending, room)
            else:
                # What waits already does not fit, so a job that fits passes it; of whole hosts none passes.
                if (self._whole and self._pending) or not start(work, position, arrival):
                    heappush(self._pending.setdefault(slots[position], []), key[position] << _BITS | position)
                position += 1

    def _dispatch(self, work: Work, now: int, room: int) -> None:
        pending = self._pending
        while pending:
            first, size = _NEVER, 0
            for candidate, heap in pending.items():
                if (self._whole or candidate <= room) and heap[0] < first:
                    first, size = heap[0], candidate
            start = self._start_whole if self._whole else self._start
            if not size or not start(work, first & _MASK, now):
                return
            heappop(pending[size])
            room -= size
            if not pending[size]:
                del pending[size]

    def _start(self, work: Work, job: int, now: int) -> bool:
        wanted, free, by_free = work.slots[job], self._free, self._by_free
        # The fullest host that has room.
        for there in range(wanted, self._each + 1):
            hosts = by_free[there]
            while hosts:
                host = hosts.pop()
                if free[host] == there:
                    left = free[host] = there - wanted
                    if left:
                        by_free[left].append(host)
                    self._begin(work, job, now, host)
                    return True
        return False

    def _start_whole(self, work: Work, job: int, now: int) -> bool:
        wanted = -(-work.slots[job] // self._each)
        if len(self._idle) < wanted:
            return False
        self._wide[job] = self._idle[:wanted]
        del self._idle[:wanted]
        self._begin(work, job, now, self._wide[job][0])
        return True

    def _begin(self, work: Work, job: int, now: int, host: int) -> None:
        begun = now + work.delay[job]
        work.host[job], work.start[job] = host, begun
        if host == self._bad[0] and begun >= self._bad[1] and work.breaks[job]:
            work.broken[job] = 1
            work.wall[job] = min(work.wall[job], 2 + job % 59)
        heappush(self._running, (begun + work.wall[job]) << _BITS | job)

    def _release(self, job: int, work: Work) -> int:
        """Free what the job had; return the free slots of the host."""
        if self._whole:
            self._idle += self._wide.pop(job)
            return self._each
        host = work.host[job]
        there = self._free[host] = self._free[host] + work.slots[job]
        self._by_free[there].append(host)
        return there
