"""How long to wait between two polls."""

from __future__ import annotations

import random

__all__ = ["LONGEST_PAUSE", "pause"]

#: Seconds: a cluster that does not answer is asked at least so often. Somebody may be waiting for it to come back.
LONGEST_PAUSE = 60.0
#: Asking takes at most a twentieth of the time, so that it costs the cluster at most 5% of what one client can.
_SHARE = 20
#: When nobody looks.
_IDLE = 4
#: Seconds until the first new question to a cluster that did not answer; at least.
_FIRST_RETRY = 2.0


def pause(floor: float, seconds: float, failures: int = 0, *, looked_at: bool = True) -> float:
    """Return the seconds from the end of one poll to the beginning of the next.

    Parameters
    ----------
    floor
        The least, in seconds.
    seconds
        What the latest answers took, the quicker one of two.
    failures
        Questions since then that were not answered: each doubles the pause, up to a minute. What comes of it is
        spread by a fifth, so that many users' pollers do not ask at the same moment when the cluster is back.
    looked_at
        Whether anybody looks at what comes; else the pause is four times as long.
    """
    base = max(floor, _SHARE * seconds)
    if failures:
        longer = max(base, _FIRST_RETRY) * 2.0 ** min(failures - 1, 16)
        return min(LONGEST_PAUSE, longer) * random.uniform(0.8, 1.2)  # noqa: S311
    return base if looked_at else _IDLE * base
