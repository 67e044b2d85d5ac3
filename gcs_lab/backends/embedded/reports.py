"""What the scheduler tells of queues and hosts, as JSON data."""

from __future__ import annotations

import functools
import os
import platform
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.placement import Instance
from gcs_lab.backends.embedded.reservation import ReservationPhase

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Host
    from gcs_lab.backends.embedded.scheduler import Scheduler

__all__ = ["hosts_report", "machines_report", "queue_infos", "queue_instances_report"]


def _slots_used(scheduler: Scheduler) -> Counter[tuple[str, str]]:
    used: Counter[tuple[str, str]] = Counter()
    for task in scheduler.active.values():
        for place, count in task.slots.items():
            used[place.queue, place.host] += count
    return used


def queue_instances_report(scheduler: Scheduler) -> dict[str, list[Any]]:
    """Return the queue instances as a table: ``QUEUE_INSTANCE_COLUMNS`` without the key."""
    used = _slots_used(scheduler)
    book = scheduler.keeper.book
    reserved: Counter[Instance] = Counter()
    for made in book.live.values():
        if made.phase is ReservationPhase.RUNNING:
            reserved.update(made.slots)
    instances = scheduler.layout.instances()
    load = os.getloadavg()[0]
    return {
        "queue": [queue.name for queue, _ in instances],
        "host": [host.name for _, host in instances],
        # Batch and parallel jobs; there are no interactive ones.
        "type": ["BP"] * len(instances),
        "slots_used": [used[queue.name, host.name] for queue, host in instances],
        "slots_reserved": [reserved[Instance(queue.name, host.name)] for queue, host in instances],
        "slots_total": [queue.slots for queue, _ in instances],
        "load_avg": [load] * len(instances),
        "arch": [host.arch for _, host in instances],
        "state": [book.states.get(Instance(queue.name, host.name), "") for queue, host in instances],
    }


def queue_infos(scheduler: Scheduler) -> list[dict[str, Any]]:
    """Return the cluster queues, each with its slots on all hosts."""
    used: Counter[str] = Counter()
    for (queue, _), count in _slots_used(scheduler).items():
        used[queue] += count
    return [
        {
            "name": queue.name,
            "slots": queue.slots * len(queue.hosts),
            "slots_used": used[queue.name],
            "machines": list(queue.hosts),
        }
        for queue in scheduler.layout.queues
    ]


def hosts_report(scheduler: Scheduler) -> dict[str, list[Any]]:
    """Return the hosts as a table: ``HOST_COLUMNS`` without the key.

    Load and memory in use are this machine's, whatever the host is called.
    """
    import psutil  # the scheduler starts quicker without it

    used: Counter[str] = Counter()
    for (_, name), count in _slots_used(scheduler).items():
        used[name] += count
    total: Counter[str] = Counter()
    letters: dict[str, list[str]] = {}
    for queue, host in scheduler.layout.instances():
        total[host.name] += queue.slots
        state = scheduler.keeper.book.states.get(Instance(queue.name, host.name), "")
        letters.setdefault(host.name, []).append(state)
    hosts = scheduler.layout.hosts
    memory, swap, load = psutil.virtual_memory(), psutil.swap_memory(), os.getloadavg()[0]
    shapes = [_topology(host) for host in hosts]
    return {
        "host": [host.name for host in hosts],
        "arch": [host.arch for host in hosts],
        "cores": [host.num_proc for host in hosts],
        "sockets": [shape["sockets"] for shape in shapes],
        "threads": [shape["sockets"] * shape["cores_per_socket"] * shape["threads_per_core"] for shape in shapes],
        "load_avg": [load] * len(hosts),
        "memory_total": [host.mem_total for host in hosts],
        # Bytes that are not available to new programs (proc(5), meminfo).
        "memory_used": [memory.total - memory.available] * len(hosts),
        "swap_total": [swap.total] * len(hosts),
        "swap_used": [swap.used] * len(hosts),
        "slots_used": [used[host.name] for host in hosts],
        "slots_total": [total[host.name] for host in hosts],
        "state": [_shared_letters(letters.get(host.name, [])) for host in hosts],
    }


def _shared_letters(states: list[str]) -> str:
    """Return the letters that all instances of a host have."""
    return "".join(letter for letter in states[0] if all(letter in state for state in states)) if states else ""


def machines_report(scheduler: Scheduler) -> list[dict[str, Any]]:
    """Return the hosts as DRMAA2's machines; load, swap and the version of the system are this machine's."""
    import psutil

    swap = psutil.swap_memory().total
    shut = scheduler.keeper.book.states
    # A host all of whose queue instances are shut takes no job.
    available = {h.name for q, h in scheduler.layout.instances() if Instance(q.name, h.name) not in shut}
    return [
        {
            "name": host.name,
            "available": host.name in available,
            **_topology(host),
            "load": os.getloadavg()[0],
            "phys_memory": host.mem_total // 1024,
            "virt_memory": (host.mem_total + swap) // 1024,
            "arch": host.arch,
            "os_version": platform.release(),
        }
        for host in scheduler.layout.hosts
    ]


def _topology(host: Host) -> dict[str, int]:
    """Return sockets, cores and threads: what the file says, else this machine's if it is as big as the host."""
    told = (host.sockets, host.cores_per_socket, host.threads_per_core)
    if told != (None, None, None) or host.num_proc != os.cpu_count():
        sockets, threads = host.sockets or 1, host.threads_per_core or 1
        cores = host.cores_per_socket or max(1, host.num_proc // (sockets * threads))
    else:
        sockets, real = _sockets_and_cores(host.num_proc)
        cores, threads = max(1, real // sockets), max(1, host.num_proc // real)
    return {"sockets": sockets, "cores_per_socket": cores, "threads_per_core": threads}


@functools.cache
def _sockets_and_cores(threads: int) -> tuple[int, int]:
    """Return how many sockets and cores this machine has; `threads` of it are known."""
    import psutil

    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    sockets = len({line for line in lines if line.startswith("physical id")}) or 1
    return sockets, psutil.cpu_count(logical=False) or threads
