"""Which queue instances suit a job: its queues, its requests, and the queues' limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.placement import Instance
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs.requests import parse_memory, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.backends.embedded.layout import Host, Layout, Queue

__all__ = ["Match", "check_queues", "limits_of", "matches", "suit"]

_PARSERS = {"h_rt": parse_time, "s_rt": parse_time, "h_cpu": parse_time, "h_vmem": parse_memory}
_WILD = frozenset("*?[|!")
#: A limit of these kinds would end the job: a queue that has one takes only jobs that know of it.
_DEADLY = ("h_rt", "h_cpu", "h_vmem")


@dataclass(frozen=True)
class Match:
    """The instances that suit a job, best first; if there is none, ``why_not`` says which request fits nowhere."""

    places: tuple[Instance, ...]
    why_not: str | None = None


def matches(pattern: str, name: str) -> bool:
    """Tell whether `name` matches a pattern of Grid Engine: ``|`` between alternatives, ``*?[]``, ``!`` negates."""
    if pattern.startswith("!"):
        return not matches(pattern[1:], name)
    return any(fnmatchcase(name, part) for part in pattern.split("|"))


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
        if not _WILD & set(queue) and queue not in names:
            raise UnknownName("queue", queue, names, where="embedded")
        hosts = [h.name for h in layout.hosts]
        if host and not _WILD & set(host) and host not in hosts:
            raise UnknownName("host", host, hosts, where="embedded")


def limits_of(requests: Mapping[str, str], queues: Sequence[Queue] = ()) -> dict[str, float]:
    """Return the limits that hold for a job in `queues`: the lowest of what it asked for and what they set."""
    limits = {name: parse(requests[name]) for name, parse in _PARSERS.items() if name in requests}
    for queue in queues:
        for name, limit in queue.limits.items():
            limits[name] = min(limit, limits.get(name, math.inf))
    return {name: limit for name, limit in limits.items() if not math.isinf(limit)}


def suit(requests: Mapping[str, str], queues: Sequence[str], layout: Layout) -> Match:
    """Return the queue instances on which a job with these requests may run, whatever is free now."""
    left = layout.instances()
    if queues:
        left = [(queue, host) for queue, host in left if any(_named(text, queue, host) for text in queues)]
        if not left:
            return Match((), f"-q {','.join(queues)} fits no queue instance of this cluster")
    for name, value in requests.items():
        had, left = left, [(queue, host) for queue, host in left if _has(name, value, queue, host)]
        if not left:
            return Match((), f"-l {name}={value} fits nowhere: {_what_there_is(name, had)}")
    asked = limits_of(requests)
    named = {q.name for q in layout.queues if any(_names_queue(text, q.name) for text in queues)}
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


def _has(name: str, value: str, queue: Queue, host: Host) -> bool:
    """Tell whether the instance has what is asked for, by the relations of Grid Engine's default complexes."""
    match name:
        case "hostname":
            has = matches(value.lower(), host.name.lower())
        case "qname":
            has = matches(value, queue.name)
        case "arch":
            has = matches(value, host.arch)
        case "num_proc":
            has = int(value) == host.num_proc
        case "mem_total":
            has = parse_memory(value) <= host.mem_total
        case _ if name in _PARSERS:
            has = True
        case _:
            has = int(value) <= host.consumables.get(name, 0)
    return has


def _within(queue: Queue, asked: Mapping[str, float], *, named: bool) -> bool:
    for name, limit in queue.limits.items():
        if name in _DEADLY and asked.get(name, limit if named else math.inf) > limit:
            return False
    return True


def _what_there_is(name: str, had: list[tuple[Queue, Host]]) -> str:
    if name == "qname":
        return f"there is {', '.join(dict.fromkeys(queue.name for queue, _ in had))}"
    return "the hosts have " + ", ".join(_value(name, host) for host in {host.name: host for _, host in had}.values())


def _value(name: str, host: Host) -> str:
    if name == "hostname":
        return host.name
    if name in {"arch", "num_proc", "mem_total"}:
        return f"{host.name}: {getattr(host, name)}"
    return f"{host.name}: {host.consumables.get(name, 0)}"
