"""Sweeps that pages ask about: their handles are kept, so that each question reads what is new alone."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal
from gcs_lab.errors import InvalidArgument, InvalidState, UnsupportedOperation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.cluster import Cluster
    from gcs_lab.server.job_lookup import FoundJob

__all__ = ["SWEEPS", "SweepHandles", "rerun"]

_MOST_KEPT = 16


class SweepHandles:
    """Handles of sweeps by folder; any thread may ask."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Sweep] = OrderedDict()
        self._lock = threading.Lock()

    def up_to_date(self, job: FoundJob) -> Sweep:
        """Return a sweep as it is now: with later rounds, what its tasks wrote, and what the cluster says of them.

        Raises
        ------
        UnsupportedOperation
            If the job is no sweep.
        InvalidState
            If its folder is gone, or cannot be read.
        GcsError
            If the cluster does not answer.
        """
        entry = job.entry
        if entry is None or entry.kind != "sweep":
            raise UnsupportedOperation(_no_sweep(job))
        try:
            sweep = self._handle(job.cluster, entry)
            sweep.look_for_rounds()
            sweep.read_log(now=True)
            sweep.take_state()
        except (OSError, ValueError) as error:
            raise InvalidState(_unreadable(entry, error)) from error
        return sweep

    def _handle(self, cluster: Cluster, entry: JournalEntry) -> Sweep:
        from gcs_lab.cells.sweep import Sweep

        with self._lock:
            sweep = self._kept.get(entry.folder)
            # A cluster that was closed and connected anew is another one.
            if sweep is None or sweep.cluster is not cluster:
                if not JobFolder(Path(entry.folder)).spec.exists():
                    raise InvalidState(_gone(entry))
                sweep = self._kept[entry.folder] = Sweep(cluster, entry, Journal())
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(entry.folder)
            return sweep


#: Those of this server.
SWEEPS = SweepHandles()


def _gone(entry: JournalEntry) -> str:
    return (
        f"the folder of sweep {entry.job_id} ({entry.name}), {entry.folder}, was deleted, and with it all that its "
        "tasks need and left. Run its cell in the notebook again."
    )


def _unreadable(entry: JournalEntry, error: Exception) -> str:
    return (
        f"the folder of sweep {entry.job_id} ({entry.name}), {entry.folder}, cannot be read: {error}. Run its cell "
        "in the notebook again."
    )


def rerun(job: FoundJob, *, failed: bool, tasks: list[int] | None, requests: Mapping[str, str]) -> dict[str, Any]:
    """Run tasks of a sweep again, as a new array job; return an ``IRerun``.

    No kernel is needed: the sweep's folder has the code, what it was given and what the cluster was asked for.

    Parameters
    ----------
    job
        The sweep, or one task of it (then that task alone runs again, if nothing else is named).
    failed
        All that failed.
    tasks
        These, by number; None: not named.
    requests
        What they shall ask for instead, by name of the complex.

    Raises
    ------
    UnsupportedOperation
        If the job is no sweep.
    InvalidArgument
        If it is not said which tasks are meant, or it is said twice.
    InvalidState
        If none of them is to run again, one has not ended, or the folder is gone.
    GcsError
        If the cluster refuses or does not answer; then nothing has changed.
    """
    from gcs_lab.jobs.requests import parse_requests

    if job.task is not None and tasks is None and not failed:
        tasks = [job.task]
    sweep = SWEEPS.up_to_date(job)
    if failed == (tasks is not None):
        raise InvalidArgument("say which tasks are to run again: failed=true, or their numbers in tasks.")
    asked: dict[str, str] = {}
    for name, value in requests.items():
        asked |= parse_requests(f'{name}="{value}"' if "," in value else f"{name}={value}")
    if failed:
        with sweep.lock:
            tasks = (sweep.table.failed() + 1).tolist()
        if not tasks:
            raise InvalidState(f"no task of {job.words} has failed, so there is nothing to run again.")
    ran = sweep.run_again(tasks or (), asked)
    number = len(ran.tasks)
    return {
        "job_id": ran.job_id,
        "tasks": number,
        "text": f"{number:,} task{'' if number == 1 else 's'} of sweep {sweep.name} run again, as job {ran.job_id}.",
    }


def _no_sweep(job: FoundJob) -> str:
    if job.entry is None:
        return (
            f"{job.words} was not submitted by a notebook of yours, so what it needs is not known here. Submit it "
            "again as you did before."
        )
    if job.entry.kind == "notebook":
        return f"{job.words} ran a notebook. To run it again, submit the notebook again from the file browser."
    return (
        f"{job.words} is no sweep, and only points of a sweep are run again from here. Run its cell in the notebook "
        "again."
    )
