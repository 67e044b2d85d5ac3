"""The embedded cluster as a connected system: jobs, status and accounting over one client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab._version import __version__
from gcs_lab.backends.embedded import CLUSTER
from gcs_lab.backends.embedded.accounting_backend import EmbeddedAccounting
from gcs_lab.backends.embedded.client import Client
from gcs_lab.backends.embedded.jobs_backend import EmbeddedJobs
from gcs_lab.backends.embedded.places import Places
from gcs_lab.backends.embedded.service import ensure_running
from gcs_lab.backends.embedded.status_backend import EmbeddedStatus
from gcs_lab.backends.embedded.wire import rebuild_error

if TYPE_CHECKING:
    from collections.abc import Collection

    from gcs_lab.accounting.protocol import AccountingBackend
    from gcs_lab.backends.embedded.queue_states import QueueAction
    from gcs_lab.errors import GcsError
    from gcs_lab.jobs.protocol import JobsBackend
    from gcs_lab.status.protocol import StatusBackend

__all__ = ["EmbeddedSystem"]


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
        self.accounting: AccountingBackend | None = EmbeddedAccounting(client)

    @classmethod
    def connect(cls) -> EmbeddedSystem:
        """Connect, starting the scheduler if it does not run. Raises GcsError if it cannot be started."""
        # What is connected stays with its cluster, whatever becomes of GCS_LAB_HOME in this process.
        places = Places.of_user()
        ensure_running(places)
        return cls(Client(lambda: ensure_running(places)))

    def queue_instances(self) -> dict[str, list[Any]]:
        """Return the queue instances by column: queue, host, slots, state and so on. Raises DrmCommunication."""
        told: dict[str, list[Any]] = self._client.ask("queue_instances")
        return told

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
        self._client.end()
