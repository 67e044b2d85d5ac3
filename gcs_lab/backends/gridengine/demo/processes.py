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
from typing import TYPE_CHECKING

import psutil

from gcs_lab.errors import Internal

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo.layout import DemoFolder
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["daemon", "daemon_output", "kill_all", "kill_daemon", "remembered", "start_daemon"]

_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied, OSError)
_INHERITED = {"HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"}
#: Not the user's: the search for a job's command ends at the first folder that may not be read.
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_DAEMONS = ("sge_qmaster", "sge_execd", "sge_shepherd")


def _pid_file(folder: DemoFolder, program: str) -> Path:
    return folder.path / f"{program}.pid"


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


def remembered(folder: DemoFolder, program: str) -> psutil.Process | None:
    """Return the daemon whose pid and start time were written down, if it lives; fast, looks at one process."""
    try:
        pid, started = _pid_file(folder, program).read_text().split()
        process = psutil.Process(int(pid))
        alive = f"{process.create_time():.2f}" == started and process.status() != psutil.STATUS_ZOMBIE
    except (*_GONE, ValueError):
        return None
    return process if alive else None


def daemon(folder: DemoFolder, program: str) -> psutil.Process | None:
    """Return the daemon of the cell, if it lives, whether it was written down or not."""
    known = remembered(folder, program)
    if known is not None:
        return known
    found = (p for p in psutil.process_iter() if p.pid != os.getpid() and _belongs(p, folder))
    return next((p for p in found if _name(p) == program), None)


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except _GONE:
        return ""


def start_daemon(folder: DemoFolder, cell: SgeCell, program: str) -> None:
    """Start one of the cell's daemons in a session of its own and write down which process it is.

    With ``SGE_ND`` the daemon stays the process that is started here, so its pid is known from its first moment.

    Raises
    ------
    Internal
        If it ends at once.
    """
    with _log(folder, program).open("wb") as output:
        child = subprocess.Popen(
            [cell.command(program)],
            env=_daemon_environment(cell, program),
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the scheduler prints a line a second, for ever
            stderr=output,
            start_new_session=True,
        )
    try:
        started = psutil.Process(child.pid).create_time()
        child.wait(timeout=0.05)
    except subprocess.TimeoutExpired:
        _pid_file(folder, program).write_text(f"{child.pid} {started:.2f}\n")
        # It is to outlive us; so the object must not complain that it still runs when it is collected.
        child.returncode = 0
        return
    except _GONE:
        child.wait()
    said = daemon_output(folder, program).strip() or "it said nothing."
    raise Internal(f"{program} ended at once: {said[-400:]} Its files are in {folder.path}.")


def _daemon_environment(cell: SgeCell, program: str) -> dict[str, str]:
    env = cell.environment()
    kept = {n: v for n, v in env.items() if n.startswith("SGE_") or n in _INHERITED}
    # The spooling library of Debian's qmaster is found by this path only.
    library = {"LD_LIBRARY_PATH": str(cell.binaries)} if program == "sge_qmaster" else {}
    return {**kept, **library, "PATH": _PATH, "SGE_ND": "1"}


def kill_daemon(folder: DemoFolder, program: str, timeout: float = 5.0) -> None:
    """Kill one daemon of the cell and wait until it is dead; jobs go on."""
    process = daemon(folder, program)
    if process is not None:
        with contextlib.suppress(*_GONE):
            process.kill()
        _wait_dead([process], timeout)


def daemon_output(folder: DemoFolder, program: str) -> str:
    """Return what the daemon has said since its last start."""
    try:
        return _log(folder, program).read_text(errors="replace")
    except OSError:
        return ""


def _log(folder: DemoFolder, program: str) -> Path:
    return folder.path / f"{program}.log"


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
