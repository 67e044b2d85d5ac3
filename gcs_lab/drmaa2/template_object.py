"""What job and reservation templates have in common."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from gcs_lab import vocabulary
from gcs_lab.drmaa2.attributes import Word
from gcs_lab.drmaa2.drmaa2_constants import Time
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    PlainTemplate = vocabulary.JobTemplate | vocabulary.ReservationTemplate

__all__ = ["TemplateObject", "moment_asked_for"]


class TemplateObject(Drmaa2Object):
    """A template.

    Parameters
    ----------
    template
        Attributes by name, or a template of :mod:`gcs_lab.vocabulary`.

    Raises
    ------
    InvalidArgument
        If there is no such attribute, or a value cannot be one.
    """

    #: The class of :mod:`gcs_lab.vocabulary`.
    plain_kind: ClassVar[type[vocabulary.JobTemplate | vocabulary.ReservationTemplate]]

    def __init__(self, template: Mapping[str, Any] | PlainTemplate | None = None) -> None:
        if isinstance(template, self.plain_kind):
            super().__init__()
            self.fill(**{f.name: getattr(template, f.name) for f in fields(template)})
        else:
            super().__init__(cast("Mapping[str, Any] | None", template))

    @classmethod
    def create_from_dict(cls, values: object) -> Self:
        """Return a template made from a dictionary or a template of ours; one of this class is returned as it is."""
        if isinstance(values, cls.plain_kind):
            return cls(values)
        return super().create_from_dict(values)

    def _standard_values(self) -> dict[str, Any]:
        """Return what is set of the standard's attributes, with the vocabulary's enumerations."""
        values = {name: value for name, value in self.values_set.items() if self._is_set(name)}
        if "machine_os" in values:
            values["machine_os"] = vocabulary.OperatingSystem[values["machine_os"]]
        if "machine_arch" in values:
            values["machine_arch"] = vocabulary.CpuArchitecture[values["machine_arch"]]
        return values


def moment_asked_for(name: str, value: object, now: datetime | None) -> datetime | None:
    """Return the moment that an attribute asks for, aware; `now` where it says ``NOW``.

    Raises
    ------
    InvalidArgument
        If it says ``INFINITE_TIME`` or ``ZERO_TIME``, which are no moments.
    """
    if isinstance(value, Word):
        if value == Time.NOW:
            return now
        raise InvalidArgument(f"{name} is {value}, which is no moment; give a datetime, Time.NOW, or leave it out.")
    return cast("datetime | None", value)
