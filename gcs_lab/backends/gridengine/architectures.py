"""Which of Grid Engine's names for machines (``lx-amd64``) DRMAA2's operating systems and processors mean.

The names are built by Grid Engine's script ``util/arch`` (8.1.9) and ``source/dist/util/arch`` (OCS 9.x, which has
``ulx-`` and ``xlx-`` for older kinds of Linux).
"""

from __future__ import annotations

from gcs_lab.errors import UnsupportedAttribute
from gcs_lab.vocabulary import CpuArchitecture, OperatingSystem

__all__ = ["architecture_pattern"]

#: Names are ``SYSTEM-PROCESSOR`` on these systems; the star stands for OCS's older kinds of Linux.
_SYSTEMS = {
    OperatingSystem.LINUX: ("*lx",),
    OperatingSystem.BSD: ("fbsd", "nbsd", "obsd"),
    OperatingSystem.MACOS: ("darwin",),
    OperatingSystem.SUNOS: ("sol",),
    OperatingSystem.WIN: ("cygwin",),
    OperatingSystem.WINNT: ("win32",),
}
_PROCESSORS = {
    CpuArchitecture.ALPHA: ("alpha",),
    CpuArchitecture.ARM: ("arm", "armhf", "armeb"),
    CpuArchitecture.ARM64: ("arm64",),
    CpuArchitecture.IA64: ("ia64",),
    CpuArchitecture.MIPS: ("mips", "mipsel"),
    CpuArchitecture.MIPS64: ("mips64",),
    CpuArchitecture.PARISC: ("parisc",),
    CpuArchitecture.PPC: ("ppc",),
    CpuArchitecture.PPC64: ("ppc64",),
    CpuArchitecture.PPC64LE: ("ppc64el", "ppc64le"),
    CpuArchitecture.SPARC: ("sparc",),
    CpuArchitecture.SPARC64: ("sparc64",),
    CpuArchitecture.X64: ("amd64",),
    CpuArchitecture.X86: ("x86",),
}
#: What some systems other than Linux call these.
_ELSEWHERE = {CpuArchitecture.X64: ("x64", "x86_64"), CpuArchitecture.X86: ("i386",)}
#: Names of other systems; they tell the processor only here and there.
_WHOLE = {
    "aix51": (OperatingSystem.AIX, None),
    "hp11": (OperatingSystem.HPUX, None),
    "hp11-64": (OperatingSystem.HPUX, CpuArchitecture.PARISC64),
    "irix65": (OperatingSystem.IRIX, CpuArchitecture.MIPS),
    "osf4": (OperatingSystem.TRU64, CpuArchitecture.ALPHA),
    "tru64": (OperatingSystem.TRU64, CpuArchitecture.ALPHA),
}


def architecture_pattern(system: OperatingSystem | None, processor: CpuArchitecture | None) -> str:
    """Return what ``-l arch=`` must be for machines of `system` and `processor`; one of them may be None.

    Raises
    ------
    UnsupportedAttribute
        If Grid Engine has no name for such machines.
    """
    names = [
        name
        for name, (its_system, its_processor) in _WHOLE.items()
        if system in (None, its_system) and processor in (None, its_processor)
    ]
    systems = (("*",) if system is None else _SYSTEMS.get(system)) or ()
    processors = (("*",) if processor is None else _PROCESSORS.get(processor)) or ()
    if processor is not None and system is not OperatingSystem.LINUX:
        processors += _ELSEWHERE.get(processor, ())
    names += [f"{prefix}-{suffix}" for prefix in systems for suffix in processors]
    if not names:
        asked = " and ".join(
            f"{attribute}={value.name}"
            for attribute, value in (("machine_os", system), ("machine_arch", processor))
            if value is not None
        )
        raise UnsupportedAttribute(
            f"{asked}: Grid Engine has no name for such a machine. Ask for a value of its own complex instead "
            "(resource_requests={'arch': …}); `qhost` shows the machines' names in the column ARCH."
        )
    return "|".join(names)
