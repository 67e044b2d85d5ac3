"""Slots on a machine (DRMAA2 ``SlotInfo``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from gcs_lab import vocabulary
from gcs_lab.drmaa2.attributes import NumberAttribute, TextAttribute
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.errors import InvalidArgument

__all__ = ["SlotInfo", "slot_info_of"]


class SlotInfo(Drmaa2Object):
    """Slots that a job or a reservation has on one machine.

    It equals the machine's name, too: Univa's binding has only that.
    """

    machine_name = TextAttribute("Name of the machine.")
    slots: NumberAttribute[int | None] = NumberAttribute("Number of slots there.")

    def __eq__(self, other: object) -> bool:
        return self.machine_name == other if isinstance(other, str) else super().__eq__(other)

    __hash__ = None  # attributes change

    @classmethod
    def of(cls, info: vocabulary.SlotInfo) -> SlotInfo:
        """Return the object of what a system told."""
        return cls({"machine_name": info.machine_name, "slots": info.slots})

    def plain(self) -> vocabulary.SlotInfo:
        """Return what a filter compares with."""
        return vocabulary.SlotInfo(self.machine_name or "", self.slots or 0)


def slot_info_of(value: object, refuse: Callable[[object, str], InvalidArgument]) -> SlotInfo:
    """Return a SlotInfo of an object, a dictionary, or a machine's name."""
    if isinstance(value, SlotInfo):
        return value
    if isinstance(value, vocabulary.SlotInfo):
        return SlotInfo.of(value)
    if isinstance(value, str):
        return SlotInfo({"machine_name": value})
    if isinstance(value, dict):
        return SlotInfo(cast("dict[str, Any]", value))
    raise refuse(value, "a SlotInfo, a dictionary, or the name of a machine")
