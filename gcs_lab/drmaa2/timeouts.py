"""Timeouts in the words of DRMAA2, and in ours."""

from __future__ import annotations

from gcs_lab.drmaa2.drmaa2_constants import Time
from gcs_lab.errors import InvalidArgument

__all__ = ["seconds_of"]


def seconds_of(timeout: object) -> float | None:
    """Return the seconds that a wait may take; None: without end.

    Parameters
    ----------
    timeout
        Seconds, 0 (``ZERO_TIME``: look once), -1 (``INFINITE_TIME``), a name of :class:`Time`, or None for no end.

    Raises
    ------
    InvalidArgument
        If it is none of these; ``NOW`` and ``UNSET_TIME`` are no timeouts.
    """
    if isinstance(timeout, str) and timeout in Time.__members__:
        timeout = Time[timeout]
    if timeout is None or timeout == Time.INFINITE_TIME:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
        raise InvalidArgument(
            f"the timeout is {timeout!r}; expected seconds from 0 (look once) on, or Time.INFINITE_TIME for no end."
        )
    return timeout
