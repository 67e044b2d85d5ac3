"""What jobs and array jobs have in common: what they ask for can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.jobs.job_changes import JobChanges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcs_lab.jobs.area import Jobs

__all__ = ["Alterable"]


class Alterable:
    """A job, a task or an array job of an area."""

    __slots__ = ()

    area: Jobs
    id: str

    def alter(
        self,
        *,
        name: str | None = None,
        priority: int | None = None,
        requests: Mapping[str, str | None] | None = None,
        queues: Sequence[str] | None = None,
    ) -> None:
        """Change what it asks for, as ``qalter`` does; what is None stays as it is.

        Parameters
        ----------
        name, priority, requests, queues
            As in :class:`~gcs_lab.jobs.JobChanges`.

        Raises
        ------
        InvalidArgument, UnknownName
            If a value cannot work or a name does not exist, or a request is taken away that is not there.
        InvalidState
            If its state does not allow it.
        DeniedByDrms
            If the system refuses: for example a higher priority to an ordinary user.
        """
        changes = JobChanges(name=name, priority=priority, requests=requests, queues=queues)
        failures = self.area.alter(changes, [self.id])
        if self.id in failures:
            raise failures[self.id]
