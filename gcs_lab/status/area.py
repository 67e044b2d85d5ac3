"""The ``status`` area of a cluster: what it does now, as DataFrames."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.status.frames import frame_of
from gcs_lab.status.tables import HOST_COLUMNS, QUEUE_COLUMNS, QUEUE_INSTANCE_COLUMNS
from gcs_lab.vocabulary import split_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from gcs_lab.status.overview import Overview
    from gcs_lab.status.poller import Poller
    from gcs_lab.status.protocol import JobDetails, StatusBackend
    from gcs_lab.status.snapshot import Snapshot
    from gcs_lab.vocabulary import PendingReason

__all__ = ["Status"]


class Status:
    """The present state of one system, and what was recorded of the past hours.

    Each call asks the cluster anew, and shares the question with whoever asks at the same moment. A few questions may
    come at once; on average the system's floor lies between two. With ``snapshot`` nothing is asked: the answer is of
    that snapshot.

    The columns are those of :mod:`gcs_lab.status.tables`. What all calls raise: GcsError, if the system does not
    answer; InvalidArgument, if a word says nothing.

    Parameters
    ----------
    backend
        The system.
    cluster
        Its name.
    system
        What runs it, for people.
    pending_reasons
        Tells why jobs wait, by id (``Jobs.pending_reasons``); None: this system cannot.
    """

    def __init__(
        self,
        backend: StatusBackend,
        *,
        cluster: str = "",
        system: str = "",
        pending_reasons: Callable[[Collection[str]], dict[str, list[PendingReason]]] | None = None,
    ) -> None:
        self.backend = backend
        self._cluster, self._system, self._reasons = cluster, system or cluster, pending_reasons
        self._poller: Poller | None = None
        self._closed = False
        self._guard = threading.Lock()

    def __repr__(self) -> str:
        return f"<Status of {self._system}>"

    @property
    def poller(self) -> Poller:
        """What keeps up with the cluster for all who look at it; it has a thread only while somebody follows."""
        with self._guard:
            if self._poller is None:
                from gcs_lab.status.poller import Poller

                self._poller = Poller(self.backend, self._cluster)
                if self._closed:
                    self._poller.close()
            return self._poller

    def snapshot(self) -> Snapshot:
        """Ask the cluster, and return all that it says, as Arrow tables."""
        return self.poller.fresh()

    def jobs(
        self,
        owner: str | Sequence[str] | None = None,
        state: str | Sequence[str] | None = None,
        queue: str | Sequence[str] | None = None,
        where: str = "",
        *,
        snapshot: Snapshot | None = None,
    ) -> pd.DataFrame:
        """Return the jobs that have not ended, one row a job; an array job is one, with its tasks counted.

        Parameters
        ----------
        owner
            Only this user's jobs, or these users'; ``*`` and ``?`` are wildcards. None: everybody's.
        state
            Only jobs in this state, or these: letters (``"qw"``, ``"Eqw"``), words (``"running"``, ``"pending"``,
            ``"held"``, ``"suspended"``, ``"error"``) or DRMAA2's names.
        queue
            Only jobs of which a task is in this cluster queue, or these; wildcards as for `owner`.
        where
            More, in the language of filters: ``"slots>4 name~fit"`` (docs/status.md).
        snapshot
            An earlier answer; None: the cluster is asked.
        """
        from gcs_lab.status.row_choice import chosen_jobs

        return frame_of(chosen_jobs(snapshot or self.snapshot(), owner, state, queue, where))

    def tasks(
        self,
        owner: str | Sequence[str] | None = None,
        state: str | Sequence[str] | None = None,
        queue: str | Sequence[str] | None = None,
        where: str = "",
        *,
        snapshot: Snapshot | None = None,
    ) -> pd.DataFrame:
        """Return the tasks that have not ended, as the system lists them; as :meth:`jobs`.

        A job that is no array is a row, and so is each task that has started; tasks of an array that wait together
        are one, ``tasks`` says which.
        """
        from gcs_lab.status.row_choice import chosen_tasks

        return frame_of(chosen_tasks(snapshot or self.snapshot(), owner, state, queue, where))

    def queues(self, where: str = "", *, snapshot: Snapshot | None = None) -> pd.DataFrame:
        """Return the cluster queues: slots used, free, in all and closed, load, states."""
        return _rows((snapshot or self.snapshot()).queues, QUEUE_COLUMNS, where)

    def queue_instances(self, where: str = "", *, snapshot: Snapshot | None = None) -> pd.DataFrame:
        """Return the queue instances: slots, load and state of each queue on each host."""
        return _rows((snapshot or self.snapshot()).queue_instances, QUEUE_INSTANCE_COLUMNS, where)

    def hosts(self, where: str = "", *, snapshot: Snapshot | None = None) -> pd.DataFrame:
        """Return the execution hosts: cores, load, memory in bytes, slots, state."""
        return _rows((snapshot or self.snapshot()).hosts, HOST_COLUMNS, where)

    def host_groups(self) -> pd.DataFrame:
        """Return the hosts of each host group, one row a host in a group."""
        return frame_of(self.backend.host_groups())

    def complexes(self) -> pd.DataFrame:
        """Return the complexes that there are, with types, relations and defaults."""
        return frame_of(self.backend.complexes())

    def quota(self) -> pd.DataFrame:
        """Return the limits of resource quota sets that are in use: how much of each is used."""
        return frame_of(self.backend.quotas())

    def overview(self, *, snapshot: Snapshot | None = None) -> Overview:
        """Return the cluster in a few figures: slots, hosts, jobs, tasks by what they do, owners."""
        from gcs_lab.status.overview import overview_of

        return overview_of(snapshot or self.snapshot(), self._system, self.poller.health)

    def why(self, job: Any) -> list[PendingReason]:
        """Return why a job has not started, the weightiest reason first; empty for one that does not wait.

        Parameters
        ----------
        job
            Its id (``"12"``; ``"12.5"`` is a task), or the job itself.

        Raises
        ------
        UnknownName
            If the system knows no such job.
        """
        job_id = _id_of(job)
        answer = self._reasons([job_id]) if self._reasons is not None else {}
        if job_id not in answer:
            raise self._unknown(job_id)
        return answer[job_id]

    def details(self, job: Any) -> JobDetails:
        """Return all that the system tells of a job that has not ended (``qstat -j``); of a task, its array job.

        Raises
        ------
        UnknownName
            If the system knows no such job (any more).
        """
        job_id, _ = split_id(_id_of(job))
        answer = self.backend.job_details([job_id])
        if job_id not in answer:
            raise self._unknown(job_id)
        return answer[job_id]

    def history(self) -> pd.DataFrame:
        """Return the recorded counts: per moment the tasks by what they did, and the slots."""
        return frame_of(self.poller.recorder.history())

    def close(self) -> None:
        """End the poller's thread, if there is one."""
        with self._guard:
            self._closed = True
        if self._poller is not None:
            self._poller.close()

    def _unknown(self, job_id: str) -> UnknownName:
        latest = self.poller.latest()
        known = latest.jobs["job_id"].to_pylist() if latest is not None else []
        return UnknownName("job that has not ended", job_id, known, where=self._system)


def _rows(table: pa.Table, columns: Mapping[str, str], where: str) -> pd.DataFrame:
    from gcs_lab.status.row_choice import chosen_rows

    return frame_of(chosen_rows(table, columns, where))


def _id_of(job: Any) -> str:
    told = str(getattr(job, "id", job)).strip()
    if not told or not isinstance(getattr(job, "id", job), str | int) or isinstance(job, bool):
        raise InvalidArgument(f"{job!r} is no job: expected an id as text ('12', '12.5') or a job.")
    return told
