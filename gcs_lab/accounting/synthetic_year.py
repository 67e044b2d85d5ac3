"""What the days of a synthetic site are like: how much is sent at which hour, by whom, and what was planted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.accounting.synthetic_habits import QUEUES

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from gcs_lab.accounting.synthetic_habits import Habits

__all__ = ["DAY", "SiteFacts", "Year", "year_of"]

DAY = 86400
#: The part of its slots that a queue has in use on average, without a rush.
_LOAD = {"all.q": 0.76, "long.q": 0.66, "gpu.q": 0.6, "mpi.q": 0.5}
#: How much is sent at each hour of a working day (UTC), and the parts of it at other times.
_HOURS = np.array([3, 2, 2, 2, 2, 2, 3, 4, 7, 10, 11, 11, 9, 9, 11, 11, 11, 10, 8, 6, 5, 5, 4, 4], float)
_WEEKEND, _HOLIDAY, _AUGUST = 0.45, 0.3, 0.75
_GIB = float(1 << 30)
#: In a rush this part of the people sends so many times as much.
_RUSHING, _RUSH = 0.4, 2.3
_RUSH_DAYS = 14


@dataclass(frozen=True)
class SiteFacts:
    """What a synthetic site is, and what was planted in it. Times are seconds since the epoch.

    ``failing_node`` fails ``failing_part`` of the jobs that start there since ``failing_since``, with the exit status
    ``failing_status``. ``memory_waster`` asks for 64 GiB and uses about 2. From ``rush_begin`` to ``rush_end`` the
    users ``rush_users`` send several times as much. Empty and 0: not planted. ``slots`` is the capacity of the
    cluster, ``queue_slots`` that of each queue, ``slots_of_host`` that of each host.
    """

    records: int
    users: int
    hosts: tuple[str, ...]
    begin: int
    end: int
    slots: int
    slots_of_host: int
    queue_slots: dict[str, int]
    failing_node: str = ""
    failing_since: int = 0
    failing_part: float = 0.0
    failing_status: int = 0
    memory_waster: str = ""
    rush_begin: int = 0
    rush_end: int = 0
    rush_users: tuple[str, ...] = ()


@dataclass(frozen=True)
class Year:
    """``rates`` has a row a day and a column a family: submissions, not normalised; ``hours`` one entry an hour."""

    begin: int
    rates: NDArray[np.float64]
    hours: NDArray[np.float64]
    rush: tuple[int, int]
    rush_users: tuple[int, ...]
    waster: int

    @property
    def load(self) -> NDArray[np.float64]:
        """What is sent at each hour, relatively."""
        days = self.rates.sum(axis=1)
        result: NDArray[np.float64] = self.hours * np.repeat(days, 24)
        return result


def year_of(
    random: np.random.Generator,
    habits: Habits,
    *,
    begin: int,
    days: int,
    records: int,
    capacity: dict[str, int],
    plant: Collection[str],
) -> Year:
    """Return the days of a site, and fit the run times of `habits` to what the queues can take.

    Parameters
    ----------
    random
        Where chance comes from.
    habits
        Changed: run times and requests; those of the memory waster.
    begin, days
        The first midnight, and how many days.
    records
        How many there will be about.
    capacity
        The slots of each queue.
    plant
        What to plant.
    """
    waster = _make_waster(habits) if "memory_waster" in plant else -1
    # People work on something for weeks, and then on something else.
    weeks = -(-days // 7)
    campaigns = random.lognormal(-0.18, 0.6, (weeks, len(habits.users)))
    daily = np.repeat(campaigns, 7, axis=0)[:days]
    tasks = np.maximum(habits.array, 1)
    rates = habits.share / tasks * daily[:, habits.user]
    hours = np.concatenate([_hours_of(begin + day * DAY) for day in range(days)])
    of_day = hours.reshape(days, 24).sum(axis=1)
    expected = (rates * of_day[:, None]).sum(axis=0) * tasks
    _fit(habits, expected / expected.sum() * records, capacity, days * DAY)
    if waster >= 0:
        _ask_too_much(habits, waster)
    rush, rushing = (0, 0), np.array([], int)
    if "deadline_rush" in plant:
        length = min(_RUSH_DAYS, max(1, days // 4))
        first = int(days * 0.62)
        rush = (begin + first * DAY, begin + (first + length) * DAY)
        rushing = np.sort(random.permutation(len(habits.users))[: max(1, int(_RUSHING * len(habits.users)))])
        more = np.where(np.isin(habits.user, rushing), _RUSH, 1.0)
        # No one is on leave then: what is sent is that of a mean week, and more.
        calm = rates.mean(axis=0)
        rates[first : first + length] = calm * more
        hours.reshape(days, 24)[first : first + length] = _HOURS / _HOURS.mean()
    return Year(begin, rates, hours, rush, tuple(int(user) for user in rushing), waster)


def _hours_of(midnight: int) -> NDArray[np.float64]:
    day = np.datetime64(midnight, "s").astype("datetime64[D]")
    weekday = (int(day.astype(int)) + 3) % 7
    month, date = int(str(day)[5:7]), int(str(day)[8:10])
    part = _WEEKEND if weekday >= 5 else 1.0  # noqa: PLR2004
    if (month, date) >= (12, 21) or (month, date) <= (1, 2):
        part *= _HOLIDAY
    elif month == 8:  # noqa: PLR2004
        part *= _AUGUST
    result: NDArray[np.float64] = _HOURS / _HOURS.mean() * part
    return result


def _fit(habits: Habits, records: NDArray[np.float64], capacity: dict[str, int], seconds: int) -> None:
    """Make run times such that the queues are as busy as they should be; at most five times longer."""
    mean = habits.wall * np.exp(habits.spread**2 / 2)
    for number, queue in enumerate(QUEUES):
        of_queue = habits.queue == number
        work = float((records * habits.slots * mean)[of_queue].sum())
        if work > 0:
            habits.wall[of_queue] *= min(5.0, _LOAD[queue] * capacity[queue] * seconds / work)
    habits.wall = np.maximum(habits.wall, 1)
    habits.ask()


def _make_waster(habits: Habits) -> int:
    """Choose a user of middling activity, whose jobs are then of one kind; return the number."""
    activity = np.bincount(habits.user, weights=habits.share, minlength=len(habits.users))
    user = int(np.argsort(activity)[-max(1, len(activity) // 8)])
    own = habits.user == user
    habits.queue[own], habits.slots[own] = 0, 1
    habits.share[own] *= 0.02 / max(float(habits.share[own].sum()), 1e-9)
    habits.share /= habits.share.sum()
    habits.wall[own] = np.clip(habits.wall[own], 1800, 4 * 3600)
    return user


def _ask_too_much(habits: Habits, user: int) -> None:
    own = habits.user == user
    habits.memory[own], habits.memory_spread[own] = 1.8 * _GIB, 0.06
    habits.h_vmem[own] = 64 * _GIB
