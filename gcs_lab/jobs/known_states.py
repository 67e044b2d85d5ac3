"""The states that a system told, by job and by array, with the time of the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.vocabulary import JobState, JobStatus, split_id

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping

    from gcs_lab.vocabulary import ArrayStatus

__all__ = ["UNKNOWN", "KnownStates"]

#: A system that says nothing of a job has not said that it ended.
UNKNOWN = JobStatus(JobState.UNDETERMINED, "the system says nothing of it")
_MANY = 10_000
_OLD = 600.0


class KnownStates:
    """What a board knows; not guarded against threads. Times are ``time.monotonic()`` of the question.

    A task (``"5.3"``) is known by itself, or as a part of its array's states; the newer of both counts.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[float, JobStatus]] = {}
        self._arrays: dict[str, tuple[float, ArrayStatus | None]] = {}
        self._swept = 0.0

    def learn(self, asked: float, ids: Iterable[str], answer: Mapping[str, JobStatus]) -> list[str]:
        """Keep the answer to a question about `ids` that was asked at `asked`; return those in another state now."""
        changed = []
        for job_id in ids:
            before, now = self._jobs.get(job_id), answer.get(job_id, UNKNOWN)
            if before is None or before[1].state is not now.state:
                changed.append(job_id)
            self._jobs[job_id] = (asked, now)
        return changed

    def learn_arrays(
        self, asked: float, ids: Iterable[str], answer: Mapping[str, ArrayStatus]
    ) -> list[tuple[str, ArrayStatus | None, ArrayStatus | None]]:
        """Keep the answer to a question about the tasks of arrays; return each with its states before and now."""
        told = [(array_id, self.array(array_id), answer.get(array_id)) for array_id in ids]
        self._arrays.update({array_id: (asked, now) for array_id, _, now in told})
        return told

    def find(self, job_id: str) -> JobStatus | None:
        """Return what is known of a job or task; None if it was never asked for."""
        entry = self._entry(job_id)
        return None if entry is None else entry[1]

    def status(self, job_id: str) -> JobStatus:
        """Return what is known of a job or task, UNDETERMINED if nothing is."""
        return self.find(job_id) or UNKNOWN

    def array(self, array_id: str) -> ArrayStatus | None:
        """Return what is known of the tasks of an array."""
        return self._arrays.get(array_id, (0.0, None))[1]

    def is_stale(self, job_id: str, before: float) -> bool:
        """Tell whether the state was asked for at `before` or earlier and may have changed since."""
        entry = self._jobs.get(job_id)
        if entry is not None and (entry[0] > before or entry[1].final):
            return False
        entry = self._entry(job_id)
        return entry is None or (entry[0] <= before and not entry[1].final)

    def is_array_stale(self, array_id: str, before: float) -> bool:
        """Tell the same of the states of an array's tasks."""
        entry = self._arrays.get(array_id)
        return entry is None or (entry[0] <= before and not self.is_array_final(array_id))

    def is_final(self, job_id: str) -> bool:
        """Tell whether the state can never change again."""
        entry = self._entry(job_id)
        return entry is not None and entry[1].final

    def is_array_final(self, array_id: str) -> bool:
        """Tell whether the state of no task can change again."""
        status = self.array(array_id)
        return status is not None and status.terminated

    def forget_old(self, now: float, watched: Container[str]) -> None:
        """Forget what nobody watches or asked for in ten minutes, where there is much."""
        if len(self._jobs) + len(self._arrays) < _MANY or now - self._swept < _OLD / 10:
            return
        self._swept = now
        for known in (self._jobs, self._arrays):
            for key in _unused(known, now - _OLD, watched):
                del known[key]

    def _entry(self, job_id: str) -> tuple[float, JobStatus] | None:
        entry = self._jobs.get(job_id)
        if not self._arrays or (entry is not None and entry[1].final):
            return entry
        array, index = split_id(job_id)
        if index is None or (whole := self._arrays.get(array)) is None or (entry and entry[0] > whole[0]):
            return entry
        return whole[0], _of_task(whole[1], index)


def _of_task(status: ArrayStatus | None, index: int) -> JobStatus:
    if status is None:
        return UNKNOWN
    try:
        state, sub_state = status.at(index)
    except KeyError:
        return UNKNOWN
    return JobStatus(state, sub_state, annotation=status.annotations.get(index))


def _unused(known: Mapping[str, tuple[float, object]], before: float, watched: Container[str]) -> Collection[str]:
    return [
        key
        for key, (asked, _) in known.items()
        if asked < before and key not in watched and split_id(key)[0] not in watched
    ]
