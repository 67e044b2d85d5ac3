"""The jobs of one user in a snapshot: the few that are shown, and counts of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gcs_lab.status.state_kinds import KINDS, codes_and_values

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status import Snapshot

__all__ = ["MOST_ROWS", "OwnRow", "OwnRows", "own_rows"]

#: Rows that are looked at, however many jobs a user has.
MOST_ROWS = 200

#: In the order to show: what runs, what needs somebody, what waits.
_RANKS = {"running": 0, "suspended": 0, "error": 1, "pending": 2, "held": 2}
_COLUMNS = ("job_id", "array", "name", "letters", "state", "slots", "queue", "submission_time", "start_time", *KINDS)


@dataclass(frozen=True)
class OwnRow:
    """One job in the queue; times are seconds since the epoch, ``kinds`` counts its tasks by what they do."""

    job_id: str
    array: bool
    name: str
    letters: str
    state: str
    slots: int | None
    queue: str
    submitted: float | None
    started: float | None
    kinds: dict[str, int]


@dataclass(frozen=True)
class OwnRows:
    """All of a user's jobs at the time of a snapshot.

    ``ids`` are those of all of them, ``rows`` the first :data:`MOST_ROWS` in the order to show and those that were
    asked for, ``kinds`` counts the tasks of all. ``time`` is that of the snapshot; 0: there is none yet.
    """

    time: float = 0.0
    ids: frozenset[str] = frozenset()
    rows: dict[str, OwnRow] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))


def own_rows(snapshot: Snapshot, user: str, wanted: Collection[str] = (), most: int = MOST_ROWS) -> OwnRows:
    """Return the jobs of `user`.

    Parameters
    ----------
    snapshot
        What the cluster does.
    user
        Whose jobs are meant.
    wanted
        Ids of jobs whose rows are returned wherever they stand.
    most
        How many rows beside those.
    """
    import numpy as np

    codes, owners = codes_and_values(snapshot.jobs["owner"])
    if user not in owners:
        return OwnRows(snapshot.time)
    mine = snapshot.jobs.filter(codes == owners.index(user))
    counts = {kind: np.asarray(mine[kind].fill_null(0), np.int64) for kind in KINDS}
    ids = mine["job_id"].to_pylist()
    places = _first(mine, counts, most)
    shown = set(places)
    places += [place for place, job_id in enumerate(ids) if job_id in wanted and place not in shown] if wanted else []
    rows = {row["job_id"]: _row(row) for row in mine.select(_COLUMNS).take(places).to_pylist()}
    return OwnRows(snapshot.time, frozenset(ids), rows, {kind: int(column.sum()) for kind, column in counts.items()})


def _first(mine: pa.Table, counts: dict[str, NDArray[np.int64]], most: int) -> list[int]:
    """Return the places of the rows to show, in their order; of what does the same the newest first."""
    import numpy as np

    ranks = np.full(mine.num_rows, 2, np.int8)
    for kind, rank in sorted(_RANKS.items(), key=lambda pair: -pair[1]):
        ranks[counts[kind] > 0] = rank
    # The key is in the order of submission.
    newest = np.argsort(np.asarray(mine["key"]), kind="stable")[::-1]
    order: list[int] = newest[np.argsort(ranks[newest], kind="stable")][:most].tolist()
    return order


def _row(row: dict[str, Any]) -> OwnRow:
    return OwnRow(
        job_id=row["job_id"],
        array=bool(row["array"]),
        name=row["name"] or "",
        letters=row["letters"] or "",
        state=row["state"] or "UNDETERMINED",
        slots=row["slots"],
        queue=row["queue"] or "",
        submitted=_seconds(row["submission_time"]),
        started=_seconds(row["start_time"]),
        kinds={kind: row[kind] or 0 for kind in KINDS},
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
