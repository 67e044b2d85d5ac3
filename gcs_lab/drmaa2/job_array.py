"""An array job of a session (DRMAA2 ``JobArray``)."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any, cast, overload

from gcs_lab.drmaa2.attributes import Attribute, NameAttribute
from gcs_lab.drmaa2.controlled_object import ControlledObject
from gcs_lab.drmaa2.job import Job
from gcs_lab.drmaa2.job_template import JobTemplate
from gcs_lab.jobs import JobAction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gcs_lab.drmaa2.job_session import JobSession
    from gcs_lab.drmaa2.sudo import Sudo
    from gcs_lab.jobs import Job as PlainJob
    from gcs_lab.jobs import job_session
    from gcs_lab.jobs.job_array import JobArray as PlainArray

    Authority = Sudo | Mapping[str, Any] | None

__all__ = ["JobArray", "JobList"]

#: Jobs that are written out; of more, the first ones and the last.
SHOWN = 100


class JobList(MutableSequence[Job]):
    """Jobs as a list, each made when it is taken: 100,000 tasks cost nothing until the list is changed.

    Parameters
    ----------
    plain
        The jobs as the rest of gcs_lab has them.
    make
        Makes the object of one.
    whole
        The array whose tasks they all are, if they are.
    """

    def __init__(
        self, plain: Sequence[PlainJob], make: Callable[[PlainJob], Job], whole: PlainArray | None = None
    ) -> None:
        self._plain, self._make, self._whole = plain, make, whole
        self._taken: list[Job] | None = None

    @property
    def plain(self) -> Sequence[PlainJob | PlainArray] | None:
        """The jobs as the rest of gcs_lab has them, as few as possible; None once the list was changed."""
        if self._taken is not None:
            return None
        return self._plain if self._whole is None else [self._whole]

    def __len__(self) -> int:
        return len(self._plain if self._taken is None else self._taken)

    @overload
    def __getitem__(self, place: int) -> Job: ...
    @overload
    def __getitem__(self, place: slice) -> MutableSequence[Job]: ...
    def __getitem__(self, place: int | slice) -> Job | MutableSequence[Job]:
        if self._taken is not None:
            return self._taken[place]
        if isinstance(place, slice):
            return JobList(self._plain[place], self._make)
        return self._make(self._plain[place])

    @overload
    def __setitem__(self, place: int, job: Job) -> None: ...
    @overload
    def __setitem__(self, place: slice, job: Iterable[Job]) -> None: ...
    def __setitem__(self, place: Any, job: Any) -> None:
        self._take()[place] = job

    def __delitem__(self, place: int | slice) -> None:
        del self._take()[place]

    def insert(self, index: int, value: Job) -> None:
        """Put a job before the one at `index`."""
        self._take().insert(index, value)

    def sort(self, *, key: Callable[[Job], Any], reverse: bool = False) -> None:
        """Put the jobs in the order of what `key` makes of them."""
        self._take().sort(key=key, reverse=reverse)

    def copy(self) -> JobList:
        """Return a list of the same jobs."""
        made = JobList(self._plain, self._make, self._whole)
        made._taken = None if self._taken is None else self._taken.copy()
        return made

    def __add__(self, other: Iterable[Job]) -> list[Job]:
        return [*self, *other]

    def __radd__(self, other: Iterable[Job]) -> list[Job]:
        return [*other, *self]

    def __contains__(self, job: object) -> bool:
        if self._taken is not None:
            return job in self._taken
        return isinstance(job, Job) and job.plain in self._plain

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JobList | list | tuple):
            return False
        return len(self) == len(other) and all(mine == one for mine, one in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as a list

    def __repr__(self) -> str:
        if len(self) <= SHOWN:
            return repr(list(self))
        first = ", ".join(repr(job) for job in self[: SHOWN - 1])
        return f"[{first}, ... {len(self) - SHOWN} more ..., {self[-1]!r}]"

    def _take(self) -> list[Job]:
        """Return the jobs as a list of objects, which is what this is from now on."""
        if self._taken is None:
            self._taken = list(self)
        return self._taken


class _JobListAttribute(Attribute[JobList]):
    """Jobs; what is read is a list of the reader's own."""

    def read(self, values: dict[str, Any]) -> JobList:
        return cast("JobList", values[self.name]).copy()


class JobArray(ControlledObject):
    """An array job; made by job sessions, never directly. It keeps its session object alive, as :class:`Job` does.

    Parameters
    ----------
    array
        The array job of the cluster.
    session
        Its job session.
    job_name
        Name that it was submitted with.
    """

    id = NameAttribute("Id of the array job.")
    session_name = NameAttribute("Name of the job session that the array belongs to.")
    job_list = _JobListAttribute("The tasks as jobs, in the order of their indices.")

    def __init__(self, array: PlainArray, session: JobSession, job_name: str | None = None) -> None:
        super().__init__()
        self._array, self._session = array, session
        jobs_ = JobList(array.jobs, lambda job: Job(job, session, job_name=job_name), array)
        self.fill(id=array.id, session_name=session.name, job_list=jobs_)
        self._read_only = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobArray) and self._array == other._array

    def __hash__(self) -> int:  # type: ignore[override]  # an id does not change
        return hash(self._array)

    def terminate_all(self, auth: Authority = None) -> None:
        """End all tasks; the same as :meth:`terminate`."""
        self._control(JobAction.TERMINATE, auth)

    def reap(self) -> None:
        """Let the session forget the array, all tasks of which have ended.

        Raises
        ------
        InvalidState
            If a task has not.
        InvalidSession, InvalidArgument
            As :meth:`suspend`.
        """
        self._session.core.reap(self._array)

    def get_template(self) -> JobTemplate:
        """Return what the array was submitted with."""
        return JobTemplate(self._session.core.template_of(self._array))

    @property
    def plain(self) -> PlainArray:
        """The array as the rest of gcs_lab has it."""
        return self._array

    def _target(self, action: JobAction) -> tuple[job_session.JobSession, str]:  # noqa: ARG002
        return self._session.core, self._array.id
