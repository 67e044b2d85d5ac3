"""A handle on an array job (DRMAA2 ``JobArray``): all its tasks at once, without an object a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from gcs_lab.errors import (
    DeniedByDrms,
    DrmCommunication,
    ImplementationSpecific,
    InvalidArgument,
    InvalidState,
    TryLater,
    UnknownName,
)
from gcs_lab.jobs.alterable import Alterable
from gcs_lab.jobs.job import Job
from gcs_lab.jobs.known_states import UNKNOWN
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import ArrayStatus, TaskRange

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

    from gcs_lab.errors import GcsError
    from gcs_lab.jobs.area import Jobs
    from gcs_lab.vocabulary import JobInfo, JobState

__all__ = ["JobArray", "TaskJobs"]

_TELLING = (InvalidState, InvalidArgument, DeniedByDrms, TryLater, DrmCommunication)


class TaskJobs(Sequence[Job]):
    """The tasks of an array job as jobs, in the order of their indices; each is made when it is taken."""

    def __init__(self, area: Jobs, array_id: str, indices: range) -> None:
        self._area, self._array_id, self._indices = area, array_id, indices

    def __repr__(self) -> str:
        return f"<{len(self)} tasks of array job {self._array_id}>"

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, place: int) -> Job: ...

    @overload
    def __getitem__(self, place: slice) -> TaskJobs: ...

    def __getitem__(self, place: int | slice) -> Job | TaskJobs:
        if isinstance(place, slice):
            return TaskJobs(self._area, self._array_id, self._indices[place])
        return Job(self._area, f"{self._array_id}.{self._indices[place]}")

    def __contains__(self, job: object) -> bool:
        if not isinstance(job, Job) or job.area is not self._area:
            return False
        array, _, index = job.id.rpartition(".")
        return array == self._array_id and job.task_index in self._indices and str(job.task_index) == index


class JobArray(Alterable):
    """One array job of a cluster; made by :class:`~gcs_lab.jobs.Jobs`, never directly.

    Parameters
    ----------
    area
        The jobs area it belongs to.
    array_id
        The system's id for it.
    tasks
        The indices of its tasks.
    """

    def __init__(self, area: Jobs, array_id: str, tasks: TaskRange) -> None:
        self.area = area
        self.id = array_id
        self.tasks = tasks

    def __repr__(self) -> str:
        return f"<JobArray {self.id} ({self.tasks}) on {self.area.system}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobArray) and (self.area, self.id) == (other.area, other.id)

    def __hash__(self) -> int:
        return hash((id(self.area), self.id, "array"))

    @property
    def jobs(self) -> Sequence[Job]:
        """Its tasks as jobs, in the order of their indices."""
        return TaskJobs(self.area, self.id, self.tasks.indices)

    def job(self, index: int) -> Job:
        """Return the task with `index`. Raises InvalidArgument if it has none such."""
        self._check_indices([index])
        return Job(self.area, f"{self.id}.{index}")

    def status(self, max_age: float | None = None) -> ArrayStatus:
        """Return the states of all tasks; UNDETERMINED if the system knows no such array (any more).

        Parameters
        ----------
        max_age
            Seconds that the answer may be old; 0 asks the system now.

        Raises
        ------
        GcsError
            If the system does not answer.
        """
        status = self.area.board.array_status([self.id], max_age)[self.id]
        if status is None:
            nothing = (UNKNOWN.state, UNKNOWN.sub_state)
            return ArrayStatus(self.tasks, (nothing,), bytes(len(self.tasks)), {})
        return status

    def counts(self) -> Counter[JobState]:
        """Return how many tasks are in each state; states that no task is in are left out."""
        return self.status().counts()

    def info(self) -> JobInfo:
        """Return what the tasks share, and what their times and usage come to: first start, last end, the sums.

        Raises
        ------
        UnknownName
            If the system knows no such job (any more).
        """
        info = self.area.backend.info([self.id]).get(self.id)
        if info is None:
            raise UnknownName("array job", self.id, self.area.backend.job_ids(), where=self.area.system)
        return info

    def hold(self, indices: Iterable[int] | None = None) -> None:
        """Keep tasks from starting: those of `indices`, or all that are queued.

        Parameters
        ----------
        indices
            Indices of tasks. None: all those whose state allows it.

        Raises
        ------
        InvalidArgument
            If it has no such task; then nothing was done.
        InvalidState
            If the state of one of `indices`, or of all tasks, does not allow it; it was done to the others.
        GcsError
            If the system refuses or does not answer.
        """
        self._control(JobAction.HOLD, indices)

    def release(self, indices: Iterable[int] | None = None) -> None:
        """Take the hold off tasks; as :meth:`hold`."""
        self._control(JobAction.RELEASE, indices)

    def suspend(self, indices: Iterable[int] | None = None) -> None:
        """Stop running tasks for now; as :meth:`hold`."""
        self._control(JobAction.SUSPEND, indices)

    def resume(self, indices: Iterable[int] | None = None) -> None:
        """Let suspended tasks go on; as :meth:`hold`."""
        self._control(JobAction.RESUME, indices)

    def terminate(self, indices: Iterable[int] | None = None) -> None:
        """End tasks, whatever they are doing; as :meth:`hold`."""
        self._control(JobAction.TERMINATE, indices)

    def clear_error(self, indices: Iterable[int] | None = None) -> None:
        """Let tasks in error state wait again; as :meth:`hold`."""
        self._control(JobAction.CLEAR_ERROR, indices)

    def requeue(self, indices: Iterable[int] | None = None) -> None:
        """End the runs of tasks, and let these wait again; as :meth:`hold`. They must be rerunnable."""
        self._control(JobAction.REQUEUE, indices)

    def wait_started(self, timeout: float | None = None) -> None:
        """Wait until every task runs or has ended; as :meth:`Job.wait_started`."""
        self.area.wait_all_started([self], timeout)

    def wait_terminated(self, timeout: float | None = None) -> None:
        """Wait until every task has ended; as :meth:`Job.wait_started`."""
        self.area.wait_all_terminated([self], timeout)

    def _control(self, action: JobAction, indices: Iterable[int] | None) -> None:
        if indices is None:
            failures = self.area.control(action, [self.id])
            asked = 1
        else:
            wanted = sorted(self._check_indices(indices))
            if not wanted:
                return
            failures = self.area.control(action, [f"{self.id}.{index}" for index in wanted])
            asked = len(wanted)
        if failures:
            raise _failure(action, failures, asked)

    def _check_indices(self, indices: Iterable[int]) -> set[int]:
        if isinstance(indices, str | bytes) or not hasattr(indices, "__iter__"):
            raise InvalidArgument(f"expected indices of tasks of array job {self.id}, not {indices!r}.")
        found = list(indices)
        for index in found:
            if isinstance(index, bool) or not isinstance(index, int) or index not in self.tasks.indices:
                raise InvalidArgument(f"array job {self.id} has no task {index!r}; its tasks are {self.tasks}.")
        return set(found)


def _failure(action: JobAction, failures: dict[str, GcsError], asked: int) -> GcsError:
    """Return one error for what went wrong with some of many tasks."""
    job_id, first = next(iter(failures.items()))
    if asked == 1:
        return first
    kind = next((kind for kind in _TELLING if isinstance(first, kind)), ImplementationSpecific)
    done = asked - len(failures)
    error = kind(
        f"{action.value}: {len(failures)} of {asked} tasks could not, it was done to the other {done}. "
        f"The first is {job_id}: {first}"
    )
    error.__cause__ = first
    return error
