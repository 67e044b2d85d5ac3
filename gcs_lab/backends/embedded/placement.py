"""The scheduling decision, as a pure function: which waiting jobs start now, and on which slots.

The rule is simple and said here in full. Jobs are looked at by priority, then in the order of submission. Each
takes the first slots that suit it, or waits; a job that waits keeps nothing back, so that a big one never stops
smaller ones behind it from starting (and may wait long; an advance reservation is the remedy, ``timetable``). How
slots are chosen for one job is said in ``allocation``. Held jobs are passed over.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import heapq
import math
from collections import Counter
from collections.abc import Mapping  # noqa: TC003  (dataclass fields are inspected at run time)
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.backends.embedded.allocation import fit

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from gcs_lab.backends.embedded.complexes import Amount
    from gcs_lab.backends.embedded.timetable import Timetable

__all__ = ["Instance", "Request", "Room", "Waiter", "WaitingList", "place", "rank", "take"]


@dataclass(frozen=True)
class Instance:
    """A queue on a host: where slots are."""

    queue: str
    host: str

    def __str__(self) -> str:
        return f"{self.queue}@{self.host}"


@dataclass(frozen=True)
class Request:
    """What one waiting job asks for, or many that are alike in it: then ``key`` and ``held`` are not used.

    ``places`` are the instances that suit it, best first; ``rule`` is the allocation rule of its parallel
    environment (None: a sequential job); ``consumes`` are consumables a slot, ``consumes_once`` those that the job
    needs once, on its first host. ``runtime`` is the most seconds that it can run; ``reservation`` the id of the
    advance reservation whose slots it takes.
    """

    key: tuple[int, int]
    places: tuple[Instance, ...]
    priority: int = 0
    held: bool = False
    least: int = 1
    most: int = 1
    environment: str | None = None
    rule: str | None = None
    consumes: Mapping[str, Amount] = field(default_factory=dict)
    consumes_once: Mapping[str, Amount] = field(default_factory=dict)
    runtime: float = math.inf
    reservation: str | None = None

    @functools.cached_property
    def group(self) -> Hashable:
        """What is the same in requests that fit, or do not fit, alike; of ``runtime`` :func:`place` takes care."""
        consumes = frozenset(self.consumes.items()), frozenset(self.consumes_once.items())
        slots = self.least, self.most, self.environment, self.rule
        return self.places, self.held, slots, consumes, self.reservation

    @property
    def request(self) -> Request:
        """Itself: a request alone is a waiter too."""
        return self

    @property
    def rank(self) -> tuple[int, tuple[int, int]]:
        """Its place among those that wait."""
        return rank(self)

    def starts(self) -> Iterator[Request]:
        """Yield itself, unless it is held."""
        if not self.held:
            yield self


@dataclass
class Room:
    """What is free: slots by instance, consumables by host, slots by parallel environment. Changed in place.

    ``closed`` are the instances that give no slots now (their queue state forbids it). ``timetable`` is there while
    there are advance reservations: it says which free slots are kept, and for whom.
    """

    slots: Counter[Instance]
    consumables: dict[str, dict[str, Amount]] = field(default_factory=dict)
    environments: Counter[str] = field(default_factory=Counter)
    closed: frozenset[Instance] = frozenset()
    timetable: Timetable | None = None

    def is_full(self) -> bool:
        """Tell whether no slot at all is free."""
        return not any(free > 0 and instance not in self.closed for instance, free in self.slots.items())

    def free_slots(self, instance: Instance, request: Request) -> int:
        """Return how many slots of an instance `request` may have."""
        free = self.slots[instance]
        if free <= 0 or instance in self.closed:
            return 0
        if self.timetable is not None:
            return min(free, self.timetable.free_slots(instance, request))
        return free if request.reservation is None else 0

    def environment_slots(self, name: str, request: Request) -> int:
        """Return how many slots of a parallel environment `request` may have."""
        free = self.environments[name]
        if self.timetable is not None and free > 0:
            free = min(free, self.timetable.free_in_environment(name, request))
        return max(0, free)


def rank(request: Request) -> tuple[int, tuple[int, int]]:
    """Return the key by which requests are sorted: high priority first, then the older one."""
    return -request.priority, request.key


class Waiter(Protocol):
    """What waits for slots: a job, or an array job with all of its tasks that wait."""

    @property
    def request(self) -> Request:
        """What each of its tasks asks for; jobs alike share one."""
        ...

    @property
    def rank(self) -> tuple[int, tuple[int, int]]:
        """Its place among all that wait, lowest first; no two are the same, and it never changes while it waits."""
        ...

    def starts(self) -> Iterator[Any]:
        """Yield what may start now, in order: the job itself, or its tasks as far as its own limit allows."""
        ...


class WaitingList:
    """What waits, in groups of those that ask for the same.

    What does not fit for one of a group does not fit for the others, because room only shrinks while jobs are
    placed. So a decision costs time by the number of groups and of jobs started, not by that of jobs waiting.

    Parameters
    ----------
    waiters
        What waits at first.
    """

    def __init__(self, waiters: Iterable[Waiter] = ()) -> None:
        self._groups: dict[Hashable, list[Waiter]] = {}
        for waiter in waiters:
            self.add(waiter)

    def add(self, waiter: Waiter) -> None:
        """Put a waiter where its rank says."""
        group = self._groups.setdefault(waiter.request.group, [])
        if group and _rank(group[-1]) < _rank(waiter):
            group.append(waiter)
        else:
            bisect.insort(group, waiter, key=_rank)

    def remove(self, waiter: Waiter) -> None:
        """Take a waiter out."""
        group = self._groups[waiter.request.group]
        del group[bisect.bisect_left(group, _rank(waiter), key=_rank)]
        if not group:
            del self._groups[waiter.request.group]

    def number_before(self, waiter: Waiter, counts: Callable[[Any], bool]) -> int:
        """Return how many waiters come before one; groups whose first waiter does not count are left out."""
        groups = (group for group in self._groups.values() if counts(group[0]))
        return sum(bisect.bisect_left(group, _rank(waiter), key=_rank) for group in groups)

    def groups(self) -> Iterable[Sequence[Waiter]]:
        """Return the groups, each sorted by rank; none is empty."""
        return self._groups.values()


def _rank(waiter: Waiter) -> tuple[int, tuple[int, int]]:
    return waiter.rank


def place(waiting: WaitingList, room: Room) -> list[tuple[Any, dict[Instance, int]]]:
    """Return what starts now, with its slots by instance; they are taken from `room`, `waiting` is left as it is."""
    started: list[tuple[Any, dict[Instance, int]]] = []
    # Ranks differ, so that groups themselves are never compared.
    heads = [(group[0].rank, 0, group, group[0].starts()) for group in waiting.groups()]
    heapq.heapify(heads)
    # Room only shrinks here: what has no free slot at the beginning of a request's places need not be tried again.
    begins: dict[int, int] = {}
    full = room.is_full()
    while heads and not full:
        _, at, group, starts = heads[0]
        request = group[at].request
        next_one = next(starts, None)
        if next_one is not None:
            begin = begins[id(request.places)] = _first_free(request, room, begins.get(id(request.places), 0))
            if slots := fit(request, room, begin):
                take(room, slots, request)
                started.append((next_one, slots))
                continue
            full = room.is_full()
            at = _next_to_try(group, at, room)
        else:
            at += 1
        if at < len(group):
            heapq.heapreplace(heads, (group[at].rank, at, group, group[at].starts()))
        else:
            heapq.heappop(heads)
    return started


def _first_free(request: Request, room: Room, begin: int) -> int:
    """Return the index of the first of a request's places, from `begin` on, that has a free slot."""
    places = request.places
    while begin < len(places) and room.slots[places[begin]] <= 0:
        begin += 1
    return begin


def _next_to_try(group: Sequence[Waiter], at: int, room: Room) -> int:
    """Return the place in `group` of the next waiter that may fit, where the one at `at` does not."""
    failed = group[at].request
    if room.timetable is None or not fit(failed, dataclasses.replace(room, timetable=None)):
        return len(group)
    # It is slots kept for later that it may not have: of the others, one that runs shorter may end before that.
    shorter = room.timetable.next_shorter(failed.runtime)
    return next((n for n in range(at + 1, len(group)) if group[n].request.runtime <= shorter), len(group))


def take(room: Room, slots: Mapping[Instance, int], request: Request, sign: int = 1) -> None:
    """Take `slots` from `room` for `request`; with `sign` -1 give them back."""
    for instance, count in slots.items():
        room.slots[instance] -= sign * count
        for name, each in request.consumes.items():
            _consume(room, instance.host, name, sign * count * each)
    for name, amount in request.consumes_once.items():
        _consume(room, next(iter(slots)).host, name, sign * amount)
    if request.environment is not None:
        room.environments[request.environment] -= sign * sum(slots.values())
    if room.timetable is not None:
        room.timetable.take(slots, request, sign)


def _consume(room: Room, host: str, name: str, amount: Amount) -> None:
    shared = room.consumables.setdefault(host, {})
    shared[name] = shared.get(name, 0) - amount
