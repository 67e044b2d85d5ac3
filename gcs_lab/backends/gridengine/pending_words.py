"""The scheduler's sentences about resources, slots and quotas in words for a person who knows qsub."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.schedd_messages import Said, Topic
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import format_memory, format_time, parse_memory
from gcs_lab.vocabulary import PendingReason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gcs_lab.backends.gridengine.pending_xml import PendingJob
    from gcs_lab.backends.gridengine.qstat_xml import QueueRow

__all__ = ["Crowd", "quota_reasons", "request_reasons", "reservation_reason", "slot_reasons"]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[kKmMgGtT])?\Z")
#: Letters of a queue instance that gives no slots (sge_status(5)), and what they say.
_CLOSED = {
    "u": "not reachable",
    "a": "in load alarm",
    "A": "in suspend threshold alarm",
    "C": "suspended by its calendar",
    "s": "suspended",
    "S": "suspended by another queue",
    "d": "disabled",
    "D": "disabled by its calendar",
    "E": "in error state",
    "c": "wrongly configured",
    "o": "not configured any more",
    "P": "preempted",
}
#: Of these, what an operator or administrator has to mend.
_LASTING = frozenset("sdEuco")
#: So many instances are named.
_MOST_NAMED = 4


def _size(text: str) -> float | None:
    """Return a quantity as Grid Engine prints it (``23.541G``, ``2.000000``); None for any other text."""
    if _NUMBER.match(text) is None:
        return None
    with contextlib.suppress(InvalidArgument, ValueError):
        return parse_memory(text) if not text.startswith("-") else float(text.rstrip("kKmMgGtT"))
    return None


def _in_words(text: str) -> str:
    """Return an offered value as people read it: ``23.541G`` is ``23.5 GiB``, ``2.000000`` is ``2``."""
    size = _size(text)
    if size is None:
        return text
    return format_memory(size) if text[-1:].isalpha() else f"{size:g}"


@dataclass(frozen=True)
class Crowd:
    """The queue instances that suit a job: those that are open, and those that are not with the reason in words."""

    open: tuple[QueueRow, ...]
    closed: tuple[tuple[QueueRow, str], ...]
    full_hosts: frozenset[str]

    @classmethod
    def of(cls, job: PendingJob, queues: Sequence[QueueRow], said: Iterable[Said]) -> Crowd:
        """Return those that the job names and that nothing shuts out."""
        said = list(said)
        shut = {one.where for one in said if one.shuts_out and one.topic is not Topic.UNKNOWN_RESOURCE}
        overload = {one.where: one.value for one in said if one.topic is Topic.OVERLOADED}
        full = {one.where for one in said if one.topic is Topic.NO_SLOTS and "@" not in one.where}
        suiting = [
            q
            for q in queues
            if job.names(q) and not shut & {q.queue, f"{q.queue}@{q.host}", q.host} and q.slots_total > 0
        ]
        closed = [
            (q, _why_closed(q, overload))
            for q in suiting
            if set(q.state) & _CLOSED.keys() or f"{q.queue}@{q.host}" in overload
        ]
        left = {id(q) for q, _ in closed}
        return cls(tuple(q for q in suiting if id(q) not in left), tuple(closed), frozenset(full))


def _why_closed(queue: QueueRow, overload: Mapping[str, str]) -> str:
    words = [text for letter, text in _CLOSED.items() if letter in queue.state]
    load = overload.get(f"{queue.queue}@{queue.host}", "")
    if load:
        # 8.1.9 puts in brackets how it adjusted the load.
        load = re.sub(r"\s*\([^)]*\)", "", load)
        words = [word for word in words if word != _CLOSED["a"]] + [f"overloaded ({load})"]
    return " and ".join(words)


def request_reasons(
    job: PendingJob, empty: Sequence[Said] | None, now: Sequence[Said], queues: Sequence[QueueRow]
) -> Iterator[PendingReason]:
    """Yield the requests that no host can fulfil: for ever, by what the empty cluster has, or as it is now.

    Parameters
    ----------
    job
        What is asked for.
    empty
        What ``qalter -w v`` said; it knows no load values, which it calls unknown resources. None: not asked.
    now
        What is said of the present.
    queues
        All queue instances.
    """
    blind = {said.name for said in empty or () if said.topic is Topic.UNKNOWN_RESOURCE}
    told = [said for said in empty or () if said.topic is not Topic.UNKNOWN_RESOURCE]
    never = list(_offers(job, told, lasting=True))
    never += [] if never or blind else list(_no_place(job, told, now, queues))
    yield from never
    known = {reason.subject for reason in never}
    # A fixed value is the same when the cluster is empty: one that does not matter there only tells of a queue that
    # the job does not wait for.
    changing = [said for said in now if empty is None or said.topic is not Topic.OFFER or said.source != "f"]
    for reason in _offers(job, changing, lasting=False):
        if reason.subject not in known:
            yield reason
    for name in sorted({said.name for said in now if said.topic is Topic.UNKNOWN_RESOURCE} - known):
        value = job.requests.get(name, "")
        yield PendingReason(ReasonKind.REQUEST, f"no host has {name}{value and '='}{value}", name, lasting=True)


def _offers(job: PendingJob, said: Iterable[Said], *, lasting: bool) -> Iterator[PendingReason]:
    by_name: dict[str, dict[str, str]] = {}
    sources: dict[str, str] = {}
    for one in said:
        if one.topic is Topic.OFFER:
            by_name.setdefault(one.name, {})[one.where] = one.value
            sources[one.name] = one.source
    for name, offers in by_name.items():
        value = job.requests.get(name)
        asked = f"{name}={value}" if value is not None else name
        sizes = {where: size for where, text in offers.items() if (size := _size(text)) is not None}
        if sizes and len(sizes) == len(offers):
            best = max(sizes, key=lambda where: sizes[where])
            most, place = _in_words(offers[best]), f" on {best}" if best else " in the whole cluster"
        else:
            best, most, place = "", ", ".join(dict.fromkeys(offers.values())), ""
        if lasting and not place:
            text = f"no host offers {asked}; there is {most}"
        elif lasting:
            text = f"no host offers {asked}; the largest offer is {most}{place}"
        elif sources[name] == "c":
            text = f"it asks for {asked}, and {most} is free{place}: running jobs have the rest"
            yield PendingReason(ReasonKind.SLOTS, text, name)
            continue
        else:
            text = f"no host offers {asked} now; the largest offer is {most}{place}"
        yield PendingReason(ReasonKind.REQUEST, text, name, lasting=lasting)


def _no_place(
    job: PendingJob, told: Sequence[Said], now: Sequence[Said], queues: Sequence[QueueRow]
) -> Iterator[PendingReason]:
    """Yield why the empty cluster has no place for a job, if it is not how much of one resource there is."""
    by_topic: dict[Topic, list[Said]] = {}
    for one in told:
        by_topic.setdefault(one.topic, []).append(one)
    if refuses := by_topic.get(Topic.QUEUE_REFUSES):
        names = " and ".join(dict.fromkeys(one.where for one in refuses))
        asked = refuses[0].value
        verb = "does" if len({one.where for one in refuses}) == 1 else "do"
        text = f"{names} {verb} not allow {_with_written_values(job, asked)}"
        yield PendingReason(ReasonKind.REQUEST, text, asked.partition("=")[0], lasting=True)
    elif no_pe := by_topic.get(Topic.NO_PE):
        text = f"no queue that suits it has parallel environment {no_pe[0].name}"
        yield PendingReason(ReasonKind.REQUEST, text, no_pe[0].name, lasting=True)
    elif pe := by_topic.get(Topic.PE_SLOTS):
        on_quotas = by_topic.get(Topic.QUOTA, [])
        if not on_quotas and job.least_slots <= sum(queue.slots_total for queue in queues if job.names(queue)):
            # Of a quota that allows less than is asked for the empty cluster says no more than that it has 0 slots.
            on_quotas = [one for one in now if one.topic is Topic.QUOTA]
        quota = next((f", within quota {one.name}" for one in on_quotas), "")
        yield _pe_too_small(job, pe[0].name, queues, quota)
    elif forced := by_topic.get(Topic.FORCED):
        text = f"{forced[0].where} takes only jobs that ask for {forced[0].name}"
        yield PendingReason(ReasonKind.REQUEST, text, forced[0].name, lasting=True)
    elif denied := by_topic.get(Topic.NO_PERMISSION):
        names = " and ".join(dict.fromkeys(one.where for one in denied))
        text = f"{job.owner} may not use {names} ({denied[0].text})"
        yield PendingReason(ReasonKind.REQUEST, text, denied[0].where, lasting=True)
    elif set(by_topic) == {Topic.NOT_ASKED_FOR}:
        text = f"-q {','.join(job.queues)} names no queue that could run it"
        yield PendingReason(ReasonKind.REQUEST, text, job.queues[0] if job.queues else "", lasting=True)
    elif other := by_topic.get(Topic.OTHER):
        yield PendingReason(ReasonKind.OTHER, f"the scheduler says: {other[0].text}", lasting=True)


def _with_written_values(job: PendingJob, asked: str) -> str:
    """Return the requests in a sentence; times, of which qstat gives the seconds (``h_rt=72000``), as people do."""
    said = []
    for name, _, value in (part.partition("=") for part in asked.split(",")):
        text = job.requests.get(name, value)
        is_time = name.endswith(("_rt", "_cpu")) and text.isdecimal()
        said.append(f"{name}={format_time(int(text)) if is_time else text}")
    return ", ".join(said)


def _pe_too_small(job: PendingJob, name: str, queues: Sequence[QueueRow], quota: str) -> PendingReason:
    suiting = [queue for queue in queues if job.names(queue)]
    total = sum(queue.slots_total for queue in suiting)
    largest = max((queue.slots_total for queue in suiting), default=0)
    text = (
        f"-pe {name} {job.least_slots} fits nowhere, not even when the cluster is empty{quota}; its queues have "
        f"{total} slots in all, at most {largest} in one queue on one host"
    )
    return PendingReason(ReasonKind.REQUEST, text, name, lasting=True)


def quota_reasons(now: Sequence[Said], quotas: Mapping[str, str]) -> list[PendingReason]:
    """Return the resource quotas that are used up; `quotas` says by rule how far (``slots=4/4``)."""
    found: dict[str, PendingReason] = {}
    for one in now:
        if one.topic is Topic.QUOTA and one.name not in found:
            used = quotas.get(one.name)
            rule = f"quota {one.name}" if one.name else "the limit on a user's jobs (maxujobs)"
            found[one.name] = PendingReason(
                ReasonKind.QUOTA, f"{rule} is used up{f': {used}' if used else ''}", one.name
            )
    return list(found.values())


def reservation_reason(job: PendingJob, begins: datetime | None, now: Sequence[Said]) -> PendingReason:
    """Return what keeps a job back that asked for an advance reservation, which begins at `begins`."""
    which = f"reservation {job.reservation}"
    lasting = any(one.topic is Topic.RESERVATION and "error" in one.text for one in now)
    if lasting:
        text = f"its {which} is in error state"
    elif begins is not None and begins > datetime.now(UTC):
        text = f"its {which} begins at {begins.astimezone():%Y-%m-%d %H:%M:%S}"
    else:
        text = f"waits for free slots in its {which}"
    return PendingReason(ReasonKind.RESERVATION, text, job.reservation or "", lasting)


def slot_reasons(job: PendingJob, crowd: Crowd) -> Iterator[PendingReason]:
    """Yield which queues that would suit a job are closed, and which are full."""
    if crowd.closed:
        by_words: dict[str, list[QueueRow]] = {}
        for queue, words in crowd.closed:
            by_words.setdefault(words, []).append(queue)
        every = [*crowd.open, *(queue for queue, _ in crowd.closed)]
        said = "; ".join(f"{_named(some, every)} {words}" for words, some in by_words.items())
        lasting = not crowd.open and all(set(queue.state) & _LASTING for queue, _ in crowd.closed)
        yield PendingReason(ReasonKind.QUEUE_STATE, said, crowd.closed[0][0].queue, lasting)
    if not crowd.open:
        return
    free = {q: 0 if q.host in crowd.full_hosts else max(0, q.slots_total - q.slots_used) for q in crowd.open}
    total, left = sum(q.slots_total for q in crowd.open), sum(free.values())
    queues = list(dict.fromkeys(q.queue for q in crowd.open))
    if not left and all(q.host in crowd.full_hosts for q in crowd.open):
        hosts = list(dict.fromkeys(q.host for q in crowd.open))
        yield PendingReason(ReasonKind.SLOTS, f"all slots of {_and(hosts)} are in use", hosts[0])
    elif not left:
        slots = f"the 1 slot of {_and(queues)} is" if total == 1 else f"all {total} slots of {_and(queues)} are"
        yield PendingReason(ReasonKind.SLOTS, f"{slots} in use", queues[0])
    elif job.least_slots > max(free.values()):
        best = max(free, key=lambda q: free[q])
        what = f" of parallel environment {job.environment}" if job.environment else ""
        text = (
            f"it asks for {job.least_slots} slots{what}; {left} of {total} are free, at most {free[best]} in one "
            f"queue on one host ({best.queue}@{best.host})"
        )
        yield PendingReason(ReasonKind.SLOTS, text, job.environment or best.queue)


def _named(queues: Sequence[QueueRow], every: Sequence[QueueRow]) -> str:
    """Return queue instances with the verb: ``all.q is``, ``all.q@a and all.q@b are``."""
    by_queue = list(dict.fromkeys(queue.queue for queue in queues))
    names = [f"{queue.queue}@{queue.host}" for queue in queues]
    if len(queues) == sum(queue.queue in by_queue for queue in every):
        names = by_queue
    elif len(queues) > _MOST_NAMED:
        return f"{len(queues)} instances of {_and(by_queue)} are"
    return f"{_and(names)} {'is' if len(names) == 1 else 'are'}"


def _and(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
