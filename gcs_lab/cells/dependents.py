"""Ends jobs that wait for one that failed: the scheduler would keep them for ever, or start them for nothing.

A job in error state keeps its successors on hold, one whose folder is gone can tell them nothing. The runner of a job
that starts all the same looks for itself (``runner/upstream.py``) and says the same.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.cells.errands import ERRANDS, until_answered
from gcs_lab.cells.runner.upstream import not_run_text
from gcs_lab.errors import DrmCommunication, GcsError, InvalidArgument, InvalidState
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gcs_lab.cells.upstream import Upstream
    from gcs_lab.cluster import Cluster
    from gcs_lab.vocabulary import JobStatus

__all__ = ["Dependents", "Following", "dependents", "upstreams_of", "why_failed"]


class Following(Protocol):
    """A job that is followed and that may wait for others, or others for it: a cell's job, or a sweep."""

    cluster: Cluster
    concluded: threading.Event
    message: str
    spec: dict[str, Any]
    abandoned: bool

    @property
    def id(self) -> str:
        """The scheduler's id."""
        ...

    @property
    def state(self) -> JobState:
        """Its state."""
        ...

    def upstream(self) -> Upstream:
        """Return what a later job must know of it."""
        ...

    def listen(self, listener: Any) -> None:
        """Send all further events to `listener`."""
        ...

    def waits(self) -> bool:
        """Tell whether nothing of it has started."""
        ...

    def conclude_not_run(self, text: str, upstream: Mapping[str, Any]) -> None:
        """End the following of a job that will never run."""
        ...


def why_failed(message: str) -> str:
    """Return how a job failed whose message is `message`, for that of one that needs it."""
    return f"was {message}" if message.startswith("not run: ") else f"failed: {message}"


def upstreams_of(spec: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the earlier jobs that a job waits for as a whole, by folder; those without a folder are left out.

    Of a sweep whose tasks are waited for one by one (``after_each``) each task looks for itself.
    """
    by_task = (spec.get("after_each") or {}).get("job_id")
    values = [one for one in (spec.get("from_jobs") or {}).values() if one.get("job_id") != by_task]
    return {str(one["folder"]): one for one in [*(spec.get("after") or ()), *values] if one.get("folder")}


class Dependents:
    """Who waits for whom among the jobs that this process follows; a listener of those that are waited for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Following]] = {}

    def watch(self, job: Following, upstreams: Iterable[Following]) -> None:
        """End `job` when one of `upstreams` fails, or has failed, while it waits."""
        for upstream in upstreams:
            folder = upstream.upstream().folder
            with self._lock:
                first = folder not in self._waiting
                waiting = self._waiting.setdefault(folder, [])
                if job not in waiting:
                    waiting.append(job)
            if first:
                upstream.listen(self)
            if upstream.concluded.is_set():
                self.on_concluded(upstream)

    def on_change(self, job: Following) -> None:
        """Nothing to do."""

    def on_event(self, job: Following, event: object) -> None:
        """Nothing to do."""

    def on_status(self, job: Following, status: JobStatus) -> None:
        """Nothing to do."""

    def on_silence(self, job: Following, since: float) -> None:
        """Nothing to do."""

    def on_concluded(self, job: Following) -> None:
        """End what waits for it, if it failed; in another thread, because the scheduler takes its time."""
        with self._lock:
            waiting = self._waiting.pop(job.upstream().folder, [])
        if waiting and job.state is JobState.FAILED and not job.abandoned:
            self.end(waiting, job.upstream(), why_failed(job.message))

    def end(self, waiting: list[Following], upstream: Upstream, why: str) -> None:
        """End jobs that wait for `upstream`, which failed; `why` is ``"failed: …"`` or ``"was not run: …"``."""
        ERRANDS.after(0.0, until_answered(lambda: _end_all(waiting, upstream, why)))


def _end_all(waiting: list[Following], upstream: Upstream, why: str) -> None:
    """End those that have not gone on. Raises DrmCommunication: nobody else will do it, so it is tried again."""
    by_cluster: dict[str, list[Following]] = {}
    for job in waiting:
        if not job.concluded.is_set() and job.waits():
            by_cluster.setdefault(job.cluster.name, []).append(job)
    for jobs in by_cluster.values():
        _end(jobs, upstream, why)


def _end(jobs: list[Following], upstream: Upstream, why: str) -> None:
    """Delete jobs of one cluster that wait for `upstream`, and say why."""
    failures = jobs[0].cluster.jobs.control(JobAction.TERMINATE, [job.id for job in jobs])
    for job in jobs:
        failure = failures.get(job.id)
        if isinstance(failure, DrmCommunication):
            raise failure
        if isinstance(failure, InvalidState | InvalidArgument):
            # It has ended meanwhile, and its log says how.
            continue
        job.conclude_not_run(_text(job, upstream, why, failure), upstream.to_json())


def _text(job: Following, upstream: Upstream, why: str, failure: GcsError | None) -> str:
    needed = any(one.get("folder") == upstream.folder for one in (job.spec.get("from_jobs") or {}).values())
    text = not_run_text(upstream.to_json(), why, needed=needed)
    return text if failure is None else f"{text} (`%gcs cancel {job.id}` removes it from the queue: {failure})"


_dependents: Dependents | None = None
_lock = threading.Lock()


def dependents() -> Dependents:
    """Return the one of this process."""
    global _dependents  # noqa: PLW0603
    with _lock:
        _dependents = _dependents or Dependents()
        return _dependents
