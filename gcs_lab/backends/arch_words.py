"""Grid Engine's words for machines (``util/arch``: ``lx-amd64``), and what they are in DRMAA2's."""

from __future__ import annotations

from gcs_lab.vocabulary import CpuArchitecture, OperatingSystem

__all__ = ["architecture_of", "operating_system_of"]

#: Beginnings of the first half (``source/dist/util/arch``), longest first where one begins another.
_SYSTEMS = {
    "lx": OperatingSystem.LINUX,
    "ulx": OperatingSystem.LINUX,
    "xlx": OperatingSystem.LINUX,
    "darwin": OperatingSystem.MACOS,
    "sol": OperatingSystem.SUNOS,
    "fbsd": OperatingSystem.BSD,
    "nbsd": OperatingSystem.BSD,
    "obsd": OperatingSystem.BSD,
    "aix": OperatingSystem.AIX,
    "hp": OperatingSystem.HPUX,
    "irix": OperatingSystem.IRIX,
    "tru64": OperatingSystem.TRU64,
    "unixware": OperatingSystem.UNIXWARE,
    "win32": OperatingSystem.WINNT,
    "win": OperatingSystem.WIN,
}
_PROCESSORS = {
    "amd64": CpuArchitecture.X64,
    "x64": CpuArchitecture.X64,
    "x86_64": CpuArchitecture.X64,
    "x86": CpuArchitecture.X86,
    "i686": CpuArchitecture.X86,
    "arm64": CpuArchitecture.ARM64,
    "aarch64": CpuArchitecture.ARM64,
    "arm": CpuArchitecture.ARM,
    "armhf": CpuArchitecture.ARM,
    "armv7l": CpuArchitecture.ARM,
    "alpha": CpuArchitecture.ALPHA,
    "cell": CpuArchitecture.CELL,
    "ia64": CpuArchitecture.IA64,
    "mips": CpuArchitecture.MIPS,
    "mips64": CpuArchitecture.MIPS64,
    "parisc": CpuArchitecture.PARISC,
    "parisc64": CpuArchitecture.PARISC64,
    "ppc": CpuArchitecture.PPC,
    "ppc64": CpuArchitecture.PPC64,
    "ppc64el": CpuArchitecture.PPC64LE,
    "ppc64le": CpuArchitecture.PPC64LE,
    "sparc": CpuArchitecture.SPARC,
    "sparc64": CpuArchitecture.SPARC64,
}


def operating_system_of(arch: str) -> OperatingSystem:
    """Return the operating system that an architecture word names; ``OTHER_OS`` if it is none that is known."""
    system = arch.partition("-")[0]
    return next((known for word, known in _SYSTEMS.items() if system.startswith(word)), OperatingSystem.OTHER_OS)


def architecture_of(arch: str) -> CpuArchitecture:
    """Return the processor that an architecture word names; ``OTHER_CPU`` if it is none that is known."""
    return _PROCESSORS.get(arch.partition("-")[2], CpuArchitecture.OTHER_CPU)
