"""Grid Engine's state letters and what they mean in DRMAA2 (sge_status(5); reference of qstat's STATUS section)."""

from __future__ import annotations

from gcs_lab.vocabulary import JobState

__all__ = ["job_state"]


def job_state(letters: str) -> JobState:
    """Return the DRMAA2 state of a job whose qstat state is `letters` (``"qw"``, ``"hRwq"``, ``"dr"`` …).

    ``d`` (deletion asked for) changes nothing: the job is what it was until it is gone. ``E`` is FAILED, though a
    manager can clear it. ``z`` (finished) is UNDETERMINED: only accounting knows how it ended.
    """
    rest = set(letters.replace("d", ""))
    again = "R" in rest
    if not rest or rest & set("zx"):
        state = JobState.UNDETERMINED
    elif "E" in rest:
        state = JobState.FAILED
    elif rest & set("sSTNP"):
        state = JobState.SUSPENDED
    elif rest & set("rt"):
        state = JobState.RUNNING
    elif "h" in rest:
        state = JobState.REQUEUED_HELD if again else JobState.QUEUED_HELD
    elif rest & set("qwR"):
        state = JobState.REQUEUED if again else JobState.QUEUED
    else:
        state = JobState.UNDETERMINED
    return state
