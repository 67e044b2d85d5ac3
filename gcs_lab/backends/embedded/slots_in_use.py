"""What a job that fits into the empty cluster does not find free now: slots, a parallel environment, a consumable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.queue_states import in_words
from gcs_lab.backends.embedded.request_offers import amount_in_words
from gcs_lab.vocabulary import PendingReason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.placement import Instance, Request, Room

__all__ = ["slots_in_use"]


def slots_in_use(
    request: Request, room: Room, layout: Layout, states: Mapping[Instance, str]
) -> Iterator[PendingReason]:
    """Yield what is in use of that which `request` needs; at least one thing."""
    open_places = [place for place in request.places if place not in states]
    free = {place: max(0, room.slots[place]) for place in open_places}
    total = {place: _slots(place, layout) for place in open_places}
    yield from _closed(request, states)
    missing = _missing_consumables(request, [place for place in open_places if free[place]], room, layout)
    environment = request.environment
    left = max(0, room.environments[environment]) if environment is not None else None
    if environment is not None and left is not None and left < request.least:
        of = next(pe.slots for pe in layout.parallel_environments if pe.name == environment)
        text = f"it asks for {request.least} slots of parallel environment {environment}, and {left} of {of} are free"
        yield PendingReason(ReasonKind.SLOTS, text, environment)
    elif missing and sum(free.values()) >= request.least:
        yield from missing
    elif not any(free.values()):
        queues = dict.fromkeys(place.queue for place in open_places)
        number = sum(total.values())
        slots = (
            f"the 1 slot of {', '.join(queues)} is" if number == 1 else f"all {number} slots of {_and(queues)} are"
        )
        yield PendingReason(ReasonKind.SLOTS, f"{slots} in use", next(iter(queues), ""))
    else:
        best = max(free, key=lambda place: free[place])
        text = (
            f"it asks for {request.least} slots; {sum(free.values())} of {sum(total.values())} are free, "
            f"at most {free[best]} on one host ({best})"
        )
        yield PendingReason(ReasonKind.SLOTS, text, best.queue)


def _slots(place: Instance, layout: Layout) -> int:
    return next(queue.slots for queue in layout.queues if queue.name == place.queue)


def _and(names: Mapping[str, object]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _closed(request: Request, states: Mapping[Instance, str]) -> Iterator[PendingReason]:
    """Yield the instances that would suit, and that an operator has closed."""
    shut = [place for place in request.places if place in states]
    if shut:
        said = "; ".join(f"{place} is {in_words(states[place])}" for place in shut)
        yield PendingReason(ReasonKind.QUEUE_STATE, said, shut[0].queue)


def _missing_consumables(request: Request, places: list[Instance], room: Room, layout: Layout) -> list[PendingReason]:
    """Return the consumables of which no host with a free slot has enough left."""
    hosts = dict.fromkeys(place.host for place in places)
    found = []
    for name, each in {**request.consumes, **request.consumes_once}.items():
        left = {host: room.consumables.get(host, {}).get(name, 0) for host in hosts}
        if left and all(amount < each for amount in left.values()):
            best = max(left, key=lambda host: left[host])
            definition = layout.complexes_by_name[name]
            asked, there = amount_in_words(definition, each), amount_in_words(definition, left[best])
            where = best if len(left) == 1 else f"{best}, more than on any other host with a free slot"
            text = f"it asks for {name}={asked}, and {there} is left on {where}: running jobs have the rest"
            found.append(PendingReason(ReasonKind.SLOTS, text, name))
    return found
