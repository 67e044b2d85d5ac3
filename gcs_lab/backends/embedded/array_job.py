"""An array job: a byte for each of its tasks, and an object only for those that are not as they were submitted."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.state_codes import (
    AGAIN,
    FIRST_ENDING,
    MOST_ENDINGS,
    TASK_HOLD,
    USER_HOLD,
    WAITING_CODES,
    code_of,
    is_ended,
    meaning,
)
from gcs_lab.backends.embedded.task import Phase, Task
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gcs_lab.backends.embedded.placement import Request
    from gcs_lab.backends.embedded.task import Job
    from gcs_lab.vocabulary import TaskRange

__all__ = ["ENDED_DONE", "ENDED_FAILED", "ArrayJob", "Ending"]

ENDED_DONE, ENDED_FAILED = code_of(JobState.DONE, "z"), code_of(JobState.FAILED, "z")
#: So many tasks that wait and are ended at once are one :class:`Ending`; fewer are one row each in the database.
FEWEST_AT_ONCE = 500


def _table(change: Callable[[int], int]) -> bytes:
    return bytes(change(code) for code in range(256))


_ENDED = _table(lambda code: code >= FIRST_ENDING or code in (ENDED_DONE, ENDED_FAILED))
#: What is stored of tasks without a row: the user's hold, and with whom they were ended.
_STORED = _table(lambda code: code if code >= FIRST_ENDING else code & USER_HOLD if code < WAITING_CODES else 0)


@dataclass(frozen=True)
class Ending:
    """The end of many tasks at once while they waited. ``finished`` is in seconds since the epoch."""

    finished: float
    annotation: str
    deleted_by: str | None = None


@dataclass(frozen=True)
class PackedReport:
    """The states of all tasks: ``codes`` is a compressed byte a task, the place of its state in ``palette``.

    ``notes`` has a word on the first of the tasks that ended together, by index.
    """

    palette: list[tuple[JobState, str]]
    codes: bytes
    notes: dict[int, str]


class ArrayJob:
    """An array job that has not ended, or what is left of one that has.

    Parameters
    ----------
    job
        What was submitted.
    """

    __slots__ = ("active", "blocked", "codes", "endings", "job", "max_parallel", "packed", "rows", "tasks", "unended")

    def __init__(self, job: Job) -> None:
        tasks = job.tasks
        assert tasks is not None  # noqa: S101  (only arrays come here)
        self.job = job
        self.tasks: TaskRange = tasks
        self.max_parallel: int | None = job.asked("max_parallel")
        #: A byte a task, in the order of their indices (see ``state_codes``).
        self.codes = bytearray(len(tasks))
        #: The tasks that have left the state in which they were submitted, and have not ended.
        self.rows: dict[int, Task] = {}
        self.endings: list[Ending] = []
        self.active = 0
        self.unended = len(tasks)
        #: A dependency or the start time keeps all tasks back.
        self.blocked = False
        #: What :meth:`packed_report` gave last, and for which codes.
        self.packed: tuple[bytes, bool, PackedReport] | None = None
        if job.shared.request.held:
            self.codes = bytearray([USER_HOLD]) * len(tasks)

    # --- as something that waits for slots ---

    @property
    def request(self) -> Request:
        """What each task asks the placement for."""
        return self.job.shared.asks

    @property
    def rank(self) -> tuple[int, tuple[int, int]]:
        """Its place among those that wait."""
        return self.job.rank

    @property
    def waits(self) -> bool:
        """Whether a task of it starts as soon as there is room."""
        return not self.blocked and (0 in self.codes or AGAIN in self.codes)

    def starts(self) -> Iterator[Task]:
        """Yield the tasks that may start now, lowest index first, as far as the limit of parallel tasks allows."""
        left = self.unended if self.max_parallel is None else self.max_parallel - self.active
        at = -1
        while left > 0:
            found = [place for code in (0, AGAIN) if (place := self.codes.find(code, at + 1)) >= 0]
            if not found:
                return
            at = min(found)
            left -= 1
            yield self.pending(self.tasks.indices[at])

    # --- its tasks ---

    def has(self, index: int) -> bool:
        """Tell whether there is a task with this index."""
        return index in self.tasks.indices

    def code(self, index: int) -> int:
        """Return the code of the task with this index."""
        return self.codes[self.tasks.indices.index(index)]

    def pending(self, index: int) -> Task:
        """Return a task that waits, or the one object that there is for it."""
        known = self.rows.get(index)
        if known is not None:
            return known
        code = self.code(index)
        blocked = self.blocked or bool(code & TASK_HOLD)
        return Task(self.job, index, held=bool(code & USER_HOLD), blocked=blocked)

    def task(self, index: int) -> Task | None:
        """Return the task with this index, as far as it is known here: None if its end is in the database."""
        code = self.code(index)
        if code < WAITING_CODES or index in self.rows:
            return self.pending(index)
        if code >= FIRST_ENDING:
            ending = self.endings[code - FIRST_ENDING]
            return Task(
                self.job,
                index,
                Phase.ENDED,
                finished=ending.finished,
                annotation=ending.annotation,
                deleted_by=ending.deleted_by,
            )
        return None

    def take(self, task: Task) -> None:
        """Let `task` be the one object of its index; :meth:`settle` follows every change of it."""
        self.rows[task.task_id] = task

    def settle(self, task: Task) -> None:
        """Note the present state of a task that has an object of its own."""
        place = self.tasks.indices.index(task.task_id)
        if task.phase is Phase.PENDING:
            code = (USER_HOLD if task.held else 0) | (AGAIN if task.requeued else 0)
        else:
            code = code_of(*task.state_and_letters())
        self.codes[place] = code
        if task.phase is Phase.ENDED:
            self.rows.pop(task.task_id, None)
            self.unended -= 1

    # --- many at once ---

    def ended(self) -> bytes:
        """Return a byte a task: whether it has ended."""
        return bytes(self.codes.translate(_ENDED))

    def plain_places(self, indices: Iterable[int] | None) -> Iterator[int]:
        """Yield the places of those tasks that wait and have no object of their own."""
        places = range(len(self.codes)) if indices is None else map(self.tasks.indices.index, indices)
        of_rows = set(map(self.tasks.indices.index, self.rows))
        return (place for place in places if self.codes[place] < WAITING_CODES and place not in of_rows)

    def end_at_once(self, places: list[int], ending: Ending) -> bool:
        """End many tasks that wait; False if they are too few, or this was done too often: end them one by one."""
        if len(places) < FEWEST_AT_ONCE or len(self.endings) >= MOST_ENDINGS:
            return False
        self.endings.append(ending)
        code = FIRST_ENDING + len(self.endings) - 1
        for place in places:
            self.codes[place] = code
        self.unended -= len(places)
        return True

    def block_like(self, before: list[ArrayJob]) -> list[int]:
        """Hold exactly the tasks whose like in one of `before` has not ended; return the places that changed."""
        masks = [int.from_bytes(other.ended(), "little") for other in before]
        free = int.from_bytes(b"\1" * len(self.codes), "little")
        for mask in masks:
            free &= mask
        changed = []
        for place, may in enumerate(free.to_bytes(len(self.codes), "little")):
            code = self.codes[place]
            if code < WAITING_CODES and bool(code & TASK_HOLD) == bool(may):
                self.codes[place] = code ^ TASK_HOLD
                changed.append(place)
        return changed

    # --- as bytes ---

    def stored(self) -> bytes:
        """Return what is to be stored of the tasks without a row of their own."""
        return bytes(self.codes.translate(_STORED))

    def restore(self, stored: bytes | None) -> None:
        """Take what :meth:`stored` gave, before the rows."""
        if stored is not None:
            self.codes = bytearray(stored)
            self.unended = len(stored) - self.ended().count(1)

    def restore_rows(self, ended: Iterable[tuple[int, int]]) -> None:
        """Take the ended tasks that have rows: index, and whether it is DONE."""
        first, step = self.tasks.begin, self.tasks.step
        for index, done in ended:
            self.codes[(index - first) // step] = ENDED_DONE if done else ENDED_FAILED
            self.unended -= 1

    def end_states(self) -> bytes:
        """Return a byte a task of an array that has ended: 1 if it is DONE."""
        return bytes(code == ENDED_DONE for code in self.codes)

    def restore_ended(self, end_states: bytes) -> None:
        """Take what :meth:`end_states` gave, for those that did not end at once with others."""
        codes = (ENDED_FAILED, ENDED_DONE)
        for place, done in enumerate(end_states):
            if self.codes[place] < FIRST_ENDING:
                self.codes[place] = codes[done]
        self.unended = 0

    def report(self) -> tuple[list[tuple[JobState, str]], bytes]:
        """Return a palette of states with letters, and for each task the place of its state in it."""
        palette: list[tuple[JobState, str]] = []
        table = bytearray(256)
        for code in sorted(set(self.codes)):
            pair = self.meaning(code)
            if pair not in palette:
                palette.append(pair)
            table[code] = palette.index(pair)
        return palette, bytes(self.codes.translate(table))

    def packed_report(self) -> PackedReport:
        """Return :meth:`report` compressed; who waits asks for the same again and again."""
        last = self.packed
        if last is None or last[0] != self.codes or last[1] != self.blocked:
            palette, codes = self.report()
            shared = [code for code in set(self.codes) if code >= FIRST_ENDING]
            notes = {
                self.tasks.indices[self.codes.find(code)]: self.endings[code - FIRST_ENDING].annotation
                for code in shared
            }
            last = self.packed = (
                bytes(self.codes),
                self.blocked,
                PackedReport(palette, zlib.compress(codes, 1), notes),
            )
        return last[2]

    def meaning(self, code: int) -> tuple[JobState, str]:
        """Return state and letters of a task with this code."""
        return meaning(code, blocked=self.blocked)

    def all_ended(self) -> bool:
        """Tell whether every task has ended."""
        return self.unended == 0

    def is_ended(self, index: int) -> bool:
        """Tell whether the task with this index has ended."""
        return is_ended(self.code(index))
