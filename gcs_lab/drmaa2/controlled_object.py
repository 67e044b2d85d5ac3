"""What can be done to jobs and to array jobs alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.drmaa2.sudo import Sudo, check_authority
from gcs_lab.jobs import JobAction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.jobs.job_session import JobSession

    Authority = Sudo | Mapping[str, Any] | None

__all__ = ["ControlledObject"]


class ControlledObject(Drmaa2Object):
    """A job or an array job; of an array, those tasks are meant whose state allows what is to be done."""

    def suspend(self, auth: Authority = None) -> None:
        """Stop it for now, while it runs.

        Parameters
        ----------
        auth
            On whose behalf: the user's own, or nothing.

        Raises
        ------
        InvalidState
            If its state (of an array: that of all tasks) does not allow it.
        UnsupportedOperation
            If a monitoring session found the job: it is read-only then.
        InvalidSession, InvalidArgument
            If its session was closed, or it was reaped.
        NotAuthorized
            If `auth` is somebody else.
        """
        self._control(JobAction.SUSPEND, auth)

    def resume(self, auth: Authority = None) -> None:
        """Let it go on, when it is suspended; as :meth:`suspend`."""
        self._control(JobAction.RESUME, auth)

    def hold(self, auth: Authority = None) -> None:
        """Keep it from starting, while it is queued; as :meth:`suspend`."""
        self._control(JobAction.HOLD, auth)

    def release(self, auth: Authority = None) -> None:
        """Take the hold off; as :meth:`suspend`."""
        self._control(JobAction.RELEASE, auth)

    def terminate(self, auth: Authority = None) -> None:
        """End it, whatever it is doing; as :meth:`suspend`."""
        self._control(JobAction.TERMINATE, auth)

    def _target(self, action: JobAction) -> tuple[JobSession, str]:
        """Return the session that knows it, and its id. Raises UnsupportedOperation if it is read-only."""
        raise NotImplementedError

    def _control(self, action: JobAction, auth: Authority, whole: str | None = None) -> None:
        """Do `action` to it, or to `whole`: an array's id."""
        check_authority(auth)
        session, known = self._target(action)
        session.check_job(known)
        job_id = whole or known
        failures = session.area.control(action, [job_id])
        if job_id in failures:
            raise failures[job_id]
