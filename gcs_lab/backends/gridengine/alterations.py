"""Changes of what jobs ask for, by ``qalter(1)``: one command for all that get the same options.

``qalter -l`` replaces all requests, so those of each job are read before. Tasks cannot be altered one by one ("the
selected option works only on jobs and not on tasks").
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import error_of, run_command
from gcs_lab.backends.gridengine.control import parse_complaints
from gcs_lab.backends.gridengine.job_details_xml import parse_details
from gcs_lab.backends.gridengine.operators import is_operator
from gcs_lab.errors import DeniedByDrms, GcsError, InvalidArgument
from gcs_lab.jobs.job_changes import merged_requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gcs_lab.backends.gridengine.commands import Answer
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.jobs.job_changes import JobChanges

__all__ = ["alter_jobs", "outcome_of", "refuse_task"]

#: Said of each option that is taken: "modified job name of job 5", "… sets scheduling priority of job 5 to 3".
_TAKEN = re.compile(r"^(?:modified |.* sets scheduling priority ).*?of job (\d+)(?: to |$)")
#: Jobs in one command.
_AT_ONCE = 500


def refuse_task(job: str, task_id: str) -> GcsError:
    """Return why a task cannot be altered."""
    return InvalidArgument(f"{task_id} is a task: Grid Engine alters array jobs as a whole. Alter job {job}.")


def alter_jobs(cell: SgeCell, changes: JobChanges, jobs: Sequence[str]) -> dict[str, GcsError]:
    """Alter jobs and whole arrays that are in the queue; return what went wrong, by id.

    Raises
    ------
    DeniedByDrms
        If an ordinary user asks for a priority above 0.
    GcsError
        If the cell does not answer, and nothing was altered yet.
    """
    if (changes.priority or 0) > 0 and not is_operator(cell):
        raise DeniedByDrms(
            f"priority {changes.priority}: on Grid Engine only managers and operators give a job a priority above 0; "
            "expected -1023 to 0."
        )
    failures: dict[str, GcsError] = {}
    groups: dict[tuple[str, ...], list[str]] = {}
    for job, requests in _requests(cell, changes, jobs, failures).items():
        groups.setdefault(tuple(_options(changes, requests)), []).append(job)
    begun = False
    for options, some in groups.items():
        for first in range(0, len(some), _AT_ONCE):
            chosen = some[first : first + _AT_ONCE]
            try:
                answer = run_command(cell, ["qalter", *options, *chosen])
            except GcsError as error:
                if not begun:
                    raise
                failures |= dict.fromkeys(chosen, error)
                continue
            begun = True
            failures |= outcome_of(answer, chosen, options=len(options) // 2)
    return failures


def _requests(
    cell: SgeCell, changes: JobChanges, jobs: Sequence[str], failures: dict[str, GcsError]
) -> dict[str, dict[str, str] | None]:
    """Return the requests that each job has afterwards; None: they are not changed."""
    if not changes.requests:
        return dict.fromkeys(jobs)
    # 9.x exits with 1 if one of them has ended meanwhile.
    details = parse_details(run_command(cell, ["qstat", "-j", ",".join(jobs), "-xml"]).stdout) if jobs else {}
    found: dict[str, dict[str, str] | None] = {}
    for job in jobs:
        try:
            if job not in details:
                raise InvalidArgument(f"Grid Engine has no job {job} any more: it has ended meanwhile.")
            found[job] = merged_requests(job, details[job].requests, changes)
        except GcsError as error:
            failures[job] = error
    return found


def _options(changes: JobChanges, requests: dict[str, str] | None) -> list[str]:
    """Return the options of qalter, each with its value."""
    options = []
    if changes.name is not None:
        options += ["-N", changes.name]
    if changes.priority is not None:
        options += ["-p", str(changes.priority)]
    if requests is not None:
        # An empty list takes all requests away (seen on 8.1.9).
        options += ["-l", ",".join(f"{name}={value}" for name, value in requests.items())]
    if changes.queues is not None:
        # An empty list is refused; any queue is what a pattern says.
        options += ["-q", ",".join(changes.queues) or "*"]
    return options


def outcome_of(answer: Answer, jobs: Iterable[str], *, options: int) -> dict[str, GcsError]:
    """Return what went wrong, by job, from what qalter said; of a job all `options` are taken, or none."""
    jobs = set(jobs)
    complaints = parse_complaints(answer.said, jobs)
    failures = {job: error_of(said, answer.argv, answer.exit_status) for job, said in complaints.items()}
    if not answer.exit_status:
        return failures
    taken = Counter(match[1] for line in answer.said.splitlines() if (match := _TAKEN.match(line)))
    # "must be operator to increase job priority", "unknown resource …": it names no job.
    unnamed = [line for line in answer.said.splitlines() if not _TAKEN.match(line)]
    unnamed = [line for line in unnamed if not any(line.strip() == said for said in complaints.values())]
    said = " ".join(dict.fromkeys(unnamed))
    return failures | {
        job: error_of(said, answer.argv, answer.exit_status) for job in jobs - failures.keys() if taken[job] < options
    }
