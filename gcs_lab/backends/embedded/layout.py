"""What the embedded cluster consists of: virtual hosts, queues, parallel environments.

All hosts are this machine; they exist so that a class sees a cluster, and so that slots are spread by the rules.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping  # noqa: TC003  (dataclass fields are inspected at run time)
from dataclasses import dataclass, field

from gcs_lab.jobs.protocol import Catalogue, Complex

__all__ = ["ALLOCATION_RULES", "QUEUE_LIMITS", "Host", "Layout", "ParallelEnvironment", "Queue", "machine_arch"]

#: Grid Engine's words (``sge_pe(5)``): all on one host, fill one host after the other, one from each in turn.
ALLOCATION_RULES = ("$pe_slots", "$fill_up", "$round_robin")
#: Limits that a queue may set (``queue_conf(5)``).
QUEUE_LIMITS = ("h_rt", "s_rt", "h_cpu", "h_vmem")

#: Names, shortcuts and types of ``complex(5)``.
_STANDARD = (
    Complex("arch", "a", "RESTRING"),
    Complex("h_cpu", "h_cpu", "TIME"),
    Complex("h_rt", "h_rt", "TIME"),
    Complex("h_vmem", "h_vmem", "MEMORY"),
    Complex("hostname", "h", "HOST"),
    Complex("mem_total", "mt", "MEMORY"),
    Complex("num_proc", "p", "INT"),
    Complex("qname", "q", "RESTRING"),
    Complex("s_rt", "s_rt", "TIME"),
    # As in Grid Engine, slots are asked for by -pe, never by -l.
    Complex("slots", "s", "INT", requestable=False, consumable=True),
)


def machine_arch() -> str:
    """Return Grid Engine's name for this machine's architecture, for example ``lx-amd64``."""
    machine = platform.machine()
    return "lx-" + {"x86_64": "amd64", "aarch64": "arm64", "i686": "x86"}.get(machine, machine)


@dataclass(frozen=True)
class Host:
    """A virtual host. ``mem_total`` is in bytes; ``consumables`` are what its jobs share, such as licences."""

    name: str
    num_proc: int = field(default_factory=lambda: os.cpu_count() or 1)
    mem_total: int = field(default_factory=lambda: os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    arch: str = field(default_factory=machine_arch)
    consumables: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Queue:
    """A cluster queue with `slots` on each of its hosts.

    ``limits`` are seconds and bytes, by the names in :data:`QUEUE_LIMITS`.
    """

    name: str
    slots: int
    hosts: tuple[str, ...]
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ParallelEnvironment:
    """A rule by which a parallel job gets its slots; ``slots`` is how many it gives out in all."""

    name: str
    slots: int
    rule: str


@dataclass(frozen=True)
class Layout:
    """The whole cluster. ``idle_seconds`` is how long the scheduler stays with no job and no client."""

    hosts: tuple[Host, ...]
    queues: tuple[Queue, ...]
    parallel_environments: tuple[ParallelEnvironment, ...]
    idle_seconds: float = 24 * 3600.0
    keep_ended_days: float = 90.0

    def host(self, name: str) -> Host:
        """Return the host called `name`."""
        return next(host for host in self.hosts if host.name == name)

    def instances(self) -> list[tuple[Queue, Host]]:
        """Return all queue instances in the order in which they are tried."""
        return [(queue, self.host(name)) for queue in self.queues for name in queue.hosts]

    def parallel_environment(self, name: str) -> ParallelEnvironment | None:
        """Return the parallel environment called `name`, if there is one."""
        return next((pe for pe in self.parallel_environments if pe.name == name), None)

    def catalogue(self) -> Catalogue:
        """Return the names that submissions may use."""
        consumables = sorted({name for host in self.hosts for name in host.consumables})
        return Catalogue(
            queues=tuple(queue.name for queue in self.queues),
            parallel_environments=tuple(pe.name for pe in self.parallel_environments),
            complexes=(*_STANDARD, *(Complex(name, name, "INT", consumable=True) for name in consumables)),
        )
