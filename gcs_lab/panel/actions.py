"""What the buttons of a row do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError, InvalidState, UnknownName
from gcs_lab.jobs.protocol import JobAction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.cells.journal import Journal
    from gcs_lab.cluster import Cluster

__all__ = ["control", "rerun_failed"]

_CONTROLS = {
    "cancel": (JobAction.TERMINATE, "{job} was cancelled."),
    "hold": (JobAction.HOLD, "{job} is held."),
    "release": (JobAction.RELEASE, "The hold on {job} was taken off."),
    "suspend": (JobAction.SUSPEND, "{job} is suspended."),
    "resume": (JobAction.RESUME, "{job} goes on."),
    "clear_error": (JobAction.CLEAR_ERROR, "The error of {job} was cleared; the scheduler tries again."),
}


def control(cluster: Cluster, action: str, name: str, job_ids: Sequence[str]) -> str:
    """Do an action to a job, or to the array jobs of a sweep, with one command; return what was done, for people.

    Parameters
    ----------
    cluster
        Where it is.
    action
        A ``PanelAction`` but ``rerun_failed``.
    name
        What people call it: ``"Job 7 (fit)"``.
    job_ids
        Under which ids it stands in the queue.

    Raises
    ------
    InvalidState
        If it is in the queue no more.
    GcsError
        If the cluster refuses or does not answer.
    """
    if not job_ids:
        raise InvalidState(f"{name} is not in the queue any more.")
    what, text = _CONTROLS[action]
    failures = cluster.jobs.control(what, job_ids)
    # Of a sweep's array jobs those that it can be done to are meant.
    if len(failures) == len(job_ids):
        raise next(iter(failures.values()))
    told = text.format(job=name)
    return told[:1].upper() + told[1:]


def rerun_failed(cluster: Cluster, journal: Journal, job_id: str) -> str:
    """Run the failed tasks of a sweep again; return what was done, for people.

    Raises
    ------
    UnknownName
        If the journal has no such sweep, or its folder was deleted.
    GcsError
        If none of them failed, or the cluster refuses or does not answer.
    """
    from gcs_lab.cells.sweep_failed_again import run_failed_again

    entry = journal.of_jobs(cluster.name, [job_id]).get(job_id)
    if entry is None:
        raise UnknownName("sweep", job_id, [], where="the journal")
    try:
        ran = run_failed_again(cluster, entry, journal)
    except OSError as error:
        raise GcsError(f"nothing was sent: the folder of sweep {job_id} cannot be used: {error}") from error
    tasks = len(ran.tasks)
    failed = "1 failed task" if tasks == 1 else f"{tasks:,} failed tasks"
    runs = "runs" if tasks == 1 else "run"
    return f"{failed} of sweep {job_id} ({entry.name}) {runs} again, as job {ran.job_id}."
