"""The jobs that words of a user mean: ids, names, variables, and single tasks of sweeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.magics.session import Session
    from gcs_lab.vocabulary import JobStatus

__all__ = ["NamedJob", "current_ids", "named_job", "named_jobs", "weightiest"]

#: Sweeps whose later rounds are looked through for an id that the journal does not have.
_LATEST_SWEEPS = 200


@dataclass(frozen=True)
class NamedJob:
    """A job or sweep, or one task of a sweep (``task``, from 1); ``job_id`` is what the scheduler calls it."""

    entry: JournalEntry
    job_id: str
    task: int | None = None

    @property
    def ids(self) -> list[str]:
        """All that the scheduler calls it: a sweep has an id for each of its rounds, here the latest first."""
        return current_ids(self.entry) if self.task is None and self.entry.kind == "sweep" else [self.job_id]

    @property
    def folder(self) -> JobFolder:
        """Where its log is."""
        whole = JobFolder(Path(self.entry.folder))
        return whole if self.task is None else whole.of_task(self.task)

    def __str__(self) -> str:
        if self.task is not None:
            return f"task {self.task} of sweep {self.entry.name} ({self.job_id})"
        return f"{'sweep' if self.entry.kind == 'sweep' else 'job'} {self.job_id} ({self.entry.name})"


def named_jobs(session: Session, words: Iterable[str], namespace: Mapping[str, Any]) -> list[NamedJob]:
    """Return what each word means; as :func:`named_job`."""
    return [named_job(session, word, namespace) for word in words]


def named_job(session: Session, word: str, namespace: Mapping[str, Any], task: int | None = None) -> NamedJob:
    """Return what a word means.

    Parameters
    ----------
    session
        What the magics share.
    word
        An id (``12``), the id of a sweep's task (``12.5``, as the scheduler counts), a name or a variable, of which
        ``sweep.5`` is the fifth task.
    namespace
        The notebook's names.
    task
        The task that is meant, if the user gave it by itself.

    Raises
    ------
    UnknownName
        If there is no such job or task.
    InvalidArgument
        If a task of a job is meant that is no sweep.
    """
    whole, index = split_id(word)
    if index is None or task is not None:
        found, is_id = _entry(session, word, namespace)
        return _whole(found, word if is_id else None) if task is None else _task(found, task)
    found, is_id = _entry(session, whole, namespace)
    return _task(found, _number(found, whole, index) if is_id else index)


def current_ids(entry: JournalEntry) -> list[str]:
    """Return the scheduler's ids of a job; of a sweep, those of its rounds, the latest first."""
    ids = JobFolder(Path(entry.folder)).round_ids() if entry.kind == "sweep" else []
    return ids[::-1] or [entry.job_id]


def weightiest(statuses: Sequence[JobStatus]) -> JobStatus:
    """Return of the statuses of a sweep's rounds, the latest first, the one that tells what the sweep does now."""
    return next((status for status in statuses if not status.state.terminated), statuses[0])


def _entry(session: Session, word: str, namespace: Mapping[str, Any]) -> tuple[JournalEntry, bool]:
    """Return the journal's entry, and whether the word is an id."""
    value = namespace.get(word)
    if type(value).__module__.startswith("gcs_lab.cells.") and hasattr(type(value), "upstream"):
        entry: JournalEntry = value.entry  # type: ignore[union-attr]
        return entry, False
    present = session.connected.name if session.connected else None
    # A later round of a sweep here comes before a job of another cluster that has the same id.
    if present and not session.journal.find(word, present) and (sweep := _sweep_of_round(session, word, present)):
        return sweep, True
    try:
        (found,) = session.entries([word])
    except UnknownName:
        if sweep := _sweep_of_round(session, word, None):
            return sweep, True
        raise
    return found, found.name != word


def _sweep_of_round(session: Session, job_id: str, cluster: str | None) -> JournalEntry | None:
    """Return the sweep of which a round has an id that the journal does not have."""
    if not job_id.isdecimal():
        return None
    sweeps = (entry for entry in session.journal.recent(_LATEST_SWEEPS, cluster) if entry.kind == "sweep")
    return next((entry for entry in sweeps if job_id in current_ids(entry)), None)


def _whole(entry: JournalEntry, job_id: str | None) -> NamedJob:
    return NamedJob(entry, job_id or current_ids(entry)[0])


def _number(entry: JournalEntry, job_id: str, index: int) -> int:
    """Return the sweep's task that has `index` in the array job `job_id`: in later rounds they differ."""
    for ran in _rounds(entry):
        if ran.job_id == job_id:
            if 1 <= index <= len(ran.tasks):
                return int(ran.tasks[index - 1])
            raise UnknownName("task", f"{job_id}.{index}", [], where=f"sweep {entry.name}")
    return index


def _task(entry: JournalEntry, task: int) -> NamedJob:
    if entry.kind != "sweep":
        raise InvalidArgument(f"job {entry.job_id} ({entry.name}) is no sweep, so it has no task {task}.")
    if not 1 <= task <= entry.tasks:
        raise InvalidArgument(f"sweep {entry.name} has no task {task}; its tasks are 1 to {entry.tasks:,}.")
    latest = [ran for ran in _rounds(entry) if ran.number == 1 or task in ran.tasks]
    job_id = f"{latest[-1].job_id}.{latest[-1].index_of(task)}" if latest else f"{entry.job_id}.{task}"
    return NamedJob(entry, job_id, task)


def _rounds(entry: JournalEntry) -> list[Any]:
    from gcs_lab.cells.sweep_rounds import read_rounds

    return read_rounds(JobFolder(Path(entry.folder)), entry.tasks)
