"""Start, look at and stop private Grid Engine cells."""

from __future__ import annotations

import os
import shutil
import socket
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.catalogue import parse_names
from gcs_lab.backends.gridengine.commands import ask, run_command
from gcs_lab.backends.gridengine.demo import configuration
from gcs_lab.backends.gridengine.demo.layout import CELL, DemoFolder, Settings, demo_folders, locked
from gcs_lab.backends.gridengine.demo.processes import (
    daemon,
    daemon_output,
    kill_all,
    kill_daemon,
    remembered,
    start_daemon,
)
from gcs_lab.errors import GcsError, Internal, Timeout
from gcs_lab.user_paths import private_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["DEFAULT_NAME", "DemoState", "start", "status", "stop"]

DEFAULT_NAME = "demo"
READY_SECONDS = 30.0
_TRIES = 3
#: Letters of queue instances whose host does not report (``qstat(1)``).
_UNREACHABLE = {"u"}


@dataclass(frozen=True)
class DemoState:
    """A demo cell as it stands.

    ``state`` is ``"running"``, ``"broken"`` (a daemon is dead: :func:`start` mends it) or ``"incomplete"`` (its
    start was killed: :func:`start` makes it anew). ``found`` tells that :func:`start` had nothing to do; ``seconds``
    says how long each step of it took. ``closed`` are the queue instances that :func:`start` found closed,
    with Grid Engine's letters for why (``d``: disabled), and left as they are.
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
    daemons = {p: (d.pid if (d := remembered(folder, p)) else None) for p in ("sge_qmaster", "sge_execd")}
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


def start(name: str = DEFAULT_NAME, *, slots: int | None = None) -> DemoState:
    """Make a cell, or mend the one there is, and wait until it could run a job.

    Parameters
    ----------
    name
        Cells of different names live side by side.
    slots
        Slots of each queue; None: the number of cores, at least 4.

    Raises
    ------
    ClusterNotFound
        If Debian's Grid Engine packages are missing.
    GcsError
        If it does not come up; the message says where its files are.
    """
    folder = DemoFolder.of(name)
    with locked():
        settings = folder.settings()
        if settings is not None:
            return _mend(folder, settings)
        _remove(folder)
        wanted = slots or max(4, os.cpu_count() or 1)
        for attempt in range(1, _TRIES + 1):
            try:
                return _make(folder, wanted)
            except Internal:  # another program took a port between our look and the daemon's start
                if attempt == _TRIES:
                    raise
                _remove(folder)
    raise AssertionError


def _mend(folder: DemoFolder, settings: Settings) -> DemoState:
    clock = _Clock()
    cell = folder.cell(settings.qmaster_port, settings.execd_port)
    dead = [program for program in ("sge_qmaster", "sge_execd") if daemon(folder, program) is None]
    if "sge_qmaster" in dead:
        configuration.keep_job_numbers(folder)
        configuration.keep_messages_short(folder)
        start_daemon(folder, cell, "sge_qmaster")
        _await(lambda: _qmaster_answers(cell), "the qmaster does not answer", folder)
        clock.lap("sge_qmaster")
        # The execution daemon would find the new qmaster by itself, but after half a minute, and keep back the ends
        # of DRMAA's jobs for minutes more. A new one adopts the jobs, and tells of their ends once a minute.
        kill_daemon(folder, "sge_execd")
    if daemon(folder, "sge_execd") is None:
        _start_execd(folder, cell)
        clock.lap("sge_execd")
    # A queue that somebody closed on purpose stays closed.
    _await(lambda: not any(_UNREACHABLE & set(letters) for letters in _closed(cell).values()),
           "the execution daemon does not report", folder)  # fmt: skip
    clock.lap("ready")
    if settings.version < configuration.VERSION:
        _bring_up_to_date(folder, cell)
        folder.write_settings(replace(settings, version=configuration.VERSION))
        clock.lap("configuration")
    return _state(folder, found=not dead, seconds=clock.laps, closed=_closed(cell))


def _make(folder: DemoFolder, slots: int) -> DemoState:
    clock = _Clock()
    private_folder(folder.path)
    qmaster_port, execd_port = _free_ports()
    cell = folder.cell(qmaster_port, execd_port)
    objects = configuration.write_all(folder, cell.binaries, slots)
    _spool(folder, cell, objects)
    clock.lap("configuration")
    start_daemon(folder, cell, "sge_qmaster")
    _await(lambda: _qmaster_answers(cell), "the qmaster does not answer", folder)
    clock.lap("sge_qmaster")
    _configure(cell, objects)
    _start_execd(folder, cell)
    clock.lap("sge_execd")
    _await(lambda: _ready(cell), "no queue is open", folder)
    clock.lap("ready")
    shutil.rmtree(objects)
    ours = Settings(folder.name, str(folder.sge_root), CELL, qmaster_port, execd_port, slots, configuration.VERSION)
    folder.write_settings(ours)
    return _state(folder, seconds=clock.laps)


def _start_execd(folder: DemoFolder, cell: SgeCell) -> None:
    """Start the execution daemon and wait until it has registered.

    After the death of another one its queues look open to the qmaster, which would send jobs to the dead one.
    """
    start_daemon(folder, cell, "sge_execd")
    _await(
        lambda: "starting up" in daemon_output(folder, "sge_execd"), "the execution daemon does not register", folder
    )


def _spool(folder: DemoFolder, cell: SgeCell, objects: Path) -> None:
    library = {"LD_LIBRARY_PATH": str(cell.binaries)}
    resources = configuration.SHARE / "util" / "resources"
    for argv in (
        ["spoolinit", "classic", "libspoolc", configuration.spooling_parameters(folder), "init"],
        ["spooldefaults.bin", "configuration", str(objects / "global")],
        ["spooldefaults.bin", "complexes", str(resources / "centry")],
        ["spooldefaults.bin", "usersets", str(objects / "usersets")],
        ["spooldefaults.bin", "managers", configuration.user_name()],
    ):
        answer = run_command(cell, argv, extra_env=library)
        if answer.exit_status:
            raise Internal(
                f"{argv[0]} {argv[1]} failed: {answer.said or 'it said nothing'}. Its files: {folder.path}."
            )


def _configure(cell: SgeCell, objects: Path) -> None:
    ask(cell, ["qconf", "-as", configuration.HOST])
    ask(cell, ["qconf", "-Ahgrp", str(objects / "allhosts")])
    for name in configuration.PARALLEL_ENVIRONMENTS:
        ask(cell, ["qconf", "-Ap", str(objects / name)])
    for name in configuration.QUEUES:
        ask(cell, ["qconf", "-Aq", str(objects / name)])
    _configure_scheduler(cell, objects)


def _configure_scheduler(cell: SgeCell, objects: Path) -> None:
    scheduler = objects / "scheduler"
    scheduler.write_text(configuration.sched_conf(ask(cell, ["qconf", "-ssconf"]).text))
    ask(cell, ["qconf", "-Msconf", str(scheduler)])


def _bring_up_to_date(folder: DemoFolder, cell: SgeCell) -> None:
    """Give a cell that an older version made what it lacks; what is not configured here stays as it is."""
    objects = private_folder(folder.path / "objects")
    configuration.write_mailer(folder)
    (objects / "global").write_text(configuration.global_conf(folder, ask(cell, ["qconf", "-sconf"]).text))
    ask(cell, ["qconf", "-Mconf", str(objects / "global")])
    _configure_scheduler(cell, objects)
    there = parse_names(ask(cell, ["qconf", "-spl"]).text)
    for name in (name for name in configuration.PARALLEL_ENVIRONMENTS if name not in there):
        (objects / name).write_text(configuration.parallel_environment(name))
        ask(cell, ["qconf", "-Ap", str(objects / name)])
        for queue in configuration.QUEUES:
            ask(cell, ["qconf", "-aattr", "queue", "pe_list", name, queue])
    for users in configuration.USER_SETS:
        run_command(cell, ["qconf", "-au", configuration.user_name(), users])  # it complains if that is so
    shutil.rmtree(objects)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _qmaster_answers(cell: SgeCell) -> bool:
    return cell.answers(0.2) and run_command(cell, ["qconf", "-sh"], timeout=10).exit_status == 0


def _ready(cell: SgeCell) -> bool:
    """Tell whether every queue instance is there and open."""
    return not _closed(cell)


def _closed(cell: SgeCell) -> dict[str, str]:
    """Return the queue instances that take no jobs, with the letters that say why (``u``: it is not there)."""
    from gcs_lab.backends.gridengine.qstat_xml import parse_queues

    queues = parse_queues(ask(cell, ["qstat", "-f", "-xml"], timeout=10).stdout)
    missing = {} if len(queues) >= len(configuration.QUEUES) else {"queues": "u"}
    return missing | {f"{queue.queue}@{queue.host}": queue.state for queue in queues if queue.state}


def _await(condition: Callable[[], bool], what: str, folder: DemoFolder) -> None:
    deadline = time.monotonic() + READY_SECONDS
    last = ""
    while time.monotonic() < deadline:
        if daemon(folder, "sge_qmaster") is None:
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
            f"messages in "
            f"{folder.qmaster_spool}/messages; `gcs-lab demo stop` removes it."
        )
    raise Internal(
        f"the qmaster of the demo cell {folder.name!r} ended while it started{last}. Its files: {folder.path}."
    )


class _Clock:
    """Seconds that each step took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self.laps[step] = round(now - self._last, 3)
        self._last = now
