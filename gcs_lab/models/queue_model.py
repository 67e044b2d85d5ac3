"""The observable face of one cluster queue."""

from __future__ import annotations

from traitlets import Bool, Float, Integer, Unicode

from gcs_lab.models.fed_traits import FedTraits

__all__ = ["QueueModel"]


class QueueModel(FedTraits):
    """State of one cluster queue as traits; set from the poller's thread, observed from anywhere."""

    name = Unicode(help="name of the queue")
    cluster = Unicode(help="name of the cluster")
    exists = Bool(False, help="whether the cluster has it, as far as it is known")
    instances = Integer(0, help="queue instances: hosts that it is on")
    slots_used = Integer(0, help="slots in use")
    slots_reserved = Integer(0, help="slots that reservations keep free")
    slots_available = Integer(0, help="free slots of instances that are open")
    slots_total = Integer(0, help="slots in all")
    slots_closed = Integer(0, help="slots of instances that take no job")
    load_avg = Float(-1.0, help="load average, mean over its instances; -1 when nothing is known")
    states = Unicode(help="how many instances have which state letters: '3 d, 1 au'; empty when all are open")
    stale_since = Float(help="when the cluster last answered, if it does not answer now; else 0.0")
