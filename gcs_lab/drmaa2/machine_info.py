"""Machines and queues (DRMAA2 ``MachineInfo``, ``QueueInfo``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gcs_lab.drmaa2.attributes import Attribute, ChoiceAttribute, FlagAttribute, NameAttribute, NumberAttribute
from gcs_lab.drmaa2.drmaa2_constants import Cpu, Os
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.drmaa2.version import Version

if TYPE_CHECKING:
    from gcs_lab import vocabulary

__all__ = ["MachineInfo", "QueueInfo"]


class MachineInfo(Drmaa2Object):
    """A machine that runs jobs; read-only.

    Parameters
    ----------
    machine_info
        What a system told.
    """

    name = NameAttribute("Name of the machine.")
    available = FlagAttribute("Whether it answers.")
    sockets: NumberAttribute[int | None] = NumberAttribute("Number of processor sockets.")
    cores_per_socket: NumberAttribute[int | None] = NumberAttribute("Number of cores of each processor.")
    threads_per_core: NumberAttribute[int | None] = NumberAttribute("Number of hardware threads of each core.")
    load: NumberAttribute[float | None] = NumberAttribute(
        "Load average of the last minute, of the whole machine.", whole=False
    )
    phys_memory: NumberAttribute[int | None] = NumberAttribute("Physical memory, in KiB.")
    virt_memory: NumberAttribute[int | None] = NumberAttribute("Virtual memory, in KiB.")
    machine_arch = ChoiceAttribute("Processor architecture.", Cpu)
    machine_os_version: Attribute[Version | None] = Attribute("Version of the operating system.")
    machine_os = ChoiceAttribute("Operating system.", Os)

    def __init__(self, machine_info: vocabulary.MachineInfo) -> None:
        super().__init__()
        values = {name: getattr(machine_info, name) for name in self.attribute_names()}
        values["machine_os_version"] = Version.of(machine_info.machine_os_version)
        self.fill(**values)
        self._read_only = True


class QueueInfo(Drmaa2Object):
    """A cluster queue; read-only.

    Parameters
    ----------
    queue_info
        What a system told.
    """

    name = NameAttribute("Name of the queue.")

    implementation_specific_keys: ClassVar[dict[str, str]] = {
        "slots": "Number of slots on all machines.",
        "slots_used": "Number of slots that jobs have.",
        "machines": "Names of the machines that the queue is on, with commas.",
    }

    def __init__(self, queue_info: vocabulary.QueueInfo) -> None:
        super().__init__()
        machines = ",".join(queue_info.machines) or None
        self.fill(name=queue_info.name, slots=queue_info.slots, slots_used=queue_info.slots_used, machines=machines)
        self._read_only = True
