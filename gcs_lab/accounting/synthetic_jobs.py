"""The jobs that a synthetic site sends in some hours: drawn by chance from its people's habits and its calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gcs_lab.accounting.synthetic_habits import Habits
    from gcs_lab.accounting.synthetic_year import Year

__all__ = [
    "BREAKING_PART",
    "DELETED",
    "KILLED_MEMORY",
    "KILLED_TIME",
    "NEVER_STARTED",
    "RERUN",
    "SUFFIXES",
    "Rows",
    "draw",
]

#: One array a column, all of one length; a row is a record to be.
Rows = dict[str, "NDArray[np.int64]"]

#: What becomes of a job, in the column ``outcome``: an exit status of its own, or one of these.
KILLED_TIME, KILLED_MEMORY, DELETED, RERUN, NEVER_STARTED = 1001, 1002, 1003, 1004, 1005
#: The failing node breaks this part of what starts there.
BREAKING_PART = 0.3
#: Job names are ended in so many different ways in each style.
SUFFIXES = 2048
_STATUSES, _CHANCES = (1, 2, 127, 134, 139, 255), (0.68, 0.1, 0.07, 0.03, 0.08, 0.04)
#: The policy of shares: seconds that a task is put back for each slot that its array has sent before it, and at most.
_PUT_BACK, _AT_MOST = 40, 12 * 3600
_QUEUE_LIMIT = 10 * 86400
_MOST_TASKS = 5000


def draw(
    random: np.random.Generator, habits: Habits, year: Year, *, hours: tuple[int, int], count: int, first_job: int
) -> Rows:
    """Return `count` rows that are sent in the hours from `hours[0]` to before `hours[1]` of the year, by time.

    The rows of one array stand together; a second run stands behind its first, and has a time of -1.
    """
    family, when, tasks = _submissions(random, habits, year, hours, count)
    # Those that are one too many go at random, before they are put in order.
    enough = int(np.searchsorted(np.cumsum(tasks), count)) + 1
    family, when, tasks = family[:enough], when[:enough], tasks[:enough]
    tasks[-1] -= int(tasks.sum()) - count
    order = np.argsort(when, kind="stable")
    family, when, tasks = family[order], when[order], tasks[order]
    row = np.repeat(np.arange(len(family)), tasks)
    task = np.arange(count) - np.repeat(np.cumsum(tasks) - tasks, tasks)
    is_array = (habits.array[family] > 0)[row]
    of_row = family[row]
    level = random.normal(0, 0.45, len(family))[row]
    spread = habits.spread[of_row]
    wall = habits.wall[of_row] * np.exp(spread * (0.6 * level / 0.45 + 0.8 * random.normal(0, 1, count)))
    outcome = _outcomes(random, habits, of_row)
    early = outcome != 0
    wall = np.where(early, wall * random.random(count) ** 2, wall)
    limit = np.where(habits.h_rt[of_row] > 0, habits.h_rt[of_row], _QUEUE_LIMIT)
    outcome = np.where((wall >= limit) & (outcome != NEVER_STARTED), KILLED_TIME, outcome)
    wall = np.where(outcome == KILLED_TIME, limit + 1, wall)
    memory = habits.memory[of_row] * np.exp(habits.memory_spread[of_row] * random.normal(0, 1, count))
    # Virtual memory beyond the limit is refused: most jobs die of it.
    too_much = (habits.h_vmem[of_row] > 0) & (memory > habits.h_vmem[of_row]) & (outcome == 0)
    outcome = np.where(too_much, KILLED_MEMORY, outcome)
    memory = np.where(too_much, habits.h_vmem[of_row] * random.uniform(0.97, 1.0, count), memory)
    wall = np.where(too_much, wall * random.random(count), wall)
    wall = np.where(outcome == NEVER_STARTED, 0, np.maximum(wall, 1))
    slots = habits.slots[of_row]
    sent = when[row]
    rows: Rows = {
        "family": of_row,
        "suffix": random.integers(0, SUFFIXES, len(family))[row],
        "job": first_job + row,
        "task": np.where(is_array, task + 1, 0),
        "submitted": sent,
        "slots": slots,
        "wall": wall.astype(np.int64),
        "key": sent + np.minimum(task * slots * _PUT_BACK, _AT_MOST),
        "delay": random.integers(1, 16, count),
        "outcome": outcome,
        "memory": memory.astype(np.int64),
        "breaks": ((random.random(count) < BREAKING_PART) & (outcome != NEVER_STARTED)).astype(np.int64),
        "queue": habits.queue[of_row],
    }
    return _with_second_runs(random, rows, count)


def _submissions(
    random: np.random.Generator, habits: Habits, year: Year, hours: tuple[int, int], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return families, times and counts of tasks of at least as many submissions as `count` rows need, unordered."""
    begin, end = hours
    load = year.load[begin:end]
    mean = np.maximum(habits.array, 1)
    days = slice(begin // 24, -(-end // 24))
    usual = float((year.rates[days] * mean).sum() / year.rates[days].sum())
    wanted = int(count / usual * 1.2) + 64
    families, times, tasks = [], [], []
    known = 0
    while known < count:
        hour = random.choice(end - begin, wanted, p=load / load.sum()) + begin
        hour.sort()
        family = np.empty(wanted, np.int64)
        for day in np.unique(hour // 24):
            here = slice(*np.searchsorted(hour // 24, [day, day + 1]))
            steps = np.cumsum(year.rates[day])
            family[here] = np.searchsorted(steps, random.random(here.stop - here.start) * steps[-1])
        mixed = random.permutation(wanted)
        family = family[mixed]
        families.append(family)
        times.append(year.begin + hour[mixed] * 3600 + random.integers(0, 3600, wanted))
        several = habits.array[family] > 0
        tasks.append(np.where(several, np.minimum(random.geometric(1 / mean[family]), _MOST_TASKS), 1))
        known += int(tasks[-1].sum())
    return np.concatenate(families), np.concatenate(times), np.concatenate(tasks)


def _outcomes(random: np.random.Generator, habits: Habits, family: NDArray[np.int64]) -> NDArray[np.int64]:
    count = len(family)
    chance = random.random(count)
    outcome = np.where(chance < habits.failing[family], random.choice(_STATUSES, count, p=_CHANCES), 0)
    chance = random.random(count)
    for code, upto in ((DELETED, 0.008), (RERUN, 0.011), (NEVER_STARTED, 0.0118)):
        outcome = np.where((outcome == 0) & (chance < upto), code, outcome)
    result: NDArray[np.int64] = outcome.astype(np.int64)
    return result


def _with_second_runs(random: np.random.Generator, rows: Rows, count: int) -> Rows:
    again = rows["outcome"] == RERUN
    index = np.repeat(np.arange(count), 1 + again)[:count]
    second = np.zeros(count, bool)
    second[1:] = index[1:] == index[:-1]
    first = np.zeros(count, bool)
    first[:-1] = second[1:]
    rows = {name: column[index] for name, column in rows.items()}
    rows["outcome"] = np.where((rows["outcome"] == RERUN) & ~first, 0, rows["outcome"])
    # The second run takes about as long as the first would have.
    rows["wall"] = np.where(second, rows["wall"] * random.integers(1, 8, count), rows["wall"])
    rows["submitted"] = np.where(second, -1, rows["submitted"])
    rows["breaks"] = np.where(first | second, 0, rows["breaks"])
    rows["again"] = first.astype(np.int64)
    return rows
