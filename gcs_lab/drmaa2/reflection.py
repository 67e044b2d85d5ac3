"""The reflective part of DRMAA2 (GFD.231, ``DrmaaReflective``): what the implementation adds, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.drmaa2.job_info import JobInfo
from gcs_lab.drmaa2.job_template import JobTemplate
from gcs_lab.drmaa2.machine_info import MachineInfo, QueueInfo
from gcs_lab.drmaa2.notification import Notification
from gcs_lab.drmaa2.reservation_info import ReservationInfo
from gcs_lab.drmaa2.reservation_template import ReservationTemplate

if TYPE_CHECKING:
    from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object

__all__ = [
    "describe_attribute",
    "get_instance_value",
    "job_info_impl_spec",
    "job_template_impl_spec",
    "machine_info_impl_spec",
    "notification_impl_spec",
    "queue_info_impl_spec",
    "reservation_info_impl_spec",
    "reservation_template_impl_spec",
    "set_instance_value",
]

job_template_impl_spec = JobTemplate.get_implementation_specific_keys
job_info_impl_spec = JobInfo.get_implementation_specific_keys
reservation_template_impl_spec = ReservationTemplate.get_implementation_specific_keys
reservation_info_impl_spec = ReservationInfo.get_implementation_specific_keys
queue_info_impl_spec = QueueInfo.get_implementation_specific_keys
machine_info_impl_spec = MachineInfo.get_implementation_specific_keys
notification_impl_spec = Notification.get_implementation_specific_keys


def get_instance_value(instance: Drmaa2Object, name: str) -> str | None:
    """Return what the implementation adds under `name`; None if it is not set.

    Raises
    ------
    UnsupportedAttribute
        If there is no such name.
    """
    return instance.get_impl_spec_key_value(name)


def set_instance_value(instance: Drmaa2Object, name: str, value: str) -> None:
    """Set what the implementation adds under `name`.

    Raises
    ------
    UnsupportedAttribute
        If there is no such name.
    UnsupportedOperation
        If the object only tells.
    """
    instance.set_impl_spec_key_value(name, value)


def describe_attribute(instance: Drmaa2Object | type[Drmaa2Object], name: str) -> str:
    """Return in words what an attribute is, with its unit. Raises InvalidArgument if there is no such attribute."""
    return instance.describe_attribute(name)
