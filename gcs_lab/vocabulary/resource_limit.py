"""The limits that a job may set itself (DRMAA2 ``ResourceLimitType``, GFD.231 section 4.3)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ResourceLimit"]


class ResourceLimit(StrEnum):
    """Keys of ``JobTemplate.resource_limits``.

    Values are whole numbers as text: seconds of ``CPU_TIME`` and ``WALLCLOCK_TIME``, a count of ``OPEN_FILES``,
    KiB of all others; ``"unlimited"`` sets no limit.
    """

    CORE_FILE_SIZE = "CORE_FILE_SIZE"
    CPU_TIME = "CPU_TIME"
    DATA_SIZE = "DATA_SIZE"
    FILE_SIZE = "FILE_SIZE"
    OPEN_FILES = "OPEN_FILES"
    STACK_SIZE = "STACK_SIZE"
    VIRTUAL_MEMORY = "VIRTUAL_MEMORY"
    WALLCLOCK_TIME = "WALLCLOCK_TIME"
