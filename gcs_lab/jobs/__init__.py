"""The ``jobs`` area: its protocol, its types, and the classes that users see."""

from __future__ import annotations

from gcs_lab.jobs.area import Jobs
from gcs_lab.jobs.job import Job
from gcs_lab.jobs.protocol import Catalogue, Complex, EventBatch, JobAction, JobsBackend, ReservationsBackend

__all__ = [
    "Catalogue",
    "Complex",
    "EventBatch",
    "Job",
    "JobAction",
    "Jobs",
    "JobsBackend",
    "ReservationsBackend",
]
