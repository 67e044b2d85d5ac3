"""From a task that was given slots to the order for its shepherd: environment, paths, limits."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.job_paths import NO_INDEX, copies, standard_files
from gcs_lab.backends.embedded.layout import machine_arch
from gcs_lab.backends.embedded.letters import start_letter
from gcs_lab.backends.embedded.matching import limits_of
from gcs_lab.backends.embedded.run_order import RunOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.submit_request import SubmitRequest
    from gcs_lab.backends.embedded.task import Task

__all__ = ["raise_open_files", "run_limits", "run_order", "write_host_file"]

#: Enough for as many jobs at once as one machine runs; each costs the scheduler one descriptor.
OPEN_FILES = 65536
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"

_open_files_at_start = resource.getrlimit(resource.RLIMIT_NOFILE)


def raise_open_files() -> None:
    """Let the scheduler open as many files as it may; jobs get what was there before."""
    soft, hard = _open_files_at_start
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, OPEN_FILES)), hard))


def run_limits(task: Task, layout: Layout) -> dict[str, float]:
    """Return the limits of a task on the slots that it has."""
    names = {instance.queue for instance in task.slots}
    queues = [queue for queue in layout.queues if queue.name in names]
    return limits_of(task.job.request.requests, queues)


def run_order(task: Task, layout: Layout, folder: Path) -> RunOrder:
    """Return the order for the present run of `task`; `folder` is its spool folder."""
    asked = task.job.request
    first = next(iter(task.slots))
    paths = standard_files(task, asked)
    return RunOrder(
        folder=folder,
        argv=(asked.command, *asked.args),
        environment=_environment(task, asked, folder, paths),
        working_directory=asked.working_directory,
        input_path=paths["SGE_STDIN_PATH"],
        output_path=paths["SGE_STDOUT_PATH"],
        error_path=paths["SGE_STDERR_PATH"],
        join_files=asked.join_files,
        limits=run_limits(task, layout),
        slots=sum(task.slots.values()),
        mark=task.mark,
        scratch_prefix=str(Path(tempfile.gettempdir()) / f"{task.job.job_id}.{task.task_id}.{first.queue}."),
        open_files=_open_files(asked.open_files),
        stage_in=copies(task, asked, asked.stage_in),
        stage_out=copies(task, asked, asked.stage_out),
        letter=start_letter(task, layout),
    )


def _open_files(limit: int | None) -> tuple[int, int]:
    soft, hard = _open_files_at_start
    if limit is None:
        return soft, hard
    lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    return lowest, lowest


def write_host_file(task: Task, folder: Path) -> None:
    """Write ``PE_HOSTFILE`` (``sge_pe(5)``): host, slots, queue instance, processor range. Raises OSError."""
    lines = [f"{place.host} {count} {place} UNDEFINED\n" for place, count in task.slots.items()]
    (folder / "pe_hostfile").write_text("".join(lines), encoding="utf-8")


def _environment(task: Task, asked: SubmitRequest, folder: Path, paths: Mapping[str, str]) -> dict[str, str]:
    """Return what a job finds in its environment: as ``qsub`` without ``-V`` gives it (``qsub(1)``)."""
    owner, sender = task.job.owner, asked.submitter
    first = next(iter(task.slots))
    base = {
        "HOME": sender.home,
        "USER": owner,
        "LOGNAME": owner,
        "SHELL": sender.shell,
        "PATH": DEFAULT_PATH,
        "LANG": sender.language,
    }
    grid_engine = {
        "ARC": machine_arch(),
        "ENVIRONMENT": "BATCH",
        "HOSTNAME": first.host,
        "JOB_ID": str(task.job.job_id),
        "JOB_NAME": asked.name,
        "NHOSTS": str(len({place.host for place in task.slots})),
        "NQUEUES": str(len(task.slots)),
        "NSLOTS": str(sum(task.slots.values())),
        "QUEUE": first.queue,
        "REQUEST": asked.name,
        "RESTARTED": str(int(task.requeued)),
        "SGE_ACCOUNT": asked.account,
        "SGE_JOB_SPOOL_DIR": str(folder),
        "SGE_O_HOME": sender.home,
        "SGE_O_HOST": sender.host,
        "SGE_O_LOGNAME": owner,
        "SGE_O_PATH": sender.path,
        "SGE_O_SHELL": sender.shell,
        "SGE_O_WORKDIR": sender.working_directory,
        **_array_variables(task),
        **paths,
    }
    if asked.parallel_environment:
        grid_engine |= {"PE": asked.parallel_environment, "PE_HOSTFILE": str(folder / "pe_hostfile")}
    return {**base, **asked.environment, **grid_engine}


def _array_variables(task: Task) -> dict[str, str]:
    """Return what a task finds out about its array; ``undefined`` each for a job that is none (``qsub(1)``, -t)."""
    names = ("SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE")
    tasks = task.job.tasks
    if tasks is None:
        return dict.fromkeys(names, NO_INDEX)
    values = (task.task_id, tasks.begin, tasks.end, tasks.step)
    return {name: str(value) for name, value in zip(names, values, strict=True)}
