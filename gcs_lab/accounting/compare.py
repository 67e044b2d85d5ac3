"""Two periods side by side."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.choice import Choice
from gcs_lab.accounting.groupings import groups, names_of, sorted_by
from gcs_lab.accounting.moments import seconds_of
from gcs_lab.accounting.summary import MEASURES, summarise
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from gcs_lab.accounting.store import Store

__all__ = ["compare"]

_TIMES = ("since", "until", "before", "days", "by_end")
#: What there is none of is 0; a mean of none is not known.
_SUMS = frozenset(MEASURES) - {"wait_mean"}


def compare(
    store: Store,
    first: Any,
    second: Any,
    by: str | Sequence[str],
    *,
    measures: Sequence[str],
    words: Mapping[str, Any],
) -> pl.DataFrame:
    """Return `by`, and for each measure ``_first``, ``_second``, ``_difference`` and ``_ratio`` (second by first).

    Raises
    ------
    InvalidArgument
        If a period is none, or the keywords choose a time of their own; UnknownName: no such measure.
    """
    import polars as pl

    several = names_of("measures", measures)
    for measure in several:
        if measure not in MEASURES:
            raise UnknownName("measure", measure, MEASURES, where="summary", relation="in")
    for word in _TIMES:
        if word in words:
            raise InvalidArgument(f"{word}= is said by the two periods of compare; leave it out.")
    now = time.time()
    chosen = []
    for place, period in (("first", first), ("second", second)):
        begin, end = _period(place, period, now)
        chosen.append(Choice.of({**words, "since": begin, "before": end, "by_end": True}))
    names = list(groups(by))
    one, other = (
        summarise(store, by, choice).select(*names, *(pl.col(name).alias(f"{name}_{place}") for name in several))
        for choice, place in zip(chosen, ("first", "second"), strict=True)
    )
    if names:
        made = one.join(other, on=names, how="full", coalesce=True, nulls_equal=True)
    else:
        made = pl.concat([one, other], how="horizontal")
    figures = []
    for name in several:
        before, after = (pl.col(f"{name}_{place}") for place in ("first", "second"))
        if name in _SUMS:
            before, after = before.fill_null(0), after.fill_null(0)
        figures += [
            before,
            after,
            (after - before).alias(f"{name}_difference"),
            pl.when(before > 0).then(after / before).alias(f"{name}_ratio"),
        ]
    return sorted_by(made.select(*names, *figures), names)


def _period(place: str, period: Any, now: float) -> tuple[float, float]:
    """Return a period's begin and end, the end not included, in seconds since the epoch."""
    if isinstance(period, tuple | list):
        if len(period) == 2:  # noqa: PLR2004 - from, to
            begin, end = (seconds_of(place, one, now)[0] for one in period)
            if begin < end:
                return begin, end
        raise InvalidArgument(f"{place}={period!r}: expected a pair of times, from and to, the first one earlier.")
    start, finish = seconds_of(place, period, now)
    if finish is None:
        raise InvalidArgument(
            f"{place}={period!r} is a moment; expected a month (2026-10), a day (2026-10-05), or a pair of times."
        )
    return start, finish
