"""Runs on simulated hosts: nothing is executed, and each ends after the seconds that the job's first argument says.

That is what Grid Engine does with ``SIMULATE_EXECDS`` (sge_conf(5)), so that a cluster of hundreds of hosts can be
looked at on one machine. Nothing of these runs is kept outside of the database: when a run began is known there, and
when it ends follows from it, so that a scheduler that is started again goes on with them.
"""

from __future__ import annotations

import math
import signal
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.run_orders import run_limits
from gcs_lab.backends.embedded.shepherd_usage import UsageMeter
from gcs_lab.backends.embedded.timers import Timers

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.layout import Layout
    from gcs_lab.backends.embedded.task import Task

__all__ = ["SimulatedRuns", "simulated_seconds"]

#: Of a job whose first argument is no number.
DEFAULT_SECONDS = 60.0
#: So many ends are told at once.
MOST_AT_ONCE = 500
#: What is no run: it only rings.
_MORE = (0, 0, 0)
#: A year: nobody looks longer.
LONGEST_SECONDS = 365 * 86400.0


def simulated_seconds(task: Task) -> float:
    """Return how long a task seems to run, in seconds: its first argument, if that is a number of seconds."""
    words = task.job.request.args
    try:
        seconds = float(words[0]) if words else DEFAULT_SECONDS
    except ValueError:
        return DEFAULT_SECONDS
    return min(max(0.0, seconds), LONGEST_SECONDS) if not math.isnan(seconds) else DEFAULT_SECONDS


class SimulatedRuns:
    """The runs that seem to go on; readable (``fileno``) when one of them has ended.

    Parameters
    ----------
    layout
        Which hosts are simulated, and the limits of queues.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._timers: Timers[tuple[int, int, int]] = Timers()
        #: The present run of each task, by the task's key.
        self._runs: dict[tuple[int, int], int] = {}
        self._due: list[tuple[int, int, int]] = []

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when a run ends."""
        return self._timers.fileno()

    def takes(self, task: Task) -> bool:
        """Tell whether the task's process would be on a simulated host."""
        return bool(task.slots) and self._layout.is_simulated(next(iter(task.slots)).host)

    def watches(self, task: Task) -> bool:
        """Tell whether the end of the task's present run is waited for, and was not told yet."""
        return self._runs.get(task.key) == task.run

    def start(self, task: Task) -> None:
        """Let the present run of `task` seem to go on since it was dispatched. Raises OSError as a timer does."""
        self._runs[task.key] = task.run
        self._ring(task, self._end(task)[0])

    def end(self, task: Task) -> None:
        """Let the run end now. Raises OSError as a timer does."""
        if self.watches(task):
            self._ring(task, time.time())

    def ended(self) -> list[tuple[int, int]]:
        """Return the keys of tasks whose runs have ended since the last call; of very many, the others the next time.

        Tasks that began together end together. Nobody is to wait for an answer until thousands are written down.
        """
        self._timers.rang()
        self._due += self._timers.due()
        now, self._due = self._due[:MOST_AT_ONCE], self._due[MOST_AT_ONCE:]
        if self._due:
            self._timers.add(time.time(), _MORE)
        self._timers.arm()
        # One that was ended by hand rings twice.
        told = {(job_id, task_id): run for job_id, task_id, run in now if self._runs.get((job_id, task_id)) == run}
        for key in told:
            del self._runs[key]
        return list(told)

    def ending(self, task: Task) -> dict[str, Any] | None:
        """Return how the present run ended, as a shepherd records it; None if it goes on."""
        until, limit = self._end(task)
        if not task.to_end and until > time.time():
            return None
        began = task.dispatched or until
        ending: dict[str, Any] = {
            "fault": None,
            "status": 0,
            "killed": None,
            "usage": UsageMeter().totals(),
            "wall": until - began,
        }
        if task.to_end:
            ending |= {"status": None, "wall": max(0.0, min(time.time(), until) - began)}
        elif limit is not None:
            ending |= {"status": int(signal.SIGKILL), "killed": {"by": "h_rt", "used": limit}}
        return ending

    def _end(self, task: Task) -> tuple[float, float | None]:
        """Return when the run ends (seconds since the epoch), and the limit of seconds, if that is what ends it."""
        seconds = simulated_seconds(task)
        limit = run_limits(task, self._layout).get("h_rt", math.inf)
        began = task.dispatched or time.time()
        return (began + limit, limit) if limit < seconds else (began + seconds, None)

    def _ring(self, task: Task, at: float) -> None:
        self._timers.add(at, (*task.key, task.run))
        self._timers.arm()
