"""Finds a job of a cluster: in the user's journal with its folder, or in what the system tells."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal
from gcs_lab.cells.sweep_rounds import read_rounds
from gcs_lab.cockpit.job_cell import JobCell, cell_of
from gcs_lab.errors import GcsError, UnknownName
from gcs_lab.server.in_time import answer_in_time
from gcs_lab.vocabulary import JobState, split_id

if TYPE_CHECKING:
    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.cluster import Cluster
    from gcs_lab.status import Snapshot

__all__ = ["STATE_SECONDS", "FoundJob", "find_job", "last_events", "recent_snapshot", "row_of"]

#: Sweeps whose later rounds are looked through for an id that the journal does not have.
_LATEST_SWEEPS = 200
#: A snapshot that is older tells nothing of what is there now.
_SNAPSHOT_SECONDS = 60.0
#: So long after its submission a job may be unknown to the system.
_NEW_SECONDS = 60.0
#: A state that is older is asked for again.
STATE_SECONDS = 5.0
_END_BYTES = 128 << 10


@dataclass(frozen=True)
class FoundJob:
    """A job of a cluster, or one task of it.

    ``job_id`` is the scheduler's, without the task. ``task`` is the number of a sweep's task, or the index of an
    array job's; None: the whole. ``cell`` is None if no notebook of this user submitted it.
    """

    cluster: Cluster
    job_id: str
    task: int | None
    cell: JobCell | None

    @property
    def entry(self) -> JournalEntry | None:
        """The journal's entry."""
        return None if self.cell is None else self.cell.entry

    @property
    def is_sweep(self) -> bool:
        """Whether it is a sweep, or a task of one."""
        return self.cell is not None and self.cell.entry.kind == "sweep"

    @property
    def folder(self) -> JobFolder | None:
        """The folder with its log: of a sweep's task its own. None: it has none, or it is gone."""
        return None if self.cell is None else self.cell.folder_of(self.task)

    @property
    def words(self) -> str:
        """What it is called in messages."""
        name = f" ({self.cell.entry.name})" if self.cell is not None else ""
        whole = f"{'sweep' if self.is_sweep else 'job'} {self.job_id}{name}"
        return whole if self.task is None else f"task {self.task} of {whole}"

    def is_live(self) -> bool:
        """Tell whether it may still print something; the system is asked every few seconds at the most."""
        entry, folder = self.entry, self.folder
        if entry is not None and entry.finished and self.task is None:
            return False
        if folder is not None and (events := last_events(folder)) and events[-1].get("type") == "finished":
            return False
        try:
            state = answer_in_time(("live", self.cluster.name, self.job_id, self.task), self._scheduled_state)
        except GcsError:
            state = None
        if state is None:
            # It does not answer: nobody can say that the job has ended, and its log need not wait for that.
            return True
        if state is JobState.UNDETERMINED:
            return entry is not None and time.time() - entry.submitted < _NEW_SECONDS
        return not state.terminated

    def _scheduled_state(self) -> JobState:
        """Return what the scheduler says of it. Raises GcsError if it does not answer."""
        if self.is_sweep and self.task is not None:
            from gcs_lab.server.sweep_handles import SWEEPS

            sweep = SWEEPS.up_to_date(self)
            with sweep.lock:
                return JobState(int(sweep.table.states[self.task - 1]))
        name = self.job_id if self.task is None else f"{self.job_id}.{self.task}"
        return self.cluster.jobs.board.status([name], max_age=STATE_SECONDS)[name].state


def find_job(cluster: Cluster, job_id: str, task: int | None = None) -> FoundJob:
    """Return a job by its id (``"5"``, ``"5.3"``); whether the system knows it is not asked.

    Parameters
    ----------
    cluster
        Where it is.
    job_id
        The scheduler's id. Of a sweep any of its rounds; a task in it is an index of that round's array.
    task
        The number of a sweep's task, or the index of an array's, if it is named by itself.

    Raises
    ------
    UnknownName
        If a sweep has no such task.
    GcsError
        If the journal cannot be read.
    """
    whole, index = split_id(job_id)
    journal = Journal()
    cell = cell_of(cluster.name, whole, journal) or _of_a_round(journal, cluster.name, whole)
    if cell is None or cell.entry.kind != "sweep":
        return FoundJob(cluster, whole, index if task is None else task, cell)
    if task is None and index is not None:
        task = _number(cell, whole, index)
    if task is not None and not 1 <= task <= cell.entry.tasks:
        where = f"sweep {cell.entry.name}, whose tasks are 1 to {cell.entry.tasks:,}"
        raise UnknownName("task", str(task), [], where=where)
    return FoundJob(cluster, whole, task, cell)


def _of_a_round(journal: Journal, cluster: str, job_id: str) -> JobCell | None:
    """Return the sweep of which a later round has an id that the journal does not have."""
    for entry in journal.recent(_LATEST_SWEEPS, cluster):
        if entry.kind != "sweep":
            continue
        try:
            found = job_id in JobFolder(Path(entry.folder)).round_ids()
        except (OSError, ValueError):
            continue
        if found:
            return cell_of(cluster, entry.job_id, journal)
    return None


def _number(cell: JobCell, job_id: str, index: int) -> int:
    """Return the sweep's task that has `index` in the array `job_id`: in later rounds they differ."""
    if cell.entry.job_id == job_id or cell.folder is None:
        return index
    try:
        rounds = read_rounds(cell.folder, cell.entry.tasks)
    except (OSError, ValueError):
        return index
    return next(
        (int(ran.tasks[index - 1]) for ran in rounds if ran.job_id == job_id and 1 <= index <= len(ran.tasks)), index
    )


def recent_snapshot(cluster: Cluster, seconds: float = _SNAPSHOT_SECONDS) -> Snapshot | None:
    """Return what some process of this user saw of the cluster in the last `seconds`; None: nobody looked."""
    try:
        snapshot = cluster.status.poller.latest()
    except GcsError:
        return None
    return snapshot if snapshot is not None and time.time() - snapshot.time < seconds else None


def row_of(snapshot: Snapshot, job_id: str) -> dict[str, Any] | None:
    """Return a job's row of ``JOB_COLUMNS``; None: it is not in the queue."""
    import pyarrow.compute as pc

    rows: list[dict[str, Any]] = snapshot.jobs.filter(pc.equal(snapshot.jobs["job_id"], job_id)).to_pylist()
    return rows[0] if rows else None


def last_events(folder: JobFolder) -> list[dict[str, Any]]:
    """Return the last events of a log, in order; nothing if it is not there or was torn."""
    try:
        descriptor = os.open(folder.events, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        size = os.fstat(descriptor).st_size
        data = os.pread(descriptor, _END_BYTES, max(size - _END_BYTES, 0))
    finally:
        os.close(descriptor)
    lines = data.split(b"\n")[1 if size > _END_BYTES else 0 : -1]
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "type" in event:
            events.append(event)
    return events
