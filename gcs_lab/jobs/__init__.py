"""The ``jobs`` area: its protocol, its types, and the classes that users see."""

from __future__ import annotations

from gcs_lab.jobs.area import Jobs
from gcs_lab.jobs.job import Job
from gcs_lab.jobs.job_array import JobArray
from gcs_lab.jobs.job_changes import JobChanges
from gcs_lab.jobs.notifications import Subscription
from gcs_lab.jobs.protocol import Catalogue, Complex, EventBatch, JobAction, JobsBackend, ReservationsBackend
from gcs_lab.jobs.reservations import Reservation, Reservations

__all__ = [
    "Catalogue",
    "Complex",
    "EventBatch",
    "Job",
    "JobAction",
    "JobArray",
    "JobChanges",
    "Jobs",
    "JobsBackend",
    "Reservation",
    "Reservations",
    "ReservationsBackend",
    "Subscription",
]
