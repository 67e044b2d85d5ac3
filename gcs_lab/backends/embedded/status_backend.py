"""The ``status`` area's protocol, answered by the scheduler."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.answers import moment
from gcs_lab.backends.embedded.places import Places
from gcs_lab.backends.embedded.task_table import TaskTable
from gcs_lab.status.protocol import JobDetails, Poll, TaskDetails
from gcs_lab.status.tables import empty_table, schema

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from gcs_lab.backends.embedded.client import Client

__all__ = ["EmbeddedStatus"]

#: The one host group there is, as Grid Engine's default configuration has it.
ALL_HOSTS = "@allhosts"


class EmbeddedStatus:
    """What the embedded cluster does; methods as in :class:`~gcs_lab.status.StatusBackend`.

    The first look at many jobs costs the scheduler some 30 ms for each 2,000 of them, with its other work done in
    between; a later one is told only of the jobs that changed.

    Parameters
    ----------
    client
        Asks the scheduler.
    """

    poll_floor = 0.5

    def __init__(self, client: Client) -> None:
        #: Each user has one in each ``GCS_LAB_HOME``.
        self.identity = f"embedded {Places.of_user().folder}"
        self._client = client
        self._tasks = TaskTable(client)
        self._lock = threading.Lock()

    def poll(self) -> Poll:
        """Look at all jobs, queue instances and virtual hosts; no command is run."""
        with self._lock:
            tasks = self._tasks.look()
        return Poll(tasks, self.queue_instances(), self.hosts())

    def queue_instances(self) -> pa.Table:
        """Return the queue instances (``QUEUE_INSTANCE_COLUMNS``)."""
        return _named("queue_instances", self._client.ask("queue_instances"), "queue", "host")

    def hosts(self) -> pa.Table:
        """Return the virtual hosts (``HOST_COLUMNS``); load and memory in use are those of this machine."""
        return _named("hosts", self._client.ask("hosts"), "host")

    def job_details(self, job_ids: Collection[str]) -> dict[str, JobDetails]:
        """Return all that is known of jobs that have not ended; what runs is measured now.

        The names of ``facts`` are those of ``qstat -j``; of the environment it has the names alone. ``usage`` has as
        memory what is in use now.
        """
        told = self._client.ask("job_details", ids=list(job_ids))
        return {job_id: _details(job_id, found) for job_id, found in told.items()}

    def host_groups(self) -> pa.Table:
        """Return ``@allhosts``, the only group, with all virtual hosts."""
        import pyarrow as pa

        hosts = self._client.ask("catalogue")["hosts"]
        return pa.table({"group": [ALL_HOSTS] * len(hosts), "host": hosts}, schema("host_groups"))

    def complexes(self) -> pa.Table:
        """Return the standard complexes and those of ``cluster.toml``."""
        import pyarrow as pa

        return pa.table(self._client.ask("complexes"), schema("complexes"))

    def quotas(self) -> pa.Table:
        """Return an empty table: the embedded cluster has no resource quotas."""
        return empty_table("quotas")

    def is_operator(self) -> bool:
        """Return True: the cluster is the user's own."""
        return True


def _named(columns: str, told: dict[str, list[Any]], *names: str) -> pa.Table:
    """Return a table whose rows are told apart by the columns `names`."""
    import pyarrow as pa

    from gcs_lab.status.keys import named_keys

    keys = named_keys(*(pa.array(told[name], pa.string()) for name in names))
    wanted = schema(columns)
    # A scheduler of another version may tell more.
    return pa.table({"key": keys, **{name: told[name] for name in wanted.names if name != "key"}}, wanted)


def _details(job_id: str, told: dict[str, Any]) -> JobDetails:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told.items()
    }
    values["submission_time"] = moment(values.pop("submitted"))
    values["tasks"] = tuple(TaskDetails(start_time=moment(task.pop("started")), **task) for task in told["tasks"])
    return JobDetails(job_id, **values)
