"""Models of how long jobs wait, each tried on the last fifth of the history, of which the best one is taken.

Three are compared: the quantiles of all earlier waits in the queue; those of the last 100 starts in it; and a forest
of trees over what is known at the submission (`wait_load`, `wait_forest`). Only what was known at the time goes
into any of them: they learn from waits that were over when the held-out jobs began to be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcs_lab.accounting.wait_forest import QUANTILES, Forest, grow
from gcs_lab.accounting.wait_load import FEATURES, LOAD_FEATURES, History, Moments, features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gcs_lab.accounting.wait_history import Past

    Numbers = NDArray[np.float64]

__all__ = ["LEAST_JOBS", "WATCHED", "BackTest", "Model", "learn"]

#: Features of which more than was ever seen makes an estimate doubtful.
WATCHED = ("slots", "pending_slots", "own_pending_slots")
#: Of fewer jobs nothing is learned.
LEAST_JOBS = 500
#: The part of the jobs, by submission, that is learned from; how many of the others are tried at most.
_LEARNED, _TRIED = 0.8, 5000
#: So many jobs are looked at to learn from, evenly spread.
_SEEN = 80_000
_LAST = 100
#: The weight of a job is halved with each so many seconds of age, down to the least.
_HALF_LIFE, _LEAST_WEIGHT = 60 * 86400, 0.05
#: Errors are told as factors; waits below this count as this.
_SHORT = 30.0
#: What is known of the load without a look at the cluster: waits of jobs that have ended.
_WITHOUT_LOOK = [
    place
    for place, name in enumerate(FEATURES)
    if name not in LOAD_FEATURES or name in {"recent_wait", "own_recent_wait"}
]


class BackTest(NamedTuple):
    """How a model did on `jobs` held-out jobs.

    ``loss`` is the mean pinball loss over :data:`~gcs_lab.accounting.wait_forest.QUANTILES` of log(wait + 1 s):
    smaller is better. ``inside`` is the part of the jobs whose wait lay between the 10 % and the 90 % quantile,
    ``below`` that whose wait was at most the 95 % quantile. Half of the medians were wrong by at most the factor
    ``factor`` (waits below 30 s count as 30 s), and of jobs that waited for more than 10 minutes by ``factor_long``.
    """

    name: str
    jobs: int
    loss: float
    inside: float
    below: float
    factor: float
    factor_long: float


@dataclass(frozen=True)
class Model:
    """The best of the models, learned again from everything.

    ``tests`` are the back-tests, the best first. ``live`` tells that it takes a look at the cluster. ``highest`` has
    a row a queue: the highest value of each feature there.
    """

    past: Past
    live: bool
    tests: tuple[BackTest, ...]
    forest: Forest
    history: History
    highest: Numbers

    def foretell(self, moment: Moments, history: History | None = None) -> tuple[Numbers, list[str]]:
        """Return the waits' quantiles (QUANTILES, s) of one submission, and what is higher than it ever was.

        Parameters
        ----------
        moment
            The submission.
        history
            What happened up to then, if it is more than was learned from.
        """
        row = _chosen(features(moment, history or self.history), live=self.live)
        names = [name for place, name in enumerate(FEATURES) if self.live or place in _WITHOUT_LOOK]
        most = 1.2 * self.highest[int(moment.queue[0])] + 1
        beyond = [name for place, name in enumerate(names) if name in WATCHED and row[0, place] > most[place]]
        waits, name = _Waits(self.past, live=self.live), self.tests[0].name
        if name == "forest":
            logs = self.forest.quantiles(row)
        elif name == "history":
            logs = waits.history(moment, int(moment.at[0]))
        else:
            logs = waits.last(moment)
        found: Numbers = np.expm1(logs[0])
        return found, beyond


def _chosen(rows: Numbers, *, live: bool) -> Numbers:
    return rows if live else rows[:, _WITHOUT_LOOK]


class _Waits:
    """The plain models: quantiles of log waits in the queue, of all of them or of the last."""

    def __init__(self, past: Past, *, live: bool) -> None:
        self._past = past
        self._target = np.log1p(past.wait)
        self._seen = _known(past, live=live)

    def history(self, moments: Moments, before: int) -> Numbers:
        """Return the quantiles of all waits of the queue that were known `before` that time."""
        jobs = self._past.jobs
        over = self._seen < before
        found = {}
        for queue in np.unique(moments.queue):
            mine = self._target[over & (jobs.queue == queue)]
            found[int(queue)] = np.quantile(mine if len(mine) else self._target[over], QUANTILES)
        return np.stack([found[int(queue)] for queue in moments.queue])

    def last(self, moments: Moments) -> Numbers:
        """Return the quantiles of the last 100 waits of the queue that were known at each moment."""
        jobs, seen = self._past.jobs, self._seen
        result = np.empty((len(moments.at), len(QUANTILES)))
        for queue in np.unique(moments.queue):
            here = np.flatnonzero(jobs.queue == queue)
            here = here[np.argsort(seen[here], kind="stable")]
            mine = np.flatnonzero(moments.queue == queue)
            upto = np.searchsorted(seen[here], moments.at[mine], side="left")
            place = np.clip(upto[:, None] - np.arange(1, _LAST + 1), 0, max(len(here) - 1, 0))
            result[mine] = np.quantile(self._target[here[place]], QUANTILES, axis=1).T
        return result


def learn(past: Past, *, live: bool) -> Model | None:
    """Return the best model of the waits; None: there are too few jobs.

    Parameters
    ----------
    past
        What there is to learn from.
    live
        Whether the model may ask what runs and waits at the moment of a submission.
    """
    jobs = past.jobs
    count = len(jobs.at)
    if count < LEAST_JOBS:
        return None
    split = int(jobs.at[int(_LEARNED * count)])
    over, later = np.flatnonzero(_known(past, live=live) < split), np.flatnonzero(jobs.at >= split)
    if len(over) < LEAST_JOBS // 2 or not len(later):
        return None
    learned, tried = _spread(over, _SEEN), _spread(later, _TRIED)
    history, target = History(past.events, live=live), np.log1p(past.wait)
    earlier = _chosen(features(_some(jobs, learned), history), live=live)
    moments = _some(jobs, tried)
    plain = _Waits(past, live=live)
    held_out = _chosen(features(moments, history), live=live)
    tree = grow(earlier, target[learned], _weights(jobs.at[learned], split))
    tests = [
        _test(name, quantiles, target[tried])
        for name, quantiles in (
            ("forest", tree.quantiles(held_out)),
            ("last starts", plain.last(moments)),
            ("history", plain.history(moments, split)),
        )
    ]
    tests.sort(key=lambda test: test.loss)
    newer = _spread(later, _SEEN // 3)
    rows = np.vstack([earlier, _chosen(features(_some(jobs, newer), history), live=live)])
    used = np.concatenate([learned, newer])
    forest = grow(rows, target[used], _weights(jobs.at[used], past.end)) if tests[0].name == "forest" else tree
    highest = np.zeros((len(past.queues), rows.shape[1]))
    np.maximum.at(highest, jobs.queue[used], rows)
    return Model(past, live, tuple(tests), forest, history, highest)


def _known(past: Past, *, live: bool) -> NDArray[np.int64]:
    """Return when each wait was known: with a look at the cluster when it was over, else when its job had ended."""
    return (past.jobs.at + past.wait).astype(np.int64) if live else past.known


def _spread(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of the places, evenly spread."""
    return places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype(np.int64))]


def _some(jobs: Moments, places: NDArray[np.int64]) -> Moments:
    return Moments(
        jobs.at[places],
        jobs.slots[places],
        jobs.queue[places],
        jobs.owner[places],
        jobs.time[places],
        jobs.memory[places],
    )


def _weights(at: NDArray[np.int64], now: int) -> Numbers:
    age = np.maximum(now - at, 0).astype(float)
    result: Numbers = np.maximum(0.5 ** (age / _HALF_LIFE), _LEAST_WEIGHT)
    return result


def _test(name: str, quantiles: Numbers, target: Numbers) -> BackTest:
    difference = target[:, None] - quantiles
    loss = np.maximum(QUANTILES * difference, (QUANTILES - 1) * difference).mean()
    low, half, high, most = (np.searchsorted(QUANTILES, share) for share in (0.1, 0.5, 0.9, 0.95))
    # Waits are whole seconds: one that is half a second outside of a quantile is on it.
    inside = (target >= quantiles[:, low] - 0.05) & (target <= quantiles[:, high] + 0.05)
    waited = np.expm1(target)
    error = np.abs(np.log(np.maximum(waited, _SHORT)) - np.log(np.maximum(np.expm1(quantiles[:, half]), _SHORT)))
    long = waited > 600  # noqa: PLR2004
    return BackTest(
        name,
        len(target),
        float(loss),
        float(inside.mean()),
        float((target <= quantiles[:, most] + 0.05).mean()),
        float(np.exp(np.median(error))),
        float(np.exp(np.median(error[long]))) if long.any() else float("nan"),
    )
