"""What is written to people about their jobs: the subjects and words of Grid Engine's own mail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.mail import Letter
from gcs_lab.backends.embedded.task import Phase
from gcs_lab.jobs.requests import format_memory, format_time

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.task import Job, Task

__all__ = ["end_letter", "start_letter", "waiting_letter"]

#: What happened, in the words of a subject, and the entry of a request that asks to be told.
_WANTED_BY = {
    "Complete": "mail_on_end",
    "Aborted": "mail_on_abort",
    "Set in error state": "mail_on_abort",
    "Rescheduled": "mail_on_requeue",
}


def start_letter(task: Task, layout: Layout) -> Letter | None:
    """Return the letter that says that a task has started; None if none is to be sent."""
    if layout.mail is None or not task.job.asked("mail_on_start"):
        return None
    return _letter(task, layout, "Started", [])


def end_letter(task: Task, layout: Layout) -> Letter | None:
    """Return the letter that says how a task ended, that it is in error state, or that it is to run again.

    None if none is to be sent: that a job ended by itself is told to those who asked for ``mail_on_end``, whatever
    its exit status; anything else is for those who asked for ``mail_on_abort`` or ``mail_on_requeue``.
    """
    what = _what_happened(task)
    if layout.mail is None or what is None or not task.job.asked(_WANTED_BY[what]):
        return None
    outcome = task.outcome
    lines: list[tuple[str, str]] = []
    if task.finished is not None:
        lines.append(("End Time", _moment(task.finished)))
    if "ru_utime" in outcome:
        lines += [
            ("User Time", format_time(outcome["ru_utime"])),
            ("System Time", format_time(outcome["ru_stime"])),
            ("Wallclock Time", format_time(outcome.get("wallclock") or 0.0)),
            ("CPU", format_time(outcome["ru_utime"] + outcome["ru_stime"])),
            ("Max vmem", format_memory(outcome.get("max_vmem") or 0)),
        ]
    if outcome.get("exit_status") is not None:
        lines.append(("Exit Status", str(outcome["exit_status"])))
    if task.annotation:
        lines.append(("Reason", task.annotation))
    return _letter(task, layout, what, lines)


def waiting_letter(job: Job, tasks: int, why: str, layout: Layout) -> Letter | None:
    """Return the one letter on many tasks of an array that were ended while they waited; None if none is wanted."""
    if layout.mail is None or not job.asked("mail_on_abort"):
        return None
    subject = f"Job-array {job.job_id} ({job.asked('name')}) Aborted"
    lines = (("Job", subject), ("User", job.owner), ("Tasks", str(tasks)), ("Reason", why))
    return Letter(layout.mail, tuple(job.asked("email")), subject, lines)


def _what_happened(task: Task) -> str | None:
    if task.phase is Phase.ERROR:
        return "Set in error state"
    if task.phase is Phase.PENDING and task.outcome:
        # Its outcome is that of the run which is over.
        return "Rescheduled"
    if task.phase is not Phase.ENDED:
        return None
    # One that was told to end while nothing of it ran has no outcome.
    return "Aborted" if task.to_go or task.outcome.get("failed") != 0 else "Complete"


def _letter(task: Task, layout: Layout, what: str, lines: list[tuple[str, str]]) -> Letter:
    assert layout.mail is not None  # noqa: S101  (who calls this has looked)
    asked = task.job.request
    name = f"Job-array task {task.job.job_id}.{task.task_id}" if task.task_id else f"Job {task.job.job_id}"
    place = next(iter(task.slots), None)
    body = [("Job", f"{name} ({asked.name}) {what}"), ("User", task.job.owner)]
    if place is not None:
        body += [("Queue", str(place)), ("Host", place.host)]
    if task.dispatched is not None:
        body.append(("Start Time", _moment(task.dispatched)))
    return Letter(layout.mail, tuple(asked.email), f"{name} ({asked.name}) {what}", tuple(body + lines))


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(seconds))
