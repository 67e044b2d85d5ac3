"""Hold, release, suspend, resume and terminate jobs: one command for many, an answer for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import error_of, run_command
from gcs_lab.errors import GcsError, InvalidArgument, InvalidState
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.vocabulary import JobStatus

__all__ = ["allowed", "control_jobs", "parse_complaints"]

_COMMANDS = {
    JobAction.HOLD: ["qhold"],
    JobAction.RELEASE: ["qrls"],
    JobAction.SUSPEND: ["qmod", "-sj"],
    JobAction.RESUME: ["qmod", "-usj"],
    JobAction.TERMINATE: ["qdel"],
}
#: GFD.231: in which states an action is allowed. Error and waiting jobs can be deleted, too.
_ALLOWED = {
    JobAction.HOLD: {JobState.QUEUED, JobState.REQUEUED},
    JobAction.RELEASE: {JobState.QUEUED_HELD, JobState.REQUEUED_HELD},
    JobAction.SUSPEND: {JobState.RUNNING},
    JobAction.RESUME: {JobState.SUSPENDED},
}
_COMPLAINT = re.compile(
    r"denied|does not exist|do not exist|invalid|not have the necessary|already|cannot|can't|not allowed"
    r"|error|not found"
    r"|isn't|is not|no permission",
    re.IGNORECASE,
)
_ID = re.compile(r"(?<![\w.])(\d+)(?![\w])")
#: Ids in one command; an argument list has room for far more.
_AT_ONCE = 1000


def allowed(action: JobAction, job_id: str, status: JobStatus | None) -> GcsError | None:
    """Return why `action` is not possible in the job's present state (None: not in the queue), or None if it is."""
    if status is None:
        return InvalidArgument(f"Grid Engine has no job {job_id} that could {action}: it never was, or it has ended.")
    if action is JobAction.TERMINATE or status.state in _ALLOWED[action]:
        return None
    expected = " or ".join(sorted(state.name for state in _ALLOWED[action]))
    return InvalidState(
        f"job {job_id} is {status.state.name} ({status.sub_state}); to {action} it, it must be {expected}."
    )


def parse_complaints(said: str, job_ids: Collection[str]) -> dict[str, str]:
    """Return, by id, the lines that complain. What went well is said in lines that do not ("has deleted job 5")."""
    complaints: dict[str, str] = {}
    for line in said.splitlines():
        if _COMPLAINT.search(line) and "already in deletion" not in line:
            for number in _ID.findall(line):
                if number in job_ids:
                    complaints.setdefault(number, line.strip())
    return complaints


def control_jobs(
    cell: SgeCell, action: JobAction, job_ids: Collection[str], present: Mapping[str, JobStatus]
) -> tuple[dict[str, GcsError], str]:
    """Do `action` to the jobs whose state allows it; return what went wrong by id, and all that was said.

    Parameters
    ----------
    cell
        The cell.
    action
        What to do.
    job_ids
        To which jobs.
    present
        The state of those that are in the queue.

    Raises
    ------
    GcsError
        If the cell does not answer.
    """
    failures = {job_id: error for job_id in job_ids if (error := allowed(action, job_id, present.get(job_id)))}
    rest = [job_id for job_id in dict.fromkeys(job_ids) if job_id not in failures]
    said = ""
    for first in range(0, len(rest), _AT_ONCE):
        some = rest[first : first + _AT_ONCE]
        answer = run_command(cell, [*_COMMANDS[action], *some])
        said += answer.said + "\n"
        for job_id, complaint in parse_complaints(answer.said, set(some)).items():
            failures[job_id] = _complaint_error(job_id, complaint, answer.argv, answer.exit_status)
    return failures, said


def _complaint_error(job_id: str, complaint: str, argv: Sequence[str], exit_status: int) -> GcsError:
    if "already" in complaint or "is not" in complaint:
        return InvalidState(f"job {job_id}: {complaint}")
    return error_of(complaint, argv, exit_status)
