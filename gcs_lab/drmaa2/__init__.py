"""DRMAA2 (GFD.194, GFD.231) as Univa's Python binding has it: ``from gcs_lab import drmaa2``.

A script for that binding (``import drmaa2``) runs with only its import changed; see ``docs/drmaa2.md``.

>>> from gcs_lab.drmaa2 import JobSession
>>> with JobSession("nap") as session:  # doctest: +SKIP
...     job = session.run_job({"remote_command": "/bin/sleep", "args": ["10"]})
...     job.wait_terminated()
"""

from __future__ import annotations

from gcs_lab._version import __version__
from gcs_lab.drmaa2.drmaa2_constants import (
    Bool,
    Capability,
    Cpu,
    Event,
    JobState,
    ListType,
    Os,
    ResourceLimit,
    StatusCode,
    Time,
)
from gcs_lab.drmaa2.drmaa2_exceptions import (
    AuthorizationError,
    DeniedByDrms,
    Drmaa2Exception,
    DrmCommunicationError,
    ImplementationSpecificError,
    InternalError,
    InvalidArgument,
    InvalidSession,
    InvalidState,
    ResourceNotAvailable,
    SessionManagementError,
    TimeoutError,  # noqa: A004  (the binding's name)
    TryLaterError,
    UnsupportedAttribute,
    UnsupportedOperation,
)
from gcs_lab.drmaa2.job import Job
from gcs_lab.drmaa2.job_array import JobArray
from gcs_lab.drmaa2.job_info import JobInfo
from gcs_lab.drmaa2.job_session import JobSession
from gcs_lab.drmaa2.job_template import JobTemplate
from gcs_lab.drmaa2.library_manager import LibraryManager, LogManager
from gcs_lab.drmaa2.machine_info import MachineInfo, QueueInfo
from gcs_lab.drmaa2.monitoring_session import MonitoringSession
from gcs_lab.drmaa2.notification import Notification
from gcs_lab.drmaa2.reflection import (
    describe_attribute,
    get_instance_value,
    job_info_impl_spec,
    job_template_impl_spec,
    machine_info_impl_spec,
    notification_impl_spec,
    queue_info_impl_spec,
    reservation_info_impl_spec,
    reservation_template_impl_spec,
    set_instance_value,
)
from gcs_lab.drmaa2.reservation import Reservation
from gcs_lab.drmaa2.reservation_info import ReservationInfo
from gcs_lab.drmaa2.reservation_session import ReservationSession
from gcs_lab.drmaa2.reservation_template import ReservationTemplate
from gcs_lab.drmaa2.session_manager import SessionManager
from gcs_lab.drmaa2.slot_info import SlotInfo
from gcs_lab.drmaa2.sudo import Sudo
from gcs_lab.drmaa2.version import Version
from gcs_lab.vocabulary import (
    HOME_DIRECTORY,
    INFINITE_TIME,
    NOW,
    PARAMETRIC_INDEX,
    UNSET_ENUM,
    UNSET_NUM,
    UNSET_TIME,
    WORKING_DIRECTORY,
    ZERO_TIME,
)

__all__ = [
    "HOME_DIRECTORY",
    "INFINITE_TIME",
    "NOW",
    "PARAMETRIC_INDEX",
    "UNSET_ENUM",
    "UNSET_NUM",
    "UNSET_TIME",
    "WORKING_DIRECTORY",
    "ZERO_TIME",
    "AuthorizationError",
    "Bool",
    "Capability",
    "Cpu",
    "DeniedByDrms",
    "DrmCommunicationError",
    "Drmaa2Exception",
    "Event",
    "ImplementationSpecificError",
    "InternalError",
    "InvalidArgument",
    "InvalidSession",
    "InvalidState",
    "Job",
    "JobArray",
    "JobInfo",
    "JobSession",
    "JobState",
    "JobTemplate",
    "LibraryManager",
    "ListType",
    "LogManager",
    "MachineInfo",
    "MonitoringSession",
    "Notification",
    "Os",
    "QueueInfo",
    "Reservation",
    "ReservationInfo",
    "ReservationSession",
    "ReservationTemplate",
    "ResourceLimit",
    "ResourceNotAvailable",
    "SessionManagementError",
    "SessionManager",
    "SlotInfo",
    "StatusCode",
    "Sudo",
    "Time",
    "TimeoutError",
    "TryLaterError",
    "UnsupportedAttribute",
    "UnsupportedOperation",
    "Version",
    "__version__",
    "close_job_session",
    "close_monitoring_session",
    "close_reservation_session",
    "create_job_session",
    "create_reservation_session",
    "describe_attribute",
    "destroy_job_session",
    "destroy_reservation_session",
    "drmaa_supports",
    "get_drmaa_name",
    "get_drmaa_version",
    "get_drms_name",
    "get_drms_version",
    "get_instance_value",
    "get_job_session_names",
    "get_reservation_session_names",
    "job_info_impl_spec",
    "job_template_impl_spec",
    "machine_info_impl_spec",
    "notification_impl_spec",
    "open_job_session",
    "open_monitoring_session",
    "open_reservation_session",
    "queue_info_impl_spec",
    "register_event_notification",
    "reservation_info_impl_spec",
    "reservation_template_impl_spec",
    "set_instance_value",
    "supports",
]

get_drms_name = LibraryManager.get_drms_name
get_drmaa_name = LibraryManager.get_drmaa_name
drmaa_supports = LibraryManager.drmaa_supports
get_drms_version = Version.get_drms_version
get_drmaa_version = Version.get_drmaa_version

supports = SessionManager.supports
create_job_session = SessionManager.create_job_session
open_job_session = SessionManager.open_job_session
close_job_session = SessionManager.close_job_session
destroy_job_session = SessionManager.destroy_job_session
get_job_session_names = SessionManager.get_job_session_names
create_reservation_session = SessionManager.create_reservation_session
open_reservation_session = SessionManager.open_reservation_session
close_reservation_session = SessionManager.close_reservation_session
destroy_reservation_session = SessionManager.destroy_reservation_session
get_reservation_session_names = SessionManager.get_reservation_session_names
open_monitoring_session = SessionManager.open_monitoring_session
close_monitoring_session = SessionManager.close_monitoring_session
register_event_notification = SessionManager.register_event_notification
