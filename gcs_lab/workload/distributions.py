"""Distributions of published models of batch workloads, as pure functions over numpy's generator.

U. Lublin, D. G. Feitelson: The workload on parallel supercomputers: modeling the characteristics of rigid jobs.
Journal of Parallel and Distributed Computing 63(11), 2003, pp. 1105-1122. Their parameters for all jobs together,
batch and interactive, which their program (``m_lublin99.c``, Parallel Workloads Archive) has beside those by type.

D. Tsafrir, Y. Etsion, D. G. Feitelson: Modeling user runtime estimates. JSSPP 2005, LNCS 3834, pp. 1-35.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FIRST_GAMMA",
    "LONGEST_LOG",
    "POPULAR",
    "POWER_OF_TWO",
    "SECOND_GAMMA",
    "cycle",
    "estimate",
    "first_part",
    "parallel_size",
    "run_time",
    "zipf",
]

#: Lublin and Feitelson: shape and scale of the two gamma distributions of the natural logarithm of a run time in
#: seconds; the first one's part is ``-0.0054 * slots + 0.78``.
FIRST_GAMMA, SECOND_GAMMA = (4.2, 0.94), (312.0, 0.03)
_PART_SLOPE, _PART = -0.0054, 0.78
#: Their logarithm of the longest run time (45 hours); what is longer is drawn again.
LONGEST_LOG = 12.0
#: Of parallel jobs, the part with a power of two as size: 0.576 of all jobs, of which 0.244 are serial.
POWER_OF_TWO = 0.576 / (1 - 0.244)
#: Two-stage uniform distribution of the logarithm (base 2) of a size: the least, how far the middle is below the
#: largest, and the part below the middle.
_LEAST, _BELOW, _LOWER_PART = 0.8, 2.5, 0.86
#: Shape and scale (in half hours) of the gamma distribution of arrivals over a day that begins at five.
_CYCLE_SHAPE, _CYCLE_SCALE, _CYCLE_BEGIN, _HALF_HOURS = 8.1737, 3.9631, 11, 48
#: The few round values that most people ask for, in seconds. That there are some twenty, that nine jobs in ten use
#: them, and that the largest that is allowed is among the most popular, is from Tsafrir et al.; which ones is ours.
POPULAR = (
    *(300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10800),
    *(14400, 18000, 21600, 28800, 36000, 43200, 64800, 86400, 129600, 172800),
)
_ODD_PART, _LARGEST_PART = 0.1, 0.1


def first_part(slots: int) -> float:
    """Return the probability that a job of so many slots is of the short kind (the first gamma distribution)."""
    return min(1.0, max(0.0, _PART_SLOPE * slots + _PART))


def run_time(random: np.random.Generator, slots: int, count: int = 1) -> NDArray[np.float64]:
    """Return `count` run times in seconds of jobs of so many slots: at least 1 s, at most 45 hours."""
    result: NDArray[np.float64] = np.empty(0)
    while len(result) < count:
        short = random.random(count) < first_part(slots)
        log = np.where(short, random.gamma(*FIRST_GAMMA, count), random.gamma(*SECOND_GAMMA, count))
        result = np.concatenate([result, np.exp(log[log <= LONGEST_LOG])])
    return np.maximum(result[:count], 1.0)


def parallel_size(random: np.random.Generator, largest: int) -> int:
    """Return the slots of a parallel job, from 2 to `largest` (at least 2)."""
    high = math.log2(largest)
    middle = max(_LEAST, high - _BELOW)
    lower = random.random() < _LOWER_PART
    power = random.uniform(_LEAST, middle) if lower else random.uniform(middle, high)
    if random.random() < POWER_OF_TWO:
        power = math.floor(power + 0.5)
    return min(largest, max(2, round(2**power)))


@cache
def cycle() -> tuple[float, ...]:
    """Return the part of a day's arrivals in each half hour from midnight on; together 1."""
    # The distribution function, summed finely: the shape is no whole number.
    fine = 200
    x = (np.arange(_CYCLE_BEGIN * fine, (_CYCLE_BEGIN + _HALF_HOURS) * fine) + 0.5) / fine - 0.5
    density = x ** (_CYCLE_SHAPE - 1) * np.exp(-x / _CYCLE_SCALE)
    halves = density.reshape(_HALF_HOURS, fine).sum(axis=1)
    weights = np.roll(halves / halves.sum(), _CYCLE_BEGIN - 1)
    return tuple(float(weight) for weight in weights)


def estimate(random: np.random.Generator, seconds: float, largest: float = POPULAR[-1]) -> int:
    """Return what somebody asks for (``h_rt``, in seconds) whose job would run for `seconds`.

    The next round value above 1 to 10 times what is needed; of each ten, one asks for the largest, and one for a
    value that is not round.
    """
    chance = random.random()
    if chance < _LARGEST_PART:
        return int(largest)
    wanted = min(largest, seconds * (1.05, 1.5, 2.0, 4.0, 10.0)[int(random.integers(5))])
    if chance < _LARGEST_PART + _ODD_PART:
        return max(60, int(wanted) // 60 * 60 + 60)
    return int(min(largest, next((value for value in POPULAR if value >= wanted), largest)))


def zipf(count: int, exponent: float = 0.9) -> NDArray[np.float64]:
    """Return the part of each of `count` people in what is sent, the busiest first; together 1."""
    weights = np.arange(1, count + 1, dtype=float) ** -exponent
    result: NDArray[np.float64] = weights / weights.sum()
    return result
