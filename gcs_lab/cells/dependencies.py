"""Which earlier jobs a cell depends on: ``--after``, ``--after-each``, and names that jobs are still computing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.cells.dependents import why_failed
from gcs_lab.cells.from_jobs import is_upstream_source
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.placeholder import awaited_job, is_placeholder
from gcs_lab.cells.runner.job_end import JobEnd, end_of_job
from gcs_lab.cells.runner.sweep_end import end_of_sweep
from gcs_lab.cells.upstream import Upstream
from gcs_lab.errors import GcsError, InvalidArgument, NotReady, UnknownName, UntrustedFile, UpstreamFailed
from gcs_lab.jobs import Job, JobArray
from gcs_lab.vocabulary import JobState, split_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.cells.dependents import Following
    from gcs_lab.cells.journal import Journal, JournalEntry
    from gcs_lab.cells.plan import CellOptions, CellPlan
    from gcs_lab.cells.sweep_points import Points
    from gcs_lab.cluster import Cluster

__all__ = ["Dependencies", "EarlierSweep", "KnownJobs"]


class KnownJobs(Protocol):
    """The jobs that a notebook knows."""

    @property
    def notebook(self) -> str:
        """The notebook's path; empty if it is not known."""
        ...

    @property
    def journal(self) -> Journal:
        """The user's journal."""
        ...

    def handles(self) -> Sequence[Following]:
        """Return the handles of this kernel's jobs, in the order of their submission."""
        ...

    def complete_journal(self) -> None:
        """Fill in ids that are not in the journal yet."""
        ...


@dataclass(frozen=True)
class EarlierSweep:
    """The sweep of ``--after-each``: which job it is, what each of its tasks leaves, and its points."""

    upstream: Upstream
    leaves: Mapping[str, Upstream] = field(default_factory=dict)
    points: Points | None = None
    rounds: int = 1


class Dependencies:
    """Finds the jobs that a cell depends on.

    ``notes`` are sentences that the user should hear: which of several jobs of a name was taken.

    Parameters
    ----------
    namespace
        The notebook's names.
    known
        The jobs that it knows.
    """

    def __init__(self, namespace: Mapping[str, Any], known: KnownJobs) -> None:
        self._namespace, self._known = namespace, known
        self.notes: list[str] = []

    def earlier_sweep(self, options: CellOptions, cluster: Cluster) -> EarlierSweep | None:
        """Return the sweep that ``--after-each`` names; None without it.

        Raises
        ------
        InvalidArgument
            If it is no sweep.
        GcsError
            As :meth:`settle`.
        """
        word = options.after_each
        if word is None:
            return None
        upstream = self._find(word, "--after-each", cluster)
        if not upstream.tasks or not upstream.folder:
            raise InvalidArgument(
                f"--after-each {word}: {upstream} is no sweep, so there are no tasks to wait for one by one. Nothing "
                f"was sent. Use --after {word}."
            )
        from gcs_lab.cells.sweep_points import Points
        from gcs_lab.cells.sweep_rounds import read_rounds

        folder = JobFolder(Path(upstream.folder))
        points = Points.read(folder.points)
        names = dict.fromkeys([*folder.read_spec()["outputs"], *points.names])
        rounds = len(read_rounds(folder, upstream.tasks))
        return EarlierSweep(upstream, {name: replace(upstream, output=name) for name in names}, points, rounds)

    def settle(self, plan: CellPlan, cluster: Cluster, each: EarlierSweep | None = None, tasks: int = 0) -> None:
        """Put what the cell depends on into its plan: ``after``, ``after_each``, and what of it has ended well.

        Parameters
        ----------
        plan
            The plan; its ``from_jobs`` are there.
        cluster
            Where the job goes.
        each
            What :meth:`earlier_sweep` found.
        tasks
            Number of the new sweep's tasks.

        Raises
        ------
        UnknownName
            If a word of ``--after`` names no job.
        UpstreamFailed
            If an earlier job did not end well.
        NotReady
            If a value would have to come from another cluster.
        InvalidArgument
            If a job is of another cluster, or no sweep of as many tasks.
        GcsError
            If the cluster does not answer.
        """
        for name, upstream in plan.from_jobs.items():
            _check_cluster(upstream, cluster, f"the cell needs {name}", NotReady)
            if each is None or upstream.job_id != each.upstream.job_id:
                self._take(plan, upstream, cluster, f"the cell needs {name}", keep=False)
        for word in plan.request.options.after:
            found = self._all_unfinished() if word == "*" else [self._find(word, "--after", cluster)]
            for upstream in found:
                _check_cluster(upstream, cluster, f"--after {word}", InvalidArgument)
                self._take(plan, upstream, cluster, f"--after {word}", keep=True)
        if each is not None:
            self._take_each(plan, each, cluster, tasks)

    def _take(self, plan: CellPlan, upstream: Upstream, cluster: Cluster, asked: str, *, keep: bool) -> None:
        end = self._end_of(upstream, cluster)
        if end is not None and not end.good:
            raise UpstreamFailed(
                f"{asked}: {upstream} {end.why}. Nothing was sent. Run it again first, or leave it out."
            )
        if end is not None:
            plan.ended.append(upstream)
        elif keep and upstream.job_id not in {one.job_id for one in plan.after}:
            plan.after.append(upstream)

    def _take_each(self, plan: CellPlan, each: EarlierSweep, cluster: Cluster, tasks: int) -> None:
        upstream = each.upstream
        _check_cluster(upstream, cluster, f"--after-each {plan.request.options.after_each}", InvalidArgument)
        if tasks != upstream.tasks:
            raise InvalidArgument(
                f"--after-each {plan.request.options.after_each}: {upstream} has {upstream.tasks:,} tasks and this "
                f"sweep {tasks:,}; task by task they must be as many. Nothing was sent. Leave --over out to have "
                "the same points, or wait for the whole sweep with --after."
            )
        plan.after_each, plan.by_task = upstream, each.rounds == 1
        end = self._end_of(upstream, cluster)
        if end is not None:
            # Of an ended sweep the tasks that failed fail here too, each saying so; the others run.
            plan.ended.append(upstream)

    # -- finding -------------------------------------------------------------------------------------------------

    def _all_unfinished(self) -> list[Upstream]:
        found = [job.upstream() for job in self._known.handles() if not job.concluded.is_set()]
        if not found:
            self.notes.append("--after *: no job of this kernel is unfinished")
        return found

    def _find(self, word: str, flag: str, cluster: Cluster) -> Upstream:
        """Return the job that `word` means: a name of this notebook's, a variable, a name of the journal's, an id."""
        self._known.complete_journal()
        if word.isascii() and word.isdigit():
            return self._by_id(word, flag, cluster)
        journal, notebook = self._known.journal, self._known.notebook
        named = [entry for entry in journal.find(word) if entry.name == word]
        mine = {job.upstream().folder for job in self._known.handles()}
        here = [entry for entry in named if entry.folder in mine or (notebook and entry.notebook == notebook)]
        if here:
            return self._newest(word, flag, [entry for entry in here if entry.cluster == cluster.name] or here)
        if word in self._namespace and (upstream := self._by_variable(word, flag, cluster)) is not None:
            return upstream
        if named:
            return self._newest(word, flag, [entry for entry in named if entry.cluster == cluster.name] or named)
        _check_no_task(word, flag)
        raise self._unknown(word, flag)

    def _newest(self, word: str, flag: str, entries: list[JournalEntry]) -> Upstream:
        newest, *others = entries
        if others:
            ids = ", ".join(entry.job_id for entry in others[:5]) + (" …" if len(others) > 5 else "")  # noqa: PLR2004
            self.notes.append(f"{flag} {word}: job {newest.job_id}, the newest of that name (others: {ids})")
        return _upstream_of(newest)

    def _by_variable(self, word: str, flag: str, cluster: Cluster) -> Upstream | None:
        value = self._namespace[word]
        if is_placeholder(value):
            job = awaited_job(value)
            return None if job is None else job.upstream()
        if is_upstream_source(value):
            return value.upstream()
        if isinstance(value, Job | JobArray):
            if value.area.cluster != cluster.name:
                upstream = Upstream(value.id, word, cluster=value.area.cluster)
                _check_cluster(upstream, cluster, f"{flag} {word}", InvalidArgument)
            return self._by_id(value.id, flag, cluster)
        raise InvalidArgument(
            f"{flag} {word}: {word} is of type {type(value).__name__}, which stands for no job. Nothing was sent. "
            "Expected a job's name or id, a variable that a job is computing, or the handle of a job or sweep."
        )

    def _by_id(self, job_id: str, flag: str, cluster: Cluster) -> Upstream:
        _check_no_task(job_id, flag)
        entries = [entry for entry in self._known.journal.find(job_id) if entry.job_id == job_id]
        here = [entry for entry in entries if entry.cluster == cluster.name]
        if here:
            return _upstream_of(here[0])
        info = cluster.jobs.backend.info([job_id]).get(job_id)
        if info is None:
            if entries:
                _check_cluster(_upstream_of(entries[0]), cluster, f"{flag} {job_id}", InvalidArgument)
            raise self._unknown(job_id, flag, where=cluster.system)
        return Upstream(job_id, info.job_name or "", cluster=cluster.name)

    def _unknown(self, word: str, flag: str, where: str = "") -> UnknownName:
        recent = self._known.journal.recent(50)
        variables = [
            name
            for name, value in list(self._namespace.items())
            if not name.startswith("_") and (is_placeholder(value) or is_upstream_source(value))
        ]
        known = {*(entry.name for entry in recent), *(entry.job_id for entry in recent), *variables}
        error = UnknownName("job", word, known, where=where)
        error.args = (f"{flag} {word}: {error} Nothing was sent.",)
        return error

    # -- how it ended --------------------------------------------------------------------------------------------

    def _end_of(self, upstream: Upstream, cluster: Cluster) -> JobEnd | None:
        """Return how an earlier job ended, None if it has not: by its handle, its folder or the cluster."""
        for job in self._known.handles():
            if upstream.folder and job.upstream().folder == upstream.folder and not job.abandoned:
                return _end_of_handle(job)
        if upstream.folder:
            try:
                end = end_of_sweep(upstream.folder, upstream.tasks) if upstream.tasks else end_of_job(upstream.folder)
            except PermissionError as error:
                raise UntrustedFile(str(error)) from None
            if end is not None:
                return end
        status = cluster.jobs.board.status([upstream.job_id], max_age=0)[upstream.job_id]
        if not status.state.terminated:
            return None
        if status.state is JobState.DONE and upstream.folder and not upstream.tasks:
            # Its own last word is missing: a network file system may show it late, and the job looks for itself.
            return None
        return JobEnd(good=status.state is JobState.DONE, why=f"failed: {status.annotation or status.sub_state}")


def _end_of_handle(job: Following) -> JobEnd | None:
    if not job.concluded.is_set():
        return None
    return JobEnd(good=job.state is JobState.DONE, why=why_failed(job.message))


def _check_no_task(word: str, flag: str) -> None:
    whole, task = split_id(word)
    if task is None:
        return
    raise InvalidArgument(
        f"{flag} {word}: a task cannot be waited for by itself. Nothing was sent. Wait for the whole job "
        f"(--after {whole}), or task by task (--after-each {whole})."
    )


def _upstream_of(entry: JournalEntry) -> Upstream:
    # A sweep is called by its latest round, as its handle calls it.
    ids = JobFolder(Path(entry.folder)).round_ids() if entry.tasks else []
    return Upstream([entry.job_id, *ids][-1], entry.name, entry.folder, entry.tasks, entry.cluster)


def _check_cluster(upstream: Upstream, cluster: Cluster, asked: str, kind: type[GcsError]) -> None:
    if upstream.cluster in ("", cluster.name):
        return
    raise kind(
        f"{asked}: {upstream} is on {upstream.cluster}, and this cell goes to {cluster.name}. "
        "A job can only wait for jobs of its own cluster. Nothing was sent. "
        f"Send it there with --on {upstream.cluster}, or wait here first: `%gcs wait {upstream.job_id}`."
    )
