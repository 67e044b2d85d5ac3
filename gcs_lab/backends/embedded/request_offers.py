"""Which request no host can fulfil, and what the most is that one has of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.complexes import CONSUMABLE_TYPES, LIMITS
from gcs_lab.backends.embedded.matching import suit
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import format_memory, format_time

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.complexes import ComplexDefinition
    from gcs_lab.backends.embedded.layout import Host, Layout
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["amount_in_words", "no_offer"]


def no_offer(request: SubmitRequest, layout: Layout) -> tuple[str, str] | None:
    """Return the first of a job's quantities that is more than any host has, and what is to be said of it.

    None if it is something else that fits nowhere: a name, a queue's limit, or several requests together.
    """
    for name, value in request.requests.items():
        definition = layout.complexes_by_name.get(name)
        if name in LIMITS or definition is None or definition.type not in CONSUMABLE_TYPES:
            continue
        if definition.relation != "<=" or suit({name: value}, (), layout).why_not is None:
            continue
        offers = {host.name: _offer(definition, host) for host in layout.hosts}
        known = {host: offer for host, offer in offers.items() if offer is not None}
        asked = f"no host offers {name}={value}"
        if not known:
            return name, f"{asked}; no host has any {name}"
        best = max(known, key=lambda host: known[host])
        return name, f"{asked}; the largest offer is {amount_in_words(definition, known[best])} on {best}"
    return None


def _offer(definition: ComplexDefinition, host: Host) -> Any:
    """Return how much a host has of a complex when it is empty; None if it has nothing of it."""
    name = definition.name
    if name in host.consumables:
        return host.consumables[name]
    text = str(getattr(host, name)) if name in {"num_proc", "mem_total"} else host.fixed_values.get(name)
    try:
        return None if text is None else definition.amount(text)
    except InvalidArgument:
        # The type was changed in the file after the value was written.
        return None


def amount_in_words(definition: ComplexDefinition, amount: Any) -> str:
    """Return a quantity as people read it: ``"23.4 GiB"``, ``"1:00:00"``, ``"2"``."""
    if definition.type == "MEMORY":
        return format_memory(float(amount))
    if definition.type == "TIME":
        return format_time(float(amount))
    return "unlimited" if math.isinf(amount) else f"{float(amount):g}"
