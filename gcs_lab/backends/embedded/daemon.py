"""The scheduler as a process: into the background, one a user, ready or not ready, and its end."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import getpass
import json
import logging
import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from gcs_lab.backends.embedded.accounting import AccountingFile
from gcs_lab.backends.embedded.cluster_file import read_layout
from gcs_lab.backends.embedded.database import Database
from gcs_lab.backends.embedded.linux_calls import name_process
from gcs_lab.backends.embedded.live_runs import LiveRuns
from gcs_lab.backends.embedded.places import Places
from gcs_lab.backends.embedded.questions import Questions
from gcs_lab.backends.embedded.run_orders import raise_open_files
from gcs_lab.backends.embedded.scheduler import Scheduler
from gcs_lab.backends.embedded.server import Server
from gcs_lab.backends.embedded.spawner import Spawner
from gcs_lab.backends.embedded.wire import describe_error
from gcs_lab.errors import GcsError, Internal

__all__ = ["main"]

LARGEST_LOG = 2**20

_log = logging.getLogger(__name__)


def main() -> NoReturn:
    """Become the scheduler of the folder and socket given as arguments.

    One line on standard output tells how it went: ``{"ready": pid}``, ``{"busy": true}`` (another one holds the
    lock), or ``{"error": …}``. Then standard output is closed.
    """
    places = Places(Path(sys.argv[1]), Path(sys.argv[2]))
    _into_background(places)
    status = 0
    try:
        lock = _take_lock(places)
        if lock is None:
            _tell({"busy": True})
        else:
            _serve(places, lock)
    except GcsError as error:
        _tell({"error": describe_error(error)})
        status = 1
    except Exception as error:
        _log.exception("the scheduler ends")
        _tell({"error": describe_error(Internal(f"the embedded scheduler cannot run: {error}. See {places.log}."))})
        status = 1
    logging.shutdown()
    os._exit(status)


def _into_background(places: Places) -> None:
    """Leave the session of whoever started us: the scheduler outlives kernels and terminals."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    os.chdir("/")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    if places.log.exists() and places.log.stat().st_size > LARGEST_LOG:
        places.log.replace(places.log.with_suffix(".log.1"))
    log = os.open(places.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(log)
    os.close(nothing)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)


def _tell(how: dict[str, object]) -> None:
    """Say how it went to whoever started us, once, and let go of the pipe."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(how).encode("ascii") + b"\n")
    os.dup2(2, 1)


def _take_lock(places: Places) -> int | None:
    """Return the descriptor of the locked file, None if another scheduler holds it."""
    descriptor = os.open(places.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _serve(places: Places, lock: int) -> None:
    name_process("gcs-scheduler")
    # It stays as small as this process is now.
    spawner = Spawner()
    raise_open_files()
    layout = read_layout(places.configuration)
    places.spool.mkdir(mode=0o700, exist_ok=True)
    database = Database(places.database)
    accounting = AccountingFile(places.accounting, database)
    accounting.recover()
    listener = _listen(places)
    told = {"pid": os.getpid(), "host": socket.gethostname(), "socket": str(places.socket)}
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(told).encode("ascii"), 0)
    server = _make_server(places, LiveRuns(places, layout, spawner), database, accounting, listener)
    _tell({"ready": os.getpid()})
    _log.info("the scheduler %d begins", os.getpid())
    # What is there now is not looked at again by every collection.
    gc.freeze()
    server.run()
    spawner.close()
    # In this order: nobody can connect any more, then another scheduler may begin.
    places.socket.unlink(missing_ok=True)
    listener.close()
    database.close()
    _log.info("the scheduler %d ends", os.getpid())


def _make_server(
    places: Places, runs: LiveRuns, database: Database, accounting: AccountingFile, listener: socket.socket
) -> Server:
    layout = runs.layout
    scheduler = Scheduler(database, layout, runs)
    known = {runs.folder(task).path.name for task in scheduler.active.values()}
    for folder in places.spool.iterdir():
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)
    questions = Questions(scheduler, getpass.getuser())
    # There is no handler for SIGTERM: to be killed at any moment is what all this is made for.
    return Server(
        listener=listener,
        scheduler=scheduler,
        runs=runs,
        questions=questions,
        accounting=accounting,
        idle_seconds=layout.idle_seconds,
        keep_seconds=86400.0 * layout.keep_ended_days,
    )


def _listen(places: Places) -> socket.socket:
    # Whoever holds the lock owns the name: what is there was left by a scheduler that died.
    places.socket.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(places.socket))
    places.socket.chmod(0o600)
    listener.listen(128)
    return listener
