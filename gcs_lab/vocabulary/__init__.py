"""The words of DRMAA2 (GFD.194, GFD.231) as plain typed data; floor 1 of the house."""

from __future__ import annotations

from gcs_lab.vocabulary.array_status import ArrayStatus, TaskRange, split_id
from gcs_lab.vocabulary.capability import Capability
from gcs_lab.vocabulary.constants import (
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
from gcs_lab.vocabulary.event import Event, JobEvent
from gcs_lab.vocabulary.job_info import JobInfo, JobStatus, SlotInfo
from gcs_lab.vocabulary.job_state import JobState
from gcs_lab.vocabulary.job_template import JobTemplate
from gcs_lab.vocabulary.machine import CpuArchitecture, MachineInfo, OperatingSystem, QueueInfo, Version
from gcs_lab.vocabulary.pending_reason import PendingReason, ReasonKind
from gcs_lab.vocabulary.reservation import ReservationInfo, ReservationTemplate
from gcs_lab.vocabulary.resource_limit import ResourceLimit

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
    "ArrayStatus",
    "Capability",
    "CpuArchitecture",
    "Event",
    "JobEvent",
    "JobInfo",
    "JobState",
    "JobStatus",
    "JobTemplate",
    "MachineInfo",
    "OperatingSystem",
    "PendingReason",
    "QueueInfo",
    "ReasonKind",
    "ReservationInfo",
    "ReservationTemplate",
    "ResourceLimit",
    "SlotInfo",
    "TaskRange",
    "Version",
    "split_id",
]
