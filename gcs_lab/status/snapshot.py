"""A snapshot of the cluster, and what differs between two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Changes", "Health", "Snapshot", "TableChanges", "Update"]


@dataclass(frozen=True)
class Snapshot:
    """What the cluster did at one moment; tables as :mod:`gcs_lab.status.tables`.

    ``time`` is when the question was asked (seconds since the epoch), ``seconds`` how long the answer took;
    ``sequence`` grows with each snapshot of the cluster that this user's processes on this host take.
    ``jobs`` and ``queues`` are made of ``tasks`` and ``queue_instances``.
    """

    cluster: str
    sequence: int
    time: float
    seconds: float
    tasks: pa.Table
    jobs: pa.Table
    queue_instances: pa.Table
    queues: pa.Table
    hosts: pa.Table
    commands: tuple[str, ...] = ()

    def table(self, name: str) -> pa.Table:
        """Return ``"tasks"``, ``"jobs"``, ``"queue_instances"``, ``"queues"`` or ``"hosts"``."""
        table: pa.Table = getattr(self, name)
        return table


def _no_keys() -> NDArray[np.uint64]:
    import numpy as np

    return np.empty(0, np.uint64)


@dataclass(frozen=True)
class TableChanges:
    """What became of a table: keys (uint64) of rows that came, of those that changed, of those that went.

    ``figures`` are those of which only columns differ that are other at nearly every look
    (:data:`gcs_lab.status.tables.FIGURES`: CPU seconds, load, priority …): no event, but a view shows them anew.
    All are in ascending order.
    """

    added: NDArray[np.uint64] = field(default_factory=_no_keys)
    changed: NDArray[np.uint64] = field(default_factory=_no_keys)
    removed: NDArray[np.uint64] = field(default_factory=_no_keys)
    figures: NDArray[np.uint64] = field(default_factory=_no_keys)

    def __bool__(self) -> bool:
        return bool(len(self.added) or len(self.changed) or len(self.removed) or len(self.figures))


@dataclass(frozen=True)
class Changes:
    """What differs between two snapshots, by name of the table; a table that is left out is as it was."""

    tables: dict[str, TableChanges] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.tables.values())


@dataclass(frozen=True)
class Health:
    """How it stands with the answers of a cluster.

    ``stale_since`` is when the snapshot at hand was taken, if the cluster did not answer after it; else 0.0.
    ``error`` says why, in a line for people. ``interval`` is the pause between two polls as it is now (seconds);
    ``polls`` and ``commands`` count what all processes of this user on this host asked since the first of them began;
    ``asks`` tells whether this process is the one that asks. ``note`` is what else people should know, in a line:
    that the processes cannot share, that nothing is recorded.
    """

    stale_since: float = 0.0
    error: str = ""
    interval: float = 0.0
    polls: int = 0
    commands: int = 0
    asks: bool = False
    note: str = ""


@dataclass(frozen=True)
class Update:
    """What a listener of the poller is told: the latest snapshot (None: none yet), what changed, and how it stands.

    ``changes`` is None where all may have changed (the first time, after a gap); it is empty where only the health
    did.
    """

    snapshot: Snapshot | None
    changes: Changes | None
    health: Health
