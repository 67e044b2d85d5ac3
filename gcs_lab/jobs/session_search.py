"""Which of a session's jobs a filter means (GFD.231, ``JobSession::getJobs``), asked with few questions."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from gcs_lab.jobs.job_filter import fits
from gcs_lab.jobs.session_job_list import SessionEntry
from gcs_lab.vocabulary import JobInfo, JobState, split_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.jobs.area import Jobs
    from gcs_lab.jobs.session_jobs import Submission
    from gcs_lab.vocabulary import ArrayStatus, JobStatus

__all__ = ["search"]

_NOTHING = JobInfo(job_id="")
#: What all tasks of an array have in common.
_SHARED = {"job_name", "job_owner", "submission_machine", "submission_time"}


def search(
    area: Jobs, submissions: Sequence[Submission], reaped: Mapping[int, set[int]], wanted: JobInfo | None
) -> list[SessionEntry]:
    """Return the jobs and tasks that match `wanted`, those that have ended among them.

    Id, name, state, and what the tasks of an array share, are decided with a few questions to the system; anything
    else needs all that is known of each job that is left after that.

    Parameters
    ----------
    area
        The jobs of the session's cluster.
    submissions
        The session's jobs and arrays.
    reaped
        Tasks that the session does not know any more, by the number of their submission.
    wanted
        The filter; None: everything.
    """
    entries = [(one, _entry(one, reaped.get(one.number, set()))) for one in submissions]
    if wanted is None:
        return [entry for _, entry in entries]
    names = {f.name for f in fields(JobInfo) if getattr(wanted, f.name) != getattr(_NOTHING, f.name)}
    if "job_id" in names:
        entries = [(one, part) for one, entry in entries if (part := _with_id(entry, wanted.job_id))]
    if "job_name" in names:
        known = [one.job_name for one, _ in entries]
        entries = [pair for pair, name in zip(entries, known, strict=True) if name in (None, wanted.job_name)]
        if None not in known:
            names.discard("job_name")
    found = [entry for _, entry in entries]
    if "job_state" in names:
        found = _in_state(area, found, wanted.job_state)
    names -= {"job_id", "job_state"}
    if names & _SHARED:
        found = _of_arrays_that_fit(
            area, found, replace(_NOTHING, **{n: getattr(wanted, n) for n in names & _SHARED})
        )
        if all(entry.indices is not None for entry in found):
            names -= _SHARED
    if names:
        found = _fitting(area, found, replace(wanted, job_id="", job_state=JobState.UNDETERMINED), names)
    return found


def _entry(submission: Submission, reaped: set[int]) -> SessionEntry:
    if submission.tasks is None:
        return SessionEntry(submission.job_id, job_name=submission.job_name)
    indices: Sequence[int] = submission.tasks.indices
    left = [i for i in indices if i not in reaped] if reaped else indices
    return SessionEntry(submission.job_id, left, submission.job_name)


def _with_id(entry: SessionEntry, job_id: str) -> SessionEntry | None:
    if entry.indices is None:
        return entry if entry.job_id == job_id else None
    array, task = split_id(job_id)
    if array != entry.job_id or task is None or task not in entry.indices:
        return None
    return entry.only([task])


def _in_state(area: Jobs, entries: Sequence[SessionEntry], state: JobState) -> list[SessionEntry]:
    singles = {entry.job_id for entry in entries if entry.indices is None}
    arrays = {entry.job_id for entry in entries if entry.indices is not None}
    states: Mapping[str, JobStatus] = area.board.status(singles) if singles else {}
    of_arrays: Mapping[str, ArrayStatus | None] = area.board.array_status(arrays) if arrays else {}
    found = []
    for entry in entries:
        if entry.indices is None:
            if states[entry.job_id].state is state:
                found.append(entry)
        elif (status := of_arrays.get(entry.job_id)) is not None:
            there = set(status.indices(state))
            found.append(entry.only([index for index in entry.indices if index in there]))
    return found


def _of_arrays_that_fit(area: Jobs, entries: Sequence[SessionEntry], wanted: JobInfo) -> list[SessionEntry]:
    """Leave out the arrays that do not fit in what their tasks share; single jobs stay."""
    infos = area.backend.info([entry.job_id for entry in entries if entry.indices is not None])
    return [
        entry
        for entry in entries
        if entry.indices is None or ((info := infos.get(entry.job_id)) is not None and fits(info, wanted))
    ]


def _fitting(area: Jobs, entries: Sequence[SessionEntry], wanted: JobInfo, names: set[str]) -> list[SessionEntry]:
    """Return what fits in the attributes `names`; of arrays, those that their tasks share are decided already."""
    task_by_task = bool(names - _SHARED)
    asked = [entry for entry in entries if entry.indices is None or task_by_task]
    infos = area.backend.info([entry.id_at(place) for entry in asked for place in range(len(entry))])

    def right(job_id: str) -> bool:
        # A job that the system has forgotten fits no filter that asks for what only the system knows.
        return (info := infos.get(job_id)) is not None and fits(info, wanted)

    found = []
    for entry in entries:
        if entry.indices is None:
            if right(entry.job_id):
                found.append(entry)
        elif task_by_task:
            found.append(entry.only([i for i in entry.indices if right(f"{entry.job_id}.{i}")]))
        else:
            found.append(entry)
    return found
