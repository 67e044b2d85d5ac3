"""How unlikely it is that a group fails so often, where groups are alike but jobs fail together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Chance", "chances", "jobs_that_fail_together", "log_chance", "most_expected", "tail"]

#: Terms of a tail below this share of its first ones do not change it.
_NEGLIGIBLE = 1e-17
#: Less than what numbers can say.
_LEAST = 1e-300
#: The median of chi squared with one degree of freedom.
_MEDIAN_SPREAD = 0.455


class Chance(NamedTuple):
    """What a group has against it.

    ``others`` is the rate of all other groups together; None: there is no other. ``log10`` is the logarithm of the
    probability that at least one of all groups has so many failures or more at that rate; 0 where there is no other.
    """

    others: float | None
    log10: float


def chances(records: Sequence[int], failed: Sequence[int]) -> list[Chance]:
    """Return the chance of each group, from how many records it has and how many of them failed."""
    alike = jobs_that_fail_together(records, failed)
    all_records, all_failed, several = sum(records), sum(failed), math.log10(max(len(records), 1))
    found = []
    for many, bad in zip(records, failed, strict=True):
        rest, rest_bad = all_records - many, all_failed - bad
        if not rest:
            found.append(Chance(None, 0.0))
            continue
        # Where no other one ever failed, half a failure stands for what was not seen yet.
        single = log_chance(round(bad / alike), round(many / alike), max(rest_bad, 0.5) / rest)
        found.append(Chance(rest_bad / rest, min(single + several, 0.0)))
    return found


def jobs_that_fail_together(records: Sequence[int], failed: Sequence[int]) -> float:
    """Return how many jobs count as one, 1 or more.

    Those of one array or user fail together, so that groups differ by more than the binomial distribution has it.
    How much more is taken from the groups themselves, by medians that a few bad ones do not move.
    """
    import numpy as np

    many, bad = np.asarray(records, dtype=float), np.asarray(failed, dtype=float)
    many, bad = many[many > 0], bad[many > 0]
    if not bad.sum() or bad.sum() == many.sum():
        return 1.0
    order = np.argsort(bad / many, kind="stable")
    middle = order[np.searchsorted(np.cumsum(many[order]), many.sum() / 2)]
    rate = bad[middle] / many[middle]
    if not 0 < rate < 1:
        rate = bad.sum() / many.sum()
    spread = (bad - many * rate) ** 2 / (many * rate * (1 - rate))
    # The lower one of two: of two groups one is the bad one.
    return max(1.0, float(np.quantile(spread, 0.5, method="lower")) / _MEDIAN_SPREAD)


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
