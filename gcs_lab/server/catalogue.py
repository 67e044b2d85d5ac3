"""What a form of a job offers: names of the cluster, slots that are free, and what was asked for before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from gcs_lab.cluster import Cluster
    from gcs_lab.jobs.protocol import Catalogue

__all__ = ["catalogue_of"]

#: Seconds that the defaults of complexes hold.
_DEFAULTS_SECONDS = 300.0
#: When they were asked for, and the defaults by complex.
_defaults: WeakKeyDictionary[Cluster, tuple[float, dict[str, str]]] = WeakKeyDictionary()


def catalogue_of(cluster: Cluster) -> dict[str, Any]:
    """Return the names that a job may ask for (``ICatalogue`` of rest.ts, without ``last`` and ``defaults``).

    The names are at most a minute old; slots are of the last snapshot, which is not asked for.

    Raises
    ------
    GcsError
        If the cluster does not answer.
    """
    names = cluster.jobs.catalogue()
    return {
        "cluster": cluster.name,
        "queues": _queues(cluster, names),
        "parallel_environments": [
            {"name": name, "slots": names.pe_slots.get(name)} for name in names.parallel_environments
        ],
        "complexes": _complexes(cluster, names),
        "projects": list(names.projects),
        "hosts": list(names.hosts),
        "job_categories": list(names.job_categories),
    }


def _queues(cluster: Cluster, names: Catalogue) -> list[dict[str, Any]]:
    snapshot = cluster.status.poller.latest() if cluster.supports("status") else None
    columns = ["queue", "slots_available", "slots_total", "states"]
    rows = {} if snapshot is None else {row["queue"]: row for row in snapshot.queues.select(columns).to_pylist()}
    return [
        {
            "name": name,
            "slots_free": rows.get(name, {}).get("slots_available"),
            "slots_total": rows.get(name, {}).get("slots_total"),
            "state": rows.get(name, {}).get("states") or "",
        }
        for name in names.queues
    ]


def _complexes(cluster: Cluster, names: Catalogue) -> list[dict[str, Any]]:
    defaults = _defaults_of(cluster)
    return [
        {
            "name": one.name,
            "shortcut": one.shortcut,
            "type": one.type,
            "requestable": one.requestable,
            "consumable": one.consumable,
            "default": defaults.get(one.name, ""),
        }
        for one in names.complexes
    ]


def _defaults_of(cluster: Cluster) -> dict[str, str]:
    asked, found = _defaults.get(cluster, (float("-inf"), {}))
    now = time.monotonic()
    if now - asked > _DEFAULTS_SECONDS and cluster.supports("status"):
        try:
            rows = cluster.status.backend.complexes().select(["name", "default"]).to_pylist()
        except GcsError:
            # A form can do without; the next one asks again.
            return found
        found = {row["name"]: row["default"] for row in rows if row["default"] not in (None, "NONE")}
        _defaults[cluster] = (now, found)
    return found
