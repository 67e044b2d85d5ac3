"""``cluster.toml`` as it is written at the first start."""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Hosts", "default_text", "file_text", "this_host"]

_DEFAULT = """\
# The embedded cluster of gcs_lab. It is read when the scheduler starts: after a change, `gcs-lab embedded stop`
# (running jobs go on); the next use starts it again.

# The scheduler ends itself after this many seconds with no job and no client.
idle_seconds = 86400
# What is known of ended jobs is forgotten after so many days; the accounting file keeps them.
keep_ended_days = 90
# The most tasks of one array job.
max_array_tasks = 1000000

# Mail on start and end of jobs (email_on_started, email_on_terminated; -m, -M). Without this entry there is none,
# and jobs that ask for it are refused. `command` gets the message, with its headers, on standard input.
# [mail]
# command = ["/usr/sbin/sendmail", "-t", "-i"]
# sender = "{user}@{host}"

# Options of qsub that go by a name (job_category). What a job says itself counts more.
# [job_categories]
# quick = "-l h_rt=0:01:00 -p -10"

# Resources beside the standard ones (arch, hostname, mem_total, num_proc, the limits h_* and s_*). type: INT, DOUBLE,
# MEMORY, TIME, BOOL, STRING, CSTRING (case does not count) or RESTRING (patterns). consumable: "YES" is used up by
# each slot, "JOB" once by each job, "NO" (the default) is a fixed value of a host. relop compares what is asked for
# (left) with a fixed value (right): <= (the default of quantities), ==, !=, <, >=, >. shortcut is optional.
# [[complexes]]
# name = "licence"
# shortcut = "lic"
# type = "INT"
# consumable = "YES"

# Virtual hosts. All of them are this machine: jobs are spread over them by the rules, and all run here.
# Optional: num_proc = 8, mem_total = "64G", arch = "lx-amd64", sockets = 1, cores_per_socket = 4,
# threads_per_core = 2, complex_values = {{ licence = 2 }} (of [[complexes]]), and consumables = {{ gpu = 2 }}, which
# is short for a complex of type INT with consumable = "YES". count = 4 makes so many hosts of it, name01 to name04.
# simulated = true: jobs execute nothing there, and end after the seconds that their first argument says. Only jobs
# that name a queue of such hosts (-q) get there.
{hosts}
# Queues, in the order in which they are tried. `slots` are those on each host; `hosts` may list hosts, or patterns
# such as "node*" (default: all). A queue may have limits h_rt, s_rt, h_cpu, s_cpu (times), h_vmem, s_vmem (memory a
# slot), h_core, h_data, h_fsize, h_stack and s_core … (memory). A queue with h_rt, h_cpu or h_vmem takes only jobs
# that ask for no more than that, or that name the queue: nobody is cut off by a limit unasked.
{queues}
# Parallel environments. allocation_rule: $pe_slots (all slots on one host), $fill_up (one host after the other),
# $round_robin (one slot from each host in turn), or a number in quotes: exactly so many on each host.
# `slots` are those that it gives out in all.
[[parallel_environments]]
name = "smp"
slots = 999
allocation_rule = "$pe_slots"

[[parallel_environments]]
name = "make"
slots = 999
allocation_rule = "$round_robin"

[[parallel_environments]]
name = "mpi"
slots = 999
allocation_rule = "$fill_up"
"""


@dataclass(frozen=True)
class Hosts:
    """One entry of hosts; with a `count` it stands for so many, which are numbered."""

    name: str
    count: int | None = None
    simulated: bool = False

    def text(self) -> str:
        """Return it as it stands in the file."""
        lines = ["[[hosts]]", f'name = "{self.name}"']
        lines += [] if self.count is None else [f"count = {self.count}"]
        lines += ["simulated = true"] if self.simulated else []
        return "\n".join(lines) + "\n"


def _queue_text(name: str, slots: int, *more: str) -> str:
    return "\n".join(["[[queues]]", f'name = "{name}"', f"slots = {slots}", *more]) + "\n"


def this_host() -> str:
    """Return the name of this machine, as far as it may stand in the file."""
    return re.sub(r"[^A-Za-z0-9_.\-]", "-", socket.gethostname()).lstrip(".-") or "localhost"


def file_text(hosts: Sequence[Hosts], slots: int, short_slots: int, simulated_slots: int) -> str:
    """Return the whole file for these hosts.

    Parameters
    ----------
    hosts
        The entries of hosts.
    slots, short_slots
        Of ``all.q`` and ``short.q``, on each host that is not simulated.
    simulated_slots
        Of ``sim.q`` on each simulated host.
    """
    real = [f"{each.name}[0-9]*" if each.count is not None else each.name for each in hosts if not each.simulated]
    simulated = [f"{each.name}[0-9]*" for each in hosts if each.simulated]
    where = [f"hosts = {json.dumps(real)}"] if simulated else []
    queues = [_queue_text("all.q", slots, *where), _queue_text("short.q", short_slots, *where, 'h_rt = "0:10:00"')]
    if simulated:
        queues.append(_queue_text("sim.q", simulated_slots, f"hosts = {json.dumps(simulated)}"))
    return _DEFAULT.format(
        host=this_host(),
        user=getpass.getuser(),
        hosts="\n".join(each.text() for each in hosts),
        queues="\n".join(queues),
    )


def default_text() -> str:
    """Return the file as it is written at the first start: one host named after this machine, two queues."""
    return file_text([Hosts(this_host())], max(4, os.cpu_count() or 1), 2, 0)
