"""``%gcs graph``: the graph of the jobs of this notebook, with the states that they have now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gcs_lab.cells.sweep_job import SweepJob
from gcs_lab.errors import DrmCommunication, GcsError
from gcs_lab.magics.graph_drawing import GraphDrawing
from gcs_lab.magics.job_graph import graph_of
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.magics.session import Session

__all__ = ["notebook_graph"]

#: By folder a state's name, and how many of a sweep's tasks are in which.
_States = dict[str, tuple[str, Mapping[str, int]]]

#: Seconds that a cluster is waited for; after that the graph shows what was known of its jobs.
_PATIENCE = 10.0
_FURTHEST_FIRST = (
    JobState.RUNNING, JobState.SUSPENDED, JobState.QUEUED, JobState.REQUEUED, JobState.QUEUED_HELD,
    JobState.REQUEUED_HELD, JobState.UNDETERMINED,
)  # fmt: skip


def notebook_graph(session: Session, *, everything: bool) -> GraphDrawing:
    """Return the drawing of the jobs of this notebook (`everything`: of all notebooks) and what they wait for.

    Where the notebook has no name, those of this kernel count as its own.
    """
    session.complete_journal()
    entries = session.journal.everything()
    mine = {job.entry.folder for job in session.handles()}
    if session.notebook:
        mine |= {entry.folder for entry in entries if entry.notebook == session.notebook}
    silent: list[str] = []
    graph = graph_of(entries, mine, lambda asked: _states(session, asked, silent), everything=everything)
    return GraphDrawing(replace(graph, silent=tuple(silent)))


def _states(
    session: Session, entries: list[JournalEntry], silent: list[str]
) -> dict[str, tuple[str, Mapping[str, int]]]:
    """Return states and counts of tasks by folder: as this kernel knows them, else with one question a cluster.

    `silent` takes a sentence for each cluster that does not answer.
    """
    found: dict[str, tuple[str, Mapping[str, int]]] = {}
    followed = {job.entry.folder: job for job in session.handles() if not job.concluded.is_set()}
    by_cluster: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        job = followed.get(entry.folder)
        if isinstance(job, SweepJob):
            # It knows the states of all its rounds.
            found[entry.folder] = (job.state.name, _named(job.table.counts()))
            continue
        if job is not None and job.state is not JobState.UNDETERMINED:
            # What this kernel saw last: it counts if the cluster does not answer.
            found[entry.folder] = (job.state.name, {})
        if entry.job_id:
            by_cluster.setdefault(entry.cluster, []).append(entry)
    for name, members in by_cluster.items():
        try:
            found |= _soon(partial(_asked, session, name, members))
        except GcsError as error:
            jobs = "1 job" if len(members) == 1 else f"{len(members)} jobs"
            silent.append(f"{name} gave no answer, so {jobs} there may be further than shown: {error}".rstrip("."))
    return found


def _soon(ask: Callable[[], _States]) -> _States:
    """Return what `ask` returns, or raise what it raises; a master that hangs would be waited for for minutes.

    Raises
    ------
    DrmCommunication
        If that takes more than :data:`_PATIENCE` seconds; it goes on in its thread.
    """
    answers: list[_States | GcsError] = []

    def work() -> None:
        try:
            answers.append(ask())
        except GcsError as error:
            answers.append(error)

    thread = threading.Thread(target=work, name="gcs-lab-graph", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    if not answers:
        raise DrmCommunication(f"it did not say anything within {_PATIENCE:g} s")
    if isinstance(answers[0], GcsError):
        raise answers[0]
    return answers[0]


def _asked(session: Session, name: str, entries: list[JournalEntry]) -> dict[str, tuple[str, Mapping[str, int]]]:
    found: dict[str, tuple[str, Mapping[str, int]]] = {}
    jobs = [entry.job_id for entry in entries if not entry.tasks]
    sweeps = [entry.job_id for entry in entries if entry.tasks]
    board = session.cluster(name)[0].jobs.board
    fault = board.look(jobs, sweeps, at_once=True)
    if fault is not None:
        raise fault
    for entry in entries:
        status, array = board.known(entry.job_id), board.known_array(entry.job_id)
        if entry.tasks and array is not None:
            counts = array.counts()
            found[entry.folder] = (_state_of(counts), _named(counts))
        elif status is not None:
            found[entry.folder] = (status.state.name, {})
    return found


def _state_of(counts: Mapping[JobState, int]) -> str:
    """Return the state of an array: that of the task that is furthest; at the end FAILED if one failed."""
    order = (*_FURTHEST_FIRST, JobState.FAILED, JobState.DONE)
    return next((state.name for state in order if counts.get(state)), JobState.UNDETERMINED.name)


def _named(counts: Mapping[JobState, int]) -> dict[str, int]:
    return {state.name: number for state, number in counts.items() if number}
