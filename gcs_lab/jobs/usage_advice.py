"""What a job asked for against what it used, and the flags that it should have been given.

``h_vmem`` and ``s_vmem`` limit virtual memory, the sum over all processes of the job, for each slot: a job of four
slots with ``h_vmem=2G`` is killed above 8 GiB (``queue_conf(5)``; ``sge_shepherd(8)`` multiplies by the slots). Times
are those of the whole job.

The margins are said here and nowhere else. Memory that was used is asked for 1.3 times, time 1.5 times; what killed a
job is asked for twice. Nobody is told to ask for less where that saves nothing worth a thought, nor because of a job
that was over in seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping  # noqa: TC003  (dataclass fields are inspected at run time)
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import format_memory, format_time, parse_memory, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "AFTER_A_KILL",
    "HOST",
    "LEAST_MEMORY",
    "LEAST_TIME",
    "ONE_SLOT_IS_ENOUGH",
    "UNKNOWN",
    "Advice",
    "Asked",
    "Used",
    "advise",
    "killed_by",
    "memory_to_ask",
    "refused_bytes",
    "time_to_ask",
]

#: What was used is multiplied by these, so that the next run fits although it needs a little more.
MEMORY_MARGIN, TIME_MARGIN, AFTER_A_KILL = 1.3, 1.5, 2.0
#: No advice goes below these: bytes for each slot, and seconds.
LEAST_MEMORY, LEAST_TIME = 250 << 20, 120
#: A job that ran for less is no measure of what the next one needs.
_SHORT_SECONDS = 10.0
#: Nobody is told to ask for less, if it is not at least so much less: bytes in all, seconds.
_WORTH_MEMORY, _WORTH_TIME = 512 << 20, 600
#: Asking for up to so many times what is advised is no waste.
_GENEROUS = 2.0
#: Below this part of the slots they were not used.
_IDLE = 0.7
#: From so many half GiB on they are whole.
_FEW_HALVES = 8
_ONE_SLOT = 1.1
#: A limit counts as reached from this part of it on: usage is sampled, and an allocation beyond it fails below it.
_NEARLY = 0.9

#: What a request limits: the virtual memory or the resident one of all processes, for each slot.
_VIRTUAL, _RESIDENT = ("h_vmem", "s_vmem"), ("h_rss", "s_rss")
_WALL, _CPU = ("h_rt", "s_rt"), ("h_cpu", "s_cpu")
_KILLED = re.compile(r"killed: ([hs]_(?:rt|cpu|vmem|rss))=(\S+)(?: s)?")
#: "Unable to allocate 288. MiB for an array with shape …" (numpy.exceptions, ``_ArrayMemoryError``).
_REFUSED = re.compile(r"Unable to allocate (\d+\.?\d*) ([KMGTP]iB|bytes)")
_UNITS = {"bytes": 1} | {unit: 1 << 10 * power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB", "PiB"), 1)}
_SIGKILL, _KILL_STATUS = "SIGKILL", 137
_FATAL, _ENFORCED = 128, 37

#: What ended a job where it was no request of its own: the host's memory; something that sent SIGKILL.
HOST, UNKNOWN = "host", "SIGKILL"
#: What no flag says.
ONE_SLOT_IS_ENOUGH = "one slot is enough: leave -pe out"


@dataclass(frozen=True)
class Asked:
    """What was asked for: ``-l`` as it was written, and the slots of the parallel environment."""

    requests: Mapping[str, str]
    slots: int = 1
    environment: str | None = None

    def value(self, name: str) -> float | None:
        """Return a request as a number of bytes or seconds; None if it was not made or is unlimited."""
        text = self.requests.get(name)
        try:
            number = None if text is None else (parse_time if name in _WALL + _CPU else parse_memory)(text)
        except InvalidArgument:
            return None
        return None if number is None or math.isinf(number) or number <= 0 else number


@dataclass(frozen=True)
class Used:
    """What a job used, as far as it is known: seconds, and bytes (peaks over all its processes).

    ``hosts`` are those it ran on. ``good`` tells that it ended well; the other fields say how it did not:
    accounting's failure code, the exit status, the signal's name, the annotation, the exception's name. ``wanted`` is
    what was refused to it when memory ran out (:func:`refused_bytes`).
    """

    wall: float | None = None
    cpu: float | None = None
    max_rss: int | None = None
    max_vmem: int | None = None
    hosts: int = 1
    good: bool = True
    failed: int = 0
    exit_status: int | None = None
    signal: str | None = None
    annotation: str = ""
    error: str = ""
    deleted: bool = False
    wanted: int = 0

    def of(self, name: str) -> float | None:
        """Return how much was used of what a request limits; None if that is not known."""
        if name in _WALL:
            return self.wall
        if name in _CPU:
            return self.cpu
        return (self.max_vmem if name in _VIRTUAL else self.max_rss) or None


@dataclass(frozen=True)
class Advice:
    """What to tell: sentences without a full stop, the most important first, and flags to copy (empty: all fits).

    ``cause`` is the request whose limit ended the job, :data:`HOST` or :data:`UNKNOWN`; empty if none did.
    """

    sentences: list[str] = field(default_factory=list)
    flags: str = ""
    cause: str = ""


def refused_bytes(error: str) -> int:
    """Return how many bytes were refused, from the words of a MemoryError as NumPy writes them; 0: not known."""
    found = _REFUSED.search(error)
    return int(float(found[1]) * _UNITS[found[2]]) if found else 0


def killed_by(asked: Asked, used: Used) -> str:
    """Return the request whose limit ended a job (``"h_vmem"``), :data:`HOST`, :data:`UNKNOWN`, or nothing."""
    if used.good or used.deleted:
        return ""
    if said := _KILLED.search(used.annotation):
        return said[1]
    if used.error == "MemoryError":
        return next((name for name in _VIRTUAL if name in asked.requests), HOST)
    by_signal = used.signal is not None or (used.exit_status or 0) > _FATAL or used.failed == _ENFORCED
    reached = [name for name in (*_WALL, *_VIRTUAL, *_CPU, *_RESIDENT) if _is_reached(name, asked, used)]
    if by_signal and (reached or used.failed == _ENFORCED):
        return reached[0] if reached else "h_rt"
    if by_signal and (used.signal == _SIGKILL or used.exit_status == _KILL_STATUS):
        return HOST if "out of memory" in used.annotation else UNKNOWN
    return ""


def _is_reached(name: str, asked: Asked, used: Used) -> bool:
    limit, there = asked.value(name), used.of(name)
    if limit is None or there is None:
        return False
    if name in _WALL + _CPU:
        return there >= limit - 1
    return there >= _NEARLY * limit * asked.slots


def advise(asked: Asked, used: Used, *, ran: float | None = None) -> Advice:
    """Return what to tell about a job that has ended, and which flags to change.

    The advised flags admit what was used: a run that needs as much again is not killed by them.

    Parameters
    ----------
    asked, used
        What the job asked for and used.
    ran
        Seconds that it is known from (all tasks of an array together); None: those that the job ran.
    """
    cause = killed_by(asked, used)
    slots = asked.slots if cause or not used.good else _advised_slots(asked, used)
    # It is a measure of the next run if it was not cut short, and long enough.
    tells = used.good and not cause and ((used.wall or 0.0) if ran is None else ran) >= _SHORT_SECONDS
    new = dict(_changes(asked, used, slots, cause, tells=tells))
    sentences = [*_causes(asked, used, cause), *_facts(asked, used, cause)]
    if slots == 1 and asked.slots > 1 and asked.environment is not None:
        sentences.append(ONE_SLOT_IS_ENOUGH)
    return Advice(sentences, _flags(asked, slots, new), cause)


def _advised_slots(asked: Asked, used: Used) -> int:
    average = _average_slots(used)
    if asked.slots < 2 or average is None or used.hosts > 1 or average >= _IDLE * asked.slots:  # noqa: PLR2004
        return asked.slots
    # One process with its threads for input and output uses a little more than one slot.
    return 1 if average <= _ONE_SLOT else min(asked.slots, math.ceil(average))


def _average_slots(used: Used) -> float | None:
    """Return how many slots were busy on average; None where the job was too short to tell."""
    if used.wall is None or used.cpu is None or used.wall < _SHORT_SECONDS:
        return None
    return used.cpu / used.wall


def _changes(asked: Asked, used: Used, slots: int, cause: str, *, tells: bool) -> Iterator[tuple[str, str]]:
    """Yield the requests to change, as they are to be written."""
    for name in (*_WALL, *_CPU, *_VIRTUAL, *_RESIDENT):
        limit, there = asked.value(name), used.of(name)
        is_time = name in _WALL + _CPU
        if cause == name:
            each, margin = (1, TIME_MARGIN) if is_time else (slots, MEMORY_MARGIN)
            needed = (there or 0.0) + (0 if is_time else used.wanted)
            enough = max(AFTER_A_KILL * (limit or 0.0), margin * needed / each)
            yield name, time_to_ask(max(enough, LEAST_TIME)) if is_time else memory_to_ask(max(enough, LEAST_MEMORY))
        elif limit is None or there is None:
            continue
        elif is_time:
            text = time_to_ask(max(TIME_MARGIN * there, LEAST_TIME))
            if tells and _is_waste(limit, parse_time(text), _WORTH_TIME):
                yield name, text
        else:
            text = memory_to_ask(max(MEMORY_MARGIN * there / slots, LEAST_MEMORY))
            # With fewer slots the limits of each come to less.
            short = slots != asked.slots and limit * slots < MEMORY_MARGIN * there
            if short or (tells and _is_waste(limit * slots, parse_memory(text) * slots, _WORTH_MEMORY)):
                yield name, text


def _is_waste(asked: float, enough: float, worth: float) -> bool:
    return asked > _GENEROUS * enough and asked - enough >= worth


def _flags(asked: Asked, slots: int, new: Mapping[str, str]) -> str:
    parts = [f"-l {','.join(f'{name}={value}' for name, value in new.items())}"] if new else []
    if slots != asked.slots and asked.environment is not None and slots > 1:
        parts.append(f"-pe {asked.environment} {slots}")
    return " ".join(parts)


def _causes(asked: Asked, used: Used, cause: str) -> Iterator[str]:
    """Yield what ended the job, if it was a limit, with the flag to raise."""
    if not cause:
        return
    had = f" (it had used {format_memory(used.max_rss)})" if used.max_rss else ""
    if cause == HOST and used.error:
        yield f"the cell found no more memory{had}: ask for more, or for a host with more"
    elif cause == HOST:
        yield f"the host ran out of memory and ended the job{had}: ask for more memory, or for a host with more"
    elif cause == UNKNOWN:
        yield f"killed by SIGKILL, at no limit that it asked for{had}: by its queue's limit, or for the host's memory"
    if cause in (HOST, UNKNOWN):
        return
    there = used.of(cause)
    name = "time" if cause in _WALL else "CPU time" if cause in _CPU else "memory"
    limit = asked.value(cause)
    if limit is None:
        said = _KILLED.search(used.annotation)
        of = f"{cause}={_in_words(cause, said[2])} is" if said else f"{cause} was reached and is"
        yield f"killed for {name}: {of} the limit of its queue; ask for more with -l {cause}="
        return
    each = f" for each of {asked.slots} slots" if asked.slots > 1 and name == "memory" else ""
    verb = "ran" if cause in _WALL else "had used"
    reached = "" if there is None else f" (it {verb} {_amount(cause, there)})"
    how = "killed for"
    if used.error == "MemoryError":
        # What was refused is not in what it had.
        more = f"{format_memory(used.wanted)} more" if used.wanted else "more"
        how, reached = "ran out of", f" (it had {_amount(cause, there)} and wanted {more})" if there else ""
    value = _in_words(cause, asked.requests[cause])
    yield f"{how} {name}: {cause}={value}{each} was too little{reached}; raise {cause}"


def _in_words(name: str, text: str) -> str:
    """Return the value of a request as people write it; accounting has times in seconds."""
    return _time_text(int(text)) if name in _WALL + _CPU and text.isdecimal() else text


def _amount(name: str, value: float) -> str:
    return format_time(value) if name in _WALL + _CPU else format_memory(value)


def _facts(asked: Asked, used: Used, cause: str) -> Iterator[str]:
    """Yield what was used of what was asked for; nothing that was said as the cause."""
    if (used.wall or 0.0) < _SHORT_SECONDS and not cause:
        return
    for names, word in ((_VIRTUAL, "memory"), (_RESIDENT, "resident memory")):
        name = next((name for name in names if asked.value(name) is not None), None)
        there = used.of(name) if name else None
        if name is not None and there is not None and cause not in names:
            total = (asked.value(name) or 0.0) * asked.slots
            yield f"{word}: {format_memory(there)} of {format_memory(total)} used ({_percent(there / total)})"
    limit = asked.value("h_rt") or asked.value("s_rt")
    if limit is not None and used.wall is not None and cause not in _WALL:
        yield f"time: {format_time(used.wall)} of {format_time(limit)}"
    average = _average_slots(used)
    if average is None or used.hosts > 1 or not (asked.requests or asked.slots > 1):
        return
    yield f"CPU: {_percent(average / asked.slots)} of {'1 slot' if asked.slots == 1 else f'{asked.slots} slots'}"
    if asked.slots > 1:
        yield f"{asked.slots} slots asked, {average:.1f} used on average"


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %" if part >= 0.01 or part == 0 else "below 1 %"  # noqa: PLR2004


def memory_to_ask(size: float) -> str:
    """Return bytes rounded up to what people write: 50, then 100 MiB, then halves of a GiB, then whole ones."""
    mib = math.ceil(size / (1 << 20))
    for below, step in ((500, 50), (1000, 100)):
        if mib <= below:
            return f"{-(-mib // step) * step}M"
    halves = math.ceil(size / (1 << 29))
    return f"{halves / 2:g}G" if halves < _FEW_HALVES else f"{math.ceil(size / (1 << 30))}G"


def time_to_ask(seconds: float) -> str:
    """Return a duration rounded up to what people write: minutes, then five of them, then half hours, then hours."""
    whole = math.ceil(seconds)
    for below, step in ((600, 60), (7200, 300), (86400, 1800), (math.inf, 3600)):
        if whole <= below:
            return _time_text(-(-whole // step) * step)
    raise AssertionError(seconds)


def _time_text(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
