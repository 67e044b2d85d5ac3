"""What a program is told of its jobs (DRMAA2 ``DrmaaNotification``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gcs_lab.drmaa2 import listening
from gcs_lab.drmaa2.attributes import ChoiceAttribute, NameAttribute, TextAttribute
from gcs_lab.drmaa2.drmaa2_constants import Event, JobState
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.vocabulary import JobEvent

__all__ = ["Notification"]


class Notification(Drmaa2Object):
    """Something that happened to a job of a session; read-only.

    Parameters
    ----------
    notification
        What a system told.
    session_name
        The job session that the job belongs to.
    """

    event = ChoiceAttribute("What happened.", Event)
    session_name = TextAttribute("Name of the job session that the job belongs to.")
    job_id = NameAttribute("Id of the job; an array's id stands for all its tasks.")
    job_state = ChoiceAttribute("State of the job after that.", JobState)

    implementation_specific_keys: ClassVar[dict[str, str]] = {
        "sub_state": "The scheduler's own letters or words for the state.",
        "time": "When it happened, or was noticed if the system does not tell; in ISO format with zone.",
    }

    def __init__(self, notification: JobEvent, session_name: str | None = None) -> None:
        super().__init__()
        self.fill(
            event=Event(int(notification.event)),
            session_name=session_name,
            job_id=notification.job_id,
            job_state=JobState(int(notification.job_state)),
            sub_state=notification.sub_state or None,
            time=notification.time.isoformat(),
        )
        self._read_only = True

    @classmethod
    def register_event_notification(cls, callback: Callable[[Notification], object] | None) -> None:
        """Call `callback` with a Notification for everything that happens to jobs of the user's sessions from now on.

        There is one callback a program: registering another one replaces it, None unregisters it. It is called in a
        thread of its own, in the order of the events, each once; what it raises is logged.

        Parameters
        ----------
        callback
            Takes a Notification.

        Raises
        ------
        Drmaa2Exception
            If the cluster does not answer.
        InvalidArgument
            If it cannot be called.
        """
        if callback is None:
            listening.stop_listening()
            return
        listening.listen(lambda event, session_name: callback(cls(event, session_name)), callback)

    @classmethod
    def unregister_event_notification(cls) -> None:
        """Call nothing any more."""
        listening.stop_listening()
