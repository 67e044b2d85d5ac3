"""``--cache``: a cell whose equal has run is not run again."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.cells.cell_cache import DONE, FAILED, RUNNING, CacheEntry, ended_in, stamp
from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.cell_key import cell_key, differences
from gcs_lab.cells.equal_content import equal_by_content
from gcs_lab.cells.follower import follower
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.errors import GcsError, InvalidState, NotPicklable, NotReady
from gcs_lab.magics.job_view import is_sweep, show_job
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cells.cell_cache import CellCache
    from gcs_lab.cells.cell_key import CellKey
    from gcs_lab.cells.event_log import Event
    from gcs_lab.cells.plan import CellPlan
    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.cells.sweep_job import SweepJob
    from gcs_lab.magics.cell_channel import CellChannel
    from gcs_lab.magics.session import Session
    from gcs_lab.vocabulary import JobStatus

__all__ = ["CachedCell"]

_log = logging.getLogger(__name__)

#: How many of the things that differ are told in one line.
_MOST_TOLD = 4
#: Seconds in which the log of an ended job is read, however long it is.
_REPLAY_SECONDS = 60.0


class CachedCell:
    """What the cache has for a cell.

    Parameters
    ----------
    session
        What the magics share.
    plan
        What would be sent, with its dependencies and points.

    Raises
    ------
    InvalidArgument
        If a file of ``--cache-file`` cannot be read.
    """

    def __init__(self, session: Session, plan: CellPlan) -> None:
        self._session, self._plan = session, plan
        self._cache: CellCache = session.cache
        #: None if there is something in the cell that cannot be compared; then :attr:`why` says what.
        self.key: CellKey | None = None
        #: The job whose result can be taken, or that is computing it now.
        self.hit: CacheEntry | None = None
        #: What there is to say, in words: why it is taken or why not.
        self.why = ""
        try:
            self.key = cell_key(plan, self._cache.key_of)
            session.last_key = self.key
            self._look_up(self.key)
        except (NotPicklable, NotReady) as error:
            self.why = f"not cached: {error}"
        except (sqlite3.Error, OSError) as error:
            # The cache is a help: the cell runs without it.
            self.key = self.hit = None
            self.why = f"not cached: the cache in {self._cache.path} cannot be used: {error}"

    # -- looking up --------------------------------------------------------------------------------------------------

    def _look_up(self, key: CellKey) -> None:
        unusable = []
        for entry in chain(self._cache.equal_to(key), equal_by_content(self._cache, key)):
            why = self._why_not(entry)
            if not why:
                self.hit = entry
                self.why = self._hit_text(entry, key)
                return
            unusable.append(why)
        self.why = f"nothing to take from the cache: {unusable[0] if unusable else self._what_differs(key)}"

    def _why_not(self, entry: CacheEntry) -> str:
        """Return why an equal job is of no use, in words; empty if it is. ``entry.state`` is the present one then."""
        who = f"job {entry.job_id} of {entry.when} was equal, but"
        if entry.state == RUNNING and (why := self._settle(entry)):
            return f"{who} {why}"
        if entry.state == FAILED:
            return f"{who} it failed, or not all that it left could come back"
        if entry.state == DONE and (why := entry.what_is_wrong()):
            self._cache.remove([entry.folder])
            return f"{who} {why}"
        if entry.state == DONE:
            try:
                self._session.cluster(entry.cluster)
            except GcsError as error:
                return f"{who} its cluster cannot be had: {error}"
        return ""

    def _settle(self, entry: CacheEntry) -> str:
        """Find out what became of a job whose end nobody saw; return why nothing can be found out."""
        folder = JobFolder(Path(entry.folder))
        if not folder.path.exists():
            self._cache.remove([entry.folder])
            return "its job folder is gone"
        try:
            folder.check_trusted(folder.spec)
            ended = self._sweep_ended(entry) if entry.kind == "sweep" else self._job_ended(entry, folder)
        except (GcsError, OSError) as error:
            return f"what became of it cannot be told: {error}"
        if ended != RUNNING:
            self._cache.settle(entry.folder, ended, stamp(folder))
            entry.state, entry.stamp = ended, stamp(folder)
        return ""

    def _job_ended(self, entry: CacheEntry, folder: JobFolder) -> str:
        ended = ended_in(folder)
        if ended is not None:
            return ended
        cluster, _ = self._session.cluster(entry.cluster)
        status = cluster.jobs.board.status([entry.job_id])[entry.job_id]
        # It may have ended between the two looks.
        if (ended := ended_in(folder)) is not None:
            return ended
        if status.state is JobState.UNDETERMINED:
            raise InvalidState(f"{cluster.system} knows nothing of it (yet), and its log has no end")
        return FAILED if status.state.terminated else RUNNING

    def _sweep_ended(self, entry: CacheEntry) -> str:
        from gcs_lab.cells.sweep_job import SweepJob

        cluster, _ = self._session.cluster(entry.cluster)
        # A handle for this look alone: the kernel's own are those that it shows.
        sweep = SweepJob(cluster, entry.journal_entry(0), self._session.journal)
        sweep.read_log(now=True)
        if not sweep.concluded.is_set():
            sweep.take_state()
        return _how(sweep) if sweep.concluded.is_set() else RUNNING

    def _hit_text(self, entry: CacheEntry, key: CellKey) -> str:
        who, same = f"job {entry.job_id} of {entry.when}", key.summary()
        if entry.state == RUNNING:
            return f"{who} is equal and not done yet: nothing is submitted, this cell shows that job ({same})"
        return f"taken from {who} ({same}); %gcs cache clear {entry.job_id} runs it anew"

    def _what_differs(self, key: CellKey) -> str:
        request = self._plan.request
        name = request.options.name
        earlier = self._cache.predecessor(request.notebook, request.cell, name, key)
        if earlier is None:
            return "no earlier job"
        told = differences(earlier.cell_key, key)
        more = [f"{len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
        return f"{', '.join([*told[:_MOST_TOLD], *more])} since job {earlier.job_id} of {earlier.when}"

    # -- taking and keeping ------------------------------------------------------------------------------------------

    def take(self, shell: InteractiveShell, channel: CellChannel, *, raises: bool) -> CellJob | Sweep | None:
        """Show the equal job in the cell that runs, and bring its values; None if there is none.

        An ended job is all there when this returns; one that still runs is followed.
        """
        channel.stream("stdout", f"gcs: {self.why}\n")
        if self.hit is None:
            return None
        request = self._plan.request
        job: CellJob | Sweep = self._session.renewed_handle(self.hit.journal_entry(request.execution_count))
        with contextlib.suppress(sqlite3.Error):
            self._cache.count_hit(self.hit.folder)
        if is_sweep(job):
            job.spec["sweep"]["variable"] = request.options.sweep_name
        elif isinstance(job, CellJob) and self.hit.state == DONE:
            job.state = JobState.DONE  # its card need not begin with what is not known yet
        show_job(job, shell, channel, raises=raises)
        job.deliver_to(shell.user_ns)
        if self.hit.state == RUNNING:
            job.listen(_Keeper(self._cache))
            follower().follow(job)
            return job
        # The folder alone tells how it ended: the cluster is not asked for a job that it may have forgotten.
        while job.read_log() and not job.concluded.is_set():
            continue
        if not job.concluded.is_set():
            follower().follow(job)
            job.concluded.wait(_REPLAY_SECONDS)
        return job

    def keep(self, job: CellJob | Sweep) -> None:
        """Remember a job that was submitted because there was no equal one; call it before the job is followed."""
        if self.key is None:
            return
        request = self._plan.request
        entry = CacheEntry(
            folder=job.entry.folder,
            key=self.key.digest,
            parts=self.key.to_json(),
            cluster=job.entry.cluster,
            job_id=job.id,
            name=job.name,
            named=int(request.options.name is not None),
            notebook=request.notebook,
            cell=request.cell,
            first_line=_first_line(request.source),
            kind=job.entry.kind,
            tasks=job.entry.tasks,
            submitted=job.entry.submitted,
        )
        try:
            self._cache.add(entry)
        except (sqlite3.Error, OSError) as error:
            _log.warning("job %s is not in the cache %s: %s", job.id, self._cache.path, error)
            return
        job.listen(_Keeper(self._cache))


class _Keeper:
    """Keeps how a job ended."""

    def __init__(self, cache: CellCache) -> None:
        self._cache = cache

    def on_event(self, job: CellJob, event: Event) -> None:
        """Nothing to keep."""

    def on_change(self, sweep: SweepJob) -> None:
        """Nothing to keep."""

    def on_status(self, job: CellJob, status: JobStatus) -> None:
        """Nothing to keep."""

    def on_silence(self, job: CellJob | SweepJob, since: float) -> None:
        """Nothing to keep."""

    def on_concluded(self, job: CellJob | SweepJob) -> None:
        """Keep the result if it is whole; that of a sweep again after a rerun."""
        # If it cannot be written, the next equal cell finds out from the job's folder.
        with contextlib.suppress(sqlite3.Error, OSError):
            self._cache.settle(job.entry.folder, _how(job), stamp(job.folder))


def _how(job: CellJob | SweepJob) -> str:
    """Return how an ended job counts: DONE if all its tasks did, and nothing of what it left is missing."""
    return DONE if job.state is JobState.DONE and not getattr(job, "skipped", None) else FAILED


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.splitlines() if line.strip()), "")
