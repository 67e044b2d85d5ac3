"""A job session (DRMAA2 ``JobSession``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from gcs_lab.drmaa2 import listening
from gcs_lab.drmaa2.drmaa2_constants import Time
from gcs_lab.drmaa2.job import Job
from gcs_lab.drmaa2.job_array import JobArray, JobList
from gcs_lab.drmaa2.job_info import JobInfo, job_filter_of
from gcs_lab.drmaa2.job_template import JobTemplate
from gcs_lab.drmaa2.session_object import SessionObject
from gcs_lab.drmaa2.sudo import Sudo, check_authority
from gcs_lab.drmaa2.timeouts import seconds_of
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs import job_session
from gcs_lab.jobs.session_store import SessionKind, SessionRecord, SessionStore
from gcs_lab.vocabulary import UNSET_NUM, split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gcs_lab.jobs import Job as PlainJob
    from gcs_lab.jobs import Jobs
    from gcs_lab.jobs.job_array import JobArray as PlainArray

    Authority = Sudo | Mapping[str, Any] | None
    Filter = JobInfo | Mapping[str, Any] | None
    Template = JobTemplate | Mapping[str, Any]
    T = TypeVar("T", bound=Sequence[Job | JobArray])

__all__ = ["JobSession"]


class JobSession(SessionObject):
    """Jobs that belong together, known to every process of the user that opens the session.

    >>> session = JobSession("fit")  # doctest: +SKIP
    >>> job = session.run_job({"remote_command": "/bin/sleep", "args": ["10"]})  # doctest: +SKIP

    The parameters are those of :class:`~gcs_lab.drmaa2.session_object.SessionObject`.
    """

    kind: ClassVar[SessionKind] = SessionKind.JOB
    _core: job_session.JobSession

    @property
    def core(self) -> job_session.JobSession:
        """The session as the rest of gcs_lab has it."""
        return self._core

    @property
    def closed(self) -> bool:
        """Whether the session was closed here."""
        return self._core.closed

    def run_job(self, template: Template, auth: Authority = None) -> Job:
        """Submit a job.

        Parameters
        ----------
        template
            What is asked of it: a JobTemplate or a dictionary.
        auth
            On whose behalf: the user's own, or nothing.

        Raises
        ------
        UnsupportedAttribute
            If the cluster cannot honour an attribute; the message says what to use instead.
        InvalidArgument
            If a value cannot work.
        DeniedByDrms, DrmCommunicationError
            If the cluster refuses or does not answer.
        InvalidSession
            If the session was closed or destroyed.
        """
        check_authority(auth)
        plain = JobTemplate.create_from_dict(template).plain()
        return Job(self._core.run_job(plain), self, job_name=plain.job_name)

    def run_jobs(self, templates: Sequence[Template]) -> list[Job]:
        """Submit many jobs at once, much faster than one by one; an addition of gcs_lab. As :meth:`run_job`."""
        plain = [JobTemplate.create_from_dict(template).plain() for template in templates]
        found = self._core.run_jobs(plain)
        return [Job(job, self, job_name=one.job_name) for job, one in zip(found, plain, strict=True)]

    def run_bulk_jobs(  # noqa: PLR0917  (the binding's order)
        self,
        template: Template,
        begin_index: int,
        end_index: int,
        step: int = 1,
        max_parallel: int | None = None,
        auth: Authority = None,
    ) -> JobArray:
        """Submit an array job of the tasks `begin_index`, `begin_index` + `step` … up to `end_index`.

        Parameters
        ----------
        template
            What is asked of each task: a JobTemplate or a dictionary.
        begin_index, end_index, step
            The indices, from 1 on.
        max_parallel
            Tasks that run at once at the most; None or ``UNSET_NUM`` (-1): as many as there is room for.
        auth
            On whose behalf: the user's own, or nothing.

        Raises
        ------
        Drmaa2Exception
            As :meth:`run_job`.
        """
        check_authority(auth)
        plain = JobTemplate.create_from_dict(template).plain()
        most = None if max_parallel == UNSET_NUM else max_parallel
        array = self._core.run_bulk_jobs(plain, begin_index, end_index, step, most)
        return JobArray(array, self, plain.job_name)

    def get_jobs(self, filter: Filter = None) -> JobList:  # noqa: A002  (the binding's name)
        """Return the session's jobs, those that have ended among them, and the tasks of its arrays one by one.

        Parameters
        ----------
        filter
            A JobInfo or a dictionary: those that match only, as GFD.231 says.
        """
        found = self._core.get_jobs(job_filter_of(filter))
        names = found.names
        return JobList(found, lambda job: Job(job, self, job_name=names.get(split_id(job.id)[0])))

    def get_job_array(self, id: str) -> JobArray:  # noqa: A002  (the binding's name)
        """Return an array job of the session. Raises InvalidArgument if it has no such array."""
        array = self._core.get_job_array(id)
        return JobArray(array, self, self._core.template_of(array).job_name)

    def get_job_categories(self) -> list[str]:
        """Return the job categories that templates may name."""
        return self._core.job_categories

    def wait_any_started(self, job_list: Sequence[Job | JobArray], timeout: object = Time.INFINITE_TIME) -> Job:
        """Wait until one of the jobs runs or has ended, and return it.

        Parameters
        ----------
        job_list
            Jobs of this session; an array, or its ``job_list``, stands for those of its tasks that were not reaped.
        timeout
            Seconds; ``Time.INFINITE_TIME`` waits without end, 0 looks once.

        Raises
        ------
        TimeoutError
            If none has by then.
        InvalidArgument
            If there is none in the list, or one is not of this session (any more).
        """
        return self._wait_any(self._core.wait_any_started, job_list, timeout)

    def wait_any_terminated(self, job_list: Sequence[Job | JobArray], timeout: object = Time.INFINITE_TIME) -> Job:
        """Wait until one of the jobs has ended, and return it; as :meth:`wait_any_started`."""
        return self._wait_any(self._core.wait_any_terminated, job_list, timeout)

    def wait_all_started(self, job_list: T, timeout: object = Time.INFINITE_TIME) -> T:
        """Wait until all of the jobs run or have ended, and return them; as :meth:`wait_any_started`."""
        self._core.wait_all_started(_plain(job_list), seconds_of(timeout))
        return job_list

    def wait_all_terminated(self, job_list: T, timeout: object = Time.INFINITE_TIME) -> T:
        """Wait until all of the jobs have ended, and return them; as :meth:`wait_any_started`."""
        self._core.wait_all_terminated(_plain(job_list), seconds_of(timeout))
        return job_list

    def _wait_any(
        self,
        wait: Callable[[list[PlainJob | PlainArray], float | None], PlainJob],
        job_list: Sequence[Job | JobArray],
        timeout: object,
    ) -> Job:
        found = wait(_plain(job_list), seconds_of(timeout))
        given = () if isinstance(job_list, JobList) and job_list.plain is not None else job_list
        for one in given:
            if isinstance(one, Job) and one.id == found.id:
                return one
        return Job(found, self, job_name=self._core.template_of(found).job_name)

    def _open_core(self, area: Jobs, record: SessionRecord, store: SessionStore) -> None:
        self._core = job_session.JobSession.open(area, record.name, store=store)
        listening.session_opened(self._core)

    def _close_core(self) -> None:
        self._core.close()


def _plain(job_list: object) -> list[PlainJob | PlainArray]:
    """Return the jobs as the rest of gcs_lab has them; a whole array's tasks as the array."""
    if isinstance(job_list, JobList) and job_list.plain is not None:
        return list(job_list.plain)
    if not isinstance(job_list, JobList | list | tuple | set | frozenset):
        raise InvalidArgument(f"expected a list of jobs, got {job_list!r:.80} ({type(job_list).__name__}).")
    for one in job_list:
        if not isinstance(one, Job | JobArray):
            raise InvalidArgument(f"the list of jobs has {one!r:.80} ({type(one).__name__}) in it; expected jobs.")
    return [one.plain for one in job_list]
