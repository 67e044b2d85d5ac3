"""The shape of a private cell: its hosts, which of them are real, and the queues on them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from gcs_lab.errors import InvalidArgument

__all__ = ["MOST_NODES", "MOST_SIMULATED", "MOST_SLOTS", "Shape"]

#: socket_wrapper(1) has the addresses 127.0.0.1 to 127.0.0.64; one is the head's, the first is ``localhost``.
MOST_NODES = 60
#: With so many hosts the qmaster and its commands are still usable on one core.
MOST_SIMULATED = 5_000
MOST_SLOTS = 4_096
_SIMULATED_SLOTS = 16
#: The queues of real hosts, with ``h_rt`` (seconds).
_QUEUES = {"all.q": "INFINITY", "short.q": "600"}
#: Queue, host group, and ``h_rt``: the second queue is on every tenth of the simulated hosts.
_SIMULATED_QUEUES = {"sim.q": ("@simulated", "INFINITY"), "simshort.q": ("@simshort", "600")}


def _check(name: str, number: int | None, most: int) -> None:
    if number is not None and not (isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= most):
        raise InvalidArgument(f"{name} is {number!r}; expected a number from 1 to {most:,}.")


@dataclass(frozen=True)
class Shape:
    """What a cell consists of; 0 nodes mean that its one host is this machine.

    ``slots`` are those of each queue on each host.
    """

    nodes: int
    simulated: int
    slots: int

    @classmethod
    def asked(cls, nodes: int | None, simulated: int | None, slots: int | None) -> Shape:
        """Return the shape that was asked for; None: nothing was said of it.

        Raises
        ------
        InvalidArgument
            If a number is out of range, or if there are to be real and simulated hosts: with ``SIMULATE_EXECDS``
            (sge_conf(5)) the qmaster of 8.1.9 sends no job to any host.
        """
        _check("nodes", nodes, MOST_NODES)
        _check("simulated", simulated, MOST_SIMULATED)
        _check("slots", slots, MOST_SLOTS)
        if nodes and simulated:
            raise InvalidArgument(
                "a Grid Engine cell simulates all of its hosts or none (SIMULATE_EXECDS): nodes would run no job. "
                f"Start two cells: `gcs-lab demo start --nodes {nodes}` and `gcs-lab demo start --name big "
                f"--simulated {simulated}`. The embedded cluster has both at once."
            )
        default = _SIMULATED_SLOTS if simulated else max(4, os.cpu_count() or 1)
        return cls(nodes or 0, simulated or 0, slots or default)

    @property
    def head(self) -> str:
        """Name of the qmaster's host, which clients are on, too."""
        return "head" if self.nodes else "localhost"

    @property
    def node_names(self) -> tuple[str, ...]:
        """Names of the nodes, ``node01`` and so on; none if this machine is the one host."""
        return tuple(f"node{number:02}" for number in range(1, self.nodes + 1))

    @property
    def simulated_names(self) -> tuple[str, ...]:
        """Names of the simulated hosts, ``sim001`` and so on."""
        digits = max(3, len(str(self.simulated)))
        return tuple(f"sim{number:0{digits}}" for number in range(1, self.simulated + 1))

    @property
    def daemon_hosts(self) -> tuple[str, ...]:
        """Hosts with an execution daemon."""
        return self.node_names or (self.head,)

    @property
    def host_groups(self) -> dict[str, tuple[str, ...]]:
        """Host groups with their members."""
        simulated = self.simulated_names
        if not simulated:
            return {"@allhosts": self.daemon_hosts}
        return {"@simulated": simulated, "@simshort": simulated[: max(1, len(simulated) // 10)]}

    @property
    def queues(self) -> dict[str, tuple[str, str]]:
        """Queues with their host group and ``h_rt`` (seconds)."""
        if self.simulated:
            return _SIMULATED_QUEUES
        return {name: ("@allhosts", limit) for name, limit in _QUEUES.items()}

    @property
    def queue_instances(self) -> int:
        """How many queue instances there are."""
        groups = self.host_groups
        return sum(len(groups[group]) for group, _ in self.queues.values())

    def in_words(self) -> str:
        """Return what it is, for people: ``"4 nodes, 8 slots in each queue on each"``."""
        number, kind = (self.simulated, "simulated host") if self.simulated else (self.nodes, "node")
        if not number:
            number, kind = 1, "host"
        hosts, slots = "" if number == 1 else "s", "" if self.slots == 1 else "s"
        return f"{number} {kind}{hosts}, {self.slots} slot{slots} in each queue" + (" on each" if number > 1 else "")
