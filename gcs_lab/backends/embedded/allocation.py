"""The allocation rules: which slots one job gets from what is free (``sge_pe(5)``, *allocation_rule*).

``None`` (a sequential job) and ``$pe_slots``: all on one queue instance. ``$fill_up``: one host after the other.
``$round_robin``: one slot of each host in turn. A number: exactly so many on each host.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gcs_lab.backends.embedded.placement import Instance, Request, Room

__all__ = ["Slots", "fit", "rule_number"]

#: What a job gets: slots by queue instance; the first instance is where its own process runs.
Slots = dict["Instance", int]

_ONE_INSTANCE = (None, "$pe_slots")


def rule_number(rule: str | None) -> int | None:
    """Return how many slots a rule gives on each host, if it says a number."""
    return int(rule) if rule is not None and rule.isdecimal() else None


def fit(request: Request, room: Room, begin: int = 0) -> Slots:
    """Return the slots that `request` gets now, empty if it does not fit.

    Its places before the index `begin` are known to have no free slot.
    """
    most = request.most
    if request.environment is not None:
        most = min(most, room.environment_slots(request.environment, request))
    if most < request.least:
        return {}
    if request.rule in _ONE_INSTANCE:
        return _on_one_instance(request, room, most, begin)
    best: Counter[Instance] = Counter()
    for places in _orders(request, room):
        given = _over_hosts(request, room, places, most)
        if request.consumes_once and given and next(iter(given)).host != places[0].host:
            # The host that has what is needed once has no slot for it.
            continue
        if given.total() >= request.least and given.total() > best.total():
            best = given
        if best.total() == most:
            break
    return dict(best)


def _on_one_instance(request: Request, room: Room, most: int, begin: int) -> Slots:
    """Return the slots of the instance that has the most, up to `most`; of those alike, the first."""
    best: Slots = {}
    enough = request.least
    for instance in itertools.islice(request.places, begin, None):
        count = min(most, room.free_slots(instance, request))
        if request.consumes and count > 0:
            count = int(min(count, _slots_by_consumables(instance.host, request, room)))
        if count >= enough and _has_once(instance.host, request, room):
            best, enough = {instance: count}, count + 1
            if count == most:
                break
    return best


def _orders(request: Request, room: Room) -> Iterator[Sequence[Instance]]:
    """Yield the orders in which instances are to be tried: what is needed once must be on the first host."""
    if not request.consumes_once:
        yield request.places
        return
    for first in dict.fromkeys(place.host for place in request.places):
        if _has_once(first, request, room):
            yield sorted(request.places, key=lambda place: place.host != first)


def _over_hosts(request: Request, room: Room, places: Sequence[Instance], most: int) -> Counter[Instance]:
    """Give out up to `most` slots over several instances, by the rule."""
    free = {place: room.free_slots(place, request) for place in places}
    on_host = dict.fromkeys(place.host for place in places)
    left = {host: _slots_by_consumables(host, request, room) for host in on_host}
    if request.rule == "$fill_up":
        return _fill(places, free, left, most)
    if request.rule == "$round_robin":
        return _in_turn(places, free, left, most)
    given: Counter[Instance] = Counter()
    each = rule_number(request.rule) or most
    for host in on_host:
        if given.total() + each > most:
            break
        here = _fill([place for place in places if place.host == host], free, left, each)
        if here.total() == each:
            given.update(here)
    return given


def _fill(
    places: Sequence[Instance], free: Mapping[Instance, int], left: dict[str, float], most: int
) -> Counter[Instance]:
    given: Counter[Instance] = Counter()
    for place in places:
        # Two queues of one host share its consumables.
        count = int(min(most - given.total(), free[place], left[place.host]))
        if count > 0:
            given[place] += count
            left[place.host] -= count
    return given


def _in_turn(
    places: Sequence[Instance], free: Mapping[Instance, int], left: dict[str, float], most: int
) -> Counter[Instance]:
    given: Counter[Instance] = Counter()
    hosts = list(left)
    while hosts:
        for host in list(hosts):
            if given.total() == most:
                return given
            place = next((place for place in places if place.host == host and free[place] > given[place]), None)
            if place is None or left[host] < 1:
                hosts.remove(host)
                continue
            given[place] += 1
            left[host] -= 1
    return given


def _slots_by_consumables(host: str, request: Request, room: Room) -> float:
    """Return how many slots the host's consumables allow; infinite if the request needs none."""
    if not request.consumes:
        return math.inf
    shared = room.consumables.get(host, {})
    amounts = ((shared.get(name, 0), each) for name, each in request.consumes.items() if each > 0)
    return max(0, min((there // each for there, each in amounts if there != math.inf), default=math.inf))


def _has_once(host: str, request: Request, room: Room) -> bool:
    """Tell whether the host has what the request needs once for the whole job."""
    shared = room.consumables.get(host, {})
    return all(shared.get(name, 0) >= amount for name, amount in request.consumes_once.items())
