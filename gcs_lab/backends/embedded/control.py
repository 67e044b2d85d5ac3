"""What users do to jobs: hold, suspend, terminate, requeue and so on; to one job, to tasks, to whole arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.array_job import ArrayJob
from gcs_lab.backends.embedded.state_codes import USER_HOLD, WAITING_CODES
from gcs_lab.backends.embedded.task import Phase, Task
from gcs_lab.backends.embedded.waiting_reasons import why_blocked
from gcs_lab.errors import GcsError, InvalidArgument, InvalidState
from gcs_lab.vocabulary import JobState, split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from gcs_lab.backends.embedded.scheduler import Scheduler
    from gcs_lab.backends.embedded.task import Job

__all__ = ["Control", "has_ended", "number_of", "unknown"]

#: What an action does, and when it is possible, in words. The states are those of GFD.231, section 5.6.
_WORDS = {
    "hold": ("be held", "it waits and is not held"),
    "release": ("be released", "it is held"),
    "suspend": ("be suspended", "it runs"),
    "resume": ("be resumed", "it is suspended"),
    "terminate": ("be ended", "it has not ended"),
    "clear the error of": ("have its error cleared", "it is in error state"),
    "requeue": ("be requeued", "it runs"),
}


def number_of(job_id: str) -> int | None:
    """Return the number of a job's id; None if it is the id of no job here."""
    # More digits than SQLite's numbers have are no id either.
    return int(job_id) if job_id.isascii() and job_id.isdigit() and len(job_id) < 19 else None  # noqa: PLR2004


def _allows(  # noqa: PLR0911  (one for each action)
    action: str, state: JobState, letters: str, *, held: bool
) -> bool:
    match action:
        case "hold":
            return state in (JobState.QUEUED, JobState.REQUEUED)
        case "release":
            return state.held and held
        case "suspend":
            # One whose queue is suspended (S, T) can be suspended too, and then stays so when its queue goes on.
            return state is JobState.RUNNING or (state is JobState.SUSPENDED and "s" not in letters)
        case "resume":
            return state is JobState.SUSPENDED and "s" in letters
        case "clear the error of":
            return letters.startswith("E")
        case "requeue":
            return state in (JobState.RUNNING, JobState.SUSPENDED) and "d" not in letters
        case _:
            return letters != "z"


class Control:
    """Acts on jobs.

    Parameters
    ----------
    scheduler
        Whose jobs they are.
    owner
        Name of the user who acts.
    ended
        Tells which of some jobs that are not in the queue have ended, rather than never been there.
    """

    def __init__(self, scheduler: Scheduler, owner: str, ended: Callable[[Iterable[int]], Collection[int]]) -> None:
        self._scheduler = scheduler
        self._owner = owner
        self._ended = ended

    def act(self, action: str, ids: Iterable[str]) -> dict[str, GcsError]:
        """Do `action` to jobs; return what went wrong, by id."""
        if action not in _WORDS:
            raise InvalidArgument(f"{action!r} cannot be done to a job; expected one of {', '.join(_WORDS)}.")
        failures: dict[str, GcsError] = {}
        tasks_of: dict[int, dict[int, str]] = {}
        gone: dict[str, int] = {}
        for job_id in dict.fromkeys(ids):
            text, index = split_id(job_id)
            number = number_of(text)
            if number is None:
                failures[job_id] = unknown(job_id)
            elif number not in self._scheduler.jobs:
                gone[job_id] = number
            elif index is not None:
                tasks_of.setdefault(number, {})[index] = job_id
            elif (fault := self._act_on_job(action, number)) is not None:
                failures[job_id] = fault
        for number, wanted in tasks_of.items():
            failures |= self._act_on_tasks(action, number, wanted)
        known = self._ended(gone.values()) if gone else ()
        for job_id, number in gone.items():
            failures[job_id] = has_ended(job_id) if number in known else unknown(job_id)
        return failures

    def _act_on_job(self, action: str, number: int) -> GcsError | None:
        entry = self._scheduler.jobs[number]
        if (fault := self._not_rerunnable(action, str(number), entry.job)) is not None:
            return fault
        if isinstance(entry, ArrayJob):
            places = self._places(action, entry, range(len(entry.codes)))
            if not places:
                all_letters = sorted({entry.meaning(code)[1] for code in set(entry.codes)})
                held = any(self._held(code) for code in set(entry.codes))
                what = ", ".join(all_letters)
                return self._invalid(action, str(number), what, "that of no task allows it", entry.job, held=held)
            self._act_on_places(action, entry, places)
            return None
        state, letters = entry.state_and_letters()
        if not _allows(action, state, letters, held=entry.held):
            return self._invalid(action, str(number), letters, "", entry.job, held=entry.held)
        self._act_on_task(action, entry)
        return None

    def _act_on_tasks(self, action: str, number: int, wanted: dict[int, str]) -> dict[str, GcsError]:
        """Act on some tasks of an array, ids by index."""
        entry = self._scheduler.jobs.get(number)
        if not isinstance(entry, ArrayJob):
            if entry is None:
                return {job_id: has_ended(job_id) for job_id in wanted.values()}
            return {job_id: unknown(job_id) for job_id in wanted.values()}
        if (fault := self._not_rerunnable(action, str(number), entry.job)) is not None:
            return dict.fromkeys(wanted.values(), fault)
        indices = entry.tasks.indices
        failures: dict[str, GcsError] = {job_id: unknown(job_id) for i, job_id in wanted.items() if i not in indices}
        asked = [indices.index(index) for index in wanted if index in indices]
        places = self._places(action, entry, asked)
        may = set(places)
        for place in asked:
            if place not in may:
                job_id = wanted[indices[place]]
                code = entry.codes[place]
                letters = entry.meaning(code)[1]
                if letters == "z":
                    failures[job_id] = has_ended(job_id)
                else:
                    failures[job_id] = self._invalid(action, job_id, letters, "", entry.job, held=self._held(code))
        if places:
            self._act_on_places(action, entry, places)
        return failures

    @staticmethod
    def _not_rerunnable(action: str, job_id: str, job: Job) -> GcsError | None:
        if action != "requeue" or job.shared.request.rerunnable:
            return None
        return InvalidState(
            f"job {job_id} is not restartable: it was submitted without rerunnable=True (qsub -r y). Terminate it, "
            "and submit it anew."
        )

    @staticmethod
    def _held(code: int) -> bool:
        """Tell whether the user holds a task of an array with this code."""
        return code < WAITING_CODES and bool(code & USER_HOLD)

    @staticmethod
    def _places(action: str, array: ArrayJob, places: Iterable[int]) -> list[int]:
        """Return those of `places` whose tasks are in a state that allows `action`."""
        table = [False] * 256
        for code in set(array.codes):
            table[code] = _allows(action, *array.meaning(code), held=Control._held(code))
        codes = array.codes
        return [place for place in places if table[codes[place]]]

    def _act_on_places(self, action: str, array: ArrayJob, places: list[int]) -> None:
        indices = array.tasks.indices
        of_rows = {indices.index(index): task for index, task in array.rows.items()}
        plain = [place for place in places if place not in of_rows]
        for place in places:
            if (task := of_rows.get(place)) is not None:
                self._act_on_task(action, task)
        if plain and action in {"hold", "release"}:
            self._scheduler.hold_places(array, plain, held=action == "hold")
        elif plain:
            # Only "terminate" is possible for a task that waits otherwise.
            self._scheduler.end_places(array, plain, f"deleted by {self._owner}", self._owner)

    def _act_on_task(self, action: str, task: Task) -> None:
        scheduler = self._scheduler
        match action:
            case "hold" | "release":
                scheduler.hold(task, held=action == "hold")
            case "suspend" | "resume":
                scheduler.suspend(task, suspended=action == "suspend")
            case "clear the error of":
                scheduler.clear_error(task)
            case "requeue":
                scheduler.requeue(task, self._owner)
            case _:
                scheduler.end(task, f"deleted by {self._owner}", self._owner)

    def _invalid(self, action: str, job_id: str, letters: str, more: str, job: Job, *, held: bool) -> InvalidState:
        what, when = _WORDS[action]
        if action in {"hold", "release"} and {"hqw", "hRwq"} & set(letters.split(", ")):
            return self._invalid_hold(action, job_id, letters, job, held=held)
        if action == "resume" and {"S", "T"} & set(letters):
            return InvalidState(
                f"job {job_id} cannot be resumed: nobody suspended it, its queue is suspended (state {letters}). It "
                "goes on with its queue: gcs-lab embedded unsuspend QUEUE."
            )
        more = f"; {more}" if more else ""
        return InvalidState(
            f"job {job_id} cannot {what}: its state is {letters}{more}. That is possible while {when}."
        )

    def _invalid_hold(self, action: str, job_id: str, letters: str, job: Job, *, held: bool) -> InvalidState:
        """Say why something that is held already cannot be held, or what nobody holds cannot be released."""
        why = why_blocked(Task(job, split_id(job_id)[1] or 0, Phase.PENDING, blocked=True), self._scheduler)
        if action == "release":
            return InvalidState(
                f"job {job_id} cannot be released: no one holds it, it {why}. It goes on by itself then; terminate "
                "it if it shall not."
            )
        if held or why is None:
            also = f", and it {why}" if why else ""
            who = "its tasks that wait are" if job.tasks and split_id(job_id)[1] is None else "it is"
            return InvalidState(f"job {job_id} cannot be held: {who} held already (state {letters}){also}.")
        return InvalidState(
            f"job {job_id} cannot be held: it does not start now anyway (state {letters}), it {why}. Hold it when "
            "that is over; or submit it with submit_as_hold, and release it when it may run."
        )


def unknown(job_id: str) -> InvalidArgument:
    """Return the error for the id of a job that never was."""
    return InvalidArgument(f"the embedded cluster knows no job {job_id!r}; its jobs have numbers from 1.")


def has_ended(job_id: str) -> InvalidState:
    """Return the error for the id of a job that has ended."""
    return InvalidState(f"job {job_id} has ended; only a job that has not ended can be changed.")
