"""What a task needs, in the terms of the placement, and whether this cluster could ever give it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.matching import suit
from gcs_lab.backends.embedded.placement import Instance, Request, Room, WaitingList, place

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.task import Task

__all__ = ["empty_room", "needs_of"]


def empty_room(layout: Layout) -> Room:
    """Return all that there is to give out."""
    return Room(
        Counter({Instance(queue.name, host.name): queue.slots for queue, host in layout.instances()}),
        {host.name: Counter(host.consumables) for host in layout.hosts},
        Counter({pe.name: pe.slots for pe in layout.parallel_environments}),
    )


def needs_of(task: Task, layout: Layout) -> tuple[Request, str | None]:
    """Return what the placement is asked for, holds aside, and which of it fits nowhere even in an empty cluster."""
    request, why_not = _request(task, layout)
    if why_not is None and not place(WaitingList([request]), empty_room(layout)):
        there = ", ".join(f"{queue.name}@{host.name}: {queue.slots}" for queue, host in layout.instances())
        what = f"-pe {request.environment} {request.least}" if request.environment else "the job"
        why_not = f"{what} fits nowhere: the queues have slots {there}"
    return request, why_not


def _request(task: Task, layout: Layout) -> tuple[Request, str | None]:
    """Return the request, and why no place suits, if none does."""
    asked = task.job.request
    match = suit(asked.requests, asked.queues, layout)
    environment = layout.parallel_environment(asked.parallel_environment or "")
    why_not = match.why_not
    places = match.places
    if asked.parallel_environment and environment is None:
        # It was taken out of the file after the job was submitted.
        places, why_not = (), f"-pe {asked.parallel_environment}: there is no such parallel environment any more"
    consumables = {c.name for c in layout.catalogue().complexes if c.consumable}
    return Request(
        key=task.key,
        places=places,
        priority=asked.priority,
        least=asked.min_slots,
        most=asked.max_slots,
        environment=None if environment is None else environment.name,
        rule=None if environment is None else environment.rule,
        consumes={name: int(value) for name, value in asked.requests.items() if name in consumables},
    ), why_not
