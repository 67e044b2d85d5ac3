"""The ``status`` area: its protocol and the class that users see."""

from __future__ import annotations

from gcs_lab.status.area import Status
from gcs_lab.status.protocol import HOST_COLUMNS, JOB_COLUMNS, QUEUE_COLUMNS, Columns, StatusBackend

__all__ = ["HOST_COLUMNS", "JOB_COLUMNS", "QUEUE_COLUMNS", "Columns", "Status", "StatusBackend"]
