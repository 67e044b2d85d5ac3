"""What the embedded cluster consists of: virtual hosts, queues, parallel environments, complexes.

All hosts are this machine; they exist so that a class sees a cluster, and so that slots are spread by the rules.
"""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Mapping  # noqa: TC003  (dataclass fields are inspected at run time)
from dataclasses import dataclass, field

from gcs_lab.backends.embedded.complexes import LIMITS, STANDARD, Amount, ComplexDefinition
from gcs_lab.jobs.protocol import Catalogue

__all__ = [
    "ALLOCATION_RULES",
    "QUEUE_LIMITS",
    "Host",
    "Layout",
    "MailSettings",
    "ParallelEnvironment",
    "Queue",
    "machine_arch",
]

#: Grid Engine's words (``sge_pe(5)``): all on one host, fill one host after the other, one from each in turn. A
#: whole number is a rule too: exactly so many on each host.
ALLOCATION_RULES = ("$pe_slots", "$fill_up", "$round_robin")
#: Limits that a queue may set (``queue_conf(5)``).
QUEUE_LIMITS = tuple(LIMITS)


def machine_arch() -> str:
    """Return Grid Engine's name for this machine's architecture, for example ``lx-amd64``."""
    machine = platform.machine()
    return "lx-" + {"x86_64": "amd64", "aarch64": "arm64", "i686": "x86"}.get(machine, machine)


@dataclass(frozen=True)
class Host:
    """A virtual host. ``mem_total`` is in bytes; its topology is None where the file says nothing of it.

    ``consumables`` are what its jobs share, such as licences: quantities by name (bytes, seconds, plain numbers).
    ``fixed_values`` are its other complexes, as they were written. On a ``simulated`` host jobs execute nothing, and
    end after the seconds of their first argument.
    """

    name: str
    num_proc: int = field(default_factory=lambda: os.cpu_count() or 1)
    mem_total: int = field(default_factory=lambda: os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    arch: str = field(default_factory=machine_arch)
    consumables: Mapping[str, Amount] = field(default_factory=dict)
    fixed_values: Mapping[str, str] = field(default_factory=dict)
    sockets: int | None = None
    cores_per_socket: int | None = None
    threads_per_core: int | None = None
    simulated: bool = False


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
    """A rule by which a parallel job gets its slots; ``slots`` is how many it gives out in all.

    ``rule`` is one of :data:`ALLOCATION_RULES`, or the number of slots on each host as text.
    """

    name: str
    slots: int
    rule: str


@dataclass(frozen=True)
class MailSettings:
    """How mail is sent: a program that takes a message on its standard input, and whom it comes from."""

    command: tuple[str, ...]
    sender: str


@dataclass(frozen=True)
class Layout:
    """The whole cluster. ``idle_seconds`` is how long the scheduler stays with no job and no client.

    ``complexes`` are those beside the standard ones; ``job_categories`` are options of qsub by name; without ``mail``
    none is sent.
    """

    hosts: tuple[Host, ...]
    queues: tuple[Queue, ...]
    parallel_environments: tuple[ParallelEnvironment, ...]
    idle_seconds: float = 24 * 3600.0
    keep_ended_days: float = 90.0
    max_array_tasks: int = 1_000_000
    complexes: tuple[ComplexDefinition, ...] = ()
    job_categories: Mapping[str, str] = field(default_factory=dict)
    mail: MailSettings | None = None

    def host(self, name: str) -> Host:
        """Return the host called `name`."""
        return self._hosts_by_name[name]

    def has_host(self, name: str) -> bool:
        """Tell whether there is a host called `name`."""
        return name in self._hosts_by_name

    def is_simulated(self, name: str) -> bool:
        """Tell whether jobs on the host called `name` only seem to run; no host of that name is not simulated."""
        host = self._hosts_by_name.get(name)
        return host is not None and host.simulated

    def instances(self) -> list[tuple[Queue, Host]]:
        """Return all queue instances in the order in which they are tried."""
        return list(self._instances)

    def parallel_environment(self, name: str) -> ParallelEnvironment | None:
        """Return the parallel environment called `name`, if there is one."""
        return next((pe for pe in self.parallel_environments if pe.name == name), None)

    @functools.cached_property
    def _hosts_by_name(self) -> Mapping[str, Host]:
        return {host.name: host for host in self.hosts}

    @functools.cached_property
    def _instances(self) -> tuple[tuple[Queue, Host], ...]:
        return tuple((queue, self.host(name)) for queue in self.queues for name in queue.hosts)

    @functools.cached_property
    def complexes_by_name(self) -> Mapping[str, ComplexDefinition]:
        """All complexes by full name: the standard ones, those of the file, and the hosts' plain consumables."""
        known = {c.name: c for c in (*STANDARD, *self.complexes)}
        for name in sorted({name for host in self.hosts for name in host.consumables}):
            known.setdefault(name, ComplexDefinition(name, name, "INT", consumable="YES"))
        return known

    @functools.cached_property
    def full_names(self) -> Mapping[str, str]:
        """The complexes' full names by shortcut and by full name."""
        known = self.complexes_by_name
        return {c.shortcut: name for name, c in known.items()} | {name: name for name in known}

    @functools.cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(
            queues=tuple(queue.name for queue in self.queues),
            parallel_environments=tuple(pe.name for pe in self.parallel_environments),
            complexes=tuple(definition.announced() for definition in self.complexes_by_name.values()),
            job_categories=tuple(sorted(self.job_categories)),
            hosts=tuple(host.name for host in self.hosts),
            pe_slots={pe.name: pe.slots for pe in self.parallel_environments},
        )

    def catalogue(self) -> Catalogue:
        """Return the names that submissions may use."""
        return self._catalogue
