"""Play a model on a cluster: what it says is sent when it says so, in a time that runs faster."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gcs_lab.errors import DrmCommunication, GcsError, InvalidArgument, PartlySubmitted
from gcs_lab.workload.model import DAY, Kind, Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gcs_lab.cluster import Cluster
    from gcs_lab.vocabulary import JobTemplate
    from gcs_lab.workload.ledger import Ledger
    from gcs_lab.workload.model import Arrival
    from gcs_lab.workload.stage import Stage

__all__ = ["BEGIN", "Player", "Tally", "send"]

#: When the play begins in the model's time: a Tuesday (2026-10-06) at ten in the morning.
BEGIN = 20732 * DAY + 10 * 3600
#: Between two looks at the model, and at the cluster, in seconds.
_STEP, _LOOK = 0.5, 5.0
#: Sent in one message, and kept for those who wait for them.
_BATCH, _REMEMBERED = 200, 5000
#: Of the slots, the part that is in use when a play begins, and what is worth to be there then, in seconds.
_FULL, _WORTH = 0.8, 600
#: Of sweeps, one in so many is told to leave room for others (``qsub -tc``): a part of the slots.
_LIMITED, _LIMITED_PART = 3, 4


@dataclass
class Tally:
    """What was done so far: ``jobs`` and ``tasks`` sent, arrivals left out because the queue was ``full``."""

    jobs: int = 0
    tasks: int = 0
    full: int = 0
    refused: int = 0
    clock: float = BEGIN
    last_refusal: str = ""
    running: int = 0
    waiting: int = 0

    def in_words(self) -> str:
        """Return it as one line."""
        day, second = divmod(int(self.clock), DAY)
        # 1970 began on a Thursday.
        weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[(day + 3) % 7]
        full = f", {self.full} kept back (the queue was long)" if self.full else ""
        refused = f", {self.refused} refused ({self.last_refusal})" if self.refused else ""
        when = f"{weekday} {second // 3600:02}:{second // 60 % 60:02} there"
        sent = f"{self.jobs:,} jobs with {self.tasks:,} tasks sent"
        return f"{when}: {sent}; {self.running:,} tasks run, {self.waiting:,} wait{full}{refused}"


@dataclass
class Player:
    """Plays one class on each stage of a cluster.

    Parameters
    ----------
    cluster
        Where.
    ledger
        Remembers what was sent.
    casts
        Stages, each with the model of those who use it.
    speed
        By how much the model's time is faster.
    most_waiting
        So many tasks may wait at the most: what would come beyond is not sent.
    """

    cluster: Cluster
    ledger: Ledger
    casts: Sequence[tuple[Stage, Model]]
    speed: float
    most_waiting: int
    tally: Tally = field(default_factory=Tally)
    _ids: dict[tuple[int, int], str] = field(default_factory=dict)

    def play(self, seconds: float, told: Callable[[Tally], object], stopped: Callable[[], bool]) -> Tally:
        """Play for so many seconds, or until `stopped` says so; `told` is called twice a second.

        It ends between two messages to the cluster, so that all that was sent is remembered.

        Raises
        ------
        InvalidArgument
            If the time or the speed is none.
        GcsError
            If the cluster refuses everything, or is gone for a minute.
        """
        if seconds <= 0 or self.speed <= 0:
            raise InvalidArgument(f"a play of {seconds:g} s at {self.speed:g} times the speed: expected more than 0.")
        began = time.monotonic()
        upcoming = [_Upcoming(model.events(BEGIN, seconds * self.speed)) for _, model in self.casts]
        looked = silent = began - _LOOK
        for number, (stage, model) in enumerate(self.casts):
            self._send(number, _still_there(model, stage.slots), stopped)
        while True:
            now = time.monotonic()
            passed = min(now - began, seconds)
            self.tally.clock = BEGIN + passed * self.speed
            try:
                if now - looked >= _LOOK:
                    self._look()
                    looked = now
                for number, part in enumerate(upcoming):
                    self._send(number, part.until(self.tally.clock), stopped)
                silent = now
            except DrmCommunication:
                # A master that starts thousands of tasks may keep silent for a while.
                if now - silent > _LOOK * 12:
                    raise
            told(self.tally)
            if passed >= seconds or stopped():
                self._look()
                return self.tally
            time.sleep(_STEP)

    def _look(self) -> None:
        jobs = self.cluster.status.snapshot().jobs
        self.tally.running = _sum(jobs, "running")
        self.tally.waiting = _sum(jobs, "pending") + _sum(jobs, "held")

    def _send(self, number: int, arrivals: Sequence[Arrival], stopped: Callable[[], bool]) -> None:
        stage = self.casts[number][0]
        for first in range(0, len(arrivals), _BATCH):
            if stopped():
                return
            wanted: list[tuple[Arrival, JobTemplate]] = []
            for arrival in arrivals[first : first + _BATCH]:
                if self.tally.waiting >= self.most_waiting:
                    self.tally.full += 1
                    continue
                after = None if arrival.after is None else self._ids.get((number, arrival.after))
                if arrival.after is not None and after is None:
                    # The step before it stands in this very batch.
                    self._flush(number, wanted)
                    after = self._ids.get((number, arrival.after))
                wanted.append((arrival, stage.template(arrival, self.speed, after)))
                self.tally.waiting += arrival.tasks
            self._flush(number, wanted)

    def _flush(self, number: int, wanted: list[tuple[Arrival, JobTemplate]]) -> None:
        most = max(1, self.most_waiting)
        sent, refusal = send(self.cluster, self.ledger, wanted, slots=self.casts[number][0].slots, most_tasks=most)
        for arrival, job_id, tasks in sent:
            self._ids[number, arrival.number] = job_id
            self.tally.jobs += 1
            self.tally.tasks += tasks
        while len(self._ids) > _REMEMBERED:
            del self._ids[next(iter(self._ids))]
        if refusal is not None:
            self.tally.refused += len(wanted) - len(sent)
            self.tally.last_refusal = str(refusal)
            if not self.tally.jobs:
                raise refusal
        wanted.clear()


def _still_there(model: Model, slots: int) -> list[Arrival]:
    """Return what is there when the play begins: four fifths of the slots are in use.

    That is what was sent on the day before and would not have ended yet, then the latest of what has more than ten
    minutes to run, as if it had waited until now.
    """
    before = [arrival for arrival in model.events(BEGIN - DAY, DAY) if arrival.kind is not Kind.CHAIN]
    found = [
        replace(arrival, time=BEGIN, seconds=arrival.time + arrival.seconds - BEGIN)
        for arrival in before
        if arrival.time + arrival.seconds > BEGIN
    ]
    filled = sum(arrival.slots * arrival.tasks for arrival in found)
    for arrival in reversed(before):
        if filled >= slots * _FULL:
            break
        if arrival.time + arrival.seconds <= BEGIN and arrival.seconds > _WORTH:
            found.append(replace(arrival, time=BEGIN))
            filled += arrival.slots * arrival.tasks
    return found


class _Upcoming:
    """What a model still has to send, in order."""

    def __init__(self, events: Iterator[Arrival]) -> None:
        self._events = events
        self._next = next(events, None)

    def until(self, clock: float) -> list[Arrival]:
        found: list[Arrival] = []
        while self._next is not None and self._next.time <= clock:
            found.append(self._next)
            self._next = next(self._events, None)
        return found


def send(
    cluster: Cluster,
    ledger: Ledger,
    wanted: Sequence[tuple[Arrival, JobTemplate]],
    *,
    slots: int,
    most_tasks: int,
) -> tuple[list[tuple[Arrival, str, int]], GcsError | None]:
    """Submit arrivals as they were made into templates; return what was sent, with ids and tasks, and a refusal.

    Raises
    ------
    DrmCommunication
        If the cluster does not answer; what was sent before is remembered.
    """
    sent: list[tuple[Arrival, str, int]] = []
    refusal: GcsError | None = None
    ledger.announce(template.job_name or "" for _, template in wanted)
    singles = [(arrival, template) for arrival, template in wanted if arrival.tasks == 1]
    for arrival, template in wanted:
        if arrival.tasks == 1:
            continue
        tasks = min(arrival.tasks, most_tasks)
        limit = (
            max(1, slots // _LIMITED_PART) if arrival.kind is Kind.SWEEP and not arrival.number % _LIMITED else None
        )
        try:
            job_id = cluster.jobs.submit_array(template, 1, tasks, max_parallel=limit).id
        except DrmCommunication:
            raise
        except GcsError as error:
            ledger.refused([template.job_name or ""])
            refusal = error
            continue
        ledger.add([(job_id, template.job_name or "")])
        sent.append((arrival, job_id, tasks))
    try:
        ids = [job.id for job in cluster.jobs.submit_many([template for _, template in singles])]
    except PartlySubmitted as error:
        ids, refusal = list(error.job_ids), error
    except DrmCommunication:
        raise
    except GcsError as error:
        ids, refusal = [], error
    ledger.refused(template.job_name or "" for _, template in singles[len(ids) :])
    done = list(zip(singles, ids, strict=False))
    ledger.add([(job_id, template.job_name or "") for (_, template), job_id in done])
    sent += [(arrival, job_id, 1) for (arrival, _), job_id in done]
    return sent, refusal


def _sum(table: object, column: str) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(table[column]).as_py() or 0)  # type: ignore[index]
