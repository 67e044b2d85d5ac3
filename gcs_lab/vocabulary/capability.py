"""What a system may or may not be able to do (DRMAA2 ``drmaa2_capability``)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Capability"]


class Capability(IntEnum):
    """Optional abilities of a DRMAA2 implementation; the numbers are those of the C binding."""

    ADVANCE_RESERVATION = 0
    RESERVE_SLOTS = 1
    CALLBACK = 2
    BULK_JOBS_MAXPARALLEL = 3
    JT_EMAIL = 4
    JT_STAGING = 5
    JT_DEADLINE = 6
    JT_MAXSLOTS = 7
    JT_ACCOUNTINGID = 8
    RT_STARTNOW = 9
    RT_DURATION = 10
    RT_MACHINEOS = 11
    RT_MACHINEARCH = 12
