"""The map of a cluster: all hosts with their slots, load and owners, and what differs from what was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.cockpit.columns_of_tables import numbers_of, rows_in_states
from gcs_lab.status.state_kinds import codes_and_values

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status import Snapshot

__all__ = ["ClusterMap"]


class ClusterMap:
    """What a browser knows of the hosts; each message tells only what it does not know yet."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, Any]] = {}
        self._owners: dict[str, int] = {}

    def message(self, snapshot: Snapshot, matches: NDArray[np.bool_] | None) -> dict[str, Any] | None:
        """Return the message that makes the map that of `snapshot`; None if it is.

        Parameters
        ----------
        snapshot
            The present state.
        matches
            Of each row of its hosts: whether the filter lets it through. None: all.
        """
        hosts = self._hosts(snapshot, matches)
        is_all = not self._told or not self._told.keys() <= hosts.keys()
        news = [host for name, host in hosts.items() if is_all or self._told.get(name) != host]
        self._told = hosts
        if not news and not is_all:
            return None
        return {"kind": "map", "all": is_all, "hosts": news, "owners": list(self._owners)}

    def _hosts(self, snapshot: Snapshot, matches: NDArray[np.bool_] | None) -> dict[str, dict[str, Any]]:
        columns = ["host", "slots_used", "slots_total", "load_avg", "cores", "state"]
        rows = snapshot.hosts.select(columns).to_pylist()
        owners = self._owners_by_host(snapshot.tasks)
        let_through = [True] * len(rows) if matches is None else matches.tolist()
        return {
            row["host"]: {
                "host": row["host"],
                "used": row["slots_used"] or 0,
                "total": row["slots_total"] or 0,
                "load": None if row["load_avg"] is None else round(row["load_avg"], 1),
                "cores": row["cores"],
                "state": row["state"] or "",
                "owners": owners.get(row["host"], []),
                "matches": through,
            }
            for row, through in zip(rows, let_through, strict=True)
        }

    def _owners_by_host(self, tasks: pa.Table) -> dict[str, list[int]]:
        """Return [owner, slots, owner, slots …] by host; a parallel job counts at the host of its master task."""
        tasks = tasks.filter(rows_in_states(tasks, "RUNNING", "SUSPENDED"))
        host_codes, hosts = codes_and_values(tasks["host"])
        owner_codes, owners = codes_and_values(tasks["owner"])
        known = (host_codes >= 0) & (owner_codes >= 0)
        if not known.any():
            return {}
        pairs = host_codes[known].astype(np.int64) * len(owners) + owner_codes[known]
        found, place = np.unique(pairs, return_inverse=True)
        slots = np.bincount(place, numbers_of(tasks, "slots", 1)[known]).astype(int)
        by_host: dict[str, list[int]] = {}
        for pair, count in zip(found.tolist(), slots.tolist(), strict=True):
            host, owner = divmod(pair, len(owners))
            number = self._owners.setdefault(owners[owner], len(self._owners))
            by_host.setdefault(hosts[host], []).extend((number, count))
        return by_host
