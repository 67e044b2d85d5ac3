"""Grid Engine: Debian's 8.1.9, Open Cluster Scheduler and Gridware Cluster Scheduler 9.x; and private demo cells."""

from __future__ import annotations

from gcs_lab.backends.gridengine.provider import GridEngineProvider

__all__ = ["PROVIDER"]

PROVIDER = GridEngineProvider()
