"""Which machines a job or a reservation may have, as values of complexes for ``-l`` (complex(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gcs_lab.backends.gridengine.architectures import architecture_pattern
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.vocabulary import CpuArchitecture, OperatingSystem

__all__ = ["MachineAttributes", "machine_requests"]


class MachineAttributes(Protocol):
    """What the templates of jobs and of reservations say alike."""

    candidate_machines: list[str] | None
    min_phys_memory: int | None
    machine_os: OperatingSystem | None
    machine_arch: CpuArchitecture | None


def _one_of(machines: Sequence[str]) -> str:
    for name in machines:
        if name.startswith("@"):
            raise InvalidArgument(
                f"candidate_machines has {name!r}, which is a host group; expected machines, as `qconf -sel` lists "
                f"them. For a group use queue_name, as in '*@{name}'."
            )
    return "|".join(dict.fromkeys(machines))


def machine_requests(template: MachineAttributes) -> dict[str, str]:
    """Return complex name to value: ``hostname``, ``mem_total`` (which a machine has, used or not) and ``arch``.

    Raises
    ------
    InvalidArgument
        If a machine's name or the memory cannot be.
    UnsupportedAttribute
        If Grid Engine has no word for such machines.
    """
    requests: dict[str, str] = {}
    if template.candidate_machines is not None:
        requests["hostname"] = _one_of(template.candidate_machines)
    if template.min_phys_memory is not None:
        requests["mem_total"] = f"{template.min_phys_memory}K"
    if template.machine_os is not None or template.machine_arch is not None:
        requests["arch"] = architecture_pattern(template.machine_os, template.machine_arch)
    return requests
