"""The words of DRMAA2 (GFD.194, GFD.231) as plain typed data; floor 1 of the house."""

from __future__ import annotations

from gcs_lab.vocabulary.capability import Capability
from gcs_lab.vocabulary.job_info import JobInfo, JobStatus, SlotInfo
from gcs_lab.vocabulary.job_state import JobState
from gcs_lab.vocabulary.job_template import JobTemplate

__all__ = ["Capability", "JobInfo", "JobState", "JobStatus", "JobTemplate", "SlotInfo"]
