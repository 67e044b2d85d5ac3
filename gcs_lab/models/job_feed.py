"""Feeds a JobModel from a cell's job: from its event log, and from the scheduler's view."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.job_usage import advice_on_job, is_accounted, may_be_amended
from gcs_lab.errors import GcsError
from gcs_lab.models.errands import ERRANDS
from gcs_lab.models.job_model import JobModel
from gcs_lab.models.waiting_watch import waiting_watch

if TYPE_CHECKING:
    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.cells.event_log import Event
    from gcs_lab.vocabulary import JobInfo, JobStatus

__all__ = ["JobFeed"]


#: Accounting is looked at so many seconds after the end, and again after these: Grid Engine writes it late.
_AMENDED_AFTER = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


class JobFeed:
    """A listener of a :class:`~gcs_lab.cells.CellJob` that keeps a :class:`JobModel` up to date.

    Parameters
    ----------
    job
        The job; the feed listens to it from now on.
    """

    def __init__(self, job: CellJob) -> None:
        self._job = job
        self.model = JobModel(
            name=job.name,
            cluster=job.cluster.name,
            system=job.cluster.system,
            job_id=job.id,
            state=job.state.name,
            submitted=job.entry.submitted,
            requested=job.requested,
            folder=str(job.folder.path),
        )
        job.listen(self)
        waiting_watch().watch(job, self._tell_waiting)

    def on_event(self, job: CellJob, event: Event) -> None:
        """Take one event of the log."""
        body = event.body
        with self.model.hold_trait_notifications():
            if event.type == "started":
                self._started(event.t, body)
            elif event.type == "heartbeat":
                self._usage(body)
                self.model.rss = int(body.get("rss") or 0)
            elif event.type == "progress":
                self._progress(body)
            elif event.type == "finished":
                self._usage(body)
                self.model.exit_status = int(body["exit_status"])
                self.model.finished = event.t
            if event.type == "started" or job.state.terminated:
                self.model.state = job.state.name
        if event.type == "started":
            self._clear_waiting()

    def on_status(self, job: CellJob, status: JobStatus) -> None:
        """Take the scheduler's view."""
        with self.model.hold_trait_notifications():
            self.model.state = job.state.name
            self.model.sub_state = status.sub_state
            self.model.queue = status.queue_name or self.model.queue
            self.model.host = self.model.host or status.machine_name or ""
            self.model.slots = status.slots or self.model.slots
            self.model.message = status.annotation or ""
        self._clear_waiting()

    def on_silence(self, job: CellJob, since: float) -> None:  # noqa: ARG002
        """Hear that the cluster does not answer, or answers again."""
        self.model.stale_since = since

    def on_concluded(self, job: CellJob) -> None:
        """Take the end."""
        info = job.info
        with self.model.hold_trait_notifications():
            self.model.state = job.state.name
            self.model.message = job.message
            self.model.stale_since = 0.0
            if info is not None:
                self._info(info.exit_status, info.max_rss, info.max_vmem, info.cpu_time)
            self._advise(job, info)
            self.model.finished = self.model.finished or time.time()
            self.model.ended = True
        self._clear_waiting()
        if may_be_amended(job):
            pauses = iter(_AMENDED_AFTER)
            ERRANDS.after(next(pauses), lambda: None if self._amend() else next(pauses, None))

    def _tell_waiting(self, reasons: list[str]) -> None:
        self.model.waiting = reasons
        # It may have started while the answer was on its way.
        self._clear_waiting()

    def _clear_waiting(self) -> None:
        if self.model.waiting and (self.model.ended or not self._job.waits()):
            self.model.waiting = []

    def _advise(self, job: CellJob, info: JobInfo | None) -> None:
        advice = advice_on_job(job, info)
        self.model.usage, self.model.advice = advice.sentences, advice.flags

    def _amend(self) -> bool:
        """Take accounting's figures, if they are there by now; return whether they are."""
        info = None
        with contextlib.suppress(GcsError):
            info = self._job.job.info()
        if info is None or not is_accounted(info):
            return False
        with self.model.hold_trait_notifications():
            self._info(info.exit_status, info.max_rss, info.max_vmem, info.cpu_time)
            self._advise(self._job, info)
        return True

    def _started(self, t: float, body: dict[str, Any]) -> None:
        self.model.started = t
        self.model.finished = 0.0
        self.model.exit_status = -1
        self.model.host = str(body.get("host") or self.model.host)
        self.model.queue = str(body.get("queue") or self.model.queue)
        self.model.slots = int(body.get("slots") or self.model.slots)

    def _usage(self, body: dict[str, Any]) -> None:
        self.model.cpu = float(body.get("cpu") or 0.0)
        self.model.max_rss = max(self.model.max_rss, int(body.get("max_rss") or 0))
        self.model.max_vmem = max(self.model.max_vmem, int(body.get("max_vmem") or 0))

    def _info(self, status: int | None, rss: int | None, vmem: int | None, cpu: float | None) -> None:
        """Take accounting's figures where the log has none (the runner was killed before it could tell)."""
        if self.model.exit_status < 0 and status is not None:
            self.model.exit_status = status
        self.model.max_rss = max(self.model.max_rss, rss or 0)
        self.model.max_vmem = max(self.model.max_vmem, vmem or 0)
        self.model.cpu = max(self.model.cpu, cpu or 0.0)

    def _progress(self, body: dict[str, Any]) -> None:
        n, total = float(body.get("n") or 0), body.get("total")
        self.model.progress = min(1.0, n / total) if total else -1.0
        count = f"{n:g}/{total:g}" if total else f"{n:g}"
        told = " ".join(str(p) for p in (body.get("desc"), count, body.get("unit")) if p)
        self.model.progress_text = str(body.get("text") or told)
