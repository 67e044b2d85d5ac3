"""A job of a session (DRMAA2 ``Job``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.drmaa2.attributes import NameAttribute, TextAttribute
from gcs_lab.drmaa2.controlled_object import ControlledObject
from gcs_lab.drmaa2.drmaa2_constants import JobState, Time
from gcs_lab.drmaa2.job_info import JobInfo
from gcs_lab.drmaa2.job_template import JobTemplate
from gcs_lab.drmaa2.timeouts import seconds_of
from gcs_lab.errors import UnknownName, UnsupportedOperation
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab import jobs, vocabulary
    from gcs_lab.drmaa2.job_session import JobSession
    from gcs_lab.drmaa2.sudo import Sudo
    from gcs_lab.jobs import job_session

    Authority = Sudo | Mapping[str, Any] | None

__all__ = ["Job"]


class Job(ControlledObject):
    """A job, or a task of an array; made by sessions, never directly.

    It keeps its session object alive, and with it the session that is destroyed together with that.

    Parameters
    ----------
    job
        The job of the cluster.
    session
        Its job session; None for a job that a monitoring session found: it can be looked at, and nothing else.
    known
        What the monitoring session was told of it.
    """

    id = NameAttribute("Id of the job; that of an array's task ends with a dot and its index.")
    session_name = TextAttribute("Name of the job session that the job belongs to.")
    job_name = TextAttribute("Name that the job was submitted with.")

    def __init__(
        self,
        job: jobs.Job,
        session: JobSession | None,
        *,
        job_name: str | None = None,
        session_name: str | None = None,
        known: vocabulary.JobInfo | None = None,
    ) -> None:
        super().__init__()
        self._job, self._session, self._known = job, session, known
        self.fill(id=job.id, session_name=session.name if session else session_name, job_name=job_name)
        self._read_only = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self._job == other._job

    def __hash__(self) -> int:  # type: ignore[override]  # an id does not change
        return hash(self._job)

    def terminate_forced(self, auth: Authority = None) -> None:
        """End the job; the same as :meth:`terminate`, which kills. What hangs with its machine only operators end."""
        self._control(JobAction.TERMINATE, auth)

    def terminate_all(self, auth: Authority = None) -> None:
        """End all tasks of the array that the job belongs to; of a single job, the job."""
        self._control(JobAction.TERMINATE, auth, split_id(self._job.id)[0])

    def terminate_forced_all(self, auth: Authority = None) -> None:
        """End all tasks; the same as :meth:`terminate_all`."""
        self._control(JobAction.TERMINATE, auth, split_id(self._job.id)[0])

    def reap(self) -> None:
        """Let the session forget the job, which has ended; using it afterwards is an InvalidArgument.

        Raises
        ------
        InvalidState
            If it is neither DONE nor FAILED.
        UnsupportedOperation, InvalidSession, InvalidArgument
            As :meth:`suspend`.
        """
        self._own_session("reap").core.reap(self._job)

    def get_template(self) -> JobTemplate:
        """Return what the job was submitted with; of a job of no session of the user's, what is known of that."""
        if self._session is not None:
            return JobTemplate(self._session.core.template_of(self._job))
        template = JobTemplate()
        if self._known is not None and self._known.job_name:
            template.job_name = self._known.job_name
        return template

    def get_state(self) -> tuple[JobState, str | None]:
        """Return the state, and the scheduler's own letters or words for it.

        It is as old as one interval of the cluster's questions at the most, and never older than what this program
        did to the job.
        """
        self._check()
        status = self._job.status()
        return JobState(int(status.state)), status.sub_state or None

    def get_info(self) -> JobInfo:
        """Return everything known of the job.

        Raises
        ------
        InvalidArgument
            If the system knows no such job (any more).
        """
        self._check()
        try:
            return JobInfo.of(self._job.info())
        except UnknownName:
            if self._known is None:
                raise
            return JobInfo.of(self._known)  # a system that tells of others' jobs only together

    def wait_started(self, timeout: object = Time.INFINITE_TIME) -> None:
        """Wait until the job runs or has ended.

        Parameters
        ----------
        timeout
            Seconds; ``Time.INFINITE_TIME`` waits without end, 0 looks once.

        Raises
        ------
        TimeoutError
            If it has not by then.
        """
        self._check()
        self._job.wait_started(seconds_of(timeout))

    def wait_terminated(self, timeout: object = Time.INFINITE_TIME) -> None:
        """Wait until the job has ended; as :meth:`wait_started`."""
        self._check()
        self._job.wait_terminated(seconds_of(timeout))

    @property
    def plain(self) -> jobs.Job:
        """The job as the rest of gcs_lab has it."""
        return self._job

    def _check(self) -> None:
        if self._session is not None:
            self._session.core.check_job(self._job.id)

    def _own_session(self, what: str) -> JobSession:
        if self._session is None:
            raise UnsupportedOperation(
                f"{what}: job {self.id} was found by a monitoring session, and its jobs are read-only. Open the job "
                "session that it belongs to."
            )
        return self._session

    def _target(self, action: JobAction) -> tuple[job_session.JobSession, str]:
        return self._own_session(action).core, self._job.id
