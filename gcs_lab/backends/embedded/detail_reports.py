"""All that the scheduler knows of jobs that have not ended, in the names of ``qstat -j``, as JSON data."""

from __future__ import annotations

import contextlib
import itertools
import pwd
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.array_job import ArrayJob
from gcs_lab.backends.embedded.control import number_of
from gcs_lab.backends.embedded.job_paths import standard_files
from gcs_lab.backends.embedded.pending_reports import pending_reasons
from gcs_lab.backends.embedded.process_tree import descendants
from gcs_lab.backends.embedded.task import Phase, Task
from gcs_lab.backends.embedded.task_reports import measured

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.submit_request import SubmitRequest

__all__ = ["MOST_TASKS", "details_report"]

#: So many tasks that have started are told of one job; what they use is measured of the first hundred.
MOST_TASKS, MOST_MEASURED = 1_000, 100
_OUTPUT, _ERRORS = "SGE_STDOUT_PATH", "SGE_STDERR_PATH"


def details_report(ids: Iterable[str], scheduler: Scheduler) -> dict[str, dict[str, Any]]:
    """Return what is known of jobs and whole arrays, by id; what has ended, or never was, is left out."""
    found = {}
    for job_id in ids:
        number = number_of(job_id)
        entry = scheduler.jobs.get(number) if number is not None else None
        if entry is not None:
            found[job_id] = _details(entry, scheduler)
    return found


def _details(entry: Task | ArrayJob, scheduler: Scheduler) -> dict[str, Any]:
    job, asked = entry.job, entry.job.request
    tasks = list(entry.rows.values()) if isinstance(entry, ArrayJob) else [entry]
    started = sorted((task for task in tasks if task.phase is not Phase.PENDING), key=lambda task: task.task_id)
    before = [*job.waits_for, *job.waits_for_tasks_of]
    return {
        "name": asked.name,
        "owner": job.owner,
        "facts": _facts(entry, asked),
        "submitted": job.submitted,
        "command": asked.command,
        "arguments": asked.args,
        "working_directory": asked.working_directory,
        "queues": asked.queues,
        "parallel_environment": _environment(asked),
        "requests": asked.requests,
        "posix_priority": asked.priority,
        "waits_for": [str(other) for other in before if other in scheduler.jobs],
        "task_range": f"{job.tasks.begin}-{job.tasks.end}:{job.tasks.step}" if job.tasks is not None else None,
        "max_parallel": asked.max_parallel,
        "messages": [reason.text for reason in pending_reasons(entry, scheduler)],
        "tasks": [
            _task(task, asked, scheduler, measure=place < MOST_MEASURED)
            for place, task in enumerate(itertools.islice(started, MOST_TASKS))
        ],
    }


def _environment(asked: SubmitRequest) -> str | None:
    if asked.parallel_environment is None:
        return None
    least, most = asked.min_slots, asked.max_slots
    return f"{asked.parallel_environment} {least if least == most else f'{least}-{most}'}"


def _facts(entry: Task | ArrayJob, asked: SubmitRequest) -> dict[str, str]:
    job, sender, account = entry.job, asked.submitter, pwd.getpwnam(entry.job.owner)
    tasks = job.tasks
    told = {
        "job_number": job.job_id,
        "submission_time": _moment(job.submitted),
        "owner": job.owner,
        "uid": account.pw_uid,
        "gid": account.pw_gid,
        "sge_o_home": sender.home,
        "sge_o_path": sender.path,
        "sge_o_shell": sender.shell,
        "sge_o_workdir": sender.working_directory,
        "sge_o_host": sender.host,
        "account": asked.account,
        "cwd": asked.working_directory,
        "execution_time": _moment(asked.start_time) if asked.start_time is not None else None,
        "deadline": _moment(asked.deadline_time) if asked.deadline_time is not None else None,
        "merge": "y" if asked.join_files else None,
        "hard resource_list": _pairs(asked.requests),
        "mail_list": ",".join(asked.email),
        "job_name": asked.name,
        "stdin_path_list": asked.input_path,
        "stdout_path_list": asked.output_path,
        "stderr_path_list": asked.error_path,
        "priority": asked.priority,
        "restart": "y" if asked.rerunnable else "n",
        "hard_queue_list": ",".join(asked.queues),
        "candidate_machines": ",".join(asked.candidate_machines),
        "env_list": ",".join(sorted(asked.environment)),
        "command": asked.command,
        "job_args": shlex.join(asked.args),
        "parallel environment": _environment(asked),
        "jid_predecessor_list (req)": ",".join(asked.hold_jid),
        "jid_predecessor_list": ",".join(map(str, job.waits_for)),
        "ja_ad_predecessor_list (req)": ",".join(asked.hold_jid_ad),
        "ja_ad_predecessor_list": ",".join(map(str, job.waits_for_tasks_of)),
        "ar_id": asked.reservation_id,
        "job-array tasks": f"{tasks.begin}-{tasks.end}:{tasks.step}" if tasks is not None else None,
        "task_concurrency": asked.max_parallel,
        "stage_in": _pairs(asked.stage_in),
        "stage_out": _pairs(asked.stage_out),
    }
    return {name: str(value) for name, value in told.items() if value not in (None, "")}


def _pairs(pairs: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in pairs.items())


def _task(task: Task, asked: SubmitRequest, scheduler: Scheduler, *, measure: bool) -> dict[str, Any]:
    first = next(iter(task.slots), None)
    paths = _paths(task, asked, scheduler) if task.active else {}
    return {
        "task": task.task_id or None,
        "letters": task.letters(),
        "queue": first.queue if first else None,
        "host": first.host if first else None,
        "started": task.dispatched if task.active else None,
        "usage": measured(task, scheduler) if measure and task.active else {},
        "stdout_path": paths.get(_OUTPUT),
        "stderr_path": paths.get(_ERRORS),
        "message": task.annotation or "",
    }


def _paths(task: Task, asked: SubmitRequest, scheduler: Scheduler) -> dict[str, str]:
    """Return the files of a run: as its own processes were told, for the job may have been renamed since."""
    paths = standard_files(task, asked)
    shepherd = scheduler.watch.runs.pid(task)
    if shepherd is not None:
        with contextlib.suppress(OSError, IndexError):  # it has just ended
            words = Path(f"/proc/{descendants(shepherd)[0]}/environ").read_bytes().split(b"\0")
            told = dict(word.decode(errors="surrogateescape").partition("=")[::2] for word in words)
            paths |= {name: told[name] for name in (_OUTPUT, _ERRORS) if name in told}
    return paths


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
