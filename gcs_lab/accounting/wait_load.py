"""How loaded the queues were at any moment, as it could be known then: features of a submission.

All records are events: something was submitted, started, ended. What waited or ran in a queue at a moment follows
from sums over the events before it, found by binary search. Jobs that were deleted while they waited have no record,
and are missed. Nothing that came after the moment goes in, but for the most slots that a queue ever had in use, which
only scales.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Indices = NDArray[np.int64]

__all__ = ["FEATURES", "LOAD_FEATURES", "NEVER", "Events", "History", "Moments", "features"]

#: A time that is later than all.
NEVER = 1 << 33
_DAY = 86400
#: Means are taken over so many starts.
_RECENT, _OWN = 30, 5
#: What is known of a job to be, its queue and its owner without asking how things are now.
_PLAIN = ("queue", "slots", "time", "memory", "hour", "weekday")
#: What tells the load: of the queue, and of its owner in it.
LOAD_FEATURES = (
    *("pending_slots", "pending_age", "running_share", "drain_hours", "recent_wait"),
    *("own_pending_slots", "own_recent_wait"),
)
FEATURES = (*_PLAIN, *LOAD_FEATURES)


class Events(NamedTuple):
    """What happened, one entry a record: times in whole seconds since the epoch (:data:`NEVER`: not yet).

    ``queue`` and ``owner`` are numbers from 0; ``slots`` counts all slots of the entry.
    """

    submitted: Indices
    started: Indices
    ended: Indices
    slots: Numbers
    queue: Indices
    owner: Indices


class Moments(NamedTuple):
    """Submissions to be described: as in :class:`Events`, and what was asked for (seconds, bytes; -1: nothing)."""

    at: Indices
    slots: Numbers
    queue: Indices
    owner: Indices
    time: Numbers
    memory: Numbers


class _Sums:
    """Sums of weights over the events of a group up to a moment: by binary search in one sorted array."""

    def __init__(self, group: Indices, at: Indices, *weights: Numbers) -> None:
        key = group * (2 * NEVER) + at
        order = np.argsort(key, kind="stable")
        self._key = key[order]
        self._sums = [np.concatenate([[0.0], np.cumsum(weight[order])]) for weight in weights]

    def before(self, group: Indices, at: Indices, *, included: bool = False) -> list[Numbers]:
        """Return the sums over all groups before this one, and over its events before the moment."""
        place = np.searchsorted(self._key, group * (2 * NEVER) + at, side="right" if included else "left")
        return [sums[place] for sums in self._sums]

    def recent_mean(self, group: Indices, at: Indices, count: int) -> Numbers:
        """Return the mean of the first weight over the last `count` events of the group before; -1: there is none."""
        last = np.searchsorted(self._key, group * (2 * NEVER) + at, side="left")
        first = np.searchsorted(self._key, group * (2 * NEVER), side="left")
        begin = np.maximum(first, last - count)
        number = last - begin
        total = self._sums[0][last] - self._sums[0][begin]
        result: Numbers = np.where(number > 0, total / np.maximum(number, 1), -1.0)
        return result


class History:
    """The events, sorted once, so that many moments can be described.

    Parameters
    ----------
    events
        All of them.
    live
        Whether one sees what runs: without a look at the cluster, a wait is known only when the job has ended.
    """

    def __init__(self, events: Events, *, live: bool) -> None:
        self._capacity = self._most_running(events)
        has_started = events.started < NEVER
        wait = np.log1p(np.maximum(events.started - events.submitted, 0).astype(float))
        seen = events.started if live else events.ended
        mine = events.owner * 4096 + events.queue
        # From the first on, so that the sums of times stay exact.
        self._begin = float(events.submitted.min(initial=0 if not len(events.submitted) else NEVER))
        slots, submitted = events.slots, events.submitted - self._begin
        self._submitted = _Sums(events.queue, events.submitted, slots, submitted * slots)
        self._started = _Sums(events.queue, events.started, slots, submitted * slots)
        self._ended = _Sums(events.queue, events.ended, slots)
        self._own_submitted = _Sums(mine, events.submitted, slots)
        self._own_started = _Sums(mine, events.started, slots)
        self._waits = _Sums(events.queue[has_started], seen[has_started], wait[has_started])
        self._own_waits = _Sums(mine[has_started], seen[has_started], wait[has_started])

    @staticmethod
    def _most_running(events: Events) -> Numbers:
        """Return the most slots that ever ran in each queue at once."""
        most = np.ones(int(events.queue.max(initial=0)) + 1)
        for queue in range(len(most)):
            mine = (events.queue == queue) & (events.started < NEVER)
            at = np.concatenate([events.ended[mine], events.started[mine]])
            change = np.concatenate([-events.slots[mine], events.slots[mine]])
            if len(at):
                most[queue] = max(1.0, float(np.cumsum(change[np.argsort(at, kind="stable")]).max()))
        return most

    def load(self, moments: Moments) -> Numbers:
        """Return LOAD_FEATURES of moments, one row each: slots, s, a share, h, log(s + 1), slots, log(s + 1)."""
        queue, at = moments.queue, moments.at
        sent, sent_when = self._submitted.before(queue, at)
        begun, begun_when = self._started.before(queue, at)
        (over,) = self._ended.before(queue, at, included=True)
        (begun_by_now,) = self._started.before(queue, at, included=True)[:1]
        pending = np.maximum(sent - begun, 0)
        age = np.where(pending > 0, at - self._begin - (sent_when - begun_when) / np.maximum(pending, 1), 0)
        (day_before,) = self._started.before(queue, at - _DAY)[:1]
        drain = 24 * pending / np.maximum(begun - day_before, 1)
        capacity = self._capacity[np.minimum(queue, len(self._capacity) - 1)]
        mine = moments.owner * 4096 + queue
        own = self._own_submitted.before(mine, at)[0] - self._own_started.before(mine, at)[0]
        return np.column_stack(
            [
                pending,
                np.maximum(age, 0),
                np.clip((begun_by_now - over) / capacity, 0, 2),
                np.minimum(drain, 24 * 365),
                self._waits.recent_mean(queue, at, _RECENT),
                np.maximum(own, 0),
                self._own_waits.recent_mean(mine, at, _OWN),
            ]
        )


def features(moments: Moments, history: History | None) -> Numbers:
    """Return FEATURES of moments, one row each; without a history only those that need none."""
    hour = (moments.at // 3600 % 24).astype(float)
    weekday = ((moments.at // _DAY + 3) % 7).astype(float)
    plain = np.column_stack(
        [moments.queue.astype(float), moments.slots, moments.time, moments.memory, hour, weekday],
    )
    return plain if history is None else np.hstack([plain, history.load(moments)])
