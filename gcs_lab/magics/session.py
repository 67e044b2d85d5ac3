"""What a notebook's magics share: the cluster in use, the journal, the jobs of this kernel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.cluster import Cluster, connect
from gcs_lab.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Session"]


class Session:
    """State of the magics in one kernel."""

    def __init__(self) -> None:
        self._cluster: Cluster | None = None
        self._journal: Journal | None = None
        self._jobs: dict[str, CellJob] = {}

    @property
    def journal(self) -> Journal:
        """The user's journal."""
        self._journal = self._journal or Journal()
        return self._journal

    @property
    def notebook(self) -> str:
        """The notebook's path, if the Jupyter server told the kernel (``JPY_SESSION_NAME``)."""
        return os.environ.get("JPY_SESSION_NAME", "")

    def cluster(self, name: str | None = None) -> tuple[Cluster, bool]:
        """Return the cluster to use (`name`, else the present one) and whether it is the first time.

        Raises
        ------
        ClusterNotFound, GcsError
            As :func:`gcs_lab.connect`.
        """
        if name is not None:
            return connect(name), False
        if self._cluster is not None:
            return self._cluster, False
        self._cluster = connect()
        return self._cluster, True

    def use(self, name: str | None) -> Cluster:
        """Make another cluster the one that jobs go to from now on."""
        self._cluster = connect(name)
        return self._cluster

    def remember(self, job: CellJob) -> None:
        """Keep the handle of a job of this kernel."""
        self._jobs[job.entry.folder] = job

    def handle(self, entry: JournalEntry) -> CellJob:
        """Return the handle of a journal entry's job: this kernel's own, or a new one.

        Raises
        ------
        GcsError
            If its cluster cannot be reached, or its folder is gone or not to be trusted.
        """
        if entry.folder not in self._jobs:
            folder = JobFolder(Path(entry.folder))
            if not folder.spec.exists():
                raise UnknownName("job folder", entry.folder, [])
            self._jobs[entry.folder] = CellJob(connect(entry.cluster), entry, self.journal)
        return self._jobs[entry.folder]

    def renewed_handle(self, entry: JournalEntry) -> CellJob:
        """Return a handle that reads the job's log from its beginning, and is this kernel's own from now on."""
        previous = self._jobs.pop(entry.folder, None)
        job = self.handle(entry)
        if previous is not None:
            job.take_over(previous)
        return job

    def entries(self, wanted: Sequence[str]) -> list[JournalEntry]:
        """Return the newest journal entry for each id or name.

        Raises
        ------
        UnknownName
            If there is no such job in the journal.
        """
        self.complete_journal()
        present = self._cluster.name if self._cluster else None
        found = []
        for word in wanted:
            entries = self.journal.find(word, present) or self.journal.find(word)
            if not entries:
                known = [entry.job_id for entry in self.journal.recent(20)] + [
                    e.name for e in self.journal.recent(20)
                ]
                raise UnknownName("job", word, set(known))
            found.append(entries[0])
        return found

    def complete_journal(self) -> None:
        """Fill in ids of jobs whose kernel was killed between submission and the journal's word of it."""
        for entry in self.journal.without_id():
            started = [e for e in EventLog(JobFolder(Path(entry.folder)).events).read() if e.type == "started"]
            if started and started[0].body.get("job_id"):
                self.journal.update(entry.folder, job_id=str(started[0].body["job_id"]))

    def unfinished(self) -> list[JournalEntry]:
        """Return this notebook's jobs whose end is not known yet, oldest first (all jobs where it has no name)."""
        self.complete_journal()
        entries = self.journal.of_notebook(self.notebook) if self.notebook else self.journal.recent(200)
        return [entry for entry in reversed(entries) if not entry.finished]
