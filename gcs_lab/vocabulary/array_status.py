"""Arrays of tasks: their indices, and the states of all of them without an object a task."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary.job_state import JobState  # noqa: TC001  (dataclass fields are inspected at run time)

__all__ = ["ArrayStatus", "TaskRange", "split_id"]

#: Distinct pairs of state and sub state that one answer can tell apart.
_MOST_CODES = 256


@dataclass(frozen=True)
class TaskRange:
    """The indices of an array job: ``begin``, ``begin + step`` … up to ``end`` (``qsub -t begin-end:step``).

    Raises
    ------
    InvalidArgument
        If it is empty, or an index is below 1 (GFD.231, ``runBulkJobs``).
    """

    begin: int
    end: int
    step: int = 1

    def __post_init__(self) -> None:
        for name in ("begin", "end", "step"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise InvalidArgument(f"an array's {name} is {value!r}; expected a whole number.")
        if self.begin < 1 or self.end < self.begin or self.step < 1:
            raise InvalidArgument(
                f"tasks {self.begin}-{self.end}:{self.step}: expected 1 <= begin <= end, and a step of 1 or more."
            )

    def __str__(self) -> str:
        return f"{self.begin}-{self.end}:{self.step}"

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def indices(self) -> range:
        """All indices, in order."""
        return range(self.begin, self.end + 1, self.step)


def split_id(job_id: str) -> tuple[str, int | None]:
    """Return the job's id and the task's index: ``("5", 3)`` for ``"5.3"``, ``("5", None)`` for ``"5"``."""
    job, dot, task = job_id.rpartition(".")
    if dot and task.isascii() and task.isdigit() and len(task) <= 9:  # noqa: PLR2004  (largest index: 999,999,999)
        return job, int(task)
    return job_id, None


@dataclass(frozen=True)
class ArrayStatus:
    """The states of all tasks of one array job, one byte each.

    ``codes[i]`` is the place in ``palette`` of the state and sub state (the system's own letters) of the task with
    index ``tasks.indices[i]``. ``annotations`` has a word on tasks of which there is one (an error's reason).
    """

    tasks: TaskRange
    palette: tuple[tuple[JobState, str], ...]
    codes: bytes
    annotations: dict[int, str]

    def __post_init__(self) -> None:
        if len(self.codes) != len(self.tasks) or len(self.palette) > _MOST_CODES:
            raise ValueError(f"{len(self.codes)} codes of {len(self.palette)} kinds for {len(self.tasks)} tasks")

    def at(self, index: int) -> tuple[JobState, str]:
        """Return state and sub state of the task with `index`. Raises KeyError if the array has no such task."""
        try:
            return self.palette[self.codes[self.tasks.indices.index(index)]]
        except ValueError:
            raise KeyError(index) from None

    def counts(self) -> Counter[JobState]:
        """Return how many tasks are in each state; states that no task is in are left out."""
        found: Counter[JobState] = Counter()
        for code, (state, _) in enumerate(self.palette):
            if number := self.codes.count(code):
                found[state] += number
        return found

    def indices(self, *states: JobState) -> list[int]:
        """Return the indices of the tasks in any of `states`, in order."""
        wanted = {code for code, (state, _) in enumerate(self.palette) if state in states}
        return [index for index, code in zip(self.tasks.indices, self.codes, strict=True) if code in wanted]

    @property
    def terminated(self) -> bool:
        """Whether every task has ended, for good."""
        return all(
            state.terminated and not letters.startswith("E")
            for code, (state, letters) in enumerate(self.palette)
            if code in self.codes
        )
