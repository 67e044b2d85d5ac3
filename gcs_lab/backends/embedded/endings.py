"""How a run ended, in Grid Engine's terms: exit status, failure code, and what becomes of the job."""

from __future__ import annotations

import dataclasses
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.task import Phase
from gcs_lab.jobs.requests import format_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.backends.embedded.task import Task

__all__ = ["Verdict", "judge", "judge_lost"]

# Exit statuses with a meaning of their own (qsub(1)): run again, and put into error state.
RUN_AGAIN, ERROR_STATE = 99, 100
# Failure codes (execution_states.h).
_AFTER_JOB, _NO_EXIT_STATUS, _RESCHEDULED, _APPLICATION_ERROR, _OVER_TIME, _BY_SIGNAL = 15, 19, 25, 30, 37, 100
_SIGNALLED = 128


@dataclass(frozen=True)
class Verdict:
    """What becomes of the task: ``ENDED``, ``PENDING`` (it runs again) or ``ERROR`` (Grid Engine's ``Eqw``)."""

    phase: Phase
    failed: int
    exit_status: int | None = None
    terminating_signal: str | None = None
    annotation: str | None = None


def judge(task: Task, ending: Mapping[str, Any], limits: Mapping[str, float]) -> Verdict:
    """Return the verdict on a run from its shepherd's record."""
    stopped = ending["fault"] is None and (ending["status"] is None or os.WIFSIGNALED(ending["status"]))
    verdict = _requeued(task) if task.to_requeue and stopped else _judge_job(task, ending, limits)
    fault = ending.get("stage_out")
    if fault is None:
        return verdict
    # The exit status stays the job's own; that its results are not where they were to be makes it fail.
    said = (
        f"{verdict.annotation}; staging out failed: {fault}" if verdict.annotation else f"staging out failed: {fault}"
    )
    return dataclasses.replace(verdict, failed=verdict.failed or _AFTER_JOB, annotation=said)


def _judge_job(task: Task, ending: Mapping[str, Any], limits: Mapping[str, float]) -> Verdict:
    if ending["fault"] is not None:
        failed, reason = ending["fault"]
        phase = Phase.ENDED if task.to_go else Phase.ERROR
        return Verdict(phase, failed, annotation=f"error: {reason}")
    if ending["status"] is None:
        # Removed before the job was started.
        return _by_signal(signal.SIGKILL, _BY_SIGNAL, task.to_end or "deleted")
    code = os.waitstatus_to_exitcode(ending["status"])
    if code < 0:
        return _judge_signal(task, ending, limits, signal.Signals(-code))
    if code == RUN_AGAIN and not task.to_go:
        return Verdict(Phase.PENDING, _RESCHEDULED, code, annotation="it asked to run again (exit status 99)")
    if code == ERROR_STATE and not task.to_go:
        return Verdict(Phase.ERROR, _APPLICATION_ERROR, code, annotation="error: the job ended with exit status 100")
    return Verdict(Phase.ENDED, 0, code, annotation=f"ended with exit status {code}" if code else None)


def judge_lost(task: Task, *, rebooted: bool) -> Verdict:
    """Return the verdict on a run whose shepherd is gone without a record."""
    if task.to_requeue:
        return _requeued(task)
    why = "the machine went down while the job ran" if rebooted else "its shepherd died, and the job was killed"
    if task.job.request.rerunnable and not task.to_end:
        return Verdict(Phase.PENDING, _NO_EXIT_STATUS, annotation=f"{why}; it runs again, because it is rerunnable")
    return _by_signal(signal.SIGKILL, _NO_EXIT_STATUS, f"failed: {why}")


def _requeued(task: Task) -> Verdict:
    return Verdict(Phase.PENDING, _RESCHEDULED, annotation=f"{task.to_end}; it runs again")


def _by_signal(number: signal.Signals, failed: int, annotation: str) -> Verdict:
    return Verdict(Phase.ENDED, failed, _SIGNALLED + number, number.name, annotation)


def _judge_signal(
    task: Task, ending: Mapping[str, Any], limits: Mapping[str, float], number: signal.Signals
) -> Verdict:
    killed: Mapping[str, Any] | None = ending["killed"]
    if number is not signal.SIGKILL:
        return _by_signal(number, _BY_SIGNAL, f"killed by {number.name}")
    if killed is None:
        cpu = ending["usage"]["ru_utime"] + ending["usage"]["ru_stime"]
        # The kernel enforces RLIMIT_CPU on its own, to the tick.
        if cpu + 1 < limits.get("h_cpu", cpu + 2):
            return _by_signal(
                number, _BY_SIGNAL, "killed by SIGKILL, not by a limit; perhaps by the kernel, out of memory"
            )
        killed = {"by": "h_cpu", "used": cpu}
    by: str = killed["by"]
    used: Any = killed.get("used")
    if task.to_end:
        return _by_signal(number, _BY_SIGNAL, task.to_end)
    match by:
        case "h_rt":
            said = f"killed: h_rt={limits['h_rt']:g} s exceeded (ran {used:.1f} s)"
            return _by_signal(number, _OVER_TIME, said)
        case "h_cpu":
            said = f"killed: h_cpu={limits['h_cpu']:g} s exceeded (used {used:.1f} s)"
        case "h_vmem":
            limit = task.job.request.requests.get("h_vmem") or format_memory(limits["h_vmem"])
            slots = sum(task.slots.values())
            each = f" for each of {slots} slots" if slots > 1 else ""
            said = f"killed: h_vmem={limit}{each} exceeded (used {format_memory(used)})"
        case _:
            said = f"killed: its shepherd was told to end ({used})"
    return _by_signal(number, _BY_SIGNAL, said)
