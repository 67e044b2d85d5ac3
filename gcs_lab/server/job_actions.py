"""Actions on one job or some of its tasks: planned and done by the code that the cockpit uses."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.action_infos import ACTIONS
from gcs_lab.cockpit.action_plan import make_plan
from gcs_lab.cockpit.picture import current_user
from gcs_lab.errors import DeniedByDrms, GcsError, InvalidState
from gcs_lab.magics.named_jobs import current_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.cluster import Cluster
    from gcs_lab.server.job_lookup import FoundJob

__all__ = ["JOB_ACTIONS", "act"]

#: What can be done without more words: not those that alter a job.
JOB_ACTIONS = ("cancel", "hold", "release", "suspend", "resume", "clear_error", "requeue")
_DONE = {
    "cancel": "cancelled",
    "hold": "held",
    "release": "released",
    "suspend": "suspended",
    "resume": "resumed",
    "requeue": "put back into the queue",
}
_MOST_TOLD = 5


def act(job: FoundJob, action: str, tasks: Sequence[int] = ()) -> dict[str, Any]:
    """Do an action now; return ``text`` for people, how many ids it was ``done`` to, and ``failures`` by id.

    Parameters
    ----------
    job
        The job; of a sweep all rounds are meant, of a task of it that task alone.
    action
        One of :data:`JOB_ACTIONS`.
    tasks
        Only these: numbers of a sweep's tasks, indices of an array's.

    Raises
    ------
    InvalidState
        If no task is in a state that allows it, or it is not in the queue any more.
    DeniedByDrms
        If it is somebody else's, and this user is no operator.
    GcsError
        If the cluster refuses or does not answer.
    """
    cluster = job.cluster
    targets = _targets(job, [job.task] if job.task is not None and not tasks else tasks)
    snapshot = cluster.status.snapshot()
    plan = make_plan(action, targets, {}, snapshot, user=current_user(), operator=_is_operator(cluster))
    if plan.error or not plan.ids:
        raise _refusal(job, action, plan.error, plan.refused)
    failures = plan.do(cluster.jobs)
    if len(failures) == len(plan.ids):
        raise next(iter(failures.values()))
    with contextlib.suppress(GcsError):
        # Who listens to the poller is told what became of it.
        cluster.status.poller.fresh()
    done = len(plan.ids) - len(failures)
    return {
        "text": _text(job, action, plan.tasks, [str(error) for error in failures.values()]),
        "done": done,
        "failures": [[name, str(error)] for name, error in failures.items()],
    }


def _targets(job: FoundJob, tasks: Sequence[int]) -> list[dict[str, Any]]:
    ids = current_ids(job.entry) if job.entry is not None else [job.job_id]
    if not tasks:
        return [{"job_id": job_id, "task": None} for job_id in ids]
    if not job.is_sweep or job.cell is None or job.cell.folder is None:
        return [{"job_id": job.job_id, "task": task} for task in tasks]
    from gcs_lab.cells.sweep_rounds import read_rounds

    # A task that ran again is in the latest round that has it.
    rounds = read_rounds(job.cell.folder, job.cell.entry.tasks)
    found = []
    for task in tasks:
        ran = next((ran for ran in reversed(rounds) if ran.number == 1 or task in ran.tasks), None)
        if ran is not None:
            found.append({"job_id": ran.job_id, "task": ran.index_of(task)})
    return found


def _is_operator(cluster: Cluster) -> bool:
    try:
        return cluster.status.backend.is_operator()
    except GcsError:
        return False


def _refusal(job: FoundJob, action: str, error: str, refused: Sequence[tuple[str, str]]) -> GcsError:
    if error:
        return InvalidState(error)
    # Of a sweep the rounds that have ended say nothing.
    reasons = list(dict.fromkeys(why for _, why in refused if "not in the queue" not in why))
    if not reasons:
        return InvalidState(f"nothing was done: {job.words} is not in the queue any more.")
    kind = DeniedByDrms if any("operator" in why for why in reasons) else InvalidState
    return kind(f"{ACTIONS[action].label} was not done to {job.words}: {'; '.join(reasons[:_MOST_TOLD])}.")


def _text(job: FoundJob, action: str, tasks: int, failures: Sequence[str]) -> str:
    count = f" ({tasks:,} tasks)" if tasks > 1 else ""
    if action == "clear_error":
        said = f"The error of {job.words} was cleared{count}."
    else:
        said = f"{job.words[0].upper()}{job.words[1:]} was {_DONE[action]}{count}."
    if failures:
        said += f" {len(failures):,} were refused: {'; '.join(dict.fromkeys(failures[:_MOST_TOLD]))}"
    return said
