"""Why a job has not started, by kind: what the scheduler knows, as it stands now.

As everywhere, an array job is looked at as a whole: what keeps those of its tasks back that wait.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.allocation import fit
from gcs_lab.backends.embedded.array_job import ArrayJob
from gcs_lab.backends.embedded.queue_states import why_closed
from gcs_lab.backends.embedded.request_offers import no_offer
from gcs_lab.backends.embedded.slots_in_use import slots_in_use
from gcs_lab.backends.embedded.state_codes import TASK_HOLD, USER_HOLD, WAITING_CODES
from gcs_lab.backends.embedded.task import Phase, Task
from gcs_lab.jobs.requests import format_time
from gcs_lab.vocabulary import PendingReason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.backends.embedded.placement import Request
    from gcs_lab.backends.embedded.scheduler import Scheduler

__all__ = ["pending_reasons", "reasons_to_wire"]

#: So many predecessors are named.
_MOST_NAMED = 5
_NO_SUCH_VALUE = re.compile(r"-l ([^=]+)=(\S+) fits nowhere: (.*)", re.DOTALL)
#: From so many seconds on they are said in days.
_MANY_HOURS = 48 * 3600
#: Letters of queue states that an operator has to take away again.
_SET_BY_HAND = frozenset("dEs")


def reasons_to_wire(reasons: list[PendingReason]) -> list[list[Any]]:
    """Return reasons as JSON data: kind, text, subject, lasting."""
    return [[reason.kind.value, reason.text, reason.subject, reason.lasting] for reason in reasons]


def pending_reasons(entry: Task | ArrayJob, scheduler: Scheduler) -> list[PendingReason]:
    """Return why a job waits that the scheduler knows, the weightiest reason first; none if it does not wait."""
    reasons = [*_errors(entry), *_holds(entry)]
    if _waits_for_something(entry):
        reasons += [*_dependencies(entry, scheduler), *_start_time(entry, scheduler)]
        reasons += _never(entry, scheduler)
    if entry.waits:
        reasons += [*_task_limit(entry), *_no_room(entry, scheduler)]
    return reasons


def _waits_for_something(entry: Task | ArrayJob) -> bool:
    if isinstance(entry, Task):
        return entry.phase is Phase.PENDING
    return any(code < WAITING_CODES for code in set(entry.codes))


def _errors(entry: Task | ArrayJob) -> Iterator[PendingReason]:
    tasks = [entry] if isinstance(entry, Task) else list(entry.rows.values())
    in_error = [task for task in tasks if task.phase is Phase.ERROR]
    if in_error:
        said = (in_error[0].annotation or "the reason is not known").removeprefix("error: ")
        which = "it is" if isinstance(entry, Task) else _tasks(len(in_error))
        yield PendingReason(ReasonKind.ERROR, f"{which} in error state: {said}", lasting=True)


def _holds(entry: Task | ArrayJob) -> Iterator[PendingReason]:
    if isinstance(entry, Task):
        if entry.phase is Phase.PENDING and entry.held:
            yield PendingReason(ReasonKind.HOLD, "held by its user until the hold is released", "user", lasting=True)
        return
    waiting = {code: entry.codes.count(code) for code in _waiting_codes(entry)}
    held = sum(number for code, number in waiting.items() if code & USER_HOLD)
    if held:
        every = held == sum(waiting.values())
        who = "all of its tasks that wait are" if every else _tasks(held)
        yield PendingReason(ReasonKind.HOLD, f"{who} held by their user", "user", lasting=every)


def _tasks(number: int) -> str:
    return "1 of its tasks is" if number == 1 else f"{number} of its tasks are"


def _dependencies(entry: Task | ArrayJob, scheduler: Scheduler) -> Iterator[PendingReason]:
    if isinstance(entry, Task) and entry.run:
        return
    job = entry.job
    for what, ids in (("", job.waits_for), ("the same task of ", job.waits_for_tasks_of)):
        left = [other for other in ids if other in scheduler.jobs]
        if what and not (isinstance(entry, ArrayJob) and any(code & TASK_HOLD for code in _waiting_codes(entry))):
            continue
        for other in left[:_MOST_NAMED]:
            before = scheduler.jobs[other]
            state, lasting = _state_in_words(before)
            text = f"waits for {what}job {other} ({before.job.asked('name')}), which {state}"
            yield PendingReason(ReasonKind.DEPENDENCY, text, str(other), lasting=lasting)
        if len(left) > _MOST_NAMED:
            more = f"waits for {what}{len(left) - _MOST_NAMED} more jobs"
            yield PendingReason(ReasonKind.DEPENDENCY, more)


def _waiting_codes(array: ArrayJob) -> list[int]:
    return [code for code in set(array.codes) if code < WAITING_CODES]


def _state_in_words(entry: Task | ArrayJob) -> tuple[str, bool]:
    """Return what a job does that others wait for, and whether it will do so until somebody does something."""
    if isinstance(entry, ArrayJob):
        left = f"has {entry.unended} of {len(entry.tasks)} tasks to go"
        stuck = not entry.active and all(code & USER_HOLD for code in _waiting_codes(entry))
        return (f"{left}, all of them held", True) if stuck and _waiting_codes(entry) else (left, False)
    if entry.phase is Phase.ERROR:
        return "is in error state", True
    if entry.active:
        return ("is suspended", True) if entry.suspended or entry.halted else ("runs", False)
    return ("is held by its user", True) if entry.held else ("waits itself", False)


def _start_time(entry: Task | ArrayJob, scheduler: Scheduler) -> Iterator[PendingReason]:
    if entry.job.job_id in scheduler.early:
        at = entry.job.asked("start_time")
        moment, left = datetime.fromtimestamp(at).astimezone(), max(0.0, at - time.time())
        in_words = format_time(left) if left < _MANY_HOURS else f"{left / 86400:.0f} days"
        text = f"waits for its start time, {moment:%Y-%m-%d %H:%M:%S} (in {in_words})"
        yield PendingReason(ReasonKind.START_TIME, text)


def _never(entry: Task | ArrayJob, scheduler: Scheduler) -> Iterator[PendingReason]:
    """Yield what not even the empty cluster could give; it is worth knowing also of a job that is held."""
    shared = entry.job.shared
    if shared.fits_nowhere is None:
        return
    found = no_offer(shared.request, scheduler.layout)
    if found is None and (said := _NO_SUCH_VALUE.match(shared.fits_nowhere)):
        found = said[1], f"no host offers {said[1]}={said[2]}; {said[3]}"
    name, text = found or ("", shared.fits_nowhere)
    yield PendingReason(ReasonKind.REQUEST, text, name, lasting=True)


def _task_limit(entry: Task | ArrayJob) -> Iterator[PendingReason]:
    if isinstance(entry, ArrayJob) and entry.max_parallel and entry.active >= entry.max_parallel:
        run = "1 of its tasks runs" if entry.active == 1 else f"{entry.active} of its tasks run"
        yield PendingReason(ReasonKind.TASK_LIMIT, f"{run}, and -tc {entry.max_parallel} lets no more run at once")


def _no_room(entry: Task | ArrayJob, scheduler: Scheduler) -> Iterator[PendingReason]:
    """Yield why a job that may start gets no slots now, and who is before it."""
    if entry.job.shared.fits_nowhere or any(_task_limit(entry)):
        return
    request = entry.request
    states = scheduler.keeper.book.states
    closed = why_closed(request.places, states)
    if request.reservation is None and closed:
        by_hand = all(set(states[place]) & _SET_BY_HAND for place in request.places)
        yield PendingReason(ReasonKind.QUEUE_STATE, closed, request.places[0].queue, lasting=by_hand)
        return
    kept = scheduler.why_no_room(request)
    if kept:
        yield PendingReason(ReasonKind.RESERVATION, kept, request.reservation or "")
        return
    if not fit(request, scheduler.room):
        yield from slots_in_use(request, scheduler.room, scheduler.layout, states)
    yield _position(entry, request, scheduler)


def _can_start(entry: Task | ArrayJob) -> bool:
    return entry.job.shared.fits_nowhere is None


def _position(entry: Task | ArrayJob, request: Request, scheduler: Scheduler) -> PendingReason:
    before = scheduler.waiting.number_before(entry, _can_start)
    if before:
        jobs = "1 job of yours is" if before == 1 else f"{before} jobs of yours are"
        return PendingReason(ReasonKind.POSITION, f"{jobs} before it in the queue")
    if fit(request, scheduler.room):
        return PendingReason(ReasonKind.NOT_LOOKED_YET, "first in line: it starts at once")
    return PendingReason(ReasonKind.POSITION, "first in line for the next slots that suit it")
