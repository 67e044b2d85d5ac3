"""The processes of a private cell: told apart from all others by what the kernel says of them.

A process is the cell's if it runs under our user id, is one of Grid Engine's daemons by its program, and was started
with the cell's ``SGE_ROOT``; or if it is a job that the cell's execution daemon started (``SGE_JOB_SPOOL_DIR`` lies
in the cell). A shell that merely sourced ``settings.sh`` is neither. psutil identifies a process by pid *and* start
time, so a pid that was given to another process meanwhile is never signalled.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from gcs_lab.backends.gridengine.private_network import PrivateNetwork
from gcs_lab.errors import Internal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo.layout import DemoFolder
    from gcs_lab.backends.gridengine.demo.shape import Shape
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = [
    "QMASTER",
    "Daemon",
    "daemon",
    "daemon_output",
    "execution_daemons",
    "kill_all",
    "kill_daemons",
    "remembered",
    "start_daemon",
]

_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied, OSError)
_INHERITED = {"HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"}
#: Not the user's: the search for a job's command ends at the first folder that may not be read.
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_DAEMONS = ("sge_qmaster", "sge_execd", "sge_shepherd")


@dataclass(frozen=True)
class Daemon:
    """One daemon of a cell; ``node`` is empty where the cell has one host, this machine."""

    program: str
    node: str = ""

    def __str__(self) -> str:
        return f"{self.program}@{self.node}" if self.node else self.program


QMASTER = Daemon("sge_qmaster")


def execution_daemons(shape: Shape) -> list[Daemon]:
    """Return the execution daemons of a cell of this shape."""
    return [Daemon("sge_execd", node) for node in shape.node_names] or [Daemon("sge_execd")]


def _pid_file(folder: DemoFolder, which: Daemon) -> Path:
    return folder.path / f"{which}.pid"


def _belongs(process: psutil.Process, folder: DemoFolder) -> bool:
    try:
        if process.uids().real != os.getuid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        env = process.environ()
        if process.name() in _DAEMONS and env.get("SGE_ROOT") == str(folder.sge_root):
            return True
        return env.get("SGE_JOB_SPOOL_DIR", "").startswith(f"{folder.sge_root}/")
    except _GONE:
        return False


def remembered(folder: DemoFolder, which: Daemon) -> psutil.Process | None:
    """Return the daemon whose pid and start time were written down, if it lives; fast, looks at one process."""
    try:
        pid, started = _pid_file(folder, which).read_text().split()
        process = psutil.Process(int(pid))
        alive = f"{process.create_time():.2f}" == started and process.status() != psutil.STATUS_ZOMBIE
    except (*_GONE, ValueError):
        return None
    return process if alive else None


def daemon(folder: DemoFolder, which: Daemon) -> psutil.Process | None:
    """Return the daemon of the cell, if it lives, whether it was written down or not."""
    known = remembered(folder, which)
    if known is not None:
        return known
    found = (p for p in psutil.process_iter() if p.pid != os.getpid() and _belongs(p, folder))
    return next((p for p in found if _name(p) == which.program and which.node in ("", _node(p))), None)


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except _GONE:
        return ""


def _node(process: psutil.Process) -> str:
    try:
        return str(process.environ().get("NSS_WRAPPER_HOSTNAME", ""))
    except _GONE:
        return ""


def start_daemon(
    folder: DemoFolder, cell: SgeCell, which: Daemon, variables: Mapping[str, str] | None = None
) -> None:
    """Start one of the cell's daemons in a session of its own and write down which process it is.

    With ``SGE_ND`` the daemon stays the process that is started here, so its pid is known from its first moment.
    ``variables`` are added to its environment.

    Raises
    ------
    Internal
        If it ends at once.
    """
    with _log(folder, which).open("wb") as output:
        child = subprocess.Popen(
            [cell.command(which.program)],
            env=_daemon_environment(cell, which.program) | dict(variables or {}),
            cwd=folder.qmaster_spool if which == QMASTER else folder.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the scheduler prints a line a second, for ever
            stderr=output,
            start_new_session=True,
        )
    try:
        started = psutil.Process(child.pid).create_time()
        child.wait(timeout=0.05)
    except subprocess.TimeoutExpired:
        _pid_file(folder, which).write_text(f"{child.pid} {started:.2f}\n")
        # It is to outlive us; so the object must not complain that it still runs when it is collected.
        child.returncode = 0
        return
    except _GONE:
        child.wait()
    said = daemon_output(folder, which).strip() or "it said nothing."
    raise Internal(f"{which} ended at once: {said[-400:]} Its files are in {folder.path}.")


def _daemon_environment(cell: SgeCell, program: str) -> dict[str, str]:
    env = cell.environment()
    network = PrivateNetwork.of(cell.common)
    preloaded = {} if network is None else network.environment({})
    kept = {n: v for n, v in env.items() if n.startswith("SGE_") or n in _INHERITED} | preloaded
    # The spooling library of Debian's qmaster is found by this path only.
    library = {"LD_LIBRARY_PATH": str(cell.binaries)} if program == "sge_qmaster" else {}
    return {**kept, **library, "PATH": _PATH, "SGE_ND": "1"}


def kill_daemons(folder: DemoFolder, which: Iterable[Daemon], timeout: float = 5.0) -> None:
    """Kill daemons of the cell and wait until they are dead; jobs go on."""
    processes = [process for each in which if (process := daemon(folder, each)) is not None]
    for process in processes:
        with contextlib.suppress(*_GONE):
            process.kill()
    _wait_dead(processes, timeout)


def daemon_output(folder: DemoFolder, which: Daemon) -> str:
    """Return what the daemon has said since its last start."""
    try:
        return _log(folder, which).read_text(errors="replace")
    except OSError:
        return ""


def _log(folder: DemoFolder, which: Daemon) -> Path:
    return folder.path / f"{which}.log"


def kill_all(folder: DemoFolder, timeout: float = 5.0) -> list[int]:
    """Kill every process of the cell, jobs included; return the pids.

    The daemons go first, so that nothing new is started.

    Raises
    ------
    Internal
        If one survives for `timeout` seconds.
    """
    killed: dict[int, psutil.Process] = {}
    for _ in range(20):
        ours = [p for p in psutil.process_iter() if p.pid != os.getpid() and _belongs(p, folder)]
        tree = {p.pid: p for p in ours}
        for process in ours:
            if _name(process) in {"sge_execd", "sge_shepherd"}:
                with contextlib.suppress(*_GONE):
                    tree.update({child.pid: child for child in process.children(recursive=True)})
        if not tree:
            break
        for process in sorted(tree.values(), key=lambda p: _name(p) not in _DAEMONS):
            with contextlib.suppress(*_GONE):
                process.kill()
        killed |= tree
        _wait_dead(list(tree.values()), timeout)
    else:
        raise Internal(
            f"processes of the demo cell {folder.name!r} do not die: {sorted(killed)}. Look at them with ps."
        )
    return sorted(killed)


def _wait_dead(processes: list[psutil.Process], timeout: float) -> None:
    def dead(process: psutil.Process) -> bool:
        # A daemon that this very process started would else stay a zombie as long as we live.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)
        try:
            return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except _GONE:
            return True

    deadline = time.monotonic() + timeout
    while not all(dead(p) for p in processes) and time.monotonic() < deadline:
        time.sleep(0.01)
