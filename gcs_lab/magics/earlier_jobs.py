"""Looks after jobs that wait for others: when an earlier one fails, they are ended and say so."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.dependents import dependents, upstreams_of, why_failed
from gcs_lab.cells.follower import follower
from gcs_lab.cells.upstream import Upstream
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.cells.dependents import Following
    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.magics.session import Session

__all__ = ["watch_earlier_jobs", "watch_unfinished"]


def watch_earlier_jobs(session: Session, job: Following) -> None:
    """Follow the jobs that `job` waits for, and what they wait for; end it when one of them fails.

    Raises
    ------
    GcsError
        If their cluster cannot be reached.
    """
    for folder, known in upstreams_of(job.spec).items():
        entry = session.journal.of_folder(folder)
        if entry is not None and entry.state == "DONE":
            continue
        if entry is not None and entry.finished:
            _end(job, known, why_failed(entry.message))
        elif not Path(folder).exists():
            _end(job, known, f"failed: its job folder {folder} was deleted")
        elif entry is not None:
            earlier = session.watch_quietly(entry)
            first = earlier not in follower().jobs
            follower().follow(earlier)
            dependents().watch(job, [earlier])
            if first:
                watch_earlier_jobs(session, earlier)
    _watch_tasks(session, job)


def _watch_tasks(session: Session, job: Following) -> None:
    """Do so for a sweep of which each task waits for the same task of an earlier one."""
    folder = str((job.spec.get("after_each") or {}).get("folder", ""))
    entry = session.journal.of_folder(folder) if folder else None
    if entry is None or entry.state == "DONE" or not Path(folder).exists():
        return
    from gcs_lab.cells.dependents_by_task import watch_by_task
    from gcs_lab.cells.sweep_job import SweepJob

    earlier = session.watch_quietly(entry)
    if isinstance(job, SweepJob) and isinstance(earlier, SweepJob):
        if earlier not in follower().jobs:
            follower().follow(earlier)
            watch_earlier_jobs(session, earlier)
        watch_by_task(job, earlier)


def _end(job: Following, upstream: dict[str, object], why: str) -> None:
    known = {key: upstream[key] for key in Upstream.__dataclass_fields__ if key in upstream}
    dependents().end([job], Upstream(**known), why)  # type: ignore[arg-type]


def watch_unfinished(session: Session, entries: Iterable[JournalEntry]) -> None:
    """Do so for those of `entries` that have not ended and wait for others; a restarted kernel knows none of them."""
    for entry in entries:
        if entry.finished or entry.after == "[]":
            continue
        # Its folder may be gone, then there is nothing left to be told; or its cluster, and whoever shows the job's
        # state says so.
        with contextlib.suppress(GcsError):
            job = session.watch_quietly(entry)
            if job not in follower().jobs:
                follower().follow(job)
                watch_earlier_jobs(session, job)
