"""The ``status`` area: its protocol and the class that users see."""

from __future__ import annotations

from gcs_lab.status.area import Status
from gcs_lab.status.overview import Overview, OwnerShare
from gcs_lab.status.protocol import JobDetails, Poll, StatusBackend, TaskDetails
from gcs_lab.status.snapshot import Changes, Health, Snapshot, TableChanges, Update

__all__ = [
    "Changes",
    "Health",
    "JobDetails",
    "Overview",
    "OwnerShare",
    "Poll",
    "Snapshot",
    "Status",
    "StatusBackend",
    "TableChanges",
    "TaskDetails",
    "Update",
]
