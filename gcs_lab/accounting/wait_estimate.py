"""How long a job like this would wait, from history and the present queue, with the error that a back-test shows."""

from __future__ import annotations

import html
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.advice_template import Wanted, read_template
from gcs_lab.jobs.requests import format_time

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from gcs_lab.accounting.wait_model import BackTest, Model
    from gcs_lab.vocabulary import JobTemplate

__all__ = ["SHARES", "WaitEstimate", "estimate"]

#: The shares of jobs that are told.
SHARES = (0.1, 0.5, 0.8, 0.9, 0.95)
#: Records that end so much before now say nothing of now.
_STALE = 3 * 86400
#: Of fewer jobs in the queue nothing is said.
_LEAST_IN_QUEUE = 100
#: The requests that are looked at.
_READ = {"h_rt", "h_vmem"}
_CALLED = {
    "forest": "trees over the load at submission",
    "last starts": "the last 100 starts",
    "history": "all history",
}
_BEYOND = {"slots": "slots", "pending_slots": "slots waiting", "own_pending_slots": "slots of the owner waiting"}
#: What was learned, for as long as the records are the same.
_LEARNED: OrderedDict[Hashable, Model | None] = OrderedDict()
_KEPT = 2
_GUARD = threading.Lock()


@dataclass(frozen=True)
class WaitEstimate:
    """How long jobs like this wait; shown as sentences.

    ``quantiles`` has the wait in seconds for each of SHARES: within ``quantiles[0.8]`` 80 % of such jobs start. Empty
    where nothing is known, and then ``why`` says why. ``notes`` say what makes it doubtful. ``at`` is the moment of
    the submission, ``live`` whether the present queue was looked at. ``tests`` are the back-tests of the models, the
    one that was used first.
    """

    said: str
    queue: str
    at: datetime
    live: bool
    jobs: int
    quantiles: Mapping[float, float]
    tests: tuple[BackTest, ...]
    notes: tuple[str, ...] = ()
    why: str = ""

    @property
    def known(self) -> bool:
        """Whether there are figures, and nothing makes them doubtful."""
        return bool(self.quantiles) and not self.notes

    @property
    def median(self) -> float | None:
        """The wait in seconds within which half of such jobs start; None: not known."""
        return self.quantiles.get(0.5)

    def frame(self) -> pd.DataFrame:
        """Return the quantiles: ``share`` and ``wait`` (s)."""
        import pandas as pd

        return pd.DataFrame({"share": list(self.quantiles), "wait": list(self.quantiles.values())}, dtype=float)

    @property
    def sentences(self) -> list[str]:
        """What is to be said, without a full stop."""
        if not self.quantiles:
            return [f"it is not known: {self.why}"]
        # Records have whole seconds.
        half, most, nearly = (format_time(max(1.0, self.quantiles[share])) for share in (0.5, 0.8, 0.95))
        said = [f"half of such jobs start within {half}, 80 % within {most}, 95 % within {nearly}"]
        look = "what waits and runs now was looked at" if self.live else "the present queue was not looked at"
        said.append(f"from {self.jobs:,} jobs in {self.queue}, by {_CALLED[self.tests[0].name]}; {look}")
        return [*said, *self.notes, *_tested(self.tests)]

    def _head(self) -> str:
        return f"Wait of {self.said}, submitted {self.at:%Y-%m-%d %H:%M} UTC"

    def __repr__(self) -> str:
        return "\n".join([self._head(), *(f"  {sentence}." for sentence in self.sentences)])

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(sentence)}.</li>" for sentence in self.sentences)
        return f"<div><b>{html.escape(self._head())}</b><ul>{said}</ul></div>"


def _tested(tests: tuple[BackTest, ...]) -> list[str]:
    best, *others = tests
    against = ", ".join(f"{other.loss:.3f} by {_CALLED[other.name]}" for other in others)
    tried = (
        f"tried on {best.jobs:,} later jobs: the 80 % interval held {100 * best.inside:.0f} % of the waits, the 95 % "
        f"quantile {100 * best.below:.0f} %; mean pinball loss {best.loss:.3f} (log scale), {against}"
    )
    if math.isnan(best.factor_long):
        return [tried]
    factor = f"for jobs that waited more than 10 minutes the median error was a factor of {best.factor_long:.1f}"
    return [tried, factor]


def estimate(
    records: pl.LazyFrame,
    template: JobTemplate | Mapping[str, Any] | Wanted | None = None,
    *,
    live: pa.Table | None = None,
    at: datetime | None = None,
    key: Hashable = None,
) -> WaitEstimate:
    """Return how long a job like `template` would wait if it were submitted now.

    Of an array job it is the wait of its first task. Holds, deferred starts and dependencies are the job's own, and
    are not foretold.

    Parameters
    ----------
    records
        Records with the columns of RECORD_COLUMNS: of everybody, as everybody's jobs make the load.
    template
        As for :func:`gcs_lab.accounting.advice_template.read_template`; None: a job of one slot. Name, command and
        project of a job are not looked at.
    live
        What runs and waits now, as the table of tasks of ``gcs_lab.status.tables``. None: the model knows only the
        waits of jobs that have ended.
    at
        The moment of submission; None: now, or the end of the records where that is long ago.
    key
        What is learned is kept as long as this is the same: for instance the store and its generation. None: it is
        learned anew.

    Raises
    ------
    InvalidArgument
        If the template says nothing.
    """
    from gcs_lab.accounting.wait_model import LEAST_JOBS

    wanted = read_template(template)
    model, seen = _model(records, key, live=live is not None)
    now = time.time() if at is None else at.timestamp()
    # What it is called and runs, and for whom it is paid, is not looked at.
    wanted = replace(wanted, name=None, command=None, project=None)
    said = f"jobs like {wanted.said}" if wanted.said else "any job"
    if model is None:
        why = f"there are {seen:,} jobs that started, and at least {LEAST_JOBS} are needed to learn from"
        return WaitEstimate(said, wanted.queue or "", _utc(now), live is not None, seen, {}, (), why=why)
    return _estimated(model, wanted, said, live, now, stale=at is None)


def _estimated(
    model: Model, wanted: Wanted, said: str, live: pa.Table | None, now: float, *, stale: bool
) -> WaitEstimate:
    from gcs_lab.accounting.wait_forest import QUANTILES
    from gcs_lab.accounting.wait_history import moment_of, with_live
    from gcs_lab.accounting.wait_load import History

    past, notes = model.past, []
    last = int(past.jobs.at.max())
    if live is None and stale and now - last > _STALE:
        now = last
        notes.append("the records end then: how it is since is not known")
    elif now - last > _STALE:
        notes.append(f"the newest job with a record was sent on {_utc(last):%Y-%m-%d}: how it was since is not known")
    queue = _queue(model, wanted)
    jobs = 0 if queue is None else int((past.jobs.queue == past.queues.index(queue)).sum())
    common = (said, queue or wanted.queue or "", _utc(now), live is not None, jobs)
    if queue is None:
        return WaitEstimate(*common, {}, model.tests, why=f"no job of the history ran in {wanted.queue}")
    if unread := sorted(wanted.requests.keys() - _READ):
        notes.append(f"{', '.join(unread)}: not looked at, and jobs that ask for it may wait longer")
    if wanted.environment is not None and not past.environments(wanted.environment):
        notes.append(f"no job of the history ran in the parallel environment {wanted.environment}: others are told")
    if jobs < _LEAST_IN_QUEUE:
        why = f"only {jobs:,} jobs of the history ran in {queue}, at least {_LEAST_IN_QUEUE} are needed"
        return WaitEstimate(*common, {}, model.tests, why=why)
    history = None if live is None else History(with_live(past, live, now), live=True)
    found, above = model.foretell(moment_of(past, wanted, queue, now), history)
    quantiles = {share: float(found[QUANTILES.tolist().index(share)]) for share in SHARES}
    if above:
        beyond = [_BEYOND[name] for name in above]
        notes.append(f"more {' and '.join(beyond)} than the history has ever seen in {queue}: it may be much longer")
    return WaitEstimate(*common, quantiles, model.tests, tuple(notes))


def _queue(model: Model, wanted: Wanted) -> str | None:
    """Return the queue that such a job goes to: the first that is named and known, else the most usual one."""
    if wanted.queue is None:
        return model.past.queue_for(wanted.owner, wanted.environment)
    named = [name.partition("@")[0] for name in wanted.queue.split(",")]
    return next((name for name in named if name in model.past.queues), None)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _model(records: pl.LazyFrame, key: Hashable, *, live: bool) -> tuple[Model | None, int]:
    """Return the model, and how many jobs there are to learn from."""
    from gcs_lab.accounting.wait_history import read_past
    from gcs_lab.accounting.wait_model import learn

    kept = (key, live)
    with _GUARD:
        if key is not None and (model := _LEARNED.get(kept)) is not None:
            _LEARNED.move_to_end(kept)
            return model, len(model.past.jobs.at)
    past = read_past(records)
    model = learn(past, live=live)
    if key is not None and model is not None:
        with _GUARD:
            _LEARNED[kept] = model
            while len(_LEARNED) > _KEPT:
                _LEARNED.popitem(last=False)
    return model, len(past.jobs.at)
