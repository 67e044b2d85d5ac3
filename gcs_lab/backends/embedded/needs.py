"""What a task needs, in the terms of the placement, and whether this cluster could ever give it."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.allocation import fit, rule_number
from gcs_lab.backends.embedded.matching import consumption, limits_of, suit, wishes_of
from gcs_lab.backends.embedded.placement import Instance, Request, Room

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["empty_room", "needs_of"]

_NAMED_HOSTS = 8


def empty_room(layout: Layout) -> Room:
    """Return all that there is to give out."""
    return Room(
        Counter({Instance(queue.name, host.name): queue.slots for queue, host in layout.instances()}),
        {host.name: dict(host.consumables) for host in layout.hosts},
        Counter({pe.name: pe.slots for pe in layout.parallel_environments}),
    )


def needs_of(asked: SubmitRequest, layout: Layout) -> tuple[Request, str | None]:
    """Return what the placement is asked for, holds aside, and which of it fits nowhere even in an empty cluster."""
    request, why_not = _request(asked, layout)
    if why_not is None and not fit(dataclasses.replace(request, reservation=None), empty_room(layout)):
        why_not = _why_too_much(request, layout)
    return request, why_not


def _why_too_much(request: Request, layout: Layout) -> str:
    """Return why a request fits nowhere though each of its wishes alone does."""
    what = f"-pe {request.environment} {request.least}" if request.environment else "the job"
    if (each := rule_number(request.rule)) and request.most // each * each < request.least:
        return f"{what} fits nowhere: {request.environment} gives {each} slots on each host; ask for a multiple of it"
    environment = layout.parallel_environment(request.environment or "")
    if environment is not None and environment.slots < request.least:
        return f"{what} fits nowhere: {environment.name} gives out {environment.slots} slots in all"
    there = ", ".join(f"{queue.name}@{host.name}: {queue.slots}" for queue, host in layout.instances())
    if len(layout.hosts) > _NAMED_HOSTS:
        there = ", ".join(
            f"{queue.name}: {queue.slots} on each of {len(queue.hosts)} hosts" for queue in layout.queues
        )
    return f"{what} fits nowhere: the queues have slots {there}"


def _request(asked: SubmitRequest, layout: Layout) -> tuple[Request, str | None]:
    """Return the request, and why no place suits, if none does."""
    match = suit(asked.requests, asked.queues, layout, wishes_of(asked))
    environment = layout.parallel_environment(asked.parallel_environment or "")
    why_not = match.why_not
    places = match.places
    if asked.parallel_environment and environment is None:
        # It was taken out of the file after the job was submitted.
        places, why_not = (), f"-pe {asked.parallel_environment}: there is no such parallel environment any more"
    consumes, consumes_once = consumption(asked.requests, layout)
    return Request(
        key=(0, 0),
        places=places,
        priority=asked.priority,
        least=asked.min_slots,
        most=asked.max_slots,
        environment=None if environment is None else environment.name,
        rule=None if environment is None else environment.rule,
        consumes=consumes,
        consumes_once=consumes_once,
        runtime=limits_of(asked.requests).get("h_rt", math.inf),
        reservation=asked.reservation_id,
    ), why_not
