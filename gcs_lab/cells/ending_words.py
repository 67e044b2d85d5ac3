"""Why a cell's job failed, in words; and in its folder, for the jobs that wait for it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from typing import Any

    from gcs_lab.cells.cell_job import CellJob

__all__ = ["folder_gone_words", "last_words", "own_words", "verdict_on", "write_verdict"]


def own_words(job: CellJob) -> str:
    """Return why a job failed whose runner said how it ended."""
    if job.error is not None:
        if job.error.get("upstream"):
            return str(job.error.get("evalue"))
        said = str(job.error.get("evalue", "")).strip().splitlines()
        text = f"{job.error.get('ename')}: {said[0]}" if said else str(job.error.get("ename"))
        limit = job.requested.get("h_vmem")
        if job.error.get("ename") == "MemoryError" and limit:
            from gcs_lab.jobs.requests import format_memory

            peak = format_memory((job.finished or {}).get("max_vmem") or 0)
            text = f"MemoryError: the job asked for h_vmem={limit} and had used {peak}; ask for more with -l h_vmem="
        return text
    return f"the cell ended with exit status {(job.finished or {}).get('exit_status')}"


def last_words(job: CellJob) -> str:
    """Return what there is to say of a job that ended without a word of its runner."""
    try:
        said = job.folder.stderr.read_text(errors="replace").strip().splitlines()
    except OSError:
        said = []
    told = said[-1] if said else f"its output files are in {job.folder.path}"
    status = job.info.exit_status if job.info else None
    ended = "the job ended before its code began" if not job.log.position else "the job ended in the middle"
    return f"{ended}{'' if status is None else f' (exit status {status})'}: {told}"


def folder_gone_words(job: CellJob) -> str:
    """Return what is said of a job whose folder was deleted."""
    return (
        f"its job folder {job.folder.path} was deleted, and with it all output; the job itself may go on: "
        f"`%gcs cancel {job.id}` ends it"
    )


def verdict_on(job: CellJob) -> dict[str, Any] | None:
    """Return what a notebook wrote of the end of a job that could not tell it; None if there is nothing to read."""
    try:
        return job.folder.read_verdict()
    except (OSError, ValueError, GcsError):
        return None


def write_verdict(job: CellJob) -> None:
    """Let the jobs that wait for `job`, which failed, know its end, which it could not tell itself."""
    blamed = (job.error or {}).get("upstream")
    why = f"was {job.message}" if blamed else f"failed: {job.message}"
    with contextlib.suppress(OSError):
        job.folder.write_verdict(why, job.last_seq, blamed)
