"""Machines, queues and versions as DRMAA2 sees them (GFD.231: ``MachineInfo``, ``QueueInfo``, ``Version``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

__all__ = ["CpuArchitecture", "MachineInfo", "OperatingSystem", "QueueInfo", "Version"]


class OperatingSystem(IntEnum):
    """Operating systems; the numbers are those of the C binding (``drmaa2_os``)."""

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


class CpuArchitecture(IntEnum):
    """Processor architectures; the numbers are those of the C binding (``drmaa2_cpu``; the last is GFD.231's)."""

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


@dataclass(frozen=True)
class Version:
    """A version as major and minor part, both text: ``Version("8", "1.9")``."""

    major: str
    minor: str

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True)
class QueueInfo:
    """A cluster queue. The attributes after ``name`` are implementation-specific; ``slots`` counts all hosts."""

    name: str
    slots: int | None = None
    slots_used: int | None = None
    machines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MachineInfo:
    """A machine that runs jobs. ``None`` means that the system does not tell.

    Memory is in KiB, as the standard says; ``load`` is the 1-minute load average of the whole machine, not divided
    by its cores. ``raw`` is what the system said beyond that.
    """

    name: str
    available: bool = True
    sockets: int | None = None
    cores_per_socket: int | None = None
    threads_per_core: int | None = None
    load: float | None = None
    phys_memory: int | None = None
    virt_memory: int | None = None
    machine_os: OperatingSystem | None = None
    machine_os_version: Version | None = None
    machine_arch: CpuArchitecture | None = None
    raw: dict[str, str] = field(default_factory=dict)
