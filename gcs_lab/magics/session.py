"""What a notebook's magics share: the cluster in use, the journal, the jobs of this kernel."""

from __future__ import annotations

import contextlib
import os
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.cluster import Cluster, connect
from gcs_lab.errors import GcsError, UnknownName
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from gcs_lab.cells.cell_cache import CellCache
    from gcs_lab.cells.cell_key import CellKey
    from gcs_lab.cells.plan import CellOptions
    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.magics.defaults import DefaultTraits

__all__ = ["Session", "where_jobs_go"]

#: Columns of what is said in a cell: JupyterLab breaks longer lines in the middle of a word.
_COLUMNS = 78


class Session:
    """State of the magics in one kernel."""

    def __init__(self) -> None:
        self._cluster: Cluster | None = None
        #: What jobs are given where flags say nothing; None: nothing.
        self.defaults: DefaultTraits | None = None
        #: What the latest job was given by defaults, with where each stands.
        self.used_defaults: dict[str, str] = {}
        self._journal: Journal | None = None
        self._jobs: dict[str, CellJob | Sweep] = {}
        self._quiet: set[str] = set()
        self._cache: CellCache | None = None
        #: The key of the last cell that asked for the cache, for `%gcs cache explain`.
        self.last_key: CellKey | None = None

    @property
    def journal(self) -> Journal:
        """The user's journal."""
        self._journal = self._journal or Journal()
        return self._journal

    @property
    def cache(self) -> CellCache:
        """What this user's cells computed with ``--cache``."""
        from gcs_lab.cells.cell_cache import CellCache

        self._cache = self._cache or CellCache()
        return self._cache

    @property
    def notebook(self) -> str:
        """The notebook's path, if the Jupyter server told the kernel (``JPY_SESSION_NAME``)."""
        return os.environ.get("JPY_SESSION_NAME", "")

    @property
    def connected(self) -> Cluster | None:
        """The cluster that jobs go to; None as long as none was used."""
        return self._cluster

    @property
    def configured_cluster(self) -> str | None:
        """The cluster that the user's configuration names, if it counts and names one."""
        # What the environment says counts more than configuration, as for programs.
        chosen = self.defaults.cluster if self.defaults and not os.environ.get("GCS_LAB_CLUSTER") else ""
        return chosen or None

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
        self._cluster = connect(self.configured_cluster)
        return self._cluster, True

    def under_defaults(self, options: CellOptions, flags: argparse.Namespace, count: int) -> CellOptions:
        """Return `options` with the defaults where they say nothing; `count` is the cell's number."""
        if self.defaults is None:
            return options
        options = self.defaults.under(options, flags, notebook=self.notebook, count=count)
        self.used_defaults = options.from_defaults
        return options

    def use(self, name: str | None) -> Cluster:
        """Make another cluster the one that jobs go to from now on."""
        self._cluster = connect(name)
        return self._cluster

    def remember(self, job: CellJob | Sweep) -> None:
        """Keep the handle of a job of this kernel."""
        self._quiet.discard(job.entry.folder)
        self._jobs[job.entry.folder] = job

    def handle(self, entry: JournalEntry) -> CellJob | Sweep:
        """Return the handle of a journal entry's job: this kernel's own, or a new one.

        Raises
        ------
        GcsError
            If its cluster cannot be reached, or its folder is gone or not to be trusted.
        """
        if entry.folder not in self._jobs:
            folder = JobFolder(Path(entry.folder))
            if not folder.spec.exists():
                raise self._folder_gone(entry)
            self._jobs[entry.folder] = _new_handle(connect(entry.cluster), entry, self.journal)
        return self._jobs[entry.folder]

    def _folder_gone(self, entry: JournalEntry) -> UnknownName:
        """Return what is said of a job whose folder was deleted, and note that nothing more will come of it."""
        text = f"its job folder {entry.folder} was deleted"
        # Where the folder of all jobs is missing, a file system may be away for a while.
        if not entry.finished and Path(entry.folder).parent.is_dir():
            self.journal.update(entry.folder, state=JobState.FAILED.name, finished=time.time(), message=text)
        error = UnknownName("job folder", entry.folder, [])
        error.args = (f"there is nothing to show of job {entry.job_id} ({entry.name}): {text}.",)
        return error

    def handles(self) -> list[CellJob | Sweep]:
        """Return the handles of this kernel's jobs, in the order of their submission; not of those only watched."""
        jobs = [job for job in self._jobs.values() if job.entry.folder not in self._quiet]
        return sorted(jobs, key=lambda job: job.entry.submitted)

    def unconcluded(self) -> list[CellJob | Sweep]:
        """Return the handles of this kernel's jobs whose end is not known yet."""
        return [job for job in self.handles() if not job.concluded.is_set()]

    def watch_quietly(self, entry: JournalEntry) -> CellJob | Sweep:
        """Return the handle of a job that is followed for others' sake alone: nothing of it is shown or waited for.

        Raises
        ------
        GcsError
            As :meth:`handle`.
        """
        if entry.folder not in self._jobs:
            self._quiet.add(entry.folder)
        return self.handle(entry)

    def renewed_handle(self, entry: JournalEntry) -> CellJob | Sweep:
        """Return a handle that reads the job's log from its beginning, and is this kernel's own from now on.

        A sweep keeps its one handle, which is shown where it is wanted; it takes what other kernels sent again.
        """
        self._quiet.discard(entry.folder)
        if entry.kind == "sweep":
            sweep = self.handle(entry)
            if not isinstance(sweep, CellJob):
                # Another kernel may have run some of its tasks again.
                sweep.look_for_rounds()
            return sweep
        previous = self._jobs.pop(entry.folder, None)
        job = self.handle(entry)
        if isinstance(previous, CellJob) and isinstance(job, CellJob):
            job.take_over(previous)
        return job

    def renewed_handles(
        self, entries: Iterable[JournalEntry], *, named: bool
    ) -> tuple[list[CellJob | Sweep], list[str]]:
        """Return :meth:`renewed_handle` of each, and what is told of those that have none.

        Raises
        ------
        GcsError, OSError, ValueError
            If one has none, and they were `named` by the user.
        """
        found, told = [], []
        for entry in entries:
            try:
                found.append(self.renewed_handle(entry))
            except (GcsError, OSError, ValueError) as error:
                # One that cannot be had must not keep the others from coming back.
                if named:
                    raise
                told.append(f"gcs: job {entry.job_id} ({entry.name}) is left out: {error}")
        return found, told

    def entries(self, wanted: Sequence[str], cluster: str = "") -> list[JournalEntry]:
        """Return the newest journal entry for each id or name: of this notebook if there is one, else of another.

        Parameters
        ----------
        wanted
            Ids and names.
        cluster
            Where they are, and nowhere else; without it, those on the cluster that is in use come first.

        Raises
        ------
        UnknownName
            If there is no such job in the journal.
        """
        self.complete_journal()
        present = self._cluster.name if self._cluster else None
        found = []
        for word in wanted:
            entries = self.journal.find(word, cluster or present) or ([] if cluster else self.journal.find(word))
            entries = [entry for entry in entries if self._is_own(entry)] or entries
            if not entries:
                recent = self.journal.recent(20, cluster or None)
                known = {entry.job_id for entry in recent} | {entry.name for entry in recent}
                raise UnknownName("job", word, known, where=cluster)
            found.append(entries[0])
        return found

    def _is_own(self, entry: JournalEntry) -> bool:
        known = entry.folder in self._jobs and entry.folder not in self._quiet
        return known or bool(self.notebook and entry.notebook == self.notebook)

    def complete_journal(self) -> None:
        """Fill in ids of jobs whose kernel was killed between submission and the journal's word of it."""
        for entry in self.journal.without_id():
            if entry.kind == "sweep":
                if job_id := _sweep_id(entry):
                    self.journal.update(entry.folder, job_id=job_id)
                continue
            started = [e for e in EventLog(JobFolder(Path(entry.folder)).events).read() if e.type == "started"]
            if started and started[0].body.get("job_id"):
                self.journal.update(entry.folder, job_id=str(started[0].body["job_id"]))

    def unfinished(self) -> list[JournalEntry]:
        """Return this notebook's jobs whose end is not known yet, oldest first (all jobs where it has no name)."""
        self.complete_journal()
        entries = self.journal.of_notebook(self.notebook) if self.notebook else self.journal.recent(200)
        return [entry for entry in reversed(entries) if not entry.finished]


def _new_handle(cluster: Cluster, entry: JournalEntry, journal: Journal) -> CellJob | Sweep:
    if entry.kind != "sweep":
        return CellJob(cluster, entry, journal)
    from gcs_lab.cells.sweep import Sweep

    sweep = Sweep(cluster, entry, journal)
    with contextlib.suppress(OSError):
        # What its tasks have said by now is known at once.
        sweep.read_log(now=True)
    return sweep


def _sweep_id(entry: JournalEntry) -> str:
    """Return the id of a sweep's first round, from its folder or, by the submission's token, from its cluster."""
    from gcs_lab.cells.sweep_rounds import note_submitted, read_rounds

    folder = JobFolder(Path(entry.folder))
    with contextlib.suppress(OSError, ValueError, GcsError):
        for ran in read_rounds(folder, entry.tasks)[:1]:
            if not ran.job_id:
                found = connect(entry.cluster).jobs.backend.find_submissions([ran.token])
                if ran.token in found:
                    note_submitted(folder, ran, found[ran.token])
            return ran.job_id
    return ""


def where_jobs_go(cluster: Cluster) -> str:
    """Return which cluster jobs go to, and why, in lines that fit into a cell."""
    told = f"gcs: jobs go to {cluster.system} (called {cluster.name!r}), because {cluster.why}"
    return textwrap.fill(told, _COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
