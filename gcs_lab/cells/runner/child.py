"""The process that runs the cell, forked from the supervisor."""

from __future__ import annotations

import os
import signal
import sys

from .cell import Cell
from .channel import Channel
from .frames import TO_STDERR, TO_STDOUT
from .signals import FORWARDED, Interrupt
from .text_stream import TextStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .pipes import Pipes

__all__ = ["run_child"]


_PR_SET_PDEATHSIG = 1


def run_child(folder: str, spec: dict[str, Any], pipes: Pipes, supervisor: int) -> int:
    """Turn this process, just forked, into the one that runs the cell; return its exit status."""
    channel = Channel(pipes.channel[1], pipes.drained[0])
    wake = signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, *FORWARDED):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, Interrupt(channel))
    os.dup2(pipes.stdout[1], 1)
    os.dup2(pipes.stderr[1], 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for descriptor in {*pipes.all(), nothing, wake} - {0, 1, 2, channel.descriptor, channel.drained}:
        if descriptor >= 0:
            os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  (it lives as long as the process)
    sys.stdout = sys.__stdout__ = TextStream(channel, TO_STDOUT)  # type: ignore[misc,assignment]
    sys.stderr = sys.__stderr__ = TextStream(channel, TO_STDERR)  # type: ignore[misc,assignment]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, *FORWARDED})
    _die_with(supervisor)
    if spec.get("lang"):
        from .script import Script

        return Script(folder, spec, channel).run()
    import faulthandler

    # After a crash in C code the log shows which Python line was running.
    faulthandler.enable(file=2)
    return Cell(folder, spec, channel).run()


def _die_with(supervisor: int) -> None:
    """Have the kernel kill this process when the supervisor dies: nobody would read its output any more."""
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return
    if os.getppid() != supervisor:
        os._exit(128 + signal.SIGKILL)
