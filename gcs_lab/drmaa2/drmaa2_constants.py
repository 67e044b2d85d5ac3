"""Enumerations and numbers of DRMAA2 as Univa's Python binding names them; the numbers are those of the C binding.

This module and ``drmaa2_exceptions`` are called as the binding's are: scripts import from them.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum, IntEnum

from gcs_lab.vocabulary import UNSET_ENUM, UNSET_NUM, UNSET_TIME

__all__ = [
    "POSIX_EPOCH",
    "UNSET_BOOL",
    "UNSET_ENUM",
    "UNSET_NUM",
    "UNSET_PRIORITY",
    "UNSET_TIME",
    "Bool",
    "Capability",
    "Cpu",
    "Event",
    "JobState",
    "ListType",
    "Os",
    "ResourceLimit",
    "StatusCode",
    "Time",
]

UNSET_BOOL = 0
UNSET_PRIORITY = -99999
#: The beginning of 1970, naive: the binding's scripts take it from other naive times.
POSIX_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


class _NamedNumber(IntEnum):
    """A number that is written as its name: ``JobState.DONE``."""

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class Bool(_NamedNumber):
    """Truth values of the C binding."""

    FALSE = 0
    TRUE = 1


class Time(_NamedNumber):
    """Times and timeouts that are no number of seconds."""

    ZERO_TIME = 0
    INFINITE_TIME = -1
    NOW = -2
    UNSET_TIME = -3


class Capability(_NamedNumber):
    """Optional abilities of an implementation."""

    UNSET_CAPABILITY = -1
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


class Cpu(_NamedNumber):
    """Processor architectures."""

    UNSET_CPU = -1
    OTHER_CPU = 0
    ALPHA = 1
    ARM = 2
    ARM64 = 3
    CELL = 4
    PARISC = 5
    PARISC64 = 6
    X86 = 7
    X64 = 8
    IA64 = 9
    MIPS = 10
    MIPS64 = 11
    PPC = 12
    PPC64 = 13
    SPARC = 14
    SPARC64 = 15
    PPC64LE = 16


class Event(_NamedNumber):
    """What happened to a job."""

    UNSET_EVENT = -1
    NEW_STATE = 0
    MIGRATED = 1
    ATTRIBUTE_CHANGE = 2


class JobState(_NamedNumber):
    """States of a job. ``RUNNING_HELD`` is Univa's; no system of ours has it: a job that runs cannot be held."""

    UNSET_JSTATE = -1
    UNDETERMINED = 0
    QUEUED = 1
    QUEUED_HELD = 2
    RUNNING = 3
    SUSPENDED = 4
    REQUEUED = 5
    REQUEUED_HELD = 6
    DONE = 7
    FAILED = 8
    RUNNING_HELD = 9


class Os(_NamedNumber):
    """Operating systems."""

    UNSET_OS = -1
    OTHER_OS = 0
    AIX = 1
    BSD = 2
    LINUX = 3
    HPUX = 4
    IRIX = 5
    MACOS = 6
    SUNOS = 7
    TRU64 = 8
    UNIXWARE = 9
    WIN = 10
    WINNT = 11


class ResourceLimit(Enum):
    """Keys of ``JobTemplate.resource_limits``."""

    CORE_FILE_SIZE = "CORE_FILE_SIZE"
    CPU_TIME = "CPU_TIME"
    DATA_SIZE = "DATA_SIZE"
    FILE_SIZE = "FILE_SIZE"
    OPEN_FILES = "OPEN_FILES"
    STACK_SIZE = "STACK_SIZE"
    VIRTUAL_MEMORY = "VIRTUAL_MEMORY"
    WALLCLOCK_TIME = "WALLCLOCK_TIME"


class ListType(_NamedNumber):
    """Kinds of lists of the C binding; Python has one, and nothing here takes them."""

    UNSET_LISTTYPE = -1
    STRINGLIST = 0
    JOBLIST = 1
    QUEUEINFOLIST = 2
    MACHINEINFOLIST = 3
    SLOTINFOLIST = 4
    RESERVATIONLIST = 5


class StatusCode(_NamedNumber):
    """Numbers of the errors: ``error_code`` of each exception. ``AUTHORIZATION`` is Univa's."""

    UNSET_ERROR = -1
    SUCCESS = 0
    DENIED_BY_DRMS = 1
    DRM_COMMUNICATION = 2
    TRY_LATER = 3
    SESSION_MANAGEMENT = 4
    TIMEOUT = 5
    INTERNAL = 6
    INVALID_ARGUMENT = 7
    INVALID_SESSION = 8
    INVALID_STATE = 9
    OUT_OF_RESOURCE = 10
    UNSUPPORTED_ATTRIBUTE = 11
    UNSUPPORTED_OPERATION = 12
    IMPLEMENTATION_SPECIFIC = 13
    AUTHORIZATION = 14
    LASTERROR = 15
