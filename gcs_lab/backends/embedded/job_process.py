"""The job's own process between fork and exec: session, files, limits; it runs in the forked child only."""

from __future__ import annotations

import functools
import json
import os
import resource
import shutil
import signal
from typing import TYPE_CHECKING, NoReturn

from gcs_lab.backends.embedded.linux_calls import die_with_parent
from gcs_lab.backends.embedded.run_order import StartFault
from gcs_lab.backends.embedded.staging import stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.backends.embedded.run_order import RunOrder
    from gcs_lab.backends.embedded.staging import Copy

__all__ = ["UNSTARTED", "become_job", "become_stager", "signals_to_reset"]

#: Exit status of a child that could not become the job; only believed together with a message in the pipe.
UNSTARTED = 127

#: What fits into a pipe at once, escaped as JSON.
_LONGEST_REASON = 8000
#: Limits of ``queue_conf(5)`` that ``setrlimit(2)`` holds for each process alone; bytes.
_KERNEL_LIMITS = {
    "core": resource.RLIMIT_CORE,
    "data": resource.RLIMIT_DATA,
    "fsize": resource.RLIMIT_FSIZE,
    "stack": resource.RLIMIT_STACK,
}

_FAILED_FILES, _FAILED_COMMAND, _FAILED_FOLDER = 26, 27, 28


def become_job(order: RunOrder, environment: dict[str, str], parent: int, faults: int) -> NoReturn:
    """Turn this forked child into the job; never returns.

    Parameters
    ----------
    order
        What to run.
    environment
        The job's whole environment.
    parent
        Process id of the shepherd.
    faults
        File descriptor, closed by exec, into which the reason is written if there is no job.
    """
    try:
        os.setsid()
        die_with_parent(parent)
        os.umask(0o022)
        _enter(order.working_directory)
        _redirect(order)
        command = _find(order.argv[0], environment.get("PATH", os.defpath))
        _reset_signals()
        _limit(order)
        os.execve(command, order.argv, environment)  # noqa: S606  (an argument list, never a shell)
    except StartFault as fault:
        told = json.dumps([fault.failed, fault.reason])
    except OSError as error:
        told = json.dumps([_FAILED_COMMAND, f"cannot run {order.argv[0]!r}: {_why(error)}"])
    except MemoryError:
        told = json.dumps([_FAILED_COMMAND, "h_vmem is too small to start any program"])
    except BaseException as error:
        told = json.dumps([_FAILED_COMMAND, f"cannot run {order.argv[0]!r}: {error!r}"])
    os.write(faults, told.encode("ascii"))
    os._exit(UNSTARTED)


def become_stager(order: RunOrder, copies: Iterable[Copy], parent: int, faults: int, *, go_on: bool) -> NoReturn:
    """Turn this forked child into one that makes `copies` and ends; never returns.

    Parameters
    ----------
    order
        The run that they belong to.
    copies
        What to copy.
    parent
        Process id of the shepherd.
    faults
        File descriptor into which a failure code and the reason are written if something goes wrong.
    go_on
        Whether what is left is tried after a failure.
    """
    told = ""
    try:
        os.setsid()
        die_with_parent(parent)
        os.umask(0o022)
        _reset_signals()
        _enter(order.working_directory)
        if reasons := stage(copies, go_on=go_on):
            told = json.dumps([_FAILED_FILES, "; ".join(reasons)[:_LONGEST_REASON]])
    except StartFault as fault:
        told = json.dumps([fault.failed, fault.reason])
    except BaseException as error:
        told = json.dumps([_FAILED_FILES, f"files could not be copied: {error!r}"])
    os.write(faults, told.encode("ascii"))
    os._exit(UNSTARTED if told else 0)


def _why(error: OSError) -> str:
    if error.strerror == "Exec format error":
        return "it is no program for this machine; a script's first line must name its interpreter (#!/bin/sh)"
    return error.strerror or repr(error)


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise StartFault(_FAILED_FOLDER, f"cannot change into working directory {folder!r}: {_why(error)}") from None


def _open(path: str, flags: int, what: str) -> int:
    try:
        return os.open(path, flags, 0o644)
    except OSError as error:
        raise StartFault(_FAILED_FILES, f"cannot open {what} file {path!r}: {_why(error)}") from None


def _redirect(order: RunOrder) -> None:
    # Grid Engine appends: a job that runs again keeps what it printed before.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    os.dup2(_open(order.input_path, os.O_RDONLY, "input"), 0)
    os.dup2(_open(order.output_path, flags, "output"), 1)
    os.dup2(1 if order.join_files else _open(order.error_path, flags, "error"), 2)


def _find(command: str, path: str) -> str:
    if os.sep in command:
        found = command
        if not os.path.exists(found):  # noqa: PTH110
            raise StartFault(_FAILED_COMMAND, f"command {command!r} is not there")
    else:
        # shutil.which finds executables only; which of the two is wrong is worth telling.
        found = shutil.which(command, path=path) or ""
        if not found:
            raise StartFault(_FAILED_COMMAND, f"command {command!r} is not found, or not executable, on PATH={path}")
    if os.path.isdir(found) or not os.access(found, os.X_OK):  # noqa: PTH112
        raise StartFault(_FAILED_COMMAND, f"command {command!r} is not executable")
    return found


@functools.cache
def signals_to_reset() -> tuple[int, ...]:
    """Return the signals that this process treats in a way of its own; asked for before the first fork, once."""
    return tuple(n for n in signal.valid_signals() if signal.getsignal(n) not in (signal.SIG_DFL, None))


def _reset_signals() -> None:
    for number in signals_to_reset():
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _limit(order: RunOrder) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, order.open_files)
    limits = order.limits
    if cpu := limits.get("h_cpu"):
        # Soft and hard are the same: the kernel then sends SIGKILL, as Grid Engine does.
        resource.setrlimit(resource.RLIMIT_CPU, (_at_most_hard(resource.RLIMIT_CPU, cpu),) * 2)
    for name, kind in _KERNEL_LIMITS.items():
        _limit_by_kernel(kind, limits.get(f"s_{name}"), limits.get(f"h_{name}"))
    # The last one: from here on there may be no memory for anything but the exec.
    if memory := limits.get("h_vmem"):
        resource.setrlimit(resource.RLIMIT_AS, (_at_most_hard(resource.RLIMIT_AS, memory * order.slots),) * 2)


def _limit_by_kernel(kind: int, soft: float | None, hard: float | None) -> None:
    if soft is None and hard is None:
        return
    there = resource.getrlimit(kind)
    upper = there[1] if hard is None else _at_most_hard(kind, hard)
    lower = upper if soft is None else _at_most_hard(kind, soft)
    if upper != resource.RLIM_INFINITY and lower > upper:
        lower = upper
    resource.setrlimit(kind, (lower, upper))


def _at_most_hard(kind: int, wanted: float) -> int:
    hard = resource.getrlimit(kind)[1]
    return int(wanted) if hard == resource.RLIM_INFINITY else min(int(wanted), hard)
