"""What changed: the states that listeners were told of, compared with the present ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.vocabulary import Event, JobEvent, JobState, JobStatus, TaskRange, split_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gcs_lab.vocabulary import ArrayStatus

__all__ = ["TrackedStates"]

#: Letters that merely spell the state itself (``qstat(1)``): queued, waiting, transferring, running.
_STATE_LETTERS = set("qwtr")
_PLACED = (JobState.RUNNING, JobState.SUSPENDED)
_WAITING = (JobState.QUEUED, JobState.QUEUED_HELD, JobState.REQUEUED, JobState.REQUEUED_HELD)
_NOTHING: tuple[JobState, str] = (JobState.UNDETERMINED, "")
#: The states without letters are always in a palette: what stands for a task when it is full.
_PLAIN = (_NOTHING, *((state, "") for state in JobState))
_MOST_KINDS = 256


class TrackedStates:
    """The jobs and arrays that listeners hear of, with the state last told of each; not guarded against threads.

    A state that the system cannot tell now (UNDETERMINED) is no new state: the last one stays until it is told again.
    What has ended for good is forgotten.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, JobStatus | None] = {}
        self._machines: dict[str, str] = {}
        self._arrays: dict[str, _TrackedArray] = {}

    @property
    def jobs(self) -> list[str]:
        """Ids of jobs, and of tasks that are followed one by one."""
        return list(self._jobs)

    @property
    def arrays(self) -> list[str]:
        """Ids of arrays whose tasks are all followed."""
        return list(self._arrays)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._jobs or split_id(job_id)[0] in self._arrays

    def add(self, job_id: str) -> None:
        """Follow a job or task of which nothing is known; its first state will be new."""
        if job_id not in self:
            self._jobs[job_id] = None

    def add_array(self, array_id: str, tasks: TaskRange) -> None:
        """Follow all tasks of an array."""
        if array_id not in self._arrays:
            for job_id in [one for one in self._jobs if split_id(one)[0] == array_id]:
                self._drop(job_id)
            self._arrays[array_id] = _TrackedArray(array_id, tasks)

    def compare(self, statuses: Mapping[str, JobStatus], arrays: Mapping[str, ArrayStatus | None]) -> list[JobEvent]:
        """Take the present states, and return what is new in them; array by array, each in the order of its tasks."""
        now = datetime.now(UTC)
        events: list[JobEvent] = []
        for job_id, status in statuses.items():
            if job_id in self._jobs and status.state is not JobState.UNDETERMINED:
                kinds = self._changes(job_id, status)
                events += (JobEvent(kind, job_id, status.state, status.sub_state, now) for kind in kinds)
                self._take(job_id, status)
        for array_id, whole in arrays.items():
            tracked = self._arrays.get(array_id)
            if tracked is not None and whole is not None and whole.tasks == tracked.tasks:
                events += tracked.compare(whole, now)
                if whole.terminated:
                    del self._arrays[array_id]
        return events

    def take_event(self, event: JobEvent) -> bool:
        """Note what a system told by itself; return whether it is news: False for a state that was told already."""
        array_id, index = split_id(event.job_id)
        tracked = self._arrays.get(array_id)
        if tracked is not None:
            news = tracked.take_event(event, index)
            if tracked.unfinished <= 0:
                del self._arrays[array_id]
            return news
        known = self._jobs.get(event.job_id)
        news = event.event is not Event.NEW_STATE or known is None or known.state is not event.job_state
        self._take(event.job_id, JobStatus(event.job_state, event.sub_state))
        return news

    def _take(self, job_id: str, status: JobStatus) -> None:
        if status.final:
            self._drop(job_id)
            return
        self._jobs[job_id] = status
        if status.machine_name and status.state in _PLACED:
            self._machines[job_id] = status.machine_name

    def _drop(self, job_id: str) -> None:
        self._jobs.pop(job_id, None)
        self._machines.pop(job_id, None)

    def _changes(self, job_id: str, new: JobStatus) -> list[Event]:
        old, machine = self._jobs[job_id], self._machines.get(job_id)
        is_new = old is None or old.state is not new.state
        moved = machine is not None and new.state in _PLACED and new.machine_name not in (None, machine)
        kinds = [Event.NEW_STATE] if is_new else []
        if moved:
            kinds.append(Event.MIGRATED)
        elif not is_new and old is not None and _is_changed(old, new):
            kinds.append(Event.ATTRIBUTE_CHANGE)
        return kinds


class _TrackedArray:
    """The states told of an array's tasks, one byte each; code 0 is a task of which nothing was told."""

    def __init__(self, array_id: str, tasks: TaskRange) -> None:
        self._id = array_id
        self.tasks = tasks
        self._palette: list[tuple[JobState, str]] = list(_PLAIN)
        self._codes = bytearray(len(tasks))
        #: Tasks whose state can still change.
        self.unfinished = len(tasks)

    def compare(self, present: ArrayStatus, now: datetime) -> list[JobEvent]:
        table = bytearray(256)
        self._make_room(len(present.palette))
        for code, (state, letters) in enumerate(present.palette):
            table[code] = 0 if state is JobState.UNDETERMINED else self._code(state, letters)
        codes = bytearray(present.codes.translate(table))
        if 0 in codes:
            codes = bytearray(new or old for old, new in zip(self._codes, codes, strict=True))
        if codes == self._codes:
            return []
        events: list[JobEvent] = []
        old = self._codes
        if not any(old):
            # Every task waited before it did anything else: told once for all of them.
            waiting = [code for code in set(codes) if self._palette[code][0] in _WAITING]
            if waiting:
                first = max(waiting, key=codes.count)
                events.append(self._event(Event.NEW_STATE, self._id, first, now))
                old = bytearray([first]) * len(codes)
                codes = bytearray(code or first for code in codes)
        events += self._differences(old, codes, now)
        self._codes = codes
        self._count_unfinished()
        return events

    def take_event(self, event: JobEvent, index: int | None) -> bool:
        self._make_room(1)
        code = self._code(event.job_state, event.sub_state)
        if index is None:
            open_codes = [c for c, (state, _) in enumerate(self._palette) if not state.terminated]
            table = bytes(code if c in open_codes else c for c in range(256))
            before, self._codes = self._codes, bytearray(self._codes.translate(table))
            self._count_unfinished()
            return event.event is not Event.NEW_STATE or before != self._codes
        if index not in self.tasks.indices:
            return True
        place = self.tasks.indices.index(index)
        old_code, self._codes[place] = self._codes[place], code
        self.unfinished += self._is_final(old_code) - self._is_final(code)
        return event.event is not Event.NEW_STATE or self._palette[old_code][0] is not event.job_state

    def _is_final(self, code: int) -> bool:
        return JobStatus(*self._palette[code]).final

    def _count_unfinished(self) -> None:
        self.unfinished = sum(self._codes.count(code) for code in set(self._codes) if not self._is_final(code))

    def _differences(self, old: bytearray, new: bytearray, now: datetime) -> list[JobEvent]:
        kinds = {(was, is_now): self._kind(was, is_now) for was, is_now in set(zip(old, new, strict=True))}
        if len(set(new)) == 1 and (only := set(kinds.values())) <= {Event.NEW_STATE} and only:
            return [self._event(Event.NEW_STATE, self._id, new[0], now)]
        events = []
        for index, was, is_now in zip(self.tasks.indices, old, new, strict=True):
            if was != is_now and (kind := kinds[was, is_now]) is not None:
                events.append(self._event(kind, f"{self._id}.{index}", is_now, now))
        return events

    def _kind(self, was: int, is_now: int) -> Event | None:
        old, new = JobStatus(*self._palette[was]), JobStatus(*self._palette[is_now])
        if old.state is not new.state:
            return Event.NEW_STATE
        return Event.ATTRIBUTE_CHANGE if _is_changed(old, new) else None

    def _event(self, kind: Event, job_id: str, code: int, now: datetime) -> JobEvent:
        return JobEvent(kind, job_id, *self._palette[code], now)

    def _code(self, state: JobState, letters: str) -> int:
        if (state, letters) not in self._palette:
            if len(self._palette) == _MOST_KINDS:
                return self._palette.index((state, ""), 1)
            self._palette.append((state, letters))
        return self._palette.index((state, letters), 1)

    def _make_room(self, kinds: int) -> None:
        """Drop letters that no task has any more, if others may not find a place: they can be many in a long life."""
        if len(self._palette) + kinds <= _MOST_KINDS:
            return
        used = [*range(len(_PLAIN)), *(code for code in sorted(set(self._codes)) if code >= len(_PLAIN))]
        self._codes = bytearray(used.index(code) for code in self._codes)
        self._palette = [self._palette[code] for code in used]


def _is_changed(old: JobStatus, new: JobStatus) -> bool:
    """Tell whether something lasting other than the state changed."""
    if new.state.terminated:
        return False
    pairs: Iterable[tuple[object, object]] = ((old.slots, new.slots), (old.queue_name, new.queue_name))
    if any(was is not None and is_now is not None and was != is_now for was, is_now in pairs):
        return True
    return set(old.sub_state) - _STATE_LETTERS != set(new.sub_state) - _STATE_LETTERS
