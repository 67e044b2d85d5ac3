"""A job that another one waits for, as the later job's plan and spec know it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Upstream"]


@dataclass(frozen=True)
class Upstream:
    """An earlier job of the same cluster.

    ``folder`` is its job folder (empty for a job that no notebook submitted: then only its end is waited for);
    ``tasks`` the number of its tasks, 0 for a single job.
    """

    job_id: str
    name: str
    folder: str = ""
    tasks: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what ``spec.json`` says of it (docs/event-log.md)."""
        return asdict(self)
