"""Which of the recorded moments are kept: many of the last minutes, fewer the older they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["HISTORY", "SNAPSHOTS", "Window", "thinned"]

#: Up to so many seconds of age, one moment in so many seconds.
Window = tuple[float, float]

#: Whole snapshots: what a replay shows.
SNAPSHOTS: tuple[Window, ...] = (
    (600.0, 5.0),
    (3 * 3600.0, 60.0),
    (12 * 3600.0, 600.0),
    (48 * 3600.0, 1800.0),
)
#: Counts: what charts show.
HISTORY: tuple[Window, ...] = ((3600.0, 5.0), (48 * 3600.0, 60.0), (30 * 86400.0, 600.0))


def thinned(times: Iterable[float], now: float, windows: Sequence[Window]) -> list[float]:
    """Return the `times` (seconds since the epoch) that are to be forgotten at `now`.

    Of each stretch of time the first moment is kept, so that what was kept once stays until its window ends. What
    lies in the future (the clock was set back) counts as of now.
    """
    forgotten, kept = [], set()
    for time in sorted(times):
        age = max(0.0, now - time)
        step = next((step for until, step in windows if age <= until), None)
        stretch = None if step is None else (step, int(time // step))
        if stretch is None or stretch in kept:
            forgotten.append(time)
        else:
            kept.add(stretch)
    return forgotten
