"""Start, stop and status of the scheduler, for clients and for ``gcs-lab embedded``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcs_lab.backends.embedded.client import Client, NotRunning, connect_socket
from gcs_lab.backends.embedded.cluster_file_shape import Shape, write_shape
from gcs_lab.backends.embedded.places import Places
from gcs_lab.backends.embedded.wire import rebuild_error
from gcs_lab.errors import DrmCommunication, Timeout

__all__ = ["ServiceStatus", "ensure_running", "start", "status", "stop"]

START_SECONDS = 15.0
STOP_SECONDS = 10.0
#: A scheduler that was killed may seem to listen for so long.
LAST_BREATH_SECONDS = 1.0
#: While another process starts the scheduler, it is looked for so often.
LOOK_SECONDS = 0.005

#: What the scheduler's own environment keeps; all the rest, and its secrets, stays with whoever started it.
_KEPT_VARIABLES = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER")

# Isolated (-I), so that no module in the notebook's folder is taken for one of the standard library.
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from gcs_lab.backends.embedded.daemon import main; main()"
)


@dataclass(frozen=True)
class ServiceStatus:
    """What is known of the scheduler. ``since`` is in seconds since the epoch; tasks are those not ended.

    ``last_pass_seconds`` and ``longest_pass_seconds`` are what decisions on who starts took.

    ``pid`` is None when it does not run; nothing but the places is known then.
    """

    folder: Path
    configuration: Path
    log: Path
    socket: Path
    pid: int | None = None
    version: str | None = None
    since: float | None = None
    running: int = 0
    waiting: int = 0
    last_pass_seconds: float = 0.0
    longest_pass_seconds: float = 0.0


def start(*, nodes: int | None = None, simulated: int | None = None, slots: int | None = None) -> ServiceStatus:
    """Start the scheduler if it does not run; return its status.

    Parameters
    ----------
    nodes
        Hosts ``node01`` …, at most 60, which all are this machine; None: one, with the machine's name.
    simulated
        Hosts ``sim001`` … beside them, at most 5,000, with a queue ``sim.q``: jobs execute nothing there, and end
        after the seconds of their first argument.
    slots
        Slots of each queue on each host, at most 4,096; None: the number of cores, at least 4, and 16 on simulated
        hosts. If none of the three is given, ``cluster.toml`` stays as it is; else it is written anew.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or ``cluster.toml`` is wrong; the message says where.
    InvalidState
        If the scheduler runs with another shape, or ``cluster.toml`` was changed by hand.
    DrmCommunication, UntrustedFile
        If it cannot be started.
    """
    shape = Shape(nodes, simulated, slots)
    if shape:
        write_shape(Places.of_user().configuration, shape, running=status().pid is not None)
    ensure_running()
    return status()


def status() -> ServiceStatus:
    """Return the scheduler's status; nothing is started.

    Raises
    ------
    GcsError
        If it runs and does not answer.
    """
    places = Places.of_user()
    socket_path = _socket_in_use(places)
    found = ServiceStatus(places.folder, places.configuration, places.log, socket_path)
    try:
        about = _ask_if_running("about", socket_path)
    except NotRunning:
        return found
    return ServiceStatus(found.folder, found.configuration, found.log, socket_path, **about)


def stop() -> bool:
    """End the scheduler; return whether it ran. Jobs that run go on, jobs that wait go on waiting.

    It has ended when this returns.

    Raises
    ------
    Timeout
        If it does not end.
    GcsError
        If it does not answer.
    """
    places = Places.of_user()
    try:
        about = _ask_if_running("stop", _socket_in_use(places))
    except NotRunning:
        return False
    ended = time.monotonic() + STOP_SECONDS
    while _exists(about["pid"]):
        if time.monotonic() > ended:
            raise Timeout(f"the scheduler (process {about['pid']}) does not end; look into {places.log}.")
        time.sleep(LOOK_SECONDS)
    return True


def ensure_running(places: Places | None = None) -> Path:
    """Return the socket of the scheduler, which runs when this returns.

    Parameters
    ----------
    places
        Where it keeps its files; None: where the user's are now.

    Raises
    ------
    InvalidArgument
        If ``cluster.toml`` is wrong.
    DrmCommunication, UntrustedFile
        If it cannot be started.
    """
    places = places or Places.of_user()
    give_up = time.monotonic() + START_SECONDS
    while True:
        path = _socket_in_use(places)
        try:
            connect_socket(path).close()
        except NotRunning:
            pass
        else:
            return path
        answer = _launch(places)
        if "error" in answer:
            raise rebuild_error(answer["error"])
        if "ready" in answer:
            return places.socket
        # Another process starts it just now, or one that was killed still holds the lock for a moment.
        if time.monotonic() > give_up:
            raise DrmCommunication(
                f"another scheduler holds {places.lock} ({_lock_text(places)}), and cannot be reached from here. If "
                "it is on another machine that shares this folder, stop it there, or set GCS_LAB_HOME."
            )
        time.sleep(LOOK_SECONDS)


def _launch(places: Places) -> dict[str, Any]:
    """Start a scheduler and return what it says: ``ready``, ``busy`` or ``error``."""
    root = str(Path(__file__).parents[3])
    argv = [sys.executable, "-I", "-c", _PROGRAM, root, str(places.folder), str(places.socket)]
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    try:
        ended = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_SECONDS,
            check=False,
            env=environment,
            cwd="/",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DrmCommunication(f"the embedded scheduler could not be started: {error}. See {places.log}.") from None
    line = ended.stdout.splitlines()[:1]
    if not line:
        said = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise DrmCommunication(f"the embedded scheduler could not be started: {' '.join(said)} See {places.log}.")
    answer = json.loads(line[0])
    assert isinstance(answer, dict)  # noqa: S101  (written by the daemon)
    return answer


def _lock_text(places: Places) -> str:
    try:
        return places.lock.read_text(encoding="ascii")
    except OSError:
        return ""


def _socket_in_use(places: Places) -> Path:
    """Return where the scheduler listens: another login of this user may have another runtime folder."""
    try:
        return Path(json.loads(_lock_text(places))["socket"])
    except (ValueError, KeyError):
        return places.socket


def _ask_if_running(do: str, path: Path) -> Any:
    connect_socket(path).close()
    # One that is being killed may have been connected to: a child that it forked just then has its socket open.
    client = Client(lambda: path, retry_for=LAST_BREATH_SECONDS)
    try:
        return client.ask(do)
    finally:
        client.close()


def _exists(pid: int) -> bool:
    try:
        # A scheduler is nobody's child: a zombie of it is only there until init looks.
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return False
