"""What is asked of a reservation (DRMAA2 ``ReservationTemplate``)."""

from __future__ import annotations

from typing import ClassVar

from gcs_lab import vocabulary
from gcs_lab.drmaa2.attributes import (
    ChoiceAttribute,
    ListAttribute,
    MomentAttribute,
    NumberAttribute,
    TextAttribute,
)
from gcs_lab.drmaa2.drmaa2_constants import Cpu, Os
from gcs_lab.drmaa2.template_object import TemplateObject, moment_asked_for

__all__ = ["ReservationTemplate"]


class ReservationTemplate(TemplateObject):
    """What is asked of a reservation.

    The parameter is that of :class:`~gcs_lab.drmaa2.template_object.TemplateObject`.
    """

    plain_kind = vocabulary.ReservationTemplate
    aliases: ClassVar[dict[str, str]] = {"uge_rt_native": "native_specification"}

    reservation_name = TextAttribute("Name of the reservation.")
    start_time = MomentAttribute("Moment at which it begins; without it, it begins as soon as it is granted.")
    end_time = MomentAttribute("Moment at which it ends.")
    duration: NumberAttribute[int | None] = NumberAttribute("How long it lasts, in seconds.")
    min_slots: NumberAttribute[int | None] = NumberAttribute("Slots that are needed at least.")
    max_slots: NumberAttribute[int | None] = NumberAttribute("Slots that can be used at most.")
    job_category = TextAttribute("Name of a set of options that the cluster's operators keep.")
    users_acl: ListAttribute[str] = ListAttribute("Users that may use it.")
    candidate_machines: ListAttribute[str] = ListAttribute("Names of the machines that it may be on.")
    min_phys_memory: NumberAttribute[int | None] = NumberAttribute("Physical memory that each machine has, in KiB.")
    machine_os = ChoiceAttribute("Operating system of the machines.", Os)
    machine_arch = ChoiceAttribute("Processor architecture of the machines.", Cpu)

    implementation_specific_keys: ClassVar[dict[str, str]] = {
        "uge_rt_native": "Options of qrsub, as Univa's binding calls them; the same as native_specification.",
        "parallel_environment": "Parallel environment that the slots are taken in (qrsub -pe).",
        "queue_name": "Queue that the slots are in (qrsub -q).",
        "native_specification": "Options of qrsub, as on a command line.",
    }

    def plain(self) -> vocabulary.ReservationTemplate:
        """Return the template as the rest of gcs_lab has it. Raises InvalidArgument as ``JobTemplate.plain``."""
        values = self._standard_values()
        # Without a start, it begins as soon as it is granted: that is NOW.
        for name in ("start_time", "end_time"):
            values[name] = moment_asked_for(name, values.get(name), now=None)
        return vocabulary.ReservationTemplate(**values, **self._added_values())
