"""Observable models (traitlets), fed by event logs and the status board; floor 6."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gcs_lab.models.job_feed import JobFeed
from gcs_lab.models.job_model import JobModel
from gcs_lab.models.sweep_model import SweepModel

if TYPE_CHECKING:
    from gcs_lab.models.cluster_model import ClusterModel
    from gcs_lab.models.host_model import HostModel
    from gcs_lab.models.queue_model import QueueModel
    from gcs_lab.models.sweep_feed import SweepFeed
    from gcs_lab.models.table_model import TableModel, Window
    from gcs_lab.models.viewport import Viewport

__all__ = [
    "ClusterModel",
    "HostModel",
    "JobFeed",
    "JobModel",
    "QueueModel",
    "SweepFeed",
    "SweepModel",
    "TableModel",
    "Viewport",
    "Window",
]

#: What takes a tenth of a second to import (numpy, Arrow's tables): a single job needs none of it.
_LATER = {
    "ClusterModel": "cluster_model",
    "HostModel": "host_model",
    "QueueModel": "queue_model",
    "SweepFeed": "sweep_feed",
    "TableModel": "table_model",
    "Viewport": "viewport",
    "Window": "table_model",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"gcs_lab.models.{_LATER[name]}"), name)
