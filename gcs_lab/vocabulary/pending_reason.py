"""Why a job waits, in words and by kind (DRMAA2 leaves it to ``jobSubState`` and the annotation)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["PendingReason", "ReasonKind"]


class ReasonKind(StrEnum):
    """What keeps a job from starting; what a user can do about it differs by kind."""

    DEPENDENCY = "dependency"
    HOLD = "hold"
    START_TIME = "start time"
    ERROR = "error"
    REQUEST = "request"
    QUOTA = "quota"
    QUEUE_STATE = "queue state"
    SLOTS = "slots"
    TASK_LIMIT = "task limit"
    RESERVATION = "reservation"
    POSITION = "position"
    NOT_LOOKED_YET = "not looked yet"
    OTHER = "other"


@dataclass(frozen=True)
class PendingReason:
    """One reason.

    ``text`` is a sentence for a person, without a final full stop: ``"waits for job 12 (prepare), which runs"``.
    ``subject`` is what it speaks of: the id of the job waited for, the complex, the queue, the quota's name; empty if
    there is nothing of the kind. ``lasting`` says that waiting alone will not help: somebody has to do something.
    """

    kind: ReasonKind
    text: str
    subject: str = ""
    lasting: bool = False
