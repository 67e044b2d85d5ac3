"""Why one job waits: the scheduler's sentences, queues and other jobs put into words, the weightiest first."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.backends.gridengine.pending_words import (
    Crowd,
    quota_reasons,
    request_reasons,
    reservation_reason,
    slot_reasons,
)
from gcs_lab.backends.gridengine.schedd_messages import Topic
from gcs_lab.backends.gridengine.task_ranges import parse_ranges
from gcs_lab.jobs.requests import format_time
from gcs_lab.vocabulary import JobState, PendingReason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gcs_lab.backends.gridengine.pending_xml import PendingJob
    from gcs_lab.backends.gridengine.qstat_xml import JobRow, QueueRow
    from gcs_lab.backends.gridengine.schedd_messages import Said

__all__ = ["Evidence", "in_scheduling_order", "is_free_to_start", "reasons_of"]

_WAITING = (JobState.QUEUED, JobState.QUEUED_HELD, JobState.REQUEUED, JobState.REQUEUED_HELD)
#: So many predecessors are named.
_MOST_NAMED = 5
#: From so many seconds on they are said in days.
_MANY_HOURS = 48 * 3600
_HOLDERS = {"u": "its user", "o": "an operator", "s": "the system"}


@dataclass(frozen=True)
class Evidence:
    """What is known of one job that waits, and of the cluster.

    ``rows`` are its own rows of qstat, ``others`` those of all jobs in the scheduler's order. ``held`` has, by job,
    those of ``u``, ``o`` and ``s`` that hold it. ``messages`` is what the scheduler says now, ``verdict_now`` and
    ``verdict_empty`` what ``qalter -w p`` and ``-w v`` do (None: not asked). ``quotas`` are limits and use by rule.
    """

    job: PendingJob
    rows: Sequence[JobRow]
    others: Mapping[str, Sequence[JobRow]]
    queues: Sequence[QueueRow]
    user: str
    held: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    messages: Sequence[Said] = ()
    everywhere: Sequence[Said] = ()
    verdict_now: Sequence[Said] | None = None
    verdict_empty: Sequence[Said] | None = None
    quotas: Mapping[str, str] = field(default_factory=dict)
    reservation_begins: datetime | None = None

    @property
    def said_now(self) -> list[Said]:
        """All that is said of why it cannot run now."""
        return [*self.messages, *(self.verdict_now or ())]


def in_scheduling_order(rows: Mapping[str, Sequence[JobRow]]) -> dict[str, Sequence[JobRow]]:
    """Return the rows of all jobs, by job: first those that do not wait, then the others as the scheduler takes them.

    That is by priority, then by number (``sge_priority(5)``).
    """

    def rank(job: str) -> tuple[bool, float, int]:
        waiting = [row for row in rows[job] if not row.start_time]
        return bool(waiting), -max((row.priority or 0.0 for row in waiting), default=0.0), int(job)

    return {job: rows[job] for job in sorted(rows, key=rank)}


def is_free_to_start(job: PendingJob, rows: Sequence[JobRow]) -> bool:
    """Tell whether nothing but the cluster keeps a job back: no hold, no dependency, no start time, no ``-tc``."""
    early = job.start_time is not None and job.start_time.timestamp() > time.time()
    return not early and not _at_task_limit(job, rows) and any(_is_eligible(row) for row in rows)


def _is_eligible(row: JobRow) -> bool:
    return job_state(row.letters) in (JobState.QUEUED, JobState.REQUEUED)


def reasons_of(known: Evidence) -> list[PendingReason]:
    """Return why a job waits, the weightiest reason first; none if none of its rows waits."""
    reasons = list(_error(known))
    if not any(job_state(row.letters) in _WAITING for row in known.rows):
        return reasons
    reasons += [*_holds(known), *_dependencies(known), *_start_time(known)]
    never = list(request_reasons(known.job, known.verdict_empty, known.said_now, known.queues))
    reasons += never
    if not is_free_to_start(known.job, known.rows):
        return reasons + list(_task_limit(known)) or [_not_told(known)]
    # The messages name quotas of queues that the job does not even ask for (seen on 8.1.9); a verdict does not.
    on_quotas = known.messages if known.verdict_now is None else known.verdict_now
    reasons += quota_reasons(on_quotas, known.quotas)
    if known.job.reservation is not None:
        return [*reasons, reservation_reason(known.job, known.reservation_begins, known.said_now)]
    crowd = Crowd.of(known.job, known.queues, [*known.said_now, *(known.verdict_empty or ()), *known.everywhere])
    if not any(reason.lasting for reason in never):
        reasons += slot_reasons(known.job, crowd)
        reasons += _other_sentences(known)
        if crowd.open or not crowd.closed:
            reasons += _position(known, alone=not reasons)
    return reasons or [_not_told(known)]


def _error(known: Evidence) -> Iterator[PendingReason]:
    number = sum(
        sum(map(len, parse_ranges(row.tasks))) if row.tasks else 1 for row in known.rows if "E" in row.letters
    )
    if number:
        is_array = any(row.tasks for row in known.rows)
        tasks = "1 of its tasks is" if number == 1 else f"{number} of its tasks are"
        said = known.error or "Grid Engine does not say why"
        yield PendingReason(
            ReasonKind.ERROR, f"{tasks if is_array else 'it is'} in error state: {said}", lasting=True
        )


def _holds(known: Evidence) -> Iterator[PendingReason]:
    waiting = [row for row in known.rows if job_state(row.letters) in _WAITING]
    some = "some of its tasks are " if not all("h" in row.letters for row in waiting) else ""
    for letter, who in _HOLDERS.items():
        if letter in known.held.get(known.job.job_id, ""):
            until = (
                " until the hold is released" if letter == "u" else f": an operator releases it (qrls -h {letter})"
            )
            yield PendingReason(ReasonKind.HOLD, f"{some}held by {who}{until}", who.split()[-1], lasting=not some)


def _dependencies(known: Evidence) -> Iterator[PendingReason]:
    for what, ids in (("", known.job.before), ("the same task of ", known.job.before_by_task)):
        for other in ids[:_MOST_NAMED]:
            name, state, lasting = _state_in_words(known.others.get(other, ()), known.held.get(other, ""))
            text = f"waits for {what}job {other}{name}, which {state}"
            yield PendingReason(ReasonKind.DEPENDENCY, text, other, lasting)
        if len(ids) > _MOST_NAMED:
            yield PendingReason(ReasonKind.DEPENDENCY, f"waits for {what}{len(ids) - _MOST_NAMED} more jobs")


def _state_in_words(rows: Sequence[JobRow], holders: str) -> tuple[str, str, bool]:
    """Return a predecessor's name in brackets, what it does, and whether somebody has to do something about that."""
    if not rows:
        return "", "has just ended", False
    name = f" ({rows[0].name})"
    states = {job_state(row.letters) for row in rows}
    if JobState.RUNNING in states:
        return name, "runs", False
    if JobState.SUSPENDED in states:
        return name, "is suspended", True
    if states & {JobState.QUEUED, JobState.REQUEUED}:
        return name, "waits itself", False
    if states & {JobState.QUEUED_HELD, JobState.REQUEUED_HELD}:
        who = next((who for letter, who in _HOLDERS.items() if letter in holders), None)
        return (name, "waits for others itself", False) if who is None else (name, f"is held by {who}", True)
    return name, "is in error state", True


def _start_time(known: Evidence) -> Iterator[PendingReason]:
    at = known.job.start_time
    if at is None or at.timestamp() <= time.time():
        return
    left = (at - datetime.now(UTC)).total_seconds()
    in_words = format_time(left) if left < _MANY_HOURS else f"{left / 86400:.0f} days"
    text = f"waits for its start time, {at.astimezone():%Y-%m-%d %H:%M:%S} (in {in_words})"
    yield PendingReason(ReasonKind.START_TIME, text)


def _running_tasks(rows: Sequence[JobRow]) -> int:
    return sum(1 for row in rows if job_state(row.letters) in (JobState.RUNNING, JobState.SUSPENDED))


def _at_task_limit(job: PendingJob, rows: Sequence[JobRow]) -> bool:
    return bool(job.max_parallel) and _running_tasks(rows) >= job.max_parallel


def _task_limit(known: Evidence) -> Iterator[PendingReason]:
    if _at_task_limit(known.job, known.rows):
        number = _running_tasks(known.rows)
        run = "1 of its tasks runs" if number == 1 else f"{number} of its tasks run"
        text = f"{run}, and -tc {known.job.max_parallel} lets no more run at once"
        yield PendingReason(ReasonKind.TASK_LIMIT, text)


def _other_sentences(known: Evidence) -> Iterator[PendingReason]:
    """Yield what is not understood, in the scheduler's own words; and a limit on tasks that is not the job's own."""
    for said in {said.text: said for said in known.said_now}.values():
        if said.topic is Topic.TASK_LIMIT and not known.job.max_parallel:
            text = "the cluster runs no more tasks of one array at once (max_aj_instances)"
            yield PendingReason(ReasonKind.TASK_LIMIT, text)
        elif said.topic in (Topic.OTHER, Topic.QUEUE_STATE):
            yield PendingReason(ReasonKind.OTHER, f"the scheduler says: {said.text}")


def _position(known: Evidence, *, alone: bool) -> Iterator[PendingReason]:
    """Yield who is before it in the scheduler's order; `alone`: nothing else is known that keeps it back."""
    if all((row.priority or 0.0) == 0.0 for row in known.rows if _is_eligible(row)):
        # So are jobs until the scheduler's next pass has given them a priority.
        yield PendingReason(ReasonKind.NOT_LOOKED_YET, "the scheduler has not looked at it yet")
        return
    mine = others = 0
    for job_id, rows in known.others.items():
        if job_id == known.job.job_id:
            break
        if any(_is_eligible(row) and (row.priority or 0.0) > 0.0 for row in rows):
            mine, others = mine + (rows[0].owner == known.job.owner), others + (rows[0].owner != known.job.owner)
    whose = "yours" if known.job.owner == known.user else known.job.owner
    parts = [f"{_jobs(mine)} of {whose}"] * bool(mine) + [f"{_jobs(others)} of others"] * bool(others)
    if parts:
        verb = "is" if mine + others == 1 else "are"
        yield PendingReason(ReasonKind.POSITION, f"{' and '.join(parts)} {verb} before it in the queue")
    elif alone:
        yield PendingReason(ReasonKind.POSITION, "first in line: starts at the next scheduling pass")
    else:
        yield PendingReason(ReasonKind.POSITION, "first in line for the next slots that suit it")


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def _not_told(known: Evidence) -> PendingReason:
    letters = known.rows[0].letters
    return PendingReason(ReasonKind.OTHER, f"Grid Engine does not say why (its state is {letters})")
