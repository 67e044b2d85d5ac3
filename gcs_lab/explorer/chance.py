"""How unlikely a count is, as a power of ten; and how far chance goes."""

from __future__ import annotations

import math

from gcs_lab.accounting.failures import tail

__all__ = ["log_chance", "most_expected"]

#: Less than what numbers can say.
_LEAST = 1e-300


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
