"""A job that another one waits for, as the later job's plan and spec know it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Upstream"]


@dataclass(frozen=True)
class Upstream:
    """An earlier job of the same cluster.

    ``folder`` is its job folder (empty for a job that no notebook submitted: then only its end is waited for);
    ``tasks`` the number of its tasks, 0 for a single job. ``cluster`` is the name of its cluster. Of a name in
    ``CellPlan.from_jobs``, ``output`` is what the value is called there; empty for a sweep as a whole.
    """

    job_id: str
    name: str
    folder: str = ""
    tasks: int = 0
    cluster: str = ""
    output: str = ""

    def __str__(self) -> str:
        return f"{'sweep' if self.tasks else 'job'} {self.job_id} ({self.name})"

    def to_json(self) -> dict[str, Any]:
        """Return what ``spec.json`` says of it (docs/event-log.md)."""
        return asdict(self)
