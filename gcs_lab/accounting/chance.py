"""How unlikely it is that a group fails so often, where groups are alike but jobs fail together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Chance", "chances", "jobs_that_fail_together", "log_chance", "most_expected", "tail"]

#: Terms of a tail below this share of its first ones do not change it.
_NEGLIGIBLE = 1e-17
#: Less than what numbers can say.
_LEAST = 1e-300
#: The median of chi squared with one degree of freedom.
_MEDIAN_SPREAD = 0.455


class Chance(NamedTuple):
    """What a group has against it.

    ``others`` is the rate that the other groups would make expect; None: there is no other. ``log10`` is the
    logarithm of the probability that at least one of all groups has so many failures or more at that rate; 0 where
    there is no other. ``tries`` is how many jobs the group has, those that fail together counted as one.
    """

    others: float | None
    log10: float
    tries: int


def chances(records: ArrayLike, failed: ArrayLike) -> list[Chance]:
    """Return the chance of each group, from how many records it has and how many of them failed.

    Both are a figure for each group, or a row of figures, one for each kind of record (the queue that it ran in, for
    instance): kinds differ in how often they fail, and a group is compared with others for what it has of each.
    """
    import numpy as np

    many, bad = _by_kind(records), _by_kind(failed)
    alike = _fail_together(many, bad)
    rest, rest_bad = many.sum(axis=0) - many, bad.sum(axis=0) - bad
    several = math.log10(max(len(many), 1))
    found = []
    for group in range(len(many)):
        left, left_bad, mine = rest[group].sum(), rest_bad[group].sum(), many[group].sum()
        tries = max(round(mine / alike), 1)
        if not left or not mine:
            found.append(Chance(None, 0.0, tries))
            continue
        # A kind that no other group has is expected to be as the others are in all.
        rates = np.divide(
            rest_bad[group], rest[group], out=np.full(many.shape[1], left_bad / left), where=rest[group] > 0
        )
        others = float((many[group] * rates).sum() / mine)
        # Where no other one ever failed, half a failure stands for what was not seen yet.
        single = log_chance(round(bad[group].sum() / alike), round(mine / alike), others or 0.5 / left)
        found.append(Chance(others, min(single + several, 0.0), tries))
    return found


def jobs_that_fail_together(records: ArrayLike, failed: ArrayLike) -> float:
    """Return how many jobs count as one, 1 or more; the figures are those of :func:`chances`.

    Those of one array or user fail together, so that groups differ by more than the binomial distribution has it.
    How much more is taken from the groups themselves, by medians that a few bad ones do not move.
    """
    return _fail_together(_by_kind(records), _by_kind(failed))


def _by_kind(figures: ArrayLike) -> NDArray[np.float64]:
    import numpy as np

    told = np.asarray(figures, dtype=float)
    return told.reshape(len(told), -1 if told.size else 1)


def _fail_together(many: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    import numpy as np

    many, bad = many[many.sum(axis=1) > 0], bad[many.sum(axis=1) > 0]
    if not bad.sum() or bad.sum() == many.sum():
        return 1.0
    rates = np.array([_middle_rate(many[:, kind], bad[:, kind]) for kind in range(many.shape[1])])
    mean, spread = (many * rates).sum(axis=1), (many * rates * (1 - rates)).sum(axis=1)
    some = spread > 0
    # The lower one of two: of two groups one is the bad one.
    middle = (
        np.quantile((bad.sum(axis=1) - mean)[some] ** 2 / spread[some], 0.5, method="lower") if some.any() else 0.0
    )
    return max(1.0, float(middle) / _MEDIAN_SPREAD)


def _middle_rate(many: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    """Return the rate of the group in the middle, by records; that of all where it says nothing."""
    import numpy as np

    many, bad = many[many > 0], bad[many > 0]
    if not len(many):
        return 0.0
    order = np.argsort(bad / many, kind="stable")
    middle = order[np.searchsorted(np.cumsum(many[order]), many.sum() / 2)]
    rate = bad[middle] / many[middle]
    return float(rate if 0 < rate < 1 else bad.sum() / many.sum())


def log_chance(hits: int, tries: int, rate: float) -> float:
    """Return the logarithm (base 10, at least -300) of the chance that `hits` or more of `tries` are, at a rate."""
    return math.log10(max(tail(hits, tries, rate), _LEAST))


def most_expected(tries: int, rate: float, log10: float) -> int:
    """Return the largest count whose chance (of it or more) is still at least 10**`log10`."""
    low, high = math.floor(tries * rate), tries
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if log_chance(middle, tries, rate) >= log10 else (low, middle - 1)
    return low


def tail(failed: int, records: int, rate: float) -> float:
    """Return the probability that `failed` or more of `records` fail, each with the probability `rate` (binomial)."""
    import numpy as np

    if failed <= 0 or rate >= 1:
        return 1.0
    if failed > records or rate <= 0:
        return 0.0
    mean = records * rate
    upwards = failed > mean
    # From the bound away from the mean, where terms only fall; the other side is what is missing from 1.
    first = failed if upwards else failed - 1
    logarithm = (
        math.lgamma(records + 1)
        - math.lgamma(first + 1)
        - math.lgamma(records - first + 1)
        + first * math.log(rate)
        + (records - first) * math.log1p(-rate)
    )
    steps = min(records - first if upwards else first, int(60 * math.sqrt(mean * (1 - rate)) + 400))
    offsets = np.arange(steps, dtype=np.float64)
    if upwards:
        ratios = (records - first - offsets) / (first + 1 + offsets) * (rate / (1 - rate))
    else:
        ratios = (first - offsets) / (records - first + 1 + offsets) * ((1 - rate) / rate)
    terms = np.cumprod(ratios)
    total = math.exp(logarithm) * (1.0 + float(terms[terms > _NEGLIGIBLE].sum()))
    return min(1.0, total if upwards else max(0.0, 1.0 - total))
