"""Start, look at and stop private Grid Engine cells."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.demo import configuration
from gcs_lab.backends.gridengine.demo.layout import DemoFolder, Settings, demo_folders, locked
from gcs_lab.backends.gridengine.demo.making import bring_up_to_date, make_cell
from gcs_lab.backends.gridengine.demo.network import network_of
from gcs_lab.backends.gridengine.demo.processes import (
    QMASTER,
    daemon,
    execution_daemons,
    kill_all,
    kill_daemons,
    remembered,
)
from gcs_lab.backends.gridengine.demo.readiness import (
    StepClock,
    await_until,
    closed_queues,
    start_execution_daemons,
    start_qmaster,
)
from gcs_lab.backends.gridengine.demo.shape import Shape
from gcs_lab.errors import Internal, InvalidState

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["DEFAULT_NAME", "DemoState", "start", "status", "stop"]

DEFAULT_NAME = "demo"
_TRIES = 3
#: Letters of queue instances whose host does not report (``qstat(1)``).
_UNREACHABLE = {"u"}


@dataclass(frozen=True)
class DemoState:
    """A demo cell as it stands.

    ``state`` is ``"running"``, ``"broken"`` (a daemon is dead: :func:`start` mends it) or ``"incomplete"`` (its
    start was killed: :func:`start` makes it anew). ``found`` tells that :func:`start` had nothing to do; ``seconds``
    says how long each step of it took. ``closed`` are the queue instances that :func:`start` found closed,
    with Grid Engine's letters for why (``d``: disabled), and left as they are. ``daemons`` are process ids by the
    name of the daemon; those of nodes are called ``"sge_execd@node01"``.
    """

    name: str
    state: str
    folder: Path
    settings_sh: Path
    settings: Settings | None = None
    daemons: dict[str, int | None] = field(default_factory=dict)
    found: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)

    @property
    def cluster(self) -> str:
        """Name for :func:`gcs_lab.connect`: ``demo``, or ``demo-NAME`` for further ones."""
        return DEFAULT_NAME if self.name == DEFAULT_NAME else f"{DEFAULT_NAME}-{self.name}"

    @property
    def mailbox(self) -> Path:
        """The file of all e-mails that the cell has sent (mbox format); it is not there before the first one."""
        return DemoFolder(self.name, self.folder).mailbox

    @property
    def simulated(self) -> bool:
        """Whether jobs of this cell only seem to run."""
        return self.settings is not None and self.settings.simulated > 0

    def cell(self) -> SgeCell:
        """Return the cell for the clients.

        Raises
        ------
        Internal
            If it was never completely made.
        """
        if self.settings is None:
            raise Internal(f"the demo cell {self.name!r} is incomplete; `gcs-lab demo start` makes it anew.")
        return DemoFolder(self.name, self.folder).cell(self.settings.qmaster_port, self.settings.execd_port)


def status() -> list[DemoState]:
    """Return all demo cells of this user; quick (no command is run)."""
    return [_state(folder) for folder in demo_folders()]


def _state(folder: DemoFolder, **more: object) -> DemoState:
    settings = folder.settings()
    which = (QMASTER, *(execution_daemons(settings.shape) if settings is not None else ()))
    daemons = {str(w): (d.pid if (d := remembered(folder, w)) else None) for w in which}
    state = "incomplete" if settings is None else "running" if all(daemons.values()) else "broken"
    return DemoState(folder.name, state, folder.path, folder.settings_sh, settings, daemons, **more)  # type: ignore[arg-type]


def stop(name: str = DEFAULT_NAME) -> bool:
    """End the cell with its jobs and remove all that it left; return whether there was one.

    Raises
    ------
    GcsError
        If a process does not die.
    """
    folder = DemoFolder.of(name)
    with locked():
        return _remove(folder)


def _remove(folder: DemoFolder) -> bool:
    killed = kill_all(folder)
    existed = folder.path.exists()
    deadline = time.monotonic() + 5
    while folder.path.exists():
        shutil.rmtree(folder.path, ignore_errors=time.monotonic() < deadline)
    return existed or bool(killed)


def start(
    name: str = DEFAULT_NAME, *, nodes: int | None = None, simulated: int | None = None, slots: int | None = None
) -> DemoState:
    """Make a cell, or mend the one there is, and wait until it could run a job.

    Parameters
    ----------
    name
        Cells of different names live side by side.
    nodes
        Real execution hosts ``node01`` …, at most 60, each with a daemon, beside a host ``head`` of the qmaster.
        None: this machine is the one host.
    simulated
        Execution hosts ``sim001`` …, at most 5,000, on which jobs "run" for the seconds of their first argument and
        execute nothing; there is no other then.
    slots
        Slots of each queue on each host, at most 4,096; None: the number of cores, at least 4, or 16 on simulated
        hosts.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or `nodes` and `simulated` are both given.
    InvalidState
        If a cell of another shape is there.
    ClusterNotFound
        If Debian's Grid Engine packages, or for `nodes` and `simulated` its wrapper libraries, are missing.
    GcsError
        If it does not come up; the message says where its files are.
    """
    folder = DemoFolder.of(name)
    shape = Shape.asked(nodes, simulated, slots)
    with locked():
        settings = folder.settings()
        if settings is not None:
            _check_shape(settings, nodes, simulated, slots)
            return _mend(folder, settings)
        # What cannot be made must leave no trace.
        network_of(folder, shape)
        _remove(folder)
        for attempt in range(1, _TRIES + 1):
            try:
                return _state(folder, seconds=make_cell(folder, shape))
            except Internal:  # another program took a port between our look and the daemon's start
                if attempt == _TRIES:
                    raise
                _remove(folder)
    raise AssertionError


def _check_shape(settings: Settings, nodes: int | None, simulated: int | None, slots: int | None) -> None:
    """Refuse another shape than that of the cell there is. Raises InvalidState."""
    there = settings.shape
    asked = ((nodes, there.nodes), (simulated, there.simulated), (slots, there.slots))
    if any(wanted is not None and wanted != found for wanted, found in asked):
        raise InvalidState(
            f"the demo cell {settings.name!r} is there already, with {there.in_words()}. To change that, end it with "
            f"its jobs first (`gcs-lab demo stop --name {settings.name}`), or give another one its own name (--name)."
        )


def _mend(folder: DemoFolder, settings: Settings) -> DemoState:
    clock = StepClock()
    shape = settings.shape
    cell = folder.cell(settings.qmaster_port, settings.execd_port)
    execution = execution_daemons(shape)
    dead = [which for which in (QMASTER, *execution) if daemon(folder, which) is None]
    if QMASTER in dead:
        configuration.keep_job_numbers(folder)
        configuration.keep_messages_short(folder)
        start_qmaster(folder, cell)
        clock.lap("sge_qmaster")
        # The execution daemon would find the new qmaster by itself, but after half a minute, and keep back the ends
        # of DRMAA's jobs for minutes more. A new one adopts the jobs, and tells of their ends once a minute.
        kill_daemons(folder, execution)
    if to_start := [which for which in execution if daemon(folder, which) is None]:
        start_execution_daemons(folder, cell, to_start, shape)
        clock.lap("sge_execd")
    # A queue that somebody closed on purpose stays closed.
    await_until(lambda: not any(_UNREACHABLE & set(letters) for letters in closed_queues(cell, shape).values()),
                "an execution daemon does not report", folder)  # fmt: skip
    clock.lap("ready")
    if settings.version < configuration.VERSION:
        bring_up_to_date(folder, cell, shape)
        folder.write_settings(replace(settings, version=configuration.VERSION))
        clock.lap("configuration")
    return _state(folder, found=not dead, seconds=clock.laps, closed=closed_queues(cell, shape))
