"""Which cells of the open notebooks have jobs, and what those do: the small badges beside the cells."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError
from gcs_lab.panel.job_log import JobLog
from gcs_lab.panel.outcome_words import outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.panel.journal_watch import JournalWatch

__all__ = ["NotebookCells"]

_LOG = logging.getLogger(__name__)
#: Jobs on other clusters whose logs are read, the latest ones.
_MOST_ELSEWHERE = 50

Row = dict[str, Any]


class NotebookCells:
    """Keeps up with the cells of the notebooks that a page has open. One thread uses it.

    Parameters
    ----------
    cluster
        Name of the cluster of the panel; of others only the journal and the jobs' logs are known.
    journal
        The journal.
    contents_path
        Makes a path of the page's of an absolute one.
    """

    def __init__(self, cluster: str, journal: JournalWatch, contents_path: Callable[[str], str]) -> None:
        self._cluster, self._journal, self._contents_path = cluster, journal, contents_path
        self._entries: dict[str, dict[str, JournalEntry]] = {}
        self._told: dict[str, dict[str, Row]] = {}
        self._logs: dict[str, JobLog] = {}

    def watch(self, notebooks: Sequence[str]) -> None:
        """Keep up with these notebooks from now on; all that is known of them is news."""
        self._entries = {path: {} for path in notebooks}
        self._told.clear()
        self.read()

    def forget(self) -> None:
        """Take it that the page knows nothing."""
        self._told.clear()

    def read(self) -> None:
        """Take what the journal has of them."""
        try:
            self._entries = self._journal.latest_of_cells(self._entries, self._contents_path)
        except (sqlite3.Error, OSError, GcsError) as error:
            _LOG.debug("the journal cannot be read now: %s", error)
        folders = {entry.folder for cells in self._entries.values() for entry in cells.values()}
        for folder in self._logs.keys() - folders:
            del self._logs[folder]

    def look(self) -> bool:
        """Read what jobs on other clusters have written; return whether any of it is shown."""
        elsewhere = [
            entry
            for cells in self._entries.values()
            for entry in cells.values()
            if entry.cluster != self._cluster and not entry.finished
        ]
        elsewhere.sort(key=lambda entry: -entry.submitted)
        changed = False
        for entry in elsewhere[:_MOST_ELSEWHERE]:
            log = self._logs.setdefault(entry.folder, JobLog(Path(entry.folder) / "events.jsonl"))
            changed |= log.look()
        return changed

    def messages(self, rows: Mapping[str, Row]) -> list[dict[str, Any]]:
        """Return an ``ICells`` of each notebook of which something differs from what was told.

        Parameters
        ----------
        rows
            The rows of the panel, by key, live ones and recent ones.
        """
        found = []
        for path, entries in self._entries.items():
            cells = {cell: self._cell(entry, rows) for cell, entry in entries.items()}
            # A notebook without jobs is told of as well: what the page showed of it before is no more.
            if self._told.get(path) != cells:
                self._told[path] = cells
                found.append({"kind": "cells", "notebook": path, "cells": cells})
        return found

    def _cell(self, entry: JournalEntry, rows: Mapping[str, Row]) -> Row:
        row = rows.get(entry.job_id) if entry.cluster == self._cluster else None
        state, letters, text = entry.state, "", ""
        if row is not None and row["cell"] == entry.cell:
            state, letters = row["state"], row["letters"]
            progress = (row["progress"] or {}).get("text", "")
            text = row["outcome"] or progress or row["reason"]
        elif entry.finished:
            text = outcome(entry.state, entry.message)
        elif (log := self._logs.get(entry.folder)) is not None and log.began:
            state, text = _by_log(log)
        return {
            "job_id": entry.job_id,
            "cluster": entry.cluster,
            "name": entry.name,
            "kind": entry.kind if entry.kind in {"cell", "sweep", "script", "notebook"} else "job",
            "state": state,
            "letters": letters,
            "text": text,
        }


def _by_log(log: JobLog) -> tuple[str, str]:
    """Return state and text of a job on a cluster that is not asked."""
    if log.finished is None:
        return "RUNNING", (log.progress or {}).get("text", "")
    if log.finished.get("exit_status") == 0:
        return "DONE", outcome("DONE", "", log.finished.get("wall"))
    told = log.error or {}
    said = str(told.get("evalue", "")).strip().splitlines()
    name = str(told.get("ename") or "")
    return "FAILED", f"{name}: {said[0]}" if name and said else name or "failed"
