"""How a job ended, in a few words for a row of the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.jobs.requests import format_time

if TYPE_CHECKING:
    from gcs_lab.vocabulary import JobInfo

__all__ = ["NOT_KNOWN", "of_info", "outcome"]

#: Of a job that left the queue, where neither its log nor accounting says more.
NOT_KNOWN = "ended; the system does not tell how"
#: Characters of a row's text.
_MOST = 300


def outcome(state: str, message: str, seconds: float | None = None, tasks: int = 0) -> str:
    """Return the words.

    Parameters
    ----------
    state
        Name of the DRMAA2 state that it ended in.
    message
        What the journal or accounting says of the end; empty if all went well.
    seconds
        How long it ran; None: not known.
    tasks
        How many tasks it had; 0: it was one job.
    """
    if state == "DONE":
        took = "" if seconds is None or seconds < 0 else f" in {format_time(seconds)}"
        return f"all {tasks:,} done{took}" if tasks else f"done{took}"
    told = " ".join(message.split())
    if len(told) > _MOST:
        told = f"{told[: _MOST - 1]}…"
    return told or ("failed" if state == "FAILED" else NOT_KNOWN)


def of_info(info: JobInfo) -> str:
    """Return what accounting says of the end of a job that failed; empty if it did not."""
    if info.job_state.name != "FAILED":
        return ""
    if info.annotation:
        return info.annotation
    if info.deleted_by:
        return f"deleted by {info.deleted_by}"
    if info.terminating_signal:
        return f"killed by {info.terminating_signal}"
    return "failed" if info.exit_status is None else f"exit status {info.exit_status}"
