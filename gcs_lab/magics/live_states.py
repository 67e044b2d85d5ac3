"""The states that clusters tell of the journal's jobs, for tables of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError
from gcs_lab.magics.named_jobs import current_ids, weightiest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.magics.session import Session

__all__ = ["live_states"]


def live_states(session: Session, entries: Iterable[JournalEntry]) -> dict[str, tuple[str, str]]:
    """Ask each cluster once for the states of its jobs; return state and place (``queue@host``) by job folder."""
    found: dict[str, tuple[str, str]] = {}
    by_cluster: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        by_cluster.setdefault(entry.cluster, []).append(entry)
    for name, members in by_cluster.items():
        try:
            cluster, _ = session.cluster(name)
            ids = {entry.folder: current_ids(entry) for entry in members}
            answer = cluster.jobs.board.status([job_id for some in ids.values() for job_id in some])
        except GcsError:
            found |= {entry.folder: ("UNDETERMINED", f"{name} does not answer") for entry in members}
            continue
        for entry in members:
            status = weightiest([answer[job_id] for job_id in ids[entry.folder]])
            place = "@".join(part for part in (status.queue_name, status.machine_name) if part)
            found[entry.folder] = (status.state.name, place)
    return found
