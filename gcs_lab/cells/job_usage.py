"""What a cell's job or a sweep asked for and used, from log and accounting, and what is to be said of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.jobs.tasks_advice import advise_tasks
from gcs_lab.jobs.usage_advice import Advice, Asked, Used, advise, refused_bytes
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.cells.sweep_job import SweepJob
    from gcs_lab.vocabulary import JobInfo, JobTemplate

__all__ = ["advice_on_job", "advice_on_sweep", "is_accounted", "may_be_amended"]

_NO_ENVIRONMENT = {"", "NONE"}


def is_accounted(info: JobInfo | None) -> bool:
    """Tell whether accounting has written what the job used."""
    return info is not None and info.job_state.terminated and info.wallclock_time is not None


def may_be_amended(job: CellJob) -> bool:
    """Tell whether accounting may have more to say of a concluded job than its log: on its memory, or its slots."""
    return not is_accounted(job.info) and not job.abandoned and bool(job.requested or job.status.slots != 1)


def advice_on_job(job: CellJob, info: JobInfo | None = None) -> Advice:
    """Return what is to be said of a concluded job.

    Parameters
    ----------
    job
        The job.
    info
        What accounting says; None: what the job has of that.
    """
    info = info or job.info
    finished, error = job.finished or {}, job.error or {}
    if error.get("upstream"):
        # It was not run.
        return Advice()
    asked = _asked(job, info)
    state = info.job_state if info is not None and not job.state.terminated else job.state
    used = Used(
        wall=finished.get("wall") or (info.wallclock_time if info else None),
        cpu=_most(finished.get("cpu"), info.cpu_time if info else None),
        max_rss=int(_most(finished.get("max_rss"), info.max_rss if info else None) or 0) or None,
        max_vmem=int(_most(finished.get("max_vmem"), info.max_vmem if info else None) or 0) or None,
        hosts=max(1, len(info.allocated_machines)) if info else 1,
        good=state is JobState.DONE,
        failed=(info.failed if info else None) or 0,
        exit_status=info.exit_status if info and info.exit_status is not None else finished.get("exit_status"),
        signal=finished.get("signal") or (info.terminating_signal if info else None),
        annotation=(info.annotation if info else None) or job.message,
        error=str(error.get("ename") or ""),
        wanted=refused_bytes(str(error.get("evalue") or "")),
        deleted=bool(info and info.deleted_by),
    )
    return advise(asked, used)


def _asked(job: CellJob, info: JobInfo | None) -> Asked:
    if info is None:
        return Asked(job.requested, max(1, job.status.slots or 1))
    environment = info.raw.get("granted_pe", "")
    return Asked(
        # As they were written, where that is known: accounting has times in seconds.
        {**info.resource_requests, **job.requested},
        max(1, info.slots or 1),
        None if environment in _NO_ENVIRONMENT else environment,
    )


def _most(*values: float | None) -> float | None:
    return max((value for value in values if value), default=None)


def advice_on_sweep(sweep: SweepJob) -> Advice:
    """Return what is to be said of those tasks of a sweep that have ended."""
    usage = sweep.usage()
    good = usage["exit"] == 0
    with sweep.lock:
        errors = dict(sweep.table.errors)
    columns = {name: column[~good].tolist() for name, column in usage.items()}
    badly = [
        _badly(errors[task - 1], {name: column[row] for name, column in columns.items()})
        for row, task in enumerate(columns["task"])
        if task - 1 in errors
    ]
    template = sweep.template
    return advise_tasks(
        Asked(sweep.requested, _slots(template), template.parallel_environment),
        wall=usage["wall"][good].tolist(),
        cpu=usage["cpu"][good].tolist(),
        max_rss=usage["max_rss"][good].tolist(),
        max_vmem=usage["max_vmem"][good].tolist(),
        ended_badly=badly,
    )


def _slots(template: JobTemplate) -> int:
    return max(1, template.max_slots or template.min_slots or 1)


def _badly(error: str, figures: Mapping[str, float]) -> Used:
    """Return what a task used that failed; `error` is what is known of why, in one line."""
    name = error.partition(":")[0]
    return Used(
        wall=figures["wall"],
        cpu=figures["cpu"],
        max_rss=int(figures["max_rss"]) or None,
        max_vmem=int(figures["max_vmem"]) or None,
        good=False,
        exit_status=None if figures["exit"] < 0 else int(figures["exit"]),
        signal=error.removeprefix("killed by ") if error.startswith("killed by SIG") else None,
        annotation=error,
        error=name if name.isidentifier() and name != "killed" else "",
        deleted="deleted by" in error,
        wanted=refused_bytes(error),
    )
