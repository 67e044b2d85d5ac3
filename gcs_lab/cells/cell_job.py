"""The handle on one cell's job: reads its event log, brings its outputs back, says how it ended."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.cells import runner
from gcs_lab.cells.ending_words import folder_gone_words, last_words, own_words, verdict_on, write_verdict
from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.later_module import module_now_or_later
from gcs_lab.cells.placeholder import Placeholder, awaited_job
from gcs_lab.cells.upstream import Upstream
from gcs_lab.errors import GcsError
from gcs_lab.vocabulary import JobState, JobStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from gcs_lab.cells.event_log import Event
    from gcs_lab.cells.journal import Journal, JournalEntry
    from gcs_lab.cluster import Cluster
    from gcs_lab.vocabulary import JobInfo

__all__ = ["CellJob", "CellJobListener"]

_log = logging.getLogger(__name__)

#: Exit statuses that Grid Engine gives a meaning of its own: run again, and error state.
_SCHEDULER_EXITS = {99, 100}
#: Seconds that a network file system may take to show the last lines of a log.
_LOG_GRACE = 3.0
#: Seconds to wait for the scheduler's word on why a job was killed.
_VERDICT_PATIENCE = 20.0
#: The ``error`` event of a job that was not run, but for what differs.
_NOT_RUN: dict[str, Any] = {"ename": "UpstreamFailed", "frames": [], "notes": [], "payload": False, "cause": None}


class CellJobListener(Protocol):
    """Who follows a cell's job. All methods are called on the follower's threads; they must not block for long."""

    def on_event(self, job: CellJob, event: Event) -> None:
        """Take one event of the log, in order, each once."""

    def on_status(self, job: CellJob, status: JobStatus) -> None:
        """Take the scheduler's view, when it changed."""

    def on_silence(self, job: CellJob, since: float) -> None:
        """Hear that the cluster has not answered since `since` (seconds since the epoch); 0.0: it answers again."""

    def on_concluded(self, job: CellJob) -> None:
        """Hear that nothing more will come; the job's ``state``, ``message`` and outputs are final."""


class CellJob:
    """One cell's job.

    Parameters
    ----------
    cluster
        Where it runs.
    entry
        Its journal entry.
    journal
        The journal.
    spec
        What the runner was asked to do; read from the folder when not given.
    requested
        Its ``-l`` requests, to say which of them killed it.
    """

    def __init__(
        self,
        cluster: Cluster,
        entry: JournalEntry,
        journal: Journal,
        *,
        spec: dict[str, Any] | None = None,
        requested: dict[str, str] | None = None,
    ) -> None:
        self.cluster = cluster
        self.entry = entry
        self.folder = JobFolder(Path(entry.folder))
        self.job = cluster.jobs.job(entry.job_id)
        self.spec = self.folder.read_spec() if spec is None else spec
        self.requested = dict(requested or {})
        self.log = EventLog(self.folder.events)
        self.concluded = threading.Event()
        self.state = JobState.UNDETERMINED
        self.status = JobStatus(JobState.UNDETERMINED)
        #: Why it ended or is stuck, in words; empty when all is well.
        self.message = ""
        self.error: dict[str, Any] | None = None
        self.finished: dict[str, Any] | None = None
        self.info: JobInfo | None = None
        #: Names that came back, names that were never bound, and names that could not be pickled (with the reason).
        self.delivered: list[str] = []
        self.missing: list[str] = []
        self.skipped: dict[str, str] = {}
        #: Number of the last event that was read; -1: none.
        self.last_seq = -1
        #: Whether it is followed no more although it goes on.
        self.abandoned = False
        #: Names that were left alone because the notebook gave them another value meanwhile.
        self.overtaken: list[str] = []
        self._journal = journal
        self._listeners: list[CellJobListener] = []
        self._lock = threading.RLock()
        self._namespace: MutableMapping[str, Any] | None = None
        self._placeholders: dict[str, Placeholder] = {}
        self._previous: dict[str, Any] = {}
        self._ended_at = 0.0
        self._finished_at = 0.0

    def __repr__(self) -> str:
        return f"<CellJob {self.id} ({self.name}) on {self.cluster.name}: {self.state.name}>"

    @property
    def id(self) -> str:
        """The scheduler's id."""
        return self.entry.job_id

    @property
    def name(self) -> str:
        """The job's name."""
        return self.entry.name

    def upstream(self) -> Upstream:
        """Return what a job that depends on this one must know of it."""
        entry = self.entry
        return Upstream(entry.job_id, entry.name, entry.folder, entry.tasks, entry.cluster)

    def waits(self) -> bool:
        """Tell whether it has not started, as far as log and scheduler say."""
        return not self.log.position and not self.status.state.started

    # -- listeners and namespace ---------------------------------------------------------------------------------

    def listen(self, listener: CellJobListener) -> None:
        """Send all further events to `listener`."""
        with self._lock:
            self._listeners.append(listener)

    def deliver_to(self, namespace: MutableMapping[str, Any], *, replace: bool = True) -> None:
        """Put placeholders for the outputs into `namespace`, and the values when they are there.

        With ``replace=False`` (after a restart) a name that has a value already is left alone.
        """
        with self._lock:
            self._namespace = namespace
            for name in self.spec["outputs"]:
                bound = name in namespace
                held = namespace.get(name)
                if replace or not bound or type(held) is Placeholder:
                    if bound and type(held) is not Placeholder:
                        self._previous[name] = held
                    namespace[name] = self._placeholders[name] = Placeholder(name, self._why_not_ready, self)
                elif name not in self.overtaken:
                    self.overtaken.append(name)
            if self.concluded.is_set():
                self._collect()

    def take_over(self, previous: CellJob) -> None:
        """Bring the outputs from now on where `previous`, another handle on the same job, would have brought them."""
        with previous._lock:
            self._previous = dict(previous._previous)
            previous._namespace = None
            previous._placeholders.clear()

    def _why_not_ready(self, name: str) -> str:
        who = f"job {self.id} ({self.name})"
        if not self.concluded.is_set():
            doing = self.state.name.lower().replace("_", " ")
            return f"{name} is still being computed by {who}, which is {doing}; `%gcs wait {self.id}` waits for it."
        if name in self.skipped:
            return f"{name} could not come back from {who}: {self.skipped[name]}."
        if self.state is JobState.DONE:
            return f"{name} was not bound when {who} ended."
        if (self.error or {}).get("upstream"):
            return f"{name} was never computed: {who} was {self.message}."
        return f"{name} was never computed: {who} failed{': ' + self.message if self.message else ''}."

    # -- called by the follower ----------------------------------------------------------------------------------

    def watch(self) -> None:
        """Be part of every question that is asked about states."""
        self.cluster.jobs.board.watch([self.id])

    def unwatch(self) -> None:
        """Undo :meth:`watch`."""
        self.cluster.jobs.board.unwatch([self.id])

    def take_state(self) -> None:
        """Take the state that the board knows. Raises GcsError if the cluster does not answer."""
        self.take_status(self.cluster.jobs.board.status([self.id])[self.id])

    def read_log(self) -> bool:
        """Take what the log has now; return whether there was anything."""
        events = self.log.read()
        for event in events:
            self._take(event)
        if self.finished is not None and not self.concluded.is_set():
            self._conclude_if_clear()
        return bool(events)

    def take_status(self, status: JobStatus) -> None:
        """Take the scheduler's view."""
        with self._lock:
            if self.concluded.is_set():
                return
            changed = status != self.status
            self.status = status
            if not status.state.terminated:
                self._ended_at = 0.0
                # The runner's own word is newer than the scheduler's.
                if self.finished is None:
                    self.state = status.state
            elif not self._ended_at:
                self._ended_at = time.monotonic()
            if changed:
                self._tell("on_status", status)
        if not self.folder.path.exists():
            self._conclude(JobState.FAILED, folder_gone_words(self))
        elif self._ended_at and self._log_is_complete():
            with contextlib.suppress(OSError):
                self.read_log()
            if not self.concluded.is_set():
                self._conclude_from_scheduler()

    def _log_is_complete(self) -> bool:
        """Tell whether a job that the scheduler says has ended will say no more in its log."""
        if time.monotonic() - self._ended_at > _LOG_GRACE:
            return True
        if self.info is None:
            with contextlib.suppress(GcsError):
                self.info = self.job.info()
        # The runner of a killed job writes no last word.
        return self.info is not None and bool(self.info.failed or self.info.deleted_by)

    def give_up(self, error: Exception) -> None:
        """End the following of a job whose log cannot be understood; the job itself goes on."""
        self.abandoned = True
        told = f"its log could not be read: {type(error).__name__}: {error}; `%gcs logs {self.id}` may show more"
        self._conclude(JobState.FAILED, told)

    def take_silence(self, since: float) -> None:
        """Hear that the cluster does not answer (or, with 0.0, answers again)."""
        self._tell("on_silence", since)

    def _take(self, event: Event) -> None:
        with self._lock:
            if self.concluded.is_set():
                # It was ended because an earlier job failed, when it had just started.
                return
            self.last_seq = event.seq
            if event.type == "started":
                # A job that was requeued starts again: what it said of its first end is void.
                self.error = self.finished = None
                self.state = JobState.RUNNING
            elif event.type == "error":
                self.error = event.body
            elif event.type == "finished":
                self.finished = event.body
                self._finished_at = time.monotonic()
            self._tell("on_event", event)

    # -- the end -------------------------------------------------------------------------------------------------

    def _conclude_if_clear(self) -> None:
        """End the job if the log alone tells how it ended; else wait for the scheduler's word."""
        finished = self.finished or {}
        by_itself = finished.get("reason") in {"done", "error", "exit"}
        if by_itself and finished.get("exit_status") not in _SCHEDULER_EXITS:
            good = finished.get("exit_status") == 0
            self._conclude(JobState.DONE if good else JobState.FAILED, "" if good else own_words(self))
        elif self.status.state.terminated or time.monotonic() - self._finished_at > _VERDICT_PATIENCE:
            self._conclude_from_scheduler()

    def conclude_not_run(self, text: str, upstream: Mapping[str, Any]) -> None:
        """End a job that will never run, because the earlier job `upstream` that it needs failed; `text` says so."""
        drawn = [f"UpstreamFailed: {text}"]
        with self._lock:
            if not self.concluded.is_set():
                self.error = {**_NOT_RUN, "evalue": text, "traceback": drawn, "upstream": dict(upstream)}
                self.finished = None
                self._conclude(JobState.FAILED, text)

    def _conclude_from_scheduler(self) -> None:
        verdict = verdict_on(self) if self.finished is None else None
        if verdict and verdict["upstream"]:
            # Another kernel ended it, because an earlier job failed: the scheduler knows only that it was deleted.
            self.conclude_not_run(str(verdict["why"]).removeprefix("was "), verdict["upstream"])
            return
        with contextlib.suppress(GcsError):
            self.info = self.job.info()
        info = self.info
        state = self.status.state if self.status.state.terminated else JobState.FAILED
        message = (info.annotation if info else None) or self.status.annotation or ""
        killed = info is not None and bool(info.failed or info.deleted_by)
        signal = (self.finished or {}).get("signal")
        if signal and not killed:
            # The scheduler saw only the runner's exit status; the runner saw what ended the code.
            message = f"killed by {signal}"
        exited = info is not None and info.exit_status is not None and self.status.final and not killed
        if self.finished is None and (exited or state is JobState.DONE):
            # It ended by itself, and the runner never came to say how: the interpreter may have.
            state, message = JobState.FAILED, last_words(self)
        if not message and state is JobState.FAILED:
            message = last_words(self)
        if self.status.sub_state.startswith("E"):
            message += f" (error state {self.status.sub_state}; `%gcs cancel {self.id}` removes it)"
        self._conclude(state, message)

    def _conclude(self, state: JobState, message: str) -> None:
        with self._lock:
            if self.concluded.is_set():
                return
            self.state, self.message = state, message
            if state is JobState.FAILED and self.finished is None and not self.abandoned:
                write_verdict(self)
            self._collect()
            # One that is shown again ended when it did.
            ended = self.entry.finished or time.time()
            with contextlib.suppress(OSError, GcsError):
                self._journal.update(self.entry.folder, state=state.name, finished=ended, message=message)
            self._tell("on_concluded")
            self.concluded.set()

    def _collect(self) -> None:
        """Put the outputs that came back where their placeholders still stand."""
        try:
            values, header = self._load_outputs()
        except Exception as error:
            # They stay in the folder; what went wrong may be mended here (a module installed) and attach tries again.
            values, header = {}, {"skipped": {}}
            self.skipped = dict.fromkeys(self.spec["outputs"], f"the outputs could not be loaded here: {error}")
        self.missing = [str(name) for name in header.get("missing", [])]
        self.skipped.update({name: f"{why.get('type')}: {why.get('why')}" for name, why in header["skipped"].items()})
        if self._namespace is None:
            return
        for name, value in values.items():
            if self._namespace.get(name) is self._placeholders.get(name):
                self._namespace[name] = value
                self.delivered.append(name)
            elif name in self._placeholders and name not in self.overtaken:
                self._overtaken_by(self._namespace.get(name), name, value)
        self._give_back_the_rest(self._namespace, values)

    def keep_in_reserve(self, name: str, value: object) -> None:
        """Remember what `name` shall hold again if this job does not compute it."""
        self._previous.setdefault(name, value)

    def _overtaken_by(self, held: object, name: str, value: object) -> None:
        """Leave the name to what holds it now; a later job that computes it anew may have to give this value back."""
        later = awaited_job(held) if isinstance(held, Placeholder) else None
        if later is None or later is self:
            self.overtaken.append(name)
        elif later.concluded.is_set() and self._namespace is not None:
            # It will not come any more.
            self._namespace[name] = value
            self.delivered.append(name)
        else:
            later.keep_in_reserve(name, value)

    def _give_back_the_rest(self, namespace: MutableMapping[str, Any], values: dict[str, Any]) -> None:
        """Do with the names that did not come back what a normal cell does: they keep the value they had."""
        for name, placeholder in self._placeholders.items():
            if name in values or namespace.get(name) is not placeholder:
                continue
            if name in self._previous:
                namespace[name] = self._previous[name]
            elif self.state is JobState.DONE and name not in self.skipped:
                del namespace[name]
        self._previous.clear()

    def _load_outputs(self) -> tuple[dict[str, Any], dict[str, Any]]:
        if not self.folder.outputs.exists():
            return {}, {"skipped": {}}
        self.folder.check_trusted(self.folder.outputs)
        values, header = runner.read_outputs(str(self.folder.path))
        modules = {name: module_now_or_later(module) for name, module in header.get("modules", {}).items()}
        return {**values, **modules}, {"skipped": {}, **header}

    def _tell(self, what: str, *args: Any) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                getattr(listener, what)(self, *args)
            except Exception:
                # What shows a job must not keep its results from coming, nor its end from being told.
                _log.exception("showing job %s failed", self.id)
