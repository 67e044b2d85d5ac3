"""Which queue instances suit a job: its queues, its requests, and the queues' limits."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.backends.arch_words import architecture_of, operating_system_of
from gcs_lab.backends.embedded.complexes import LIMITS, Amount
from gcs_lab.backends.embedded.patterns import WILD, matches
from gcs_lab.backends.embedded.placement import Instance
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs.requests import format_memory, parse_memory, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.backends.embedded.layout import Host, Layout, Queue
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["MachineWishes", "Match", "check_queues", "consumption", "limits_of", "matches", "suit", "wishes_of"]

#: A limit of these kinds would end the job: a queue that has one takes only jobs that know of it.
_DEADLY = ("h_rt", "h_cpu", "h_vmem")
_KIB = 1024


@dataclass(frozen=True)
class Match:
    """The instances that suit a job, best first; if there is none, ``why_not`` says which request fits nowhere."""

    places: tuple[Instance, ...]
    why_not: str | None = None


@dataclass(frozen=True)
class MachineWishes:
    """What DRMAA2 says of the machines: names (case does not count), KiB of memory, system and processor by name."""

    candidates: tuple[str, ...] = ()
    min_phys_memory: int = 0
    machine_os: str | None = None
    machine_arch: str | None = None

    def why_not(self, host: Host) -> str | None:
        """Return what `host` lacks, in words; None if it suits."""
        if self.candidates and host.name.lower() not in {name.lower() for name in self.candidates}:
            return f"{host.name} is none of the candidate machines {', '.join(self.candidates)}"
        if self.min_phys_memory * _KIB > host.mem_total:
            wanted = format_memory(self.min_phys_memory * _KIB)
            return f"min_phys_memory={wanted}, and {host.name} has {format_memory(host.mem_total)}"
        system, processor = operating_system_of(host.arch).name, architecture_of(host.arch).name
        if self.machine_os not in (None, system):
            return f"machine_os={self.machine_os}, and {host.name} is {system} ({host.arch})"
        if self.machine_arch not in (None, processor):
            return f"machine_arch={self.machine_arch}, and {host.name} is {processor} ({host.arch})"
        return None


def wishes_of(request: SubmitRequest) -> MachineWishes:
    """Return what a submission says of the machines."""
    return MachineWishes(
        tuple(request.candidate_machines), request.min_phys_memory, request.machine_os, request.machine_arch
    )


def check_queues(queues: Sequence[str], layout: Layout) -> None:
    """Make sure that the queues that a submission names exist.

    Raises
    ------
    UnknownName
        If a queue or host is not there.
    InvalidArgument
        If a host group is asked for.
    """
    for text in queues:
        queue, at, host = text.partition("@")
        if host.startswith("@"):
            raise InvalidArgument(f"-q {text}: the embedded cluster has no host groups; name a host.")
        if not queue or (at and not host):
            raise InvalidArgument(f"-q {text}: expected queue or queue@host, for example all.q.")
        names = [q.name for q in layout.queues]
        if not WILD & set(queue) and queue not in names:
            raise UnknownName("queue", queue, names, where="embedded")
        hosts = [h.name for h in layout.hosts]
        if host and not WILD & set(host) and host not in hosts:
            raise UnknownName("host", host, hosts, where="embedded")


def limits_of(requests: Mapping[str, str], queues: Sequence[Queue] = ()) -> dict[str, float]:
    """Return the limits that hold for a job in `queues`: the lowest of what it asked for and what they set."""
    limits = {
        name: parse_time(value) if LIMITS[name] == "TIME" else parse_memory(value)
        for name, value in requests.items()
        if name in LIMITS
    }
    for queue in queues:
        for name, limit in queue.limits.items():
            limits[name] = min(limit, limits.get(name, math.inf))
    return {name: limit for name, limit in limits.items() if not math.isinf(limit)}


def consumption(requests: Mapping[str, str], layout: Layout) -> tuple[dict[str, Amount], dict[str, Amount]]:
    """Return what a job uses up of its hosts' consumables: by each of its slots, and once as a whole."""
    each: dict[str, Amount] = {}
    once: dict[str, Amount] = {}
    for name, value in requests.items():
        definition = layout.complexes_by_name.get(name)
        if definition is None or definition.consumable == "NO":
            continue
        # A value that does not fit the type any more is found to fit nowhere by `suit`.
        with contextlib.suppress(InvalidArgument):
            (each if definition.consumable == "YES" else once)[name] = definition.amount(value)
    return each, once


def suit(
    requests: Mapping[str, str], queues: Sequence[str], layout: Layout, wishes: MachineWishes | None = None
) -> Match:
    """Return the queue instances on which a job with these requests may run, whatever is free now."""
    named = {q.name for q in layout.queues if any(_names_queue(text, q.name) for text in queues)}
    # A job that is to do something must not get onto a host that only seems to run it unless it says so.
    left = [(queue, host) for queue, host in layout.instances() if not host.simulated or queue.name in named]
    if not left:
        there = ", ".join(queue.name for queue in layout.queues)
        return Match((), f"all hosts are simulated; they take jobs that name a queue only (-q): there is {there}")
    if queues:
        left = [(queue, host) for queue, host in left if any(_named(text, queue, host) for text in queues)]
        if not left:
            return Match((), f"-q {','.join(queues)} fits no queue instance of this cluster")
    if wishes is not None:
        had, left = left, [(queue, host) for queue, host in left if wishes.why_not(host) is None]
        if not left:
            lacks = dict.fromkeys(str(wishes.why_not(host)) for _, host in had)
            return Match((), f"no machine suits: {'; '.join(lacks)}")
    for name, value in requests.items():
        had, left = left, [(queue, host) for queue, host in left if _has(name, value, queue, host, layout)]
        if not left:
            return Match((), f"-l {name}={value} fits nowhere: {_what_there_is(name, had)}")
    asked = limits_of(requests)
    had, left = left, [(queue, host) for queue, host in left if _within(queue, asked, named=queue.name in named)]
    if not left:
        there = ", ".join(f"{q.name} has {n}={limit:g}" for q, _ in had for n, limit in q.limits.items())
        return Match((), f"the limits of the queues are below what is asked for: {there}")
    return Match(tuple(Instance(queue.name, host.name) for queue, host in left))


def _names_queue(text: str, queue: str) -> bool:
    return text.partition("@")[0] == queue


def _named(text: str, queue: Queue, host: Host) -> bool:
    queue_pattern, _, host_pattern = text.partition("@")
    return matches(queue_pattern, queue.name) and (not host_pattern or matches(host_pattern, host.name))


def _own_value(name: str, queue: Queue, host: Host) -> str | None:
    """Return what an instance has of a complex that is not consumed; None if it has nothing of it."""
    match name:
        case "hostname":
            return host.name
        case "qname":
            return queue.name
        case "arch" | "num_proc" | "mem_total":
            return str(getattr(host, name))
        case _:
            return host.fixed_values.get(name)


def _has(name: str, value: str, queue: Queue, host: Host, layout: Layout) -> bool:
    """Tell whether the instance has what is asked for."""
    if name in LIMITS:
        return True
    definition = layout.complexes_by_name.get(name)
    if definition is None:
        # It was taken out of the file after the job was submitted.
        return False
    try:
        if definition.consumable != "NO":
            return bool(definition.amount(value) <= host.consumables.get(name, 0))
        there = _own_value(name, queue, host)
        return there is not None and definition.suits(value, there)
    except InvalidArgument:
        # Its type was changed in the file after the job was submitted.
        return False


def _within(queue: Queue, asked: Mapping[str, float], *, named: bool) -> bool:
    for name, limit in queue.limits.items():
        if name in _DEADLY and asked.get(name, limit if named else math.inf) > limit:
            return False
    return True


def _what_there_is(name: str, had: list[tuple[Queue, Host]]) -> str:
    if name == "qname":
        return f"there is {', '.join(dict.fromkeys(queue.name for queue, _ in had))}"
    return "the hosts have " + ", ".join(
        _value(name, queue, host) for queue, host in {host.name: (queue, host) for queue, host in had}.values()
    )


def _value(name: str, queue: Queue, host: Host) -> str:
    if name == "hostname":
        return host.name
    if name in host.consumables:
        amount = host.consumables[name]
        return f"{host.name}: {float(amount):g}" if amount != int(amount) else f"{host.name}: {int(amount)}"
    there = _own_value(name, queue, host)
    return f"{host.name}: {'none' if there is None else there}"
