"""Moments of records as this machine's clock shows them: periods of a day, week or month, and hours of the week.

Shifted by the zone's offset in whole microseconds instead of by polars' zones: those are ten times as slow for a
million records, and ask for a zone's name, which not every machine tells.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

__all__ = [
    "HOUR",
    "Step",
    "bucket",
    "clock_changes",
    "clock_text",
    "day_text",
    "hour_of_week",
    "local",
    "shown_times",
    "step_for",
]

HOUR = 3600.0
DAY = 86400.0
_US = 1_000_000


class Step(NamedTuple):
    """A length of the periods that a figure over time is made of; `seconds` is 0 for months."""

    name: str
    seconds: float


_HOURLY, _SIX_HOURS = Step("hour", HOUR), Step("6 hours", 6 * HOUR)
_DAILY, _WEEKLY, _MONTHLY = Step("day", DAY), Step("week", 7 * DAY), Step("month", 0.0)
#: Up to so many days: the step.
_STEPS = ((3, _HOURLY), (12, _SIX_HOURS), (130, _DAILY), (800, _WEEKLY))


def step_for(since: float, until: float) -> Step:
    """Return the step with which a span (seconds since the epoch) makes some 40 to 130 periods."""
    days = (until - since) / DAY
    return next((step for most, step in _STEPS if days <= most), _MONTHLY)


def _offset(at: float) -> float:
    told = datetime.fromtimestamp(at, UTC).astimezone().utcoffset()
    return 0.0 if told is None else told.total_seconds()


def offset_us(at: float) -> int:
    """Return how far the local clock is ahead of UTC at a moment (seconds since the epoch), in microseconds."""
    return int(_offset(at) * _US)


def clock_changes(since: float, until: float) -> list[tuple[float, float]]:
    """Return from when on (seconds since the epoch) which offset from UTC holds, in seconds."""
    found = [(since, _offset(since))]
    at = since
    while at < until:
        following = min(at + 7 * DAY, until)
        if _offset(following) != found[-1][1]:
            low, high = at, following
            while high - low > 1:
                middle = (low + high) / 2
                low, high = (middle, high) if _offset(middle) == found[-1][1] else (low, middle)
            found.append((float(round(high)), _offset(following)))
        at = following
    return found


def local(column: str, since: float, until: float) -> pl.Expr:
    """Return a column of moments as microseconds of the local clock (whole numbers), for moments in a span."""
    import polars as pl

    ticks = pl.col(column).dt.epoch("us")
    changes = clock_changes(since, until)
    if len(changes) == 1:
        return ticks + int(changes[0][1] * _US)
    shift: Any = pl.when(ticks < int(changes[1][0] * _US)).then(int(changes[0][1] * _US))
    for (_, offset), (end, _) in pairwise(changes[1:]):
        shift = shift.when(ticks < int(end * _US)).then(int(offset * _US))
    made: pl.Expr = ticks + shift.otherwise(int(changes[-1][1] * _US))
    return made


def local_of(moments: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return moments (microseconds since the epoch, ascending) as microseconds of the local clock."""
    import numpy as np

    if not len(moments):
        return moments
    changes = clock_changes(float(moments[0]) / _US, float(moments[-1]) / _US)
    place = np.searchsorted([int(begin * _US) for begin, _ in changes], moments, side="right") - 1
    offsets = np.array([int(offset * _US) for _, offset in changes], np.int64)
    shifted: NDArray[np.int64] = moments + offsets[np.maximum(place, 0)]
    return shifted


def bucket(column: str, step: Step, since: float, until: float) -> pl.Expr:
    """Return when the period began that a column's moment is in: microseconds of the local clock.

    Weeks begin on Monday.
    """
    import polars as pl

    ticks = local(column, since, until)
    if not step.seconds:
        return ticks.cast(pl.Datetime("us")).dt.truncate("1mo").dt.epoch("us")
    width = int(step.seconds * _US)
    # The epoch began on a Thursday.
    shift = 3 * int(DAY * _US) if step is _WEEKLY else 0
    return (ticks + shift) // width * width - shift


def hour_of_week(column: str, since: float, until: float) -> pl.Expr:
    """Return the hour of the week, 0 to 167, of a column's moment: 0 is Monday from midnight to one."""
    return (local(column, since, until) // int(HOUR * _US) + 3 * 24) % 168


def shown_times(local_us: NDArray[np.int64]) -> list[str]:
    """Return microseconds of the local clock as plotly's axes of time take them: text, to the millisecond.

    No numbers: those plotly.js shifts by the zone of the browser, which is another one often enough.
    """
    import numpy as np

    told: list[str] = np.datetime_as_string(local_us.astype("datetime64[us]"), unit="ms").tolist()
    return told


def from_local(local_us: int) -> float:
    """Return the moment (seconds since the epoch) that the local clock shows so."""
    return (datetime(1970, 1, 1) + timedelta(microseconds=local_us)).astimezone().timestamp()  # noqa: DTZ001


def clock_text(at: float) -> str:
    """Return a moment (seconds since the epoch) to the minute."""
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"


def day_text(at: float) -> str:
    """Return the day of a moment (seconds since the epoch)."""
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d}"
