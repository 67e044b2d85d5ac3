"""Times as Grid Engine's commands take them: ``CCYYMMDDhhmm.SS`` in the zone of the command (sge_types(1))."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

from gcs_lab.errors import InvalidArgument

__all__ = ["local_date_time", "utc_date_time"]

_FORMAT = "%Y%m%d%H%M.%S"
#: The qmaster keeps seconds since 1970 in 32 bits; a later time would become one long past, without a word.
_LAST = 2**32 - 1
#: How far clocks are put back where summer time ends; half an hour on Lord Howe Island.
_SHIFTS = (-3600, -1800, 1800, 3600)


def _seconds(what: str, moment: datetime) -> int:
    """Return whole seconds since 1970, rounded up: nothing starts before its time. Naive times are local."""
    seconds = math.ceil(moment.timestamp())
    if not 0 <= seconds <= _LAST:
        raise InvalidArgument(f"the {what} {moment.isoformat()} is out of range: Grid Engine knows 1970 to 2106.")
    return seconds


def local_date_time(what: str, moment: datetime) -> str:
    """Return `moment` in this machine's local time, for ``qsub -a``.

    Raises
    ------
    InvalidArgument
        If it lies in the hour that the clock has twice when summer time ends: which of the two qsub means depends on
        what its C library converted before. Or if it is out of range.
    """
    seconds = _seconds(what, moment)
    text = time.strftime(_FORMAT, time.localtime(seconds))
    if any(time.strftime(_FORMAT, time.localtime(seconds + shift)) == text for shift in _SHIFTS):
        raise InvalidArgument(
            f"the {what} {moment.isoformat()} lies in an hour that this machine's clock has twice (summer time "
            "ends), and qsub could take it for the other one. Choose a time before or after that hour."
        )
    return text


def utc_date_time(what: str, moment: datetime) -> str:
    """Return `moment` in UTC, for a command that runs with ``TZ=UTC``. Raises InvalidArgument if out of range."""
    return datetime.fromtimestamp(_seconds(what, moment), UTC).strftime(_FORMAT)
