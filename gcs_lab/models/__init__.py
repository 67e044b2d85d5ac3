"""Observable models (traitlets), fed by event logs and the status board; floor 6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.models.job_feed import JobFeed
from gcs_lab.models.job_model import JobModel
from gcs_lab.models.sweep_model import SweepModel

if TYPE_CHECKING:
    from gcs_lab.models.sweep_feed import SweepFeed

__all__ = ["JobFeed", "JobModel", "SweepFeed", "SweepModel"]


def __getattr__(name: str) -> Any:
    # numpy takes a tenth of a second to import; a single job needs none of it.
    if name != "SweepFeed":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gcs_lab.models.sweep_feed import SweepFeed

    return SweepFeed
