"""What is known of a reservation (DRMAA2 ``ReservationInfo``)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from gcs_lab import vocabulary
from gcs_lab.drmaa2.attributes import ListAttribute, MomentAttribute, NumberAttribute, TextAttribute, Word
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.drmaa2.slot_info import SlotInfo, slot_info_of
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.jobs.reservations import Reservations

__all__ = ["ReservationInfo", "find_reservations"]

_JSON = "uge_ri_ar_json"


class ReservationInfo(Drmaa2Object):
    """What is known of a reservation, or a filter of reservations.

    Parameters
    ----------
    reservation_info
        Attributes by name.

    Raises
    ------
    InvalidArgument
        If there is no such attribute, or a value cannot be one.
    """

    reservation_id = TextAttribute("Id of the reservation.")
    reservation_name = TextAttribute("Name of the reservation.")
    reserved_start_time = MomentAttribute("Moment at which it begins.")
    reserved_end_time = MomentAttribute("Moment at which it ends.")
    users_acl: ListAttribute[str] = ListAttribute("Users that may use it.")
    reserved_slots: NumberAttribute[int | None] = NumberAttribute("Number of slots that it has.")
    reserved_machines: ListAttribute[SlotInfo] = ListAttribute("Machines and slots that it has.", slot_info_of)

    implementation_specific_keys: ClassVar[dict[str, str]] = {
        "uge_ri_ar_json": "All that is known, as JSON, as Univa's binding calls it; the names in it are ours.",
        "state": "Grid Engine's letter: w waits, r runs, W warning, E error (qrstat(1)).",
        "owner": "User that it belongs to.",
        "message": "A word on what is not normal.",
    }

    def __init__(self, reservation_info: Mapping[str, Any] | None = None) -> None:
        super().__init__(reservation_info)

    @classmethod
    def of(cls, info: vocabulary.ReservationInfo) -> ReservationInfo:
        """Return the object of what a system told."""
        return cls().fill(
            **{name: getattr(info, name) for name in cls.attribute_names()},
            uge_ri_ar_json=_json_of(info),
            state=info.state or None,
            owner=info.owner,
            message=info.message,
        )

    def plain(self) -> vocabulary.ReservationInfo:
        """Return the filter as the rest of gcs_lab has it; as ``JobInfo.plain``. It has no JSON."""
        values = {name: value for name, value in self.values_set.items() if self._is_set(name)}
        for name in ("reserved_start_time", "reserved_end_time"):
            if isinstance(values.get(name), Word):
                raise InvalidArgument(f"{name} is {values[name]}; a filter needs a moment.")
        values["reserved_machines"] = [one.plain() for one in values.get("reserved_machines", [])]
        added = self._added_values()
        added.pop(_JSON, None)
        return vocabulary.ReservationInfo(**{"reservation_id": "", **values, **added})


def find_reservations(reservations: Reservations, wanted: object) -> list[vocabulary.ReservationInfo]:
    """Return the reservations that fit a filter: a ReservationInfo, a dictionary, or None for all."""
    if wanted is None:
        return reservations.find()
    asked = ReservationInfo.create_from_dict(wanted)
    text = asked.specific_values.get(_JSON)
    return [info for info in reservations.find(asked.plain()) if text in (None, _json_of(info))]


def _json_of(info: vocabulary.ReservationInfo) -> str:
    return json.dumps(asdict(info), default=str)
