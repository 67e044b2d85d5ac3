"""Waiting for jobs: one, any or all of many, and the tasks of arrays."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument, Timeout
from gcs_lab.jobs.job import Job
from gcs_lab.jobs.job_array import JobArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gcs_lab.errors import DrmCommunication
    from gcs_lab.jobs.area import Jobs
    from gcs_lab.jobs.status_board import StatusBoard
    from gcs_lab.vocabulary import ArrayStatus, JobState

__all__ = ["Wait", "deadline_of"]


def deadline_of(timeout: float | None) -> float | None:
    """Return the time (``time.monotonic()``) at which a wait of `timeout` seconds is over; None: never.

    Raises
    ------
    InvalidArgument
        If it is neither None nor a number from 0 on.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
        raise InvalidArgument(
            f"the timeout is {timeout!r}; expected seconds from 0 (look once) on, or None to wait without end."
        )
    return None if math.isinf(timeout) else time.monotonic() + timeout


class Wait:
    """One wait of one caller for jobs and arrays; an array stands for its tasks.

    Parameters
    ----------
    area
        The jobs area that all of them belong to.
    targets
        Jobs and arrays. Which of several comes first is the order in which they are given.
    reached
        Tells of a state whether it is waited for no longer.
    what
        The end of "did not …", for messages.

    Raises
    ------
    InvalidArgument
        If there is nothing to wait for, or something that is neither, or that belongs to another cluster.
    """

    def __init__(
        self, area: Jobs, targets: Iterable[Job | JobArray], reached: Callable[[JobState], bool], what: str
    ) -> None:
        self._board: StatusBoard = area.board
        self._reached = reached
        self._what = what
        self._targets = _checked(area, targets)

    def any(self, timeout: float | None) -> Job:
        """Return the first that is there; raises Timeout."""
        found: Job = self._run(self._first, timeout, "none of")
        return found

    def all(self, timeout: float | None) -> None:
        """Return when all are there; raises Timeout."""
        self._run(self._none_left, timeout, "not all of")

    def _run(self, done: Callable[[], Any], timeout: float | None, how_many: str) -> Any:
        deadline = deadline_of(timeout)
        board = self._board
        self._left = dict.fromkeys(self._targets)
        self._tell(self._left, board.watch, board.watch_arrays)
        waiter = board.waiters.join(*_ids(self._left))
        news = True
        try:
            while True:
                last = deadline is not None and time.monotonic() >= deadline
                fault = self._look(at_once=last)
                # What this look brought counts, and what somebody else's brought before it.
                if (news or last or waiter.news.is_set()) and (found := done()) is not None:
                    return found
                if last:
                    if fault is not None and timeout == 0:
                        raise fault
                    raise Timeout(self._message(timeout, how_many, fault)) from fault
                left = None if deadline is None else deadline - time.monotonic()
                news = board.waiters.rest(waiter, board.pause(), left)
        finally:
            board.waiters.leave(waiter)
            self._tell(self._left, board.unwatch, board.unwatch_arrays)

    def _look(self, *, at_once: bool) -> DrmCommunication | None:
        return self._board.look(*_ids(self._left), at_once=at_once)

    @staticmethod
    def _tell(
        targets: Iterable[Job | JobArray],
        jobs: Callable[[list[str]], None],
        arrays: Callable[[list[str]], None],
    ) -> None:
        job_ids, array_ids = _ids(targets)
        jobs(job_ids)
        arrays(array_ids)

    def _first(self) -> Job | None:
        for target in self._targets:
            if isinstance(target, Job):
                status = self._board.known(target.id)
                if status is not None and self._reached(status.state):
                    return target
            elif (array := self._board.known_array(target.id)) is not None:
                places = [array.codes.index(code) for code in self._codes(array)]
                if places:
                    return target.job(array.tasks.indices[min(places)])
        return None

    def _none_left(self) -> bool | None:
        there = [target for target in self._left if self._is_there(target)]
        self._tell(there, self._board.unwatch, self._board.unwatch_arrays)
        for target in there:
            del self._left[target]
        return None if self._left else True

    def _is_there(self, target: Job | JobArray) -> bool:
        if isinstance(target, Job):
            status = self._board.known(target.id)
            return status is not None and self._reached(status.state)
        array = self._board.known_array(target.id)
        return array is not None and set(array.codes) <= self._codes(array)

    def _codes(self, array: ArrayStatus) -> set[int]:
        """Return the codes of the states that are waited for no longer, of those that tasks are in."""
        codes = {code for code, (state, _) in enumerate(array.palette) if self._reached(state)}
        return {code for code in codes if code in array.codes}

    def _message(self, timeout: float | None, how_many: str, fault: DrmCommunication | None) -> str:
        after = f"within {timeout:g} s"
        if fault is not None:
            return f"{_names(self._left)} did not {self._what} {after}, as far as is known: no answer came. {fault}"
        if len(self._targets) > 1:
            return (
                f"{how_many} {len(self._targets)} jobs did {self._what} {after}; left: {_names(self._left)}. Wait "
                "longer, or ask why they wait (qstat -j)."
            )
        target = next(iter(self._left))
        if isinstance(target, Job):
            status = self._board.known(target.id)
            state = "not known yet" if status is None else status.state.name
        else:
            array = self._board.known_array(target.id)
            counts = {} if array is None else array.counts()
            state = ", ".join(f"{number} {state.name}" for state, number in counts.items()) or "not known yet"
        it = "it is" if isinstance(target, Job) else "its tasks are"
        return (
            f"{_names(self._left)} did not {self._what} {after}; {it} {state}. Wait longer, or ask why it waits "
            "(qstat -j)."
        )


def _checked(area: Jobs, targets: Iterable[Job | JobArray]) -> list[Job | JobArray]:
    if isinstance(targets, Job | JobArray):
        raise InvalidArgument(f"expected a list of jobs, not one: [{targets!r}].")
    try:
        found = list(targets)
    except TypeError:
        raise InvalidArgument(f"expected a list of jobs and arrays, not {targets!r}.") from None
    if not found:
        raise InvalidArgument("there is no job to wait for: the list is empty.")
    for target in found:
        if not isinstance(target, Job | JobArray):
            raise InvalidArgument(f"expected jobs and arrays; {target!r} is neither.")
        if target.area.backend is not area.backend:
            raise InvalidArgument(f"{target!r} belongs to another connection than {area!r}; wait for it there.")
    return found


def _ids(targets: Iterable[Job | JobArray]) -> tuple[list[str], list[str]]:
    """Return the ids of the jobs, and those of the arrays."""
    targets = list(targets)
    return (
        [target.id for target in targets if isinstance(target, Job)],
        [target.id for target in targets if isinstance(target, JobArray)],
    )


def _names(targets: Iterable[Job | JobArray]) -> str:
    names = [f"{'job' if isinstance(target, Job) else 'array job'} {target.id}" for target in targets]
    shown = 5
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
