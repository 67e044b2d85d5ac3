"""What the strip of a cockpit shows: slots, hosts, tasks by state, owners, queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.columns_of_tables import numbers_of
from gcs_lab.status.overview import overview_of, tasks_by_state

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status import Snapshot
    from gcs_lab.status.overview import OwnerShare

__all__ = ["counts_of", "matching_counts"]

#: Owners that stand by name; the others stand together.
_MOST_OWNERS = 12
_REST = "…"


def counts_of(snapshot: Snapshot | None) -> dict[str, Any]:
    """Return the counts of an overview (``IOverview`` in messages.ts); of no snapshot they are 0."""
    if snapshot is None:
        return {
            "slots": {"used": 0, "free": 0, "closed": 0, "total": 0},
            "hosts": {"up": 0, "down": 0},
            "tasks": {},
            "jobs": 0,
            "owners": [],
            "queues": [],
        }
    overview = overview_of(snapshot)
    return {
        "slots": {
            "used": overview.slots_used,
            "free": overview.slots_free,
            "closed": overview.slots_closed,
            "total": overview.slots_total,
        },
        "hosts": {"up": overview.hosts_up, "down": overview.hosts_down},
        "tasks": tasks_by_state(snapshot.tasks),
        "jobs": overview.jobs,
        "owners": _owners(overview.owners),
        "queues": _queues(snapshot.queues),
    }


def matching_counts(jobs: pa.Table, mask: NDArray[np.bool_] | None) -> dict[str, int]:
    """Return how many jobs `mask` leaves (None: all), and how many of their tasks run and wait."""
    left = jobs.num_rows if mask is None else int(mask.sum())
    chosen = slice(None) if mask is None else mask
    running = int(numbers_of(jobs, "running")[chosen].sum())
    waiting = sum(int(numbers_of(jobs, name)[chosen].sum()) for name in ("pending", "held"))
    return {"jobs": left, "running": running, "waiting": waiting}


def _owners(shares: tuple[OwnerShare, ...]) -> list[dict[str, Any]]:
    first = shares if len(shares) <= _MOST_OWNERS else shares[: _MOST_OWNERS - 1]
    told = [{"owner": one.owner, "slots": one.slots, "waiting": one.waiting} for one in first]
    if rest := shares[len(first) :]:
        told.append(
            {"owner": _REST, "slots": sum(one.slots for one in rest), "waiting": sum(one.waiting for one in rest)}
        )
    return told


def _queues(queues: pa.Table) -> list[dict[str, Any]]:
    columns = ["queue", "slots_used", "slots_total", "slots_closed"]
    return [
        {
            "queue": row["queue"],
            "used": row["slots_used"] or 0,
            "total": row["slots_total"] or 0,
            "closed": row["slots_closed"] or 0,
        }
        for row in queues.select(columns).to_pylist()
    ]
