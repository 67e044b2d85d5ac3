"""The jobs of a session as a sequence: no object for a job, or an array's task, until it is taken."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from gcs_lab.jobs.area import Jobs
    from gcs_lab.jobs.job import Job

__all__ = ["SessionEntry", "SessionJobList"]


@dataclass(frozen=True)
class SessionEntry:
    """A single job (``indices`` is None), or tasks of an array job."""

    job_id: str
    indices: Sequence[int] | None = None
    job_name: str | None = None

    def __len__(self) -> int:
        return 1 if self.indices is None else len(self.indices)

    def only(self, indices: Sequence[int]) -> SessionEntry:
        """Return the same with some of the tasks."""
        return replace(self, indices=indices)

    def id_at(self, place: int) -> str:
        """Return the id of the job at `place`."""
        return self.job_id if self.indices is None else f"{self.job_id}.{self.indices[place]}"


class SessionJobList(Sequence["Job"]):
    """Jobs of a session in the order of their submission, the tasks of arrays one by one.

    Parameters
    ----------
    area
        The jobs of the session's cluster.
    entries
        What is in it.
    """

    def __init__(self, area: Jobs, entries: Sequence[SessionEntry]) -> None:
        self._area = area
        self.entries = [entry for entry in entries if len(entry)]
        self._ends = list(accumulate(len(entry) for entry in self.entries))

    def __repr__(self) -> str:
        return f"<{len(self)} jobs on {self._area.system}>"

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @property
    def names(self) -> dict[str, str]:
        """Names that jobs and arrays were submitted with, by id; those without are left out."""
        return {entry.job_id: entry.job_name for entry in self.entries if entry.job_name is not None}

    @overload
    def __getitem__(self, place: int) -> Job: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Job]: ...
    def __getitem__(self, place: int | slice) -> Job | Sequence[Job]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        index = place + len(self) if place < 0 else place
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} jobs, and number {place} was asked for")
        which = bisect_right(self._ends, index)
        entry = self.entries[which]
        return self._area.job(entry.id_at(index - (self._ends[which] - len(entry))))
