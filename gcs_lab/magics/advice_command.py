"""``%gcs advice``: what jobs and sweeps asked for against what they used, and the corrected flags."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.follower import follower
from gcs_lab.cells.job_usage import advice_on_job, advice_on_sweep, is_accounted
from gcs_lab.errors import GcsError, InvalidArgument
from gcs_lab.magics.named_jobs import NamedJob, named_jobs

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import Any

    from gcs_lab.jobs.usage_advice import Advice
    from gcs_lab.magics.arguments import FlagParser
    from gcs_lab.magics.session import Session

__all__ = ["advice_command", "advice_flags"]


def advice_flags(parser: FlagParser) -> None:
    """Add the flags of ``%gcs advice``."""
    parser.add_argument(
        "jobs", nargs="*", metavar="JOB", help="id, name or variable of jobs or sweeps (default: this notebook's)"
    )


def advice_command(session: Session, namespace: Mapping[str, Any], flags: argparse.Namespace) -> str:
    """Return what ``%gcs advice`` prints. Raises GcsError if there is no such job or a folder is gone."""
    if not flags.jobs:
        return "\n".join(_of_notebook(session))
    return "\n".join(
        line for job in named_jobs(session, flags.jobs, namespace) for line in _lines(job, *_advice(session, job))
    )


def _of_notebook(session: Session) -> list[str]:
    """Return what is to be changed in the jobs of this kernel that have ended."""
    ended = [handle for handle in session.handles() if handle.concluded.is_set()]
    lines = []
    for handle in ended:
        job = NamedJob(handle.entry, handle.id)
        advice, note = _advice(session, job)
        if advice is not None and (advice.flags or advice.cause):
            lines += _lines(job, advice, note)
    which = "1 job of this kernel that has" if len(ended) == 1 else f"{len(ended)} jobs of this kernel that have"
    return lines or [f"nothing to change in the {which} ended"]


def _advice(session: Session, job: NamedJob) -> tuple[Advice | None, str]:
    """Return what is to be said; None and why not, if it is too early."""
    handle = session.handle(job.entry)
    if job.task is not None:
        raise InvalidArgument(f"{job}: advice is on whole sweeps; ask for {job.entry.name}.")
    if not isinstance(handle, CellJob):
        handle.read_log(now=True)
        usage = handle.usage()
        number = len(usage["task"])
        so_far = "" if number == len(handle) else f" ({number:,} of {len(handle):,} tasks have ended)"
        return (advice_on_sweep(handle), so_far) if number else (None, "no task of it has ended yet")
    if not handle.concluded.is_set() and handle not in follower().jobs:
        handle.read_log()
    info = handle.info
    if not is_accounted(info):
        with contextlib.suppress(GcsError):
            info = handle.job.info()
    if handle.finished is None and not is_accounted(info):
        return None, "it has not ended yet"
    return advice_on_job(handle, info if is_accounted(info) else None), ""


def _lines(job: NamedJob, advice: Advice | None, note: str) -> list[str]:
    if advice is None:
        return [f"{job}: {note}"]
    if not advice.sentences and not advice.flags:
        return [f"{job}{note}: nothing to say"]
    lines = [f"{job}{note}:", *(f"  {sentence}" for sentence in advice.sentences)]
    lines.append(f"  better: {advice.flags}" if advice.flags else "  nothing to change")
    return lines
