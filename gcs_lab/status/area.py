"""The ``status`` area of a cluster: what it does now, as DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from gcs_lab.status.protocol import StatusBackend

__all__ = ["Status"]


class Status:
    """The present state of one system.

    Parameters
    ----------
    backend
        The system.
    """

    def __init__(self, backend: StatusBackend) -> None:
        self._backend = backend

    def jobs(self, owner: str | None = None) -> pd.DataFrame:
        """Return the jobs that have not ended, one row a job (columns: ``JOB_COLUMNS`` of the protocol).

        Parameters
        ----------
        owner
            Only this user's jobs; None: everybody's.

        Raises
        ------
        GcsError
            If the system does not answer.
        """
        import pandas as pd

        frame = pd.DataFrame(self._backend.jobs_table())
        return frame if owner is None else frame[frame["owner"] == owner].reset_index(drop=True)

    def queues(self) -> pd.DataFrame:
        """Return the queue instances with slots used and in all, load and state (``QUEUE_COLUMNS``)."""
        import pandas as pd

        return pd.DataFrame(self._backend.queues_table())

    def hosts(self) -> pd.DataFrame:
        """Return the execution hosts with cores, load, memory in bytes and slots (``HOST_COLUMNS``)."""
        import pandas as pd

        return pd.DataFrame(self._backend.hosts_table())
