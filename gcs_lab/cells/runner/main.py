# ruff: noqa: PTH100, PTH118, PTH123
# Importing pathlib alone would add a tenth to the start of every job.
"""The start of a job."""

from __future__ import annotations

import json
import os
import sys

from .activated import ACTIVATED, beside_activated
from .error_report import ErrorReport
from .event_writer import EventWriter, say
from .exit_status import EXIT_NO_SPEC
from .private_file import remove_file
from .supervisor import Supervisor
from .task_place import enter_task
from .trust import check_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

__all__ = ["main", "start"]


LOG_VERSION = 1


#: Variables that the dynamic loader, the C library or Python read only when a process starts.
_READ_AT_START = ("LD_", "DYLD_", "GLIBC_", "MALLOC_", "PYTHON", "LC_", "LANG")
_RESTARTED = "--restarted"


def apply_environment(wanted: Mapping[str, str | None], *, may_restart: bool) -> None:
    """Set the environment; start this program once more if something in it works only from the start."""
    changed = {name: value for name, value in wanted.items() if os.environ.get(name) != value}
    for name, value in changed.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if may_restart and any(name.startswith(_READ_AT_START) for name in changed):
        arguments = getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]
        os.execve(sys.executable, [sys.executable, *arguments, _RESTARTED], os.environ)  # noqa: S606  (no shell)


def _started_event(log: EventWriter) -> None:
    import platform

    def first(*names: str) -> str | None:
        found = [os.environ[name] for name in names if os.environ.get(name) not in (None, "", "undefined")]
        return found[0] if found else None

    slots = first("NSLOTS", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK")
    log.event(
        "started",
        v=LOG_VERSION,
        host=os.uname().nodename,
        pid=os.getpid(),
        python=platform.python_version(),
        executable=sys.executable,
        job_id=first("JOB_ID", "SLURM_JOB_ID"),
        task_id=first("SGE_TASK_ID", "SLURM_ARRAY_TASK_ID"),
        queue=first("QUEUE", "SLURM_JOB_PARTITION"),
        slots=int(slots) if slots and slots.isdigit() else None,
        **{"try": log.tries + 1},
    )


def _read_spec(folder: str) -> dict[str, Any]:
    with open(check_trusted(os.path.join(folder, "spec.json")), encoding="utf-8", errors="surrogateescape") as file:
        spec: dict[str, Any] = json.load(file)
    if spec.get("version") != 1:
        raise ValueError(f"it is of version {spec.get('version')!r}, and this runner reads version 1")
    return spec


def _round_of(arguments: Sequence[str]) -> int:
    """Return the number of the sweep's round, the argument after the folder; the first one may be left out."""
    given = [argument for argument in arguments[1:] if argument.isdigit()]
    return int(given[0]) if given else 1


def main(arguments: Sequence[str]) -> int:
    """Run the job of a folder; return the exit status (in both processes)."""
    folder = os.path.abspath(arguments[0])
    try:
        spec = _read_spec(folder)
    except (OSError, ValueError) as error:
        say(f"the job cannot start: {os.path.join(folder, 'spec.json')} cannot be used: {error}")
        return EXIT_NO_SPEC
    wanted = beside_activated(spec.get("environment") or {}, spec.get("named_environment") or (), os.environ)
    apply_environment(wanted, may_restart=_RESTARTED not in arguments)
    os.environ.pop(ACTIVATED, None)
    seen: dict[str, str] = {}
    if spec.get("sweep"):
        try:
            seen = enter_task(folder, spec, _round_of(arguments), os.environ)
        except (OSError, ValueError) as error:
            say(f"a task of the sweep {folder} cannot start: {error}")
            return EXIT_NO_SPEC
    place = spec.get("place") or folder
    log = EventWriter(place)
    if log.tries:
        # What an earlier try left must not be taken for this one's.
        for name in ("outputs.payload", "exception.payload"):
            remove_file(os.path.join(place, name))
    pid, supervisor = os.getpid(), Supervisor(spec, log, folder)
    _started_event(log)
    os.environ.update(seen)
    try:
        is_child = supervisor.fork()
    except OSError as error:
        say(f"the cell cannot start: no process can be made: {error}")
        log.event("error", **ErrorReport({}).body(error))
        supervisor.tell_end(1, None, "error", f"no process could be made: {error}")
        return 1
    if not is_child:
        return supervisor.supervise()
    # The supervisor stays small: it never loads what only the child needs.
    from .child import run_child

    return run_child(folder, spec, supervisor.pipes, pid)


def start() -> NoReturn:
    """Run the program; called by the archive's ``__main__``."""
    if len(sys.argv) not in (2, 3, 4):
        sys.exit("usage: PYTHON runner.pyz FOLDER [ROUND]")
    sys.exit(main(sys.argv[1:]))
