"""What happens to jobs (DRMAA2 ``drmaa2_event`` and ``DrmaaNotification``, GFD.231)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (dataclass fields are inspected at run time)
from enum import IntEnum

from gcs_lab.vocabulary.job_state import JobState  # noqa: TC001

__all__ = ["Event", "JobEvent"]


class Event(IntEnum):
    """What happened; the numbers are those of the C binding."""

    NEW_STATE = 0
    MIGRATED = 1
    ATTRIBUTE_CHANGE = 2


@dataclass(frozen=True)
class JobEvent:
    """Something that happened to a job, or to all tasks of an array job at once (then the id is the array's).

    ``job_state`` and ``sub_state`` are those after the event. ``time`` is aware (UTC): when it happened, if the
    system tells, else when it was noticed. ``session_name`` is the job session that the job belongs to, if any.
    """

    event: Event
    job_id: str
    job_state: JobState
    sub_state: str
    time: datetime
    session_name: str | None = None
