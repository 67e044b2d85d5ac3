"""The host of the side panel: my jobs on one cluster, what became of them, and how the cluster is."""

from __future__ import annotations

from gcs_lab.panel.host import PanelHost

__all__ = ["PanelHost"]
