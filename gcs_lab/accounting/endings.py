"""Why a job failed, in words: accounting's codes, signals, and limits that were exceeded."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Protocol

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import format_memory, format_time, parse_memory, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ENDS_THE_JOB", "FAILED_CODES", "Ended", "annotation", "ends_the_job", "signal_name"]

#: sge_status(5) and ``source/common/execution_states.cc``.
FAILED_CODES = {
    1: "assumedly before job", 3: "before writing config", 4: "before writing pid", 5: "on reading config file",
    6: "setting processor set", 7: "before prolog", 8: "in prolog", 9: "before pestart", 10: "in pestart",
    11: "before job", 12: "before pestop", 13: "in pestop", 14: "before epilog", 15: "in epilog",
    16: "releasing processor set", 17: "through signal", 18: "shepherd returned error",
    19: "before writing exit_status", 20: "found unexpected error file", 21: "in recognizing job",
    22: "removed manually", 24: "migrating", 25: "rescheduling", 26: "opening input/output file",
    27: "searching requested shell", 28: "changing into working directory", 29: "AFS setup",
    30: "rescheduling on application error", 36: "checking configured daemons", 37: "qmaster enforced h_rt limit",
    38: "adding supplementary group", 100: "assumedly after job",
}  # fmt: skip
_LIMIT, _AFTER_JOB, _SIGNAL = 37, 100, 17
#: Codes of failed. With any other the job went back into the queue: in error, or to run again.
ENDS_THE_JOB = {0, 12, 13, 14, 15, 16, _SIGNAL, 18, 19, 22, _LIMIT, _AFTER_JOB}
_FATAL = 128
#: Of a job that asks to be put into error state (``queue_conf(5)``). One sent through DRMAA ends with it instead.
_ASKS_FOR_ERROR = 100
#: An allocation that would pass the limit fails, and the job ends by itself below it.
_NEARLY = 0.8


class Ended(Protocol):
    """What must be known of a job's end, to say why: seconds and bytes; None is not known."""

    @property
    def failed(self) -> int:
        """Code of sge_status(5)."""

    @property
    def exit_status(self) -> int:
        """Of the job's script; 128 + n: ended by signal n."""

    @property
    def slots(self) -> int | None:
        """Slots of the whole job."""

    @property
    def wallclock(self) -> float | None:
        """Seconds that it ran."""

    @property
    def cpu(self) -> float | None:
        """Seconds of CPU time."""

    @property
    def max_vmem(self) -> int | None:
        """Bytes."""

    @property
    def deleted_by(self) -> str | None:
        """Who deleted it."""

    def requests(self) -> Mapping[str, str]:
        """Return what it asked for."""


def ends_the_job(failed: int) -> bool:
    """Tell from the failure code whether the job ended with its record, rather than going back into the queue."""
    return failed in ENDS_THE_JOB


def signal_name(exit_status: int) -> str | None:
    """Return the signal that an exit status of more than 128 stands for: ``"SIGKILL"``; None if it is none."""
    if exit_status <= _FATAL:
        return None
    try:
        return signal.Signals(exit_status - _FATAL).name
    except ValueError:
        return None


def _time(seconds: float) -> str:
    """Return a duration in whole seconds below a minute, as Grid Engine counts them."""
    return f"{seconds:.0f} s" if seconds < 60 else format_time(seconds)  # noqa: PLR2004


def _requested(record: Ended, *names: str) -> tuple[str, str, float] | None:
    requests = record.requests()
    for name in names:
        if name in requests:
            try:
                value = parse_time(requests[name]) if name.endswith(("rt", "cpu")) else parse_memory(requests[name])
            except InvalidArgument:
                continue
            return name, requests[name], value
    return None


def _killed_by_limit(record: Ended) -> str | None:
    if record.failed not in (_LIMIT, _AFTER_JOB, _SIGNAL) and signal_name(record.exit_status) is None:
        return None
    slots = record.slots or 1
    memory = _requested(record, "h_vmem", "s_vmem")
    if memory and record.max_vmem and record.max_vmem >= memory[2] * slots:
        each = f" for each of {slots} slots" if slots > 1 else ""
        return f"killed: {memory[0]}={memory[1]}{each} exceeded (used {format_memory(record.max_vmem)})"
    time = _requested(record, "h_rt", "s_rt")
    if time and record.wallclock is not None and record.wallclock >= time[2]:
        return f"killed: {time[0]}={_time(time[2])} exceeded (ran {_time(record.wallclock)})"
    cpu = _requested(record, "h_cpu", "s_cpu")
    if cpu and record.cpu is not None and record.cpu >= cpu[2]:
        return f"killed: {cpu[0]}={_time(cpu[2])} exceeded (used {_time(record.cpu)} of CPU)"
    return None


def annotation(record: Ended) -> str | None:
    """Return one line on what was not normal; None if the job ended with exit status 0 and nothing failed."""
    limit, signalled = _killed_by_limit(record), signal_name(record.exit_status)
    if limit is not None:
        why: str | None = limit
    elif record.deleted_by:
        why = f"deleted by {record.deleted_by}"
    elif record.failed == _LIMIT:
        ran = f" (ran {_time(record.wallclock)})" if record.wallclock is not None else ""
        why = f"killed: a limit of the job or of its queue was exceeded{ran}"
    elif signalled is not None:
        why = f"ended by signal {signalled}"
    elif record.failed:
        why = f"failed {FAILED_CODES.get(record.failed, 'for an unknown reason')} (code {record.failed})"
        why += ": exit status 100 asks for error state" if record.exit_status == _ASKS_FOR_ERROR else ""
    elif record.exit_status:
        why = f"exit status {record.exit_status}{_memory_hint(record)}"
    else:
        why = None
    return why


def _memory_hint(record: Ended) -> str:
    memory = _requested(record, "h_vmem")
    if memory is None or (record.max_vmem or 0) < _NEARLY * memory[2] * (record.slots or 1):
        return ""
    return f"; it may have had too little memory (h_vmem={memory[1]})"
