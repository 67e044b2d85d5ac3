"""What an action would do, counted before anything is sent; and doing just that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.action_infos import ACTIONS, changes_of, job_action
from gcs_lab.cockpit.messages import MOST_TARGETS
from gcs_lab.cockpit.task_strip import parse_tasks
from gcs_lab.errors import GcsError, InvalidArgument
from gcs_lab.status.state_kinds import KINDS, kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from gcs_lab.jobs import JobChanges, Jobs
    from gcs_lab.status import Snapshot

__all__ = ["ActionPlan", "kinds_by_job", "make_plan", "possible_actions"]

_MOST_OWNERS = 3


@dataclass(frozen=True)
class ActionPlan:
    """What would be done: to which ids, and to which not. Nothing was sent.

    ``running`` counts those of ``tasks`` that run: who narrowed the view to them means the waiting ones, too.
    """

    action: str
    ids: tuple[str, ...]
    tasks: int
    running: int
    owners: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    changes: JobChanges | None = None
    error: str = ""

    def message(self) -> dict[str, Any]:
        """Return the ``IPlan``, without its id."""
        return {
            "kind": "plan",
            "action": self.action,
            "question": self._question(),
            "jobs": len({job_id.partition(".")[0] for job_id in self.ids}),
            "tasks": self.tasks,
            "refused": [list(pair) for pair in self.refused],
            "error": self.error,
        }

    def _question(self) -> str:
        if not self.ids:
            return ""
        jobs = len({job_id.partition(".")[0] for job_id in self.ids})
        what = f"job {self.ids[0].partition('.')[0]}" if jobs == 1 else f"{jobs:,} jobs"
        if len(self.ids) == self.tasks == 1 and "." in self.ids[0]:
            what = f"task {self.ids[0]}"
        elif self.tasks != jobs or any("." in job_id for job_id in self.ids):
            what += " with 1 task" if self.tasks == 1 else f" with {self.tasks:,} tasks"
        if 0 < self.running < self.tasks:
            what += f" ({self.running:,} running)"
        named = ", ".join(self.owners[:_MOST_OWNERS]) + (" and others" if len(self.owners) > _MOST_OWNERS else "")
        kind = ACTIONS[self.action]
        return f"{kind.asked or kind.label} {what} of {named}?"

    def do(self, jobs: Jobs) -> dict[str, GcsError]:
        """Do it with one command for all; return what went wrong, by id. Raises GcsError if it could not be sent."""
        if self.changes is not None:
            return jobs.alter(self.changes, self.ids)
        return jobs.control(job_action(self.action), self.ids)


@dataclass
class _JobKinds:
    """Of one job: its owner, and how many of its tasks are of each kind."""

    owner: str
    kinds: dict[str, int] = field(default_factory=dict)


def kinds_by_job(jobs: pa.Table) -> dict[str, _JobKinds]:
    """Return owner and counts of tasks by kind of each row of ``JOB_COLUMNS``."""
    return {
        row["job_id"]: _JobKinds(row["owner"] or "", {kind: row[kind] or 0 for kind in KINDS})
        for row in jobs.select(["job_id", "owner", *KINDS]).to_pylist()
    }


def possible_actions(kinds: Mapping[str, int]) -> list[str]:
    """Return the actions that a job with so many tasks of each kind allows."""
    return [name for name, action in ACTIONS.items() if any(kinds.get(kind, 0) for kind in action.needs)]


def make_plan(
    action: str,
    targets: Sequence[Mapping[str, Any]] | pa.Table,
    fields: Mapping[str, str],
    snapshot: Snapshot,
    *,
    user: str,
    operator: bool,
) -> ActionPlan:
    """Return what `action` would do to `targets`, as `snapshot` knows them.

    Parameters
    ----------
    action
        A name of :data:`~gcs_lab.cockpit.action_infos.ACTIONS`.
    targets
        ``{"job_id", "task"}`` each, or the rows of the table of jobs that are meant.
    fields
        What the person gave.
    snapshot
        The present state.
    user, operator
        Who asks, and whether he may act on others' jobs.

    Raises
    ------
    InvalidArgument
        If there is no such action, or more targets than one action may have.
    """
    if action not in ACTIONS:
        raise InvalidArgument(f"no action is called {action!r}; there is {', '.join(ACTIONS)}.")
    named, rows = _named(targets, snapshot.jobs)
    if len(named) > MOST_TARGETS:
        raise InvalidArgument(
            f"{len(named):,} jobs and tasks are meant; one action is done to {MOST_TARGETS:,} at the most. Narrow "
            "the filter, or choose fewer."
        )
    changes, error = None, ""
    try:
        changes = changes_of(action, fields, operator=operator)
    except InvalidArgument as reason:
        error = str(reason)
    known = kinds_by_job(rows)
    tasks = _kinds_of_tasks(snapshot.tasks, named)
    needs, missing = ACTIONS[action].needs, ACTIONS[action].missing
    ids, refused, owners, count, running = [], [], dict[str, None](), 0, 0
    for job_id, task in named:
        name = job_id if task is None else f"{job_id}.{task}"
        job = known.get(job_id)
        kinds = job.kinds if job is not None and task is None else tasks.get((job_id, task), {})
        if job is None or not any(kinds.values()):
            refused.append((name, "it is not in the queue any more"))
        elif job.owner != user and not operator:
            refused.append((name, f"it is {job.owner}'s: only an operator may act on others' jobs"))
        elif not (fitting := sum(kinds.get(kind, 0) for kind in needs)):
            refused.append((name, missing))
        else:
            ids.append(name)
            owners[job.owner] = None
            count += fitting
            running += kinds.get("running", 0) if "running" in needs else 0
    return ActionPlan(action, tuple(ids), count, running, tuple(owners), tuple(refused), changes, error)


def _named(
    targets: Sequence[Mapping[str, Any]] | pa.Table, jobs: pa.Table
) -> tuple[list[tuple[str, int | None]], pa.Table]:
    """Return the ids and tasks that are meant, each once, and the rows of the table of jobs that are about them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(targets, pa.Table):
        return [(job_id, None) for job_id in targets["job_id"].to_pylist()], targets.slice(0, MOST_TARGETS + 1)
    named = dict.fromkeys((target["job_id"], target["task"]) for target in targets)
    # A job that is meant as a whole is not named by its tasks as well.
    wanted = [pair for pair in named if pair[1] is None or (pair[0], None) not in named]
    ids = pa.array({job_id for job_id, _ in wanted}, pa.string())
    return wanted, jobs.filter(pc.is_in(jobs["job_id"], ids))


def _kinds_of_tasks(
    tasks: pa.Table, wanted: Iterable[tuple[str, int | None]]
) -> dict[tuple[str, int | None], dict[str, int]]:
    """Return the kind of each single task that is wanted, also of those that wait together."""
    import pyarrow as pa
    import pyarrow.compute as pc

    by_job: dict[str, list[int]] = {}
    for job_id, task in wanted:
        if task is not None:
            by_job.setdefault(job_id, []).append(task)
    found: dict[tuple[str, int | None], dict[str, int]] = {}
    if not by_job:
        return found
    rows = tasks.filter(pc.is_in(tasks["job_id"], pa.array(by_job, pa.string())))
    kinds = kinds_of(rows)
    for row, kind in zip(rows.select(["job_id", "task", "tasks"]).to_pylist(), kinds.tolist(), strict=True):
        pieces = parse_tasks(row["tasks"] or "") if row["task"] is None else [range(row["task"], row["task"] + 1)]
        indices = by_job[row["job_id"]]
        for piece in pieces:
            found |= {(row["job_id"], index): {KINDS[kind]: 1} for index in indices if index in piece}
    return found
