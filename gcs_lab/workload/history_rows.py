"""What a model sends, as the rows of a simulation of queues: one a task, with what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.accounting.synthetic_habits import Habits
from gcs_lab.accounting.synthetic_jobs import DELETED, KILLED_MEMORY, KILLED_TIME
from gcs_lab.errors import InvalidArgument
from gcs_lab.workload.model import DAY, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gcs_lab.accounting.synthetic_jobs import Rows
    from gcs_lab.workload.model import Arrival, Model
    from gcs_lab.workload.stage import Stage

__all__ = ["history_rows"]

#: Exit statuses of mistakes: of a program that misses its file, and of a shell that misses its program.
_STATUS = {Kind.MISSING_FILE: 1, Kind.WRONG_PATH: 127}
#: What waits for ever is deleted after a while, and leaves no record (it never started).
_NO_RECORD = {Kind.IMPOSSIBLE, Kind.HELD}
_SHORT_QUEUE, _TEN_MINUTES = "short.q", 600
#: A share policy puts the later tasks of an array back: seconds for each slot that it has sent, and at most.
_PUT_BACK, _AT_MOST = 40, 6 * 3600
#: Of jobs that fit the short queue, the part that goes there.
_TO_SHORT = 0.5
_DELETED_PART = 0.008


class _Submissions(Habits):
    """One entry a submission instead of a family."""

    def category(self, family: int) -> str:
        asked = [f"h_rt={self.h_rt[family]:.0f}"] if self.h_rt[family] else []
        if self.h_vmem[family]:
            asked.append(f"h_vmem={self.h_vmem[family] / 2**30:g}G")
        words = [f"-u {self.users[self.user[family]]}"]
        words += [f"-l {','.join(asked)}"] if asked else []
        words += [f"-pe smp {self.slots[family]}"] if self.slots[family] > 1 else []
        return " ".join(words)

    def environment(self, family: int) -> str:
        return "smp" if self.slots[family] > 1 else "NONE"


def history_rows(model: Model, stage: Stage, *, begin: int, seconds: int, most: int) -> tuple[Habits, Rows]:
    """Return what was sent from `begin` on for so many seconds: submissions, and a row a task, by time.

    Times are seconds since the epoch in the class's local time; job numbers count from 1. ``family`` is the place of
    the submission; the columns are those that :mod:`gcs_lab.accounting.synthetic_slots` needs.

    Raises
    ------
    InvalidArgument
        If that would be more than `most` tasks; as soon as they are counted.
    """
    arrivals, known = [], 0
    for arrival in model.events(begin, seconds):
        if arrival.kind in _NO_RECORD:
            continue
        arrivals.append(arrival)
        known += arrival.tasks
        if known > most:
            raise InvalidArgument(
                f"a past of {seconds // DAY} days of {len(model.people):,} people has more than {most:,} records, "
                f"reached after {(arrival.time - begin) / DAY:.0f} days. Ask for fewer days or people."
            )
    random = np.random.default_rng([model.seed, 6])
    submissions = _submissions(model, stage, arrivals, random)
    tasks = np.array([arrival.tasks for arrival in arrivals], np.int64)
    row = np.repeat(np.arange(len(arrivals)), tasks)
    count = len(row)
    task = np.arange(count) - np.repeat(np.cumsum(tasks) - tasks, tasks)
    kind = np.array([arrival.kind.value for arrival in arrivals])[row] if arrivals else np.array([], str)
    # The tasks of a sweep differ a little.
    wall = submissions.wall[row] * np.where(tasks[row] > 1, np.exp(random.normal(0, 0.3, count)), 1.0)
    outcome = np.zeros(count, np.int64)
    for wrong, status in _STATUS.items():
        outcome[kind == wrong.value] = status
    outcome[kind == Kind.OUT_OF_MEMORY.value] = KILLED_MEMORY
    deleted = (outcome == 0) & (random.random(count) < _DELETED_PART)
    outcome[deleted] = DELETED
    wall = np.where(deleted, wall * random.random(count), wall)
    limit = np.where(submissions.h_rt[row] > 0, submissions.h_rt[row], np.inf)
    late = wall >= limit
    outcome[late] = KILLED_TIME
    wall = np.maximum(1, np.where(late, limit + 1, wall))
    submitted = np.array([arrival.time for arrival in arrivals], np.float64)[row].astype(np.int64)
    slots = submissions.slots[row]
    memory = submissions.memory[row] * np.exp(random.normal(0, 0.05, count))
    ceiling = np.where(submissions.h_vmem[row] > 0, submissions.h_vmem[row], np.inf)
    killed = outcome == KILLED_MEMORY
    memory = np.where(killed, ceiling * 0.99, np.minimum(memory, ceiling * 0.98))
    rows: Rows = {
        "family": row,
        "suffix": np.zeros(count, np.int64),
        "job": row + 1,
        "task": np.where(tasks[row] > 1, task + 1, 0),
        "submitted": submitted,
        "slots": slots,
        "wall": wall.astype(np.int64),
        "key": submitted + np.minimum(task * slots * _PUT_BACK, _AT_MOST),
        "delay": random.integers(1, 4, count),
        "outcome": outcome,
        "memory": memory.astype(np.int64),
        "breaks": np.zeros(count, np.int64),
        "queue": submissions.queue[row],
    }
    return submissions, rows


def _submissions(model: Model, stage: Stage, arrivals: list[Arrival], random: np.random.Generator) -> _Submissions:
    count = len(arrivals)
    place = {person.name: number for number, person in enumerate(model.people)}
    asked = _numbers([arrival.asked for arrival in arrivals])
    queue = np.zeros(count, np.int64)
    if _SHORT_QUEUE in stage.queues:
        short = (asked > 0) & (asked <= _TEN_MINUTES) & (random.random(count) < _TO_SHORT)
        main = next(number for number, name in enumerate(stage.queues) if name != _SHORT_QUEUE)
        queue = np.where(short, stage.queues.index(_SHORT_QUEUE), main)
    zeros = np.zeros(count)
    return _Submissions(
        user=np.array([place[arrival.person.name] for arrival in arrivals], np.int64),
        stem=[arrival.name for arrival in arrivals],
        style=np.zeros(count, np.int64),
        queue=queue,
        slots=np.array([min(arrival.slots, stage.slots_of_host) for arrival in arrivals], np.int64),
        wall=_numbers([arrival.seconds for arrival in arrivals]),
        spread=zeros,
        memory=_numbers([arrival.memory for arrival in arrivals]),
        memory_spread=zeros,
        efficiency=_numbers([arrival.efficiency for arrival in arrivals]),
        failing=zeros,
        array=zeros,
        share=zeros,
        h_rt=asked,
        h_vmem=_numbers([arrival.memory_asked for arrival in arrivals]),
        users=[person.name for person in model.people],
        user_project=[person.project for person in model.people],
        user_group=[person.project for person in model.people],
    )


def _numbers(values: list[float] | list[int]) -> NDArray[np.float64]:
    return np.array(values, np.float64)
