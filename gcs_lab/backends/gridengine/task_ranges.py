"""Indices of array tasks as Grid Engine writes them: ``1201-50000:1``, ``4-9:1,13,15`` (qstat(1), qdel(1))."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["merge_indices", "parse_ranges", "range_words"]

_RANGE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?\Z")
#: Fewer indices than this are not worth a step of their own.
_WORTH_A_RANGE = 3


def parse_ranges(text: str) -> list[range]:
    """Return the ranges in `text` (``"4-9:1,13"``); what is none (``"undefined"``) is left out."""
    found = []
    for part in text.split(","):
        match = _RANGE.match(part.strip())
        if match:
            first, last = int(match[1]), int(match[2] or match[1])
            found.append(range(first, last + 1, max(1, int(match[3] or 1))))
    return found


def merge_indices(indices: Sequence[int]) -> list[range]:
    """Return ascending `indices` as few ranges with steps, from left to right."""
    merged = []
    start, number = 0, len(indices)
    while start < number:
        end = start + 1
        step = indices[end] - indices[start] if end < number else 1
        while end < number and indices[end] - indices[end - 1] == step:
            end += 1
        if step > 1 and end - start < _WORTH_A_RANGE:
            end = start + 1  # the next one may begin a longer range
        first = indices[start]
        merged.append(range(first, indices[end - 1] + 1, step if end - start > 1 else 1))
        start = end
    return merged


def range_words(job: str, ranges: Iterable[range]) -> list[str]:
    """Return the arguments of qdel, qhold, qrls and qmod that name these tasks of `job`: ``"5.1-9:2"``."""
    return [f"{job}.{r[0]}" if len(r) == 1 else f"{job}.{r[0]}-{r[-1]}:{r.step}" for r in ranges if r]
