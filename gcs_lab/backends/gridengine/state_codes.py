"""The states of all tasks of one array job while they are put together: one byte a task."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.vocabulary import ArrayStatus, JobState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.vocabulary import TaskRange

__all__ = ["StateCodes"]

_UNKNOWN = 255
#: States that can be told apart; of exit statuses beyond them only the failure is told.
_MOST = 250


class StateCodes:
    """States by task; a new one knows none.

    Parameters
    ----------
    tasks
        The array's tasks.
    """

    def __init__(self, tasks: TaskRange) -> None:
        self.tasks = tasks
        self._codes = bytearray([_UNKNOWN]) * len(tasks)
        self._palette: dict[tuple[JobState, str], int] = {}

    def code(self, state: JobState, sub_state: str) -> int:
        """Return the code of a state and its sub state."""
        known = self._palette.get((state, sub_state))
        if known is not None:
            return known
        if len(self._palette) >= _MOST and sub_state:
            return self.code(state, "")
        return self._palette.setdefault((state, sub_state), len(self._palette))

    def put(self, indices: range, code: int) -> None:
        """Say that the tasks with `indices` are in a state; those that the array does not have are left out."""
        if not indices:
            return
        if len(indices) == 1:
            self.put_one(indices[0], code)
            return
        step = self.tasks.step
        begin, end = indices[0] - self.tasks.begin, indices[-1] - self.tasks.begin
        if begin % step or indices.step % step or begin < 0 or end // step >= len(self._codes):
            for index in indices:
                self.put_one(index, code)
            return
        places = slice(begin // step, end // step + 1, indices.step // step)
        self._codes[places] = bytes([code]) * len(indices)

    def put_one(self, index: int, code: int, *, only_unknown: bool = False) -> None:
        """Say that one task is in a state; `only_unknown` changes nothing if its state is known."""
        place, rest = divmod(index - self.tasks.begin, self.tasks.step)
        if rest == 0 and 0 <= place < len(self._codes) and not (only_unknown and self._codes[place] != _UNKNOWN):
            self._codes[place] = code

    @property
    def unknown(self) -> int:
        """How many tasks have no state yet."""
        return self._codes.count(_UNKNOWN)

    def unknown_indices(self) -> Iterator[int]:
        """Yield the indices of the tasks without a state, in order; they may get one meanwhile."""
        place = self._codes.find(_UNKNOWN)
        while place >= 0:
            yield self.tasks.begin + place * self.tasks.step
            place = self._codes.find(_UNKNOWN, place + 1)

    def state_of(self, index: int) -> tuple[JobState, str] | None:
        """Return state and sub state of one task; None if it has none, or if there is no such task."""
        place, rest = divmod(index - self.tasks.begin, self.tasks.step)
        if rest or not 0 <= place < len(self._codes) or self._codes[place] == _UNKNOWN:
            return None
        return list(self._palette)[self._codes[place]]

    def indices(self, *states: JobState) -> list[int]:
        """Return the indices of the tasks in any of `states`, in order."""
        wanted = {code for (state, _), code in self._palette.items() if state in states}
        return [index for index, code in zip(self.tasks.indices, self._codes, strict=True) if code in wanted]

    def counts(self) -> Counter[JobState]:
        """Return how many tasks are in each state."""
        found: Counter[JobState] = Counter()
        for (state, _), code in self._palette.items():
            found[state] += self._codes.count(code)
        return +found

    def kinds(self) -> set[tuple[JobState, str]]:
        """Return the pairs of state and sub state that tasks are in."""
        return {kind for kind, code in self._palette.items() if code in self._codes}

    def held(self) -> list[int]:
        """Return the indices of the tasks that are held, in order."""
        return self.indices(*(state for state in JobState if state.held))

    def where(self, *states: JobState) -> bytes:
        """Return a byte for each task, by place: 1 if it is in one of `states`, 2 if its state is not known."""
        wanted = {code for (state, _), code in self._palette.items() if state in states}
        return bytes(self._codes.translate(bytes(2 if c == _UNKNOWN else int(c in wanted) for c in range(256))))

    def finished(self, annotations: dict[int, str]) -> ArrayStatus:
        """Return what was put together; every task has a state."""
        return ArrayStatus(self.tasks, tuple(self._palette), bytes(self._codes), annotations)
