"""An instant crowd: at once a full cluster, and a queue that waits for many different reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.workload.model import DAY, Kind
from gcs_lab.workload.player import BEGIN, Tally, send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.cluster import Cluster
    from gcs_lab.vocabulary import JobTemplate
    from gcs_lab.workload.ledger import Ledger
    from gcs_lab.workload.model import Arrival, Model
    from gcs_lab.workload.stage import Stage

__all__ = ["Crowd"]

#: Of how many slots' worth there are jobs that run, or wait only for their turn.
_TURN = 1.3
#: So many arrivals of each kind are known at least.
_LEAST = 3
_MISTAKES = (Kind.MISSING_FILE, Kind.WRONG_PATH, Kind.OUT_OF_MEMORY, Kind.TIME_LIMIT)
_LATER = timedelta(hours=2)


@dataclass
class Crowd:
    """A crowd for one stage of a cluster.

    Parameters
    ----------
    cluster
        Where.
    ledger
        Remembers what was sent.
    stage, model
        Hosts, and the people who use them.
    seconds
        The longest run time.
    most_waiting
        So many tasks are sent at the most to fill the slots.
    """

    cluster: Cluster
    ledger: Ledger
    stage: Stage
    model: Model
    seconds: float
    most_waiting: int
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng([self.model.seed, 4])

    def come(self) -> Tally:
        """Submit it; return what was sent.

        First come (where jobs really run) mistakes, which end badly at once, and those who fill the slots. Then, each
        once: a pipeline whose later steps wait for the earlier ones, a job that its owner holds, one that waits for
        the held one, one with a start time, and two that ask for what no host has. Of what fills the slots some
        wait for their turn only, and perhaps tasks of a sweep that leaves room for others (``-tc``).

        Raises
        ------
        GcsError
            If the cluster does not answer, or refuses all.
        """
        likes = _likes(self.model)
        if not self.stage.simulated:
            for kind in _MISTAKES:
                self._submit(likes[kind][0])
        self._fill(likes)
        before = None
        for step in likes[Kind.CHAIN]:
            before = self._submit(step, before)
        held = self._submit(likes[Kind.HELD][0])
        self._submit(likes[Kind.SINGLE][1], held)
        self._submit(likes[Kind.SINGLE][2], start=datetime.now().astimezone() + _LATER)
        for number, arrival in enumerate(likes[Kind.IMPOSSIBLE][:2]):
            # Without a limit, so that no short queue refuses it for that.
            self._submit(replace(arrival, number=number, asked=0))
        return self.tally

    def _fill(self, likes: dict[Kind, list[Arrival]]) -> None:
        stage, batch, filled = self.stage, [], 0
        singles, sweeps = likes[Kind.SINGLE], likes[Kind.SWEEP][:_LEAST]
        first = max(1, stage.slots // 4)
        # As many as there is to fill: what the model has comes again and again.
        many = max(1, -(-stage.all_slots // len(singles)))
        for arrival in [*singles[:first], *sweeps, *singles[first:], *(singles * many)]:
            if filled >= min(stage.all_slots * _TURN, self.most_waiting):
                break
            tasks = 1 if arrival.kind is Kind.SINGLE else min(arrival.tasks, max(2, stage.slots // 3))
            timed = replace(self._timed(arrival), tasks=tasks)
            batch.append((timed, stage.template(timed, 1.0, None)))
            filled += min(timed.slots, stage.slots_of_host) * timed.tasks
        self._send(batch)

    def _submit(self, arrival: Arrival, after: str | None = None, start: datetime | None = None) -> str | None:
        timed = self._timed(arrival)
        template = self.stage.template(timed, 1.0, after)
        template.start_time = start
        return self._send([(timed, template)])

    def _send(self, wanted: Sequence[tuple[Arrival, JobTemplate]]) -> str | None:
        """Send it; return the id of the first, None if it was refused."""
        most = self.most_waiting
        sent, refusal = send(self.cluster, self.ledger, wanted, slots=self.stage.slots, most_tasks=most)
        self.tally.jobs += len(sent)
        self.tally.tasks += sum(tasks for _, _, tasks in sent)
        if refusal is not None:
            self.tally.refused += len(wanted) - len(sent)
            self.tally.last_refusal = str(refusal)
            if not self.tally.jobs:
                raise refusal
        return sent[0][1] if sent else None

    def _timed(self, arrival: Arrival) -> Arrival:
        """Return it with a run time that a lesson sees the end of, but not at once."""
        asked = 20 if arrival.kind is Kind.TIME_LIMIT else int(self.seconds * 2) if arrival.asked else 0
        return replace(arrival, seconds=float(self._random.uniform(0.3, 1.0) * self.seconds), asked=asked)


def _likes(model: Model) -> dict[Kind, list[Arrival]]:
    """Return arrivals of each kind: one of each person, then a second of each …; of chains the steps of one."""
    found: dict[Kind, list[Arrival]] = {kind: [] for kind in Kind}
    needed = (*_MISTAKES, Kind.CHAIN, Kind.HELD, Kind.IMPOSSIBLE, Kind.SINGLE, Kind.SWEEP)
    days = 0
    while any(len(found[kind]) < _LEAST for kind in needed):
        for arrival in model.events(BEGIN + days * DAY, DAY):
            found[arrival.kind].append(arrival)
        days += 1
    steps: list[Arrival] = []
    for arrival in found[Kind.CHAIN]:
        if arrival.after == (steps[-1].number if steps else None):
            steps.append(arrival)
    mixed = {kind: _in_turns(arrivals) for kind, arrivals in found.items()}
    return mixed | {Kind.CHAIN: steps[:_LEAST]}


def _in_turns(arrivals: Sequence[Arrival]) -> list[Arrival]:
    known = Counter[str]()
    turns: list[tuple[int, int, Arrival]] = []
    for place, arrival in enumerate(arrivals):
        known[arrival.person.name] += 1
        turns.append((known[arrival.person.name], place, arrival))
    return [arrival for _, _, arrival in sorted(turns, key=lambda turn: turn[:2])]
