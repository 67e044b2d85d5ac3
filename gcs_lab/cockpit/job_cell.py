"""The notebook cell that a job came from, if it came from one of this user's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.cells.journal import JournalEntry

__all__ = ["JobCell", "cell_of"]

_KINDS = frozenset({"cell", "sweep", "script", "notebook"})


@dataclass(frozen=True)
class JobCell:
    """A cell: its entry in the journal, its source and its job folder.

    ``source`` is empty and ``folder`` None where the folder is gone or somebody else could have written it.
    """

    entry: JournalEntry
    source: str
    folder: JobFolder | None

    def message(self) -> Mapping[str, str | int]:
        """Return the ``cell`` of an ``IDetails``."""
        return {
            "notebook": self.entry.notebook,
            "execution_count": self.entry.execution_count,
            "source": self.source,
            "folder": "" if self.folder is None else str(self.folder.path),
        }

    def folder_of(self, task: int | None) -> JobFolder | None:
        """Return the folder with the log of a task of a sweep (None: of the job)."""
        if self.folder is None or task is None or self.entry.kind != "sweep":
            return self.folder
        return self.folder.of_task(task)


def cell_of(cluster: str, job_id: str, journal: Journal | None = None) -> JobCell | None:
    """Return the cell that a job of `cluster` came from; None if it came from none that this user's journal has.

    Raises
    ------
    GcsError
        If the journal cannot be read.
    """
    journal = journal or Journal()
    entry = next((one for one in journal.find(job_id, cluster) if one.job_id == job_id), None)
    if entry is None or entry.kind not in _KINDS:
        return None
    folder = JobFolder(Path(entry.folder))
    try:
        source = str(folder.read_spec().get("source", ""))
    except (GcsError, OSError, ValueError):
        # The folder was tidied away, or somebody else could have written it.
        return JobCell(entry, "", folder if os.access(folder.events, os.R_OK) and _is_own(folder) else None)
    return JobCell(entry, source, folder)


def _is_own(folder: JobFolder) -> bool:
    try:
        folder.check_trusted(folder.path)
    except (GcsError, OSError):
        return False
    return True
