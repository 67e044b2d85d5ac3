"""Grid Engine's state letters and what they mean in DRMAA2 (sge_status(5); reference of qstat's STATUS section)."""

from __future__ import annotations

from gcs_lab.vocabulary import JobState

__all__ = ["job_state"]


def job_state(letters: str) -> JobState:
    """Return the DRMAA2 state of a job whose qstat state is `letters` (``"qw"``, ``"hRwq"``, ``"dr"`` …).

    ``d`` (deletion asked for) changes nothing: the job is what it was until it is gone. ``E`` is FAILED, though a manager
    can clear it. ``z`` (finished) is UNDETERMINED: only accounting knows how it ended.
    """
    rest = set(letters.replace("d", ""))
    if not rest or "z" in rest or "x" in rest:
        return JobState.UNDETERMINED
    if "E" in rest:
        return JobState.FAILED
    if rest & set("sSTNP"):
        return JobState.SUSPENDED
    if rest & set("rt"):
        return JobState.RUNNING
    again = "R" in rest
    if "h" in rest:
        return JobState.REQUEUED_HELD if again else JobState.QUEUED_HELD
    if rest & set("qw"):
        return JobState.REQUEUED if again else JobState.QUEUED
    return JobState.REQUEUED if again else JobState.UNDETERMINED
