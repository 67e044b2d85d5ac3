"""A lively cluster: who would use it, what they would send, and when; played on a cluster, or written as its past.

:class:`~gcs_lab.workload.model.Model` draws it by chance, from published models (docs/workload.md cites them);
:class:`~gcs_lab.workload.player.Player` sends it to a cluster as jobs; :mod:`gcs_lab.workload.history` writes it as
records of accounting.
"""

from __future__ import annotations

from gcs_lab.workload.model import Arrival, Kind, Model
from gcs_lab.workload.people import Person

__all__ = ["Arrival", "Kind", "Model", "Person"]
