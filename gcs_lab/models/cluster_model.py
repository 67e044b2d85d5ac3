"""The observable face of a cluster: what it does now, as traits, tables and single jobs, queues and hosts."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, Self

from traitlets import Dict, Float, Integer, List, Unicode

from gcs_lab.errors import Timeout
from gcs_lab.models.fed_traits import FedTraits
from gcs_lab.models.row_models import HostRows, JobRows, QueueRows
from gcs_lab.models.table_model import TableModel
from gcs_lab.status.overview import overview_of, tasks_by_state
from gcs_lab.status.snapshot import TableChanges

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import pyarrow as pa

    from gcs_lab.cluster import Cluster
    from gcs_lab.models.host_model import HostModel
    from gcs_lab.models.job_model import JobModel
    from gcs_lab.models.queue_model import QueueModel
    from gcs_lab.status.snapshot import Changes, Health, Snapshot, Update

__all__ = ["ClusterModel"]


class ClusterModel(FedTraits):
    """What one cluster does now; follows its poller until :meth:`close`, or until nobody holds it any more.

    Traits are set, and observers and callbacks called, in the poller's thread, one snapshot after the other: what an
    observer does should be quick, and what must not be done in another thread (drawing, in some toolkits) it should
    hand over. All traits of a snapshot are there before the first observer is called. Times are seconds since the
    epoch; 0.0 means "not yet".

    Attributes
    ----------
    jobs, queues, queue_instances, hosts : TableModel
        The tables. They are this model's: whoever wants another filter or order takes another ``ClusterModel``, or a
        ``TableModel`` of his own.

    Parameters
    ----------
    cluster
        The cluster, as :func:`gcs_lab.connect` returns it.

    Raises
    ------
    UnsupportedOperation
        If the system does not tell what it does.
    """

    cluster = Unicode(help="name of the cluster")
    system = Unicode(help="what runs the cluster, with its version")
    time = Float(help="when the snapshot at hand was taken; 0.0: there is none yet")
    sequence = Integer(0, help="number of the snapshot; grows")
    stale_since = Float(help="when the cluster last answered, if it does not answer now; else 0.0")
    error = Unicode(help="why it does not answer, in a line")
    note = Unicode(help="what else people should know of the answers, in a line: that nothing is recorded …")
    interval = Float(help="pause between two polls, seconds")
    polls = Integer(0, help="polls by all processes of this user on this host")
    commands = Integer(0, help="commands that those polls ran")
    slots_used = Integer(0, help="slots in use")
    slots_free = Integer(0, help="free slots of queue instances that are open")
    slots_closed = Integer(0, help="slots that are not in use, of queue instances that take no job")
    slots_total = Integer(0, help="slots in all")
    hosts_up = Integer(0, help="execution hosts that report")
    hosts_down = Integer(0, help="execution hosts that do not")
    job_count = Integer(0, help="jobs that have not ended; an array is one")
    tasks_by_state = Dict(
        help="number of tasks by name of their DRMAA2 state, ERROR for those in error state; a job that is no array "
        "is one task"
    )
    owners: List[Any] = List(
        help="dictionaries of owner, slots (in use), running and waiting (tasks), those with the most slots first"
    )

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster=cluster.name, system=cluster.system)
        self.jobs, self.queues = TableModel("jobs"), TableModel("queues")
        self.queue_instances, self.hosts = TableModel("queue_instances"), TableModel("hosts")
        self._snapshot: Snapshot | None = None
        self._has_snapshot = threading.Event()
        self._jobs = JobRows(cluster.name, cluster.system)
        self._queues = QueueRows(cluster.name, cluster.system)
        self._hosts = HostRows(cluster.name, cluster.system)
        self._following = cluster.status.poller.follow(_weakly(self))
        # Without a cycle: what the poller holds is not this model.
        self._close = weakref.finalize(self, self._following.close)
        self._close.atexit = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Follow the cluster no more; the models keep what they last were."""
        self._close()

    def wait(self, seconds: float = 60.0) -> Self:
        """Wait until there is a first snapshot, and return the model itself; at once if there is one.

        Raises
        ------
        Timeout
            If the cluster does not answer in so many seconds; the model goes on following it.
        """
        if not self._has_snapshot.wait(seconds):
            why = f" {self.error}" if self.error else ""
            raise Timeout(f"{self.cluster} did not tell its status in {seconds:g} s.{why} The model waits on.")
        return self

    @property
    def looked_at(self) -> bool:
        """Whether somebody sees what comes of it; set it to False, and the cluster is asked less often."""
        return self._following.looked_at

    @looked_at.setter
    def looked_at(self, value: bool) -> None:
        self._following.looked_at = value

    def job(self, job_id: str) -> JobModel:
        """Return the model of a job, one for as long as somebody holds it.

        Of a job that the cluster has not told of ``state`` is UNDETERMINED; of one that has left the queue ``ended``
        is True, and the rest as it last was.
        """
        return self._jobs.model(str(job_id), *self._at_hand("jobs"))

    def queue(self, name: str) -> QueueModel:
        """Return the model of a cluster queue, one for as long as somebody holds it."""
        return self._queues.model(name, *self._at_hand("queues"))

    def host(self, name: str) -> HostModel:
        """Return the model of an execution host, one for as long as somebody holds it."""
        return self._hosts.model(name, *self._at_hand("hosts"))

    def _at_hand(self, table: str) -> tuple[pa.Table | None, float, float]:
        snapshot = self._snapshot
        if snapshot is None:
            return None, 0.0, self.stale_since
        return snapshot.table(table), snapshot.time, self.stale_since

    def _take(self, update: Update) -> None:
        """Take what the poller tells."""
        before, snapshot, health = self._snapshot, update.snapshot, update.health
        self._snapshot = snapshot
        with self.hold_trait_notifications():
            self._take_health(health)
            if snapshot is not None and snapshot is not before:
                self._take_snapshot(snapshot, update.changes)
        if snapshot is not None:
            self._has_snapshot.set()

    def _take_health(self, health: Health) -> None:
        self.set_together(
            stale_since=health.stale_since,
            error=health.error,
            note=health.note,
            interval=health.interval,
            polls=health.polls,
            commands=health.commands,
        )
        for rows in (self._jobs, self._queues, self._hosts):
            rows.stale(health.stale_since)

    def _take_snapshot(self, snapshot: Snapshot, changes: Changes | None) -> None:
        overview = overview_of(snapshot)
        self.set_together(
            time=snapshot.time,
            sequence=snapshot.sequence,
            job_count=overview.jobs,
            tasks_by_state=tasks_by_state(snapshot.tasks),
            owners=[vars(share).copy() for share in overview.owners],
            **{
                name: getattr(overview, name)
                for name in ("slots_used", "slots_free", "slots_closed", "slots_total", "hosts_up", "hosts_down")
            },
        )
        for model in (self.jobs, self.queues, self.queue_instances, self.hosts):
            told = None if changes is None else changes.tables.get(model.view, TableChanges())
            tasks = snapshot.tasks if model is self.jobs else None
            model.update(snapshot.table(model.view), told, tasks, snapshot.time)
        for rows, name in ((self._jobs, "jobs"), (self._queues, "queues"), (self._hosts, "hosts")):
            rows.update(snapshot.table(name), snapshot.time)


def _weakly(model: ClusterModel) -> Callable[[Update], None]:
    """Return a listener that does not keep `model` alive."""
    reference = weakref.ref(model)

    def tell(update: Update) -> None:
        there = reference()
        if there is not None:
            there._take(update)  # noqa: SLF001 - the model's own listener

    return tell
