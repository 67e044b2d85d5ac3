"""The failed tasks of a sweep once more, for those who have nothing of it but its entry in the journal."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError, InvalidState, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.cells.journal import Journal, JournalEntry
    from gcs_lab.cells.sweep_job import SweepJob
    from gcs_lab.cells.sweep_rounds import Round
    from gcs_lab.cluster import Cluster

__all__ = ["run_failed_again"]

#: Seconds that are given to find out how tasks ended that could not say it themselves.
_PATIENCE = 25.0
_PAUSE = 0.2


def run_failed_again(
    cluster: Cluster, entry: JournalEntry, journal: Journal, requests: Mapping[str, str] | None = None
) -> Round:
    """Submit those tasks of a sweep that have failed as a new array job, and return it.

    It may take half a minute: of tasks that were killed accounting is asked. No kernel is needed, and nothing of the
    sweep is followed afterwards.

    Parameters
    ----------
    cluster
        Where it ran.
    entry
        Its entry in the journal, which is brought up to date.
    journal
        The journal.
    requests
        What they shall ask for instead (``-l``), by name; what is not named stays as it was.

    Raises
    ------
    InvalidState
        If it is no sweep, or none of its tasks has failed.
    UnknownName
        If its folder was deleted.
    GcsError
        If the cluster refuses or does not answer; then nothing has changed.
    """
    from gcs_lab.cells.sweep_job import SweepJob

    if entry.kind != "sweep":
        raise InvalidState(f"job {entry.job_id} ({entry.name}) is no sweep; run its cell again.")
    try:
        sweep = SweepJob(cluster, entry, journal)
        sweep.read_log(now=True)
    except (OSError, ValueError) as error:
        text = f"its folder {entry.folder} cannot be read ({error}). Run its cell again."
        gone = UnknownName("sweep's folder", entry.folder, [])
        gone.args = (f"sweep {entry.job_id} ({entry.name}) cannot run again: {text}",)
        raise gone from error
    failed = _failed(sweep, settle=bool(entry.finished))
    if not failed:
        still = "" if sweep.table.ended.all() else " so far"
        raise InvalidState(f"no task of sweep {entry.job_id} ({entry.name}) has failed{still}.")
    return sweep.run_again(failed, requests)


def _failed(sweep: SweepJob, *, settle: bool) -> list[int]:
    """Return the tasks that failed; with `settle` when it is known of all how they ended, or patience is over."""
    until = time.monotonic() + _PATIENCE
    while settle and not sweep.table.ended.all() and time.monotonic() < until:
        with contextlib.suppress(GcsError):
            sweep.take_state()
        if not sweep.table.ended.all():
            time.sleep(_PAUSE)
    with sweep.lock:
        tasks: list[int] = (sweep.table.failed() + 1).tolist()
    return tasks
