"""What running tasks use, measured a few at a time: all of them at every look would hold up the scheduler."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from gcs_lab.backends.embedded.process_tree import descendants, measure

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.scheduler import Scheduler

__all__ = ["UsageSamples"]

#: So many tasks are measured for one question: about 0.2 ms each.
MEASURED_AT_ONCE = 40
#: A task is not measured again before so many seconds are over.
FRESH_SECONDS = 1.0


class _Sample(NamedTuple):
    """The last measurement of one run: when, CPU seconds so far, byte seconds so far."""

    number: int
    run: int
    at: float
    cpu: float
    memory: float


class UsageSamples:
    """CPU time and memory of running tasks, each as it was when the task was last measured.

    The integral of memory is a sum of the resident memory at each look times the seconds since the one before it: an
    estimate, the better the more often somebody looks.

    Parameters
    ----------
    scheduler
        Whose tasks they are.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._number = 0
        # Who was measured longest ago comes first.
        self._samples: dict[tuple[int, int], _Sample] = {}

    def since(self, number: int) -> dict[str, Any]:
        """Measure those that were measured longest ago; return what was measured since `number`, and the last number.

        Returns
        -------
        dict
            ``number``, and ``samples``: job, task (0: no array), CPU seconds, byte seconds of each.
        """
        self._measure()
        found = []
        for key in reversed(self._samples):
            sample = self._samples[key]
            if sample.number <= number:
                break
            found.append([*key, sample.cpu, sample.memory])
        return {"number": self._number, "samples": found}

    def _measure(self) -> None:
        active, runs, now = self._scheduler.active, self._scheduler.watch.runs, time.time()
        for key in [key for key in self._samples if key not in active]:
            del self._samples[key]
        # One without a shepherd has not begun, or is simulated.
        new = [key for key, task in active.items() if key not in self._samples and runs.pid(task) is not None]
        old = [key for key, sample in self._samples.items() if now - sample.at >= FRESH_SECONDS]
        for key in [*new, *old][:MEASURED_AT_ONCE]:
            task, last = active[key], self._samples.pop(key, None)
            shepherd = runs.pid(task)
            usage = measure(descendants(shepherd)) if shepherd is not None else None
            self._number += 1
            if last is None or last.run != task.run:
                last = _Sample(0, task.run, task.dispatched or now, 0.0, 0.0)
            cpu = max(last.cpu, usage.cpu) if usage is not None else last.cpu
            memory = last.memory + (usage.rss if usage is not None else 0) * max(0.0, now - last.at)
            self._samples[key] = _Sample(self._number, task.run, now, round(cpu, 2), round(memory))
