"""Waiting until a private cell answers, and until its queues are open."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import ask, run_command
from gcs_lab.backends.gridengine.demo import configuration
from gcs_lab.backends.gridengine.demo.network import node_environment
from gcs_lab.backends.gridengine.demo.processes import QMASTER, daemon, daemon_output, start_daemon
from gcs_lab.backends.gridengine.demo.spooling_library import spooling_library
from gcs_lab.errors import GcsError, Internal, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcs_lab.backends.gridengine.demo.layout import DemoFolder
    from gcs_lab.backends.gridengine.demo.processes import Daemon
    from gcs_lab.backends.gridengine.demo.shape import Shape
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["StepClock", "await_until", "closed_queues", "start_execution_daemons", "start_qmaster"]

READY_SECONDS = 30.0


class StepClock:
    """Seconds that each step took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, step: str) -> None:
        """Write down the seconds since the last step."""
        now = time.monotonic()
        self.laps[step] = round(now - self._last, 3)
        self._last = now


def start_qmaster(folder: DemoFolder, cell: SgeCell) -> None:
    """Start the qmaster and wait until it answers. Raises as :func:`await_until`."""
    # At each start: the packages may be others than those that the cell was made with.
    library = spooling_library(cell.binaries, folder.qmaster_spool)
    configuration.write_bootstrap(folder, cell.binaries, library)
    start_daemon(folder, cell, QMASTER)
    await_until(lambda: _qmaster_answers(cell), "the qmaster does not answer", folder)


def start_execution_daemons(folder: DemoFolder, cell: SgeCell, which: Sequence[Daemon], shape: Shape) -> None:
    """Start execution daemons and wait until all have registered.

    After the death of another one its queues look open to the qmaster, which would send jobs to the dead one.

    Raises
    ------
    Internal, Timeout
        As :func:`await_until`.
    """
    for each in which:
        start_daemon(folder, cell, each, node_environment(shape, each.node))
    for each in which:
        await_until(
            lambda each=each: "starting up" in daemon_output(folder, each),  # type: ignore[misc]
            f"{each} does not register",
            folder,
        )


def _qmaster_answers(cell: SgeCell) -> bool:
    return cell.answers(0.2) and run_command(cell, ["qconf", "-sh"], timeout=10).exit_status == 0


def closed_queues(cell: SgeCell, shape: Shape) -> dict[str, str]:
    """Return the queue instances that take no jobs, with the letters that say why (``u``: it is not there)."""
    from gcs_lab.backends.gridengine.qstat_xml import parse_queues

    queues = parse_queues(ask(cell, ["qstat", "-f", "-xml"]).stdout)
    missing = {} if len(queues) >= shape.queue_instances else {"queues": "u"}
    return missing | {f"{queue.queue}@{queue.host}": queue.state for queue in queues if queue.state}


def await_until(condition: Callable[[], bool], what: str, folder: DemoFolder) -> None:
    """Wait for `condition`; `what` says what is wrong if it does not come about.

    Raises
    ------
    Internal
        If the qmaster ends.
    Timeout
        If it takes too long.
    """
    deadline = time.monotonic() + READY_SECONDS
    last = ""
    while time.monotonic() < deadline:
        if daemon(folder, QMASTER) is None:
            break
        try:
            if condition():
                return
        except GcsError as error:
            last = f" ({error})"
        time.sleep(0.02)
    else:
        raise Timeout(
            f"the demo cell {folder.name!r} did not come up within {READY_SECONDS:g} s: {what}{last}. See the "
            f"messages in {folder.qmaster_spool}/messages; `gcs-lab demo stop` removes it."
        )
    raise Internal(
        f"the qmaster of the demo cell {folder.name!r} ended while it started{last}. Its files: {folder.path}."
    )
