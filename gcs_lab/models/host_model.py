"""The observable face of one execution host."""

from __future__ import annotations

from traitlets import Bool, Float, Integer, Unicode

from gcs_lab.models.fed_traits import FedTraits

__all__ = ["HostModel"]


class HostModel(FedTraits):
    """State of one execution host as traits; set from the poller's thread, observed from anywhere.

    Memory is bytes; -1 means "not known".
    """

    name = Unicode(help="name of the host")
    cluster = Unicode(help="name of the cluster")
    exists = Bool(False, help="whether the cluster has it, as far as it is known")
    is_up = Bool(False, help="whether it reports")
    state = Unicode(help="u where it does not report, else the letters that its closed instances share; empty: open")
    arch = Unicode(help="architecture")
    cores = Integer(-1, help="processors that the system counts")
    sockets = Integer(-1, help="sockets")
    threads = Integer(-1, help="hardware threads")
    load_avg = Float(-1.0, help="load average")
    memory_used = Integer(-1, help="memory in use, bytes")
    memory_total = Integer(-1, help="memory, bytes")
    swap_used = Integer(-1, help="swap space in use, bytes")
    swap_total = Integer(-1, help="swap space, bytes")
    slots_used = Integer(0, help="slots in use, of all its queue instances")
    slots_total = Integer(0, help="slots of all its queue instances")
    stale_since = Float(help="when the cluster last answered, if it does not answer now; else 0.0")
