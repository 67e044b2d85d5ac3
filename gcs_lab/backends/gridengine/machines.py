"""The machines and cluster queues of a cell, as a monitoring session sees them (``qhost``, ``qstat -f``)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gcs_lab.backends.arch_words import architecture_of, operating_system_of
from gcs_lab.backends.gridengine.catalogue import parse_names
from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.qhost_xml import parse_hosts, read_count, read_memory, read_number
from gcs_lab.backends.gridengine.qstat_xml import parse_queues
from gcs_lab.vocabulary import MachineInfo, QueueInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gcs_lab.backends.gridengine.qstat_xml import QueueRow
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["machine_infos", "parse_machines", "queue_infos", "queues_of"]


def _kib(text: str | None) -> int | None:
    size = read_memory(text)
    return None if size is None else size // 1024


def _ratio(whole: int | None, parts: int | None) -> int | None:
    return None if not whole or not parts else whole // parts


def _machine(name: str, values: Mapping[str, str]) -> MachineInfo:
    arch = values.get("arch") or values.get("arch_string")
    load = read_number(values.get("load_short"))  # one minute; load_avg is load_medium, five minutes
    sockets, cores, threads = (read_count(values.get(key)) for key in ("m_socket", "m_core", "m_thread"))
    return MachineInfo(
        name=name,
        available="load_avg" in values,  # what it reported last is forgotten when it is not heard of any more
        sockets=sockets,
        cores_per_socket=_ratio(cores, sockets),
        threads_per_core=_ratio(threads, cores),
        load=read_number(values.get("load_avg")) if load is None else load,
        phys_memory=_kib(values.get("mem_total")),
        virt_memory=_kib(values.get("virtual_total")),
        machine_os=None if arch is None else operating_system_of(arch),
        machine_arch=None if arch is None else architecture_of(arch),
        raw=dict(values),
    )


def parse_machines(document: bytes) -> list[MachineInfo]:
    """Return the hosts in the output of ``qhost -F -xml``, without ``global``. Raises as :func:`parse_hosts`."""
    return [_machine(name, values) for name, values in parse_hosts(document).items()]


def machine_infos(cell: SgeCell) -> list[MachineInfo]:
    """Return the execution hosts, with one question. Raises GcsError if the cell does not answer."""
    return parse_machines(ask(cell, ["qhost", "-F", "-xml"]).stdout)


def queues_of(names: Iterable[str], rows: Iterable[QueueRow]) -> list[QueueInfo]:
    """Return the cluster queues called `names`, with the slots and machines of their instances."""
    slots = {name: [0, 0] for name in names}
    machines: dict[str, list[str]] = {name: [] for name in slots}
    for row in rows:
        if row.queue in slots:  # else it was made between the two questions
            slots[row.queue][0] += row.slots_total
            slots[row.queue][1] += row.slots_used
            machines[row.queue].append(row.host)
    return [QueueInfo(name, total, used, tuple(machines[name])) for name, (total, used) in slots.items()]


def queue_infos(cell: SgeCell) -> list[QueueInfo]:
    """Return the cluster queues, those without an instance among them, with two questions at once.

    Raises
    ------
    GcsError
        If the cell does not answer.
    """
    with ThreadPoolExecutor(2) as pool:
        names = pool.submit(ask, cell, ["qconf", "-sql"])
        instances = pool.submit(ask, cell, ["qstat", "-f", "-xml"])
        return queues_of(parse_names(names.result().text), parse_queues(instances.result().stdout))
