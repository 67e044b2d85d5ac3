"""Observable models (traitlets), fed by event logs and the status board; floor 6."""

from __future__ import annotations

from gcs_lab.models.job_feed import JobFeed
from gcs_lab.models.job_model import JobModel

__all__ = ["JobFeed", "JobModel"]
