"""Read what ``qrstat -ar … -xml`` prints: advance reservations (8.1.9 and 9.x alike; qrstat.xsd)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.qstat_xml import elements
from gcs_lab.vocabulary import ReservationInfo, SlotInfo

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

__all__ = ["parse_reservation_ids", "parse_reservations", "parse_unknown_reservations"]


def parse_reservation_ids(document: bytes) -> list[str]:
    """Return the ids in the output of ``qrstat -xml``, oldest first. Raises as :func:`parse_reservations`."""
    return [element.findtext("id") or "" for element in elements(document, "ar_summary")]


def parse_unknown_reservations(document: bytes) -> set[str]:
    """Return the ids in the output of ``qrstat -ar … -xml`` of which it says that there are none (any more)."""
    return {one.text.strip() for unknown in elements(document, "ar_unknown") for one in unknown if one.text}


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=UTC)
    except ValueError:
        return None


def _machines(element: ET.Element) -> list[SlotInfo]:
    """Return the slots of each machine; of several queues on it they are added up."""
    slots: dict[str, int] = {}
    for granted in element.iter("granted_slots"):
        host = granted.get("queue_instance", "").rpartition("@")[2]
        slots[host] = slots.get(host, 0) + int(granted.get("slots", "0"))
    return [SlotInfo(host, count) for host, count in slots.items()]


def _users(element: ET.Element) -> list[str]:
    """Return who may use it; access lists begin with ``@``, as in ``qrsub -u``."""
    return [name for entry in element.iter("acl") if (name := entry.get("user"))]


def _message(element: ET.Element) -> str | None:
    return "; ".join(text for e in element.iter("message") if (text := (e.text or "").strip())) or None


def parse_reservations(document: bytes) -> dict[str, ReservationInfo]:
    """Return the reservations in the output of ``qrstat -ar … -explain -xml``, by id.

    The command is to run with ``TZ=UTC``, for its times have no zone. Unknown reservations are left out.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    found: dict[str, ReservationInfo] = {}
    for element in elements(document, "ar_summary"):
        machines = _machines(element)
        ar_id = element.findtext("id") or ""
        found[ar_id] = ReservationInfo(
            reservation_id=ar_id,
            reservation_name=element.findtext("name") or None,
            reserved_start_time=_time(element.findtext("start_time")),
            reserved_end_time=_time(element.findtext("end_time")),
            users_acl=_users(element),
            reserved_slots=sum(machine.slots for machine in machines),
            reserved_machines=machines,
            state=element.findtext("state") or "",
            owner=element.findtext("owner") or None,
            message=_message(element),
        )
    return found
