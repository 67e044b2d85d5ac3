"""What a class or a department sends to a cluster, and when: drawn by chance, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.errors import InvalidArgument
from gcs_lab.workload.distributions import POPULAR, cycle, estimate, parallel_size, run_time
from gcs_lab.workload.people import people_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.workload.people import Person

__all__ = ["DAY", "KINDS", "SERIAL", "Arrival", "Kind", "Model"]

DAY = 86400
_GIB = float(1 << 30)
#: Of single jobs, the part with one slot. Lublin and Feitelson have 0.244, of machines built for parallel jobs; on
#: clusters and grids nearly all jobs are of one slot (Iosup, Dumitrescu, Epema et al., GRID 2006).
SERIAL = 0.8
#: Sessions of a person of mean activity on a working day, and submissions in a session, on average.
_SESSIONS, _IN_SESSION = 2.0, 3.0
#: Between two submissions of a session: median in seconds, spread of the logarithm, and the longest. A longer pause
#: ends a session (the usual 20 minutes, but between submissions: Zakay and Feitelson, JSSPP 2012).
_THINK, _THINK_SPREAD, _SESSION_GAP = 150.0, 1.0, 1200.0
_WEEKEND, _HOLIDAY, _AUGUST = 0.3, 0.25, 0.6
#: Tasks of a sweep: log-normal, median and spread of the logarithm, and the most. A flood: of so many slots' worth.
_TASKS, _TASKS_SPREAD, _MOST_TASKS = 14.0, 0.9, 400
_FLOOD_DAYS = 0.12
_LONGEST_DAYS = 366 * 20
#: A week of so many is drawn in some five seconds; numbers of arrivals tell so many a day apart.
_MOST_PEOPLE = 5000
#: A week of so many tells how busy they are.
_FIT_PEOPLE = 400


class Kind(StrEnum):
    """What becomes of a submission, or is special about it."""

    SINGLE = "single"
    SWEEP = "sweep"
    #: A step that waits for the one before it.
    CHAIN = "chain"
    MISSING_FILE = "missing file"
    WRONG_PATH = "wrong path"
    OUT_OF_MEMORY = "out of memory"
    TIME_LIMIT = "time limit"
    #: Asks for what no host has, and waits for ever.
    IMPOSSIBLE = "impossible"
    #: Held by its owner, and forgotten.
    HELD = "held"
    #: Far more tasks than there is room for.
    FLOOD = "flood"


#: How often each is sent (a flood comes by itself). The parts are made up; on the sites whose logs are public, some
#: 10 to 20 % of jobs fail or are cancelled.
KINDS: dict[Kind, float] = {
    Kind.SINGLE: 0.60,
    Kind.SWEEP: 0.16,
    Kind.CHAIN: 0.09,
    Kind.MISSING_FILE: 0.045,
    Kind.WRONG_PATH: 0.025,
    Kind.OUT_OF_MEMORY: 0.025,
    Kind.TIME_LIMIT: 0.03,
    Kind.IMPOSSIBLE: 0.01,
    Kind.HELD: 0.015,
}
_KINDS = tuple(KINDS)
_STEPS = ("prepare", "compute", "collect")


@dataclass(frozen=True)
class Arrival:
    """Something is submitted.

    ``time`` is in seconds since the model's epoch, in its local time. ``seconds`` is how long a task runs, or would
    run if nothing ended it; ``asked`` is its ``h_rt`` in seconds (0: none), ``memory`` what a slot of it uses and
    ``memory_asked`` its ``h_vmem`` (0: none), both in bytes. ``after`` is the number of the arrival that it waits
    for; ``number`` tells arrivals apart. ``efficiency`` is the part of its slots' time that it computes.
    """

    number: int
    time: float
    person: Person
    kind: Kind
    name: str
    slots: int
    tasks: int
    seconds: float
    asked: int
    memory: float
    memory_asked: float
    efficiency: float
    after: int | None = None


class Model:
    """A class of people, and what they send.

    Each day is drawn by itself, from the seed and its number: a window has the same arrivals whatever was asked for
    before.

    Parameters
    ----------
    people
        How many.
    seed
        Another one makes another class.
    slots
        Of the whole cluster: run times are stretched such that the cluster is about as busy as `load` says. None:
        run times are those of the published model.
    largest
        The most slots of a job: those of a host.
    load
        The part of the slots that would be in use on average, if each job ran.

    Raises
    ------
    InvalidArgument
        If these numbers make no class.
    """

    def __init__(
        self, people: int = 20, seed: int = 1, *, slots: int | None = None, largest: int = 16, load: float = 0.5
    ) -> None:
        for name, value, least in (
            ("people", people, 1),
            ("seed", seed, 0),
            ("slots", 1 if slots is None else slots, 1),
            ("largest", largest, 1),
        ):
            if value < least:
                raise InvalidArgument(f"{name}={value}: expected at least {least}.")
        if people > _MOST_PEOPLE:
            raise InvalidArgument(f"people={people}: expected at most {_MOST_PEOPLE:,}.")
        if not 0 < load <= 2:  # noqa: PLR2004
            raise InvalidArgument(
                f"load={load}: expected a number above 0, at most 2 (1 is: all slots, all the time)."
            )
        self.people = people_of(people, seed)
        self._activity = np.array([person.activity for person in self.people])
        self.seed = seed
        self.slots = slots
        self.largest = largest
        self.stretch = 1.0
        if slots is not None:
            self.stretch = self._fit(slots, load)

    def events(self, begin: float, seconds: float) -> Iterator[Arrival]:
        """Yield what is sent from `begin` on for so many seconds, in the order of time.

        Parameters
        ----------
        begin
            Seconds since 1970-01-01 00:00, in the local time of the class.
        seconds
            How long; at most 20 years.

        Raises
        ------
        InvalidArgument
            If the window is none.
        """
        if begin < 0 or not 0 <= seconds <= _LONGEST_DAYS * DAY:
            raise InvalidArgument(
                f"begin={begin:g}, seconds={seconds:g}: expected a window of 0 s to 20 years that begins after 1970."
            )
        end = begin + seconds
        # A session of the day before may go on after midnight.
        waiting: list[Arrival] = []
        for day in range(max(0, int(begin // DAY) - 1), int(-(-end // DAY))):
            both = sorted([*waiting, *self._day(day)], key=lambda arrival: (arrival.time, arrival.number))
            limit = (day + 1) * DAY
            waiting = [arrival for arrival in both if arrival.time >= limit]
            yield from (arrival for arrival in both if arrival.time < limit and begin <= arrival.time < end)

    def _day(self, day: int) -> list[Arrival]:
        random = np.random.default_rng([self.seed, 2, day])
        found: list[Arrival] = []
        usual = _part_of(day)
        # People work on something for a week, and then on something else.
        week = np.random.default_rng([self.seed, 3, day // 7]).lognormal(-0.18, 0.6, len(self.people))
        means = usual * _SESSIONS * len(self.people) * self._activity * week
        for person, sessions in zip(self.people, random.poisson(means), strict=True):
            for _ in range(sessions):
                found += self._session(random, day, person, len(found))
            if person.floods and random.random() < _FLOOD_DAYS * usual:
                found.append(self._flood(random, day, person, len(found)))
        return found

    def _session(self, random: np.random.Generator, day: int, person: Person, known: int) -> list[Arrival]:
        time = day * DAY + (_one_of(random, cycle()) + random.random()) * 1800
        found: list[Arrival] = []
        for _ in range(random.geometric(1 / _IN_SESSION)):
            kind = _KINDS[_one_of(random, tuple(KINDS.values()))]
            number = day * 1_000_000 + known + len(found)
            arrival = self._arrival(random, number, time, person, kind)
            found += [arrival] if kind is not Kind.CHAIN else _chain(arrival)
            time += min(_SESSION_GAP, _THINK * float(np.exp(random.normal(0, _THINK_SPREAD))))
        return found

    def _arrival(self, random: np.random.Generator, number: int, time: float, person: Person, kind: Kind) -> Arrival:
        slots = 1
        if kind is Kind.SINGLE and self.largest > 1 and random.random() >= SERIAL:
            slots = parallel_size(random, self.largest)
        tasks = 1
        if kind is Kind.SWEEP:
            tasks = int(min(_MOST_TASKS, max(2, random.lognormal(np.log(_TASKS), _TASKS_SPREAD))))
        seconds = max(1.0, float(run_time(random, slots)[0]) * self.stretch)
        if tasks > 1:
            # A big sweep is of small things.
            seconds = max(1.0, seconds / tasks**0.5)
        asked = estimate(random, seconds) if random.random() < 0.85 else 0  # noqa: PLR2004
        memory = person.memory * float(np.exp(random.normal(0, 0.25)))
        factor = (1.3, 2.0, 4.0, 8.0)[_one_of(random, (0.3, 0.35, 0.25, 0.1))]
        asked_memory = _round_memory(memory * factor) if random.random() < 0.6 else 0.0  # noqa: PLR2004
        if person.wastes:
            asked_memory = 48 * _GIB
        if kind is Kind.TIME_LIMIT:
            # It was thought to be shorter.
            asked = int(max(60.0, seconds * 0.6))
        if kind in {Kind.MISSING_FILE, Kind.WRONG_PATH}:
            seconds = float(random.uniform(1, 8))
        if kind is Kind.OUT_OF_MEMORY:
            asked_memory, memory = _round_memory(memory * 0.6), memory * 1.2
            seconds *= 0.3
        name = person.stems[int(random.integers(len(person.stems)))]
        low = random.beta(4, 2) if slots > 1 else random.beta(14, 1.5)
        return Arrival(
            *(number, time, person, kind, name, slots, tasks, seconds, asked),
            *(memory, asked_memory, float(low)),
        )

    def _flood(self, random: np.random.Generator, day: int, person: Person, known: int) -> Arrival:
        time = day * DAY + random.uniform(15, 18) * 3600
        one = self._arrival(random, day * 1_000_000 + 500_000 + known, time, person, Kind.SWEEP)
        tasks = int(random.integers(4, 9)) * (self.slots or 64)
        seconds = float(random.uniform(300, 1500)) * min(1.0, self.stretch)
        return replace(one, kind=Kind.FLOOD, tasks=min(5000, tasks), seconds=seconds, asked=3600)

    def _fit(self, slots: int, load: float) -> float:
        """Return by what run times are to be multiplied, from weeks of an ordinary autumn (2026-10-05 on).

        Four weeks tell it of a class; of hundreds of people one does, for they level each other out.
        """
        begin, days = 20731, 7 * max(1, min(4, _FIT_PEOPLE // len(self.people)))
        work = 0.0
        for arrival in self.events(begin * DAY, days * DAY):
            if arrival.kind not in {Kind.IMPOSSIBLE, Kind.HELD, Kind.FLOOD}:
                ends = min(arrival.seconds, arrival.asked or POPULAR[-1])
                work += arrival.slots * arrival.tasks * ends
        return float(np.clip(load * slots * days * DAY / max(work, 1.0), 0.02, 6.0))


def _one_of(random: np.random.Generator, parts: tuple[float, ...]) -> int:
    """Return a place in `parts`, each as likely as it says; they sum to 1."""
    chance = random.random()
    for place, part in enumerate(parts):
        chance -= part
        if chance < 0:
            return place
    return len(parts) - 1


def _chain(first: Arrival) -> list[Arrival]:
    """Return the steps of a pipeline: each waits for the one before it, and has a number of its own."""
    steps = [replace(first, name=_STEPS[0], seconds=max(1.0, first.seconds * 0.2))]
    for offset, (name, part) in enumerate(zip(_STEPS[1:], (1.0, 0.1), strict=True), 1):
        steps.append(
            replace(
                first,
                number=first.number + offset * 100_000,
                time=first.time + offset * 5,
                name=name,
                seconds=max(1.0, first.seconds * part),
                after=steps[-1].number,
            )
        )
    return steps


def _round_memory(memory: float) -> float:
    for gib in (0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32):
        if gib * _GIB >= memory:
            return gib * _GIB
    return 48 * _GIB


def _part_of(day: int) -> float:
    """Return how busy a day is: 1 on a working day. Weekends, the turn of the year and August are made up."""
    date = str(np.datetime64(day, "D"))
    part = _WEEKEND if (day + 3) % 7 >= 5 else 1.0  # noqa: PLR2004
    if date[5:] >= "12-21" or date[5:] <= "01-02":
        part *= _HOLIDAY
    elif date[5:7] == "08":
        part *= _AUGUST
    return part
