"""One look after another at what happened to jobs: from the system's own events, or from states compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Condition

    from gcs_lab.jobs.protocol import JobsBackend
    from gcs_lab.jobs.status_board import StatusBoard
    from gcs_lab.jobs.tracked_states import TrackedStates
    from gcs_lab.vocabulary import JobEvent

__all__ = ["EventRounds"]


class EventRounds:
    """Asks, round by round; used by one thread.

    Parameters
    ----------
    backend
        Asked for events; where it keeps none, states are asked for through the board, with everyone else's.
    board
        Asked for states.
    tracked
        The states that were told last.
    guard
        Guards `tracked`.
    """

    def __init__(self, backend: JobsBackend, board: StatusBoard, tracked: TrackedStates, guard: Condition) -> None:
        self._backend = backend
        self._board = board
        self._tracked = tracked
        self._guard = guard
        self._cursor: str | None = None
        self._begun = False
        self._watched: tuple[set[str], set[str]] = (set(), set())

    @property
    def interval(self) -> float:
        """Seconds until the next round."""
        return self._board.interval if self._cursor is None else self._backend.poll_floor

    def next(self, *, fresh: bool) -> list[JobEvent]:
        """Return what happened since the last round (nothing the first time), in order.

        Parameters
        ----------
        fresh
            Whether states may not be older than now.

        Raises
        ------
        GcsError
            If the system does not answer; the next round tells what this one would have.
        """
        if not self._begun:
            batch = self._backend.events(None)
            self._compare(fresh=True)
            self._cursor = None if batch is None else batch.cursor
            self._begun = True
            return []
        if self._cursor is None:
            return self._compare(fresh=fresh)
        batch = self._backend.events(self._cursor)
        if batch is None:
            self._cursor = None
            return self._compare(fresh=True)
        # What was lost is told from the present states; these have what the batch tells, too.
        events = self._compare(fresh=True) if batch.gap else [e for e in batch.events if self._is_news(e)]
        self._cursor = batch.cursor
        return events

    def close(self) -> None:
        """Leave the board."""
        self._board.unwatch(self._watched[0])
        self._board.unwatch_arrays(self._watched[1])
        self._watched = (set(), set())

    def _is_news(self, event: JobEvent) -> bool:
        with self._guard:
            return self._tracked.take_event(event)

    def _compare(self, *, fresh: bool) -> list[JobEvent]:
        with self._guard:
            jobs, arrays = self._tracked.jobs, self._tracked.arrays
        if self._cursor is None and self._begun:
            self._follow(set(jobs), set(arrays))
        max_age = 0.0 if fresh else None
        array_states = self._board.array_status(arrays, max_age)
        states = self._board.status(jobs, max_age)
        with self._guard:
            return self._tracked.compare(states, array_states)

    def _follow(self, jobs: set[str], arrays: set[str]) -> None:
        """Let one question serve these jobs and all who wait."""
        old_jobs, old_arrays = self._watched
        self._watched = (jobs, arrays)
        self._board.watch(jobs - old_jobs)
        self._board.watch_arrays(arrays - old_arrays)
        self._board.unwatch(old_jobs - jobs)
        self._board.unwatch_arrays(old_arrays - arrays)
