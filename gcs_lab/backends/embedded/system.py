"""The embedded cluster as a connected system: jobs and status over one client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab._version import __version__
from gcs_lab.backends.embedded import CLUSTER
from gcs_lab.backends.embedded.answers import moment
from gcs_lab.backends.embedded.client import Client
from gcs_lab.backends.embedded.jobs_backend import EmbeddedJobs
from gcs_lab.backends.embedded.service import ensure_running
from gcs_lab.backends.embedded.wire import rebuild_error

if TYPE_CHECKING:
    from collections.abc import Collection

    from gcs_lab.backends.embedded.queue_states import QueueAction
    from gcs_lab.errors import GcsError
    from gcs_lab.jobs.protocol import JobsBackend
    from gcs_lab.status.protocol import Columns, StatusBackend

__all__ = ["EmbeddedStatus", "EmbeddedSystem"]


class EmbeddedStatus:
    """Tables of the embedded cluster; methods as in :class:`~gcs_lab.status.StatusBackend`.

    Parameters
    ----------
    client
        Asks the scheduler.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def jobs_table(self) -> Columns:
        """Return the jobs that have not ended."""
        table: Columns = self._client.ask("jobs_table")
        for name in ("submission_time", "start_time"):
            table[name] = [moment(seconds) for seconds in table[name]]
        return table

    def queues_table(self) -> Columns:
        """Return the queue instances."""
        table: Columns = self._client.ask("queues_table")
        return table

    def hosts_table(self) -> Columns:
        """Return the virtual hosts; load and memory in use are those of this machine."""
        table: Columns = self._client.ask("hosts_table")
        return table


class EmbeddedSystem:
    """The embedded cluster, connected.

    Parameters
    ----------
    client
        Asks the scheduler.
    """

    cluster = CLUSTER
    system = f"the embedded cluster of gcs_lab {__version__}"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.jobs: JobsBackend = EmbeddedJobs(client, self.system)
        self.status: StatusBackend | None = EmbeddedStatus(client)

    @classmethod
    def connect(cls) -> EmbeddedSystem:
        """Connect, starting the scheduler if it does not run. Raises GcsError if it cannot be started."""
        ensure_running()
        return cls(Client(ensure_running))

    def queue_control(self, action: QueueAction | str, names: Collection[str]) -> dict[str, GcsError]:
        """Change the states of queues, as ``qmod`` does; return what went wrong, by name.

        Parameters
        ----------
        action
            What to do; a word of :class:`~gcs_lab.backends.embedded.queue_states.QueueAction`.
        names
            Cluster queues (``all.q``), instances (``all.q@node1``) or hosts (``*@node1``); wildcards are fine.

        Raises
        ------
        InvalidArgument
            If there is no such action.
        DrmCommunication
            If the scheduler does not answer.
        """
        told = self._client.ask("queue_control", action=str(action), names=list(names))
        return {name: rebuild_error(error) for name, error in told.items()}

    def close(self) -> None:
        """Close the connections; the scheduler and its jobs go on."""
        self._client.close()
