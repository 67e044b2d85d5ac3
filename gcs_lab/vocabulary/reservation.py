"""Advance reservations (GFD.231, section 5: ``ReservationTemplate`` and ``ReservationInfo``)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime  # noqa: TC003  (dataclass fields are inspected at run time)
from typing import Any

from gcs_lab.vocabulary.job_info import SlotInfo  # noqa: TC001
from gcs_lab.vocabulary.machine import CpuArchitecture, OperatingSystem  # noqa: TC001
from gcs_lab.vocabulary.template_json import values_from_json, values_to_json

__all__ = ["RESERVATION_IMPLEMENTATION_SPECIFIC", "ReservationInfo", "ReservationTemplate"]

#: Attributes that GFD.231 leaves to the implementation (``reservationTemplateImplSpec``).
RESERVATION_IMPLEMENTATION_SPECIFIC = ("parallel_environment", "queue_name", "native_specification")


@dataclass(kw_only=True)
class ReservationTemplate:
    """What is asked of a reservation. ``None`` means "not set"; what is set is honoured or refused.

    Two of ``start_time``, ``end_time`` and ``duration`` (seconds) are enough; without ``start_time`` it begins as
    soon as it is granted. ``min_phys_memory`` is in KiB a machine. Times are aware, or local if they are naive.
    """

    reservation_name: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    duration: int | None = None
    min_slots: int | None = None
    max_slots: int | None = None
    job_category: str | None = None
    users_acl: list[str] | None = None
    candidate_machines: list[str] | None = None
    min_phys_memory: int | None = None
    machine_os: OperatingSystem | None = None
    machine_arch: CpuArchitecture | None = None
    # implementation-specific
    parallel_environment: str | None = None
    queue_name: str | None = None
    native_specification: str | None = None

    def attributes_set(self) -> set[str]:
        """Return the names of the attributes that ask for something."""
        return {f.name for f in fields(self) if getattr(self, f.name) is not None}

    def to_json(self) -> dict[str, Any]:
        """Return the attributes that are set as JSON data: enumerations by name, times in ISO format with zone."""
        return values_to_json({name: getattr(self, name) for name in sorted(self.attributes_set())})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ReservationTemplate:
        """Return the template that :meth:`to_json` gave; an attribute that this version does not know is left out."""
        return cls(**values_from_json(data, (f.name for f in fields(cls))))


@dataclass(kw_only=True)
class ReservationInfo:
    """What is known of a reservation. Times are aware (UTC); ``None`` means that the system does not tell.

    The attributes after ``reserved_machines`` are implementation-specific: ``state`` is Grid Engine's letter
    (``w`` waits for its start, ``r`` runs, ``W``/``E`` warning and error, ``c``/``x`` ended; ``qrstat(1)``).
    """

    reservation_id: str
    reservation_name: str | None = None
    reserved_start_time: datetime | None = None
    reserved_end_time: datetime | None = None
    users_acl: list[str] = field(default_factory=list)
    reserved_slots: int | None = None
    reserved_machines: list[SlotInfo] = field(default_factory=list)
    state: str = ""
    owner: str | None = None
    message: str | None = None
