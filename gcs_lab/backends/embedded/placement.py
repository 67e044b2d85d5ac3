"""The scheduling decision, as a pure function: which waiting jobs start now, and on which slots.

The rule is simple and said here in full. Jobs are looked at by priority, then in the order of submission. Each
takes the first slots that suit it, or waits; a job that waits keeps nothing back, so that a big one never stops
smaller ones behind it from starting (and may wait long; reservations would change that). Held jobs are passed over.
"""

from __future__ import annotations

import bisect
import functools
import heapq
import math
from collections import Counter
from collections.abc import Mapping  # noqa: TC003  (dataclass fields are inspected at run time)
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

__all__ = ["Instance", "Request", "Room", "WaitingList", "place", "rank", "take"]


@dataclass(frozen=True)
class Instance:
    """A queue on a host: where slots are."""

    queue: str
    host: str

    def __str__(self) -> str:
        return f"{self.queue}@{self.host}"


@dataclass(frozen=True)
class Request:
    """What one waiting job asks for.

    ``places`` are the instances that suit it, best first; ``rule`` is the allocation rule of its parallel
    environment (None: a sequential job); ``consumes`` are consumables a slot.
    """

    key: tuple[int, int]
    places: tuple[Instance, ...]
    priority: int = 0
    held: bool = False
    least: int = 1
    most: int = 1
    environment: str | None = None
    rule: str | None = None
    consumes: Mapping[str, int] = field(default_factory=dict)

    @functools.cached_property
    def group(self) -> Hashable:
        """What is the same in requests that fit, or do not fit, alike."""
        consumes = frozenset(self.consumes.items())
        return self.places, self.held, self.least, self.most, self.environment, self.rule, consumes


@dataclass
class Room:
    """What is free: slots by instance, consumables by host, slots by parallel environment. Changed in place."""

    slots: Counter[Instance]
    consumables: dict[str, Counter[str]] = field(default_factory=dict)
    environments: Counter[str] = field(default_factory=Counter)

    def is_full(self) -> bool:
        """Tell whether no slot at all is free."""
        return not any(free > 0 for free in self.slots.values())


def rank(request: Request) -> tuple[int, tuple[int, int]]:
    """Return the key by which requests are sorted: high priority first, then the older one."""
    return -request.priority, request.key


class WaitingList:
    """Requests that wait, in groups of those that are alike in all but rank.

    What does not fit for one of a group does not fit for the others, because room only shrinks while jobs are
    placed. So a decision costs time by the number of groups and of jobs started, not by that of jobs waiting.

    Parameters
    ----------
    requests
        What waits at first.
    """

    def __init__(self, requests: Iterable[Request] = ()) -> None:
        self._groups: dict[Hashable, list[Request]] = {}
        for request in requests:
            self.add(request)

    def add(self, request: Request) -> None:
        """Put a request where its rank says."""
        bisect.insort(self._groups.setdefault(request.group, []), request, key=rank)

    def remove(self, request: Request) -> None:
        """Take a request out."""
        group = self._groups[request.group]
        del group[bisect.bisect_left(group, rank(request), key=rank)]
        if not group:
            del self._groups[request.group]

    def groups(self) -> Iterable[Sequence[Request]]:
        """Return the groups, each sorted by :func:`rank`; none is empty."""
        return self._groups.values()


def place(waiting: WaitingList, room: Room) -> list[tuple[Request, dict[Instance, int]]]:
    """Return what starts now, with its slots by instance; they are taken from `room`, `waiting` is left as it is."""
    started: list[tuple[Request, dict[Instance, int]]] = []
    # Ranks differ, so that groups themselves are never compared.
    heads = [(rank(group[0]), 0, group) for group in waiting.groups()]
    heapq.heapify(heads)
    while heads and not room.is_full():
        _, at, group = heads[0]
        request = group[at]
        slots = {} if request.held else _fit(request, room)
        if not slots:
            heapq.heappop(heads)
            continue
        take(room, slots, request)
        started.append((request, slots))
        if at + 1 < len(group):
            heapq.heapreplace(heads, (rank(group[at + 1]), at + 1, group))
        else:
            heapq.heappop(heads)
    return started


def take(room: Room, slots: Mapping[Instance, int], request: Request, sign: int = 1) -> None:
    """Take `slots` from `room` for `request`; with `sign` -1 give them back."""
    for instance, count in slots.items():
        room.slots[instance] -= sign * count
        for name, each in request.consumes.items():
            room.consumables.setdefault(instance.host, Counter())[name] -= sign * each * count
    if request.environment is not None:
        room.environments[request.environment] -= sign * sum(slots.values())


def _capacity(instance: Instance, request: Request, room: Room) -> int:
    """Return how many slots of `request` the instance could take on its own."""
    shared = room.consumables.get(instance.host, Counter())
    limits = [shared[name] // each for name, each in request.consumes.items() if each > 0]
    return max(0, min([room.slots[instance], *limits]))


def _fit(request: Request, room: Room) -> dict[Instance, int]:
    """Return the slots that `request` gets now, empty if it does not fit."""
    most = request.most
    if request.environment is not None:
        most = min(most, room.environments[request.environment])
    if most < request.least:
        return {}
    if request.rule in (None, "$pe_slots"):
        for instance in request.places:
            if (count := min(most, _capacity(instance, request, room))) >= request.least:
                return {instance: count}
        return {}
    given = _spread(request, room, most)
    return dict(given) if given.total() >= request.least else {}


def _spread(request: Request, room: Room, most: int) -> Counter[Instance]:
    """Give out up to `most` slots over several instances: whole hosts in turn, or one slot of each in turn."""
    at_once = 1 if request.rule == "$round_robin" else math.inf
    given: Counter[Instance] = Counter()
    by_host: Counter[str] = Counter()
    while given.total() < most:
        before = given.total()
        for instance in request.places:
            # Two queues of one host share its consumables: count what this job has on the host already.
            left = _shared_left(instance, request, room, by_host) if request.consumes else math.inf
            count = int(min(most - given.total(), room.slots[instance] - given[instance], left, at_once))
            if count > 0:
                given[instance] += count
                by_host[instance.host] += count
        if given.total() == before:
            break
    return given


def _shared_left(instance: Instance, request: Request, room: Room, by_host: Counter[str]) -> float:
    shared = room.consumables.get(instance.host, Counter())
    return min(
        (shared[name] // each - by_host[instance.host] for name, each in request.consumes.items() if each > 0),
        default=math.inf,
    )
