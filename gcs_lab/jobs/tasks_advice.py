"""What the tasks of an array asked for against what they used: half of them, 95 %, and the one that used most."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gcs_lab.jobs.requests import format_memory, format_time
from gcs_lab.jobs.usage_advice import HOST, ONE_SLOT_IS_ENOUGH, UNKNOWN, Advice, Asked, Used, advise, killed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["advise_tasks"]

#: A task that runs for less is no measure of what a slot does.
_LONG_SECONDS = 10.0
#: Of fewer tasks a percentile says nothing.
_FEW = 5


def advise_tasks(
    asked: Asked,
    *,
    wall: Sequence[float],
    cpu: Sequence[float],
    max_rss: Sequence[float],
    max_vmem: Sequence[float],
    ended_badly: Sequence[Used] = (),
) -> Advice:
    """Return what to tell about the tasks of an array that have ended; the flags are good for the largest of them.

    Parameters
    ----------
    asked
        What each task asked for.
    wall, cpu
        Seconds, one entry a task that ended well.
    max_rss, max_vmem
        Peaks in bytes (0: not known), one entry a task that ended well.
    ended_badly
        The other tasks, one by one: those that a limit ended are counted, and decide the flags.
    """
    causes: dict[str, list[Used]] = {}
    for used in ended_badly:
        if cause := killed_by(asked, used):
            causes.setdefault(cause, []).append(used)
    # What a task used that failed by itself is to be admitted, too.
    largest = Used(
        wall=max([*wall, *(used.wall or 0.0 for used in ended_badly)]) if wall else None,
        cpu=max(cpu, default=None),
        max_rss=int(max([*max_rss, *(used.max_rss or 0 for used in ended_badly)], default=0)) or None,
        max_vmem=int(max([*max_vmem, *(used.max_vmem or 0 for used in ended_badly)], default=0)) or None,
    )
    of_killed = _of_killed(asked, causes)
    if of_killed is not None:
        sentences = [f"{number}: {said}" for number, said in of_killed[0]]
        return Advice([*sentences, *_spread(asked, wall, cpu, max_rss, max_vmem)], of_killed[1], of_killed[2])
    told = advise(asked, _with_average_cpu(asked, largest, wall, cpu), ran=math.fsum(wall))
    if len(wall) == 1 and not ended_badly:
        return told
    more = [ONE_SLOT_IS_ENOUGH] if ONE_SLOT_IS_ENOUGH in told.sentences else []
    return Advice([*_spread(asked, wall, cpu, max_rss, max_vmem), *more], told.flags)


def _with_average_cpu(asked: Asked, largest: Used, wall: Sequence[float], cpu: Sequence[float]) -> Used:
    """Return the largest of each figure; if slots matter, CPU in the proportion of the busiest task."""
    if asked.slots == 1 or largest.wall is None or not cpu:
        return largest
    busiest = max((c / w for c, w in zip(cpu, wall, strict=True) if w > 0), default=0.0)
    return Used(largest.wall, busiest * largest.wall, largest.max_rss, largest.max_vmem)


def _of_killed(asked: Asked, causes: Mapping[str, Sequence[Used]]) -> tuple[list[tuple[str, str]], str, str] | None:
    """Return how many tasks each limit ended, with the flags that raise all of these limits, and the first limit."""
    if not causes:
        return None
    said, parts = [], []
    for cause, tasks in causes.items():
        name = "h_rss" if cause in (HOST, UNKNOWN) else cause
        most = max(tasks, key=lambda used: (used.of(name) or 0) + used.wanted)
        told = advise(asked, most)
        number = "1 task" if len(tasks) == 1 else f"{len(tasks):,} tasks"
        said.append((number, told.sentences[0]))
        parts += [part for part in told.flags.removeprefix("-l ").split(",") if part]
    # Each limit that was reached is raised by its own advice alone.
    flags = dict(part.partition("=")[::2] for part in parts)
    line = f"-l {','.join(f'{name}={value}' for name, value in flags.items())}" if flags else ""
    return said, line, next(iter(causes))


def _spread(
    asked: Asked,
    wall: Sequence[float],
    cpu: Sequence[float],
    max_rss: Sequence[float],
    max_vmem: Sequence[float],
) -> list[str]:
    sentences = []
    for name, values, word in (("h_vmem", max_vmem, "memory"), ("h_rss", max_rss, "resident memory")):
        limit, known = asked.value(name), [value for value in values if value > 0]
        if limit is not None and known:
            sentences.append(f"{word}: {_three(known, format_memory)} of {format_memory(limit * asked.slots)}")
    limit = asked.value("h_rt") or asked.value("s_rt")
    if wall and (limit is not None or max(wall) >= 1):
        sentences.append(f"time: {_three(wall, format_time)}{f' of {format_time(limit)}' if limit else ''}")
    total = math.fsum(wall)
    if wall and total >= _LONG_SECONDS * len(wall):
        part = math.fsum(cpu) / total / asked.slots
        sentences.append(f"CPU: {100 * part:.0f} % of {'1 slot' if asked.slots == 1 else f'{asked.slots} slots'}")
    return sentences


def _three(values: Sequence[float], write: Callable[[float], str]) -> str:
    """Return median, 95th percentile and largest value."""
    ordered = sorted(values)
    if len(ordered) < _FEW:
        return f"up to {write(ordered[-1])}"
    middle, most = ordered[_place(len(ordered), 0.5)], ordered[_place(len(ordered), 0.95)]
    return f"half of the tasks {write(middle)}, 95 % {write(most)}, the most {write(ordered[-1])}"


def _place(number: int, part: float) -> int:
    return max(0, math.ceil(part * number) - 1)
