"""The job that is open in a cockpit: all that is told of it, as often as somebody asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.action_plan import kinds_by_job, possible_actions
from gcs_lab.cockpit.job_cell import cell_of
from gcs_lab.cockpit.job_facts import clock, fact_groups, usage_rows
from gcs_lab.cockpit.log_tail import FileText, FolderText, LogTail, Printed
from gcs_lab.cockpit.task_strip import parse_tasks, task_strip
from gcs_lab.errors import GcsError
from gcs_lab.jobs.requests import format_memory, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from gcs_lab.cluster import Cluster
    from gcs_lab.cockpit.job_cell import JobCell
    from gcs_lab.status import JobDetails, Snapshot, TaskDetails
    from gcs_lab.vocabulary import JobInfo

__all__ = ["OpenJob"]

_MOST_EVENTS = 200


class OpenJob:
    """One job, or one task of an array.

    All methods may block for as long as the system takes; they are called by one thread at a time.

    Parameters
    ----------
    cluster
        Where it is.
    job_id, task
        Its id, and the index of the task (None: the whole job).
    """

    def __init__(self, cluster: Cluster, job_id: str, task: int | None) -> None:
        self._cluster = cluster
        self.job_id, self.task = job_id, task
        self._row: dict[str, Any] = {}
        self._details: JobDetails | None = None
        self._rows: pa.Table | None = None
        self._end: JobInfo | None = None
        #: When it was in the queue last, in seconds since the epoch.
        self._seen_at: float | None = None
        self._troubles: list[str] = []
        self._cell: JobCell | None = None
        self._looked_for_cell = False
        self._tails: dict[str, LogTail] = {}
        self._readers: dict[tuple[object, ...], Callable[[], Printed]] = {}

    def rows_mark(self, snapshot: Snapshot) -> object:
        """Return what tells whether the job's rows differ between two snapshots."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = snapshot.tasks.filter(pc.equal(snapshot.tasks["job_id"], self.job_id))
        # As text: two snapshots have dictionaries of their own.
        names = ("tasks", "letters", "queue", "host", "slots", "name", "requests")
        return pa.table({name: rows[name].cast(pa.string()) for name in names})

    def message(self, snapshot: Snapshot | None, *, is_past: bool) -> dict[str, Any]:
        """Return the ``IDetails``, without its id.

        Parameters
        ----------
        snapshot
            What is shown.
        is_past
            Whether that is a recorded one: then the system is not asked.
        """
        self._troubles = []
        kinds = self._look(snapshot)
        gone = snapshot is not None and not kinds
        if not is_past and not gone:
            self._ask()
        reasons = self._reasons() if not is_past and any(map(kinds.get, ("pending", "held", "error"))) else []
        tasks = self._tasks()
        started = tasks[0] if len(tasks) == 1 else None
        facts = fact_groups(self._details, self._row, started, self.task)
        if gone and not is_past:
            facts[:0] = self._end_facts()
        row = self._row
        return {
            "kind": "details",
            "job_id": self.job_id,
            "task": self.task,
            "name": row.get("name") or (self._details.name if self._details else ""),
            "owner": row.get("owner") or (self._details.owner if self._details else ""),
            "letters": row.get("letters") or "",
            "state": row.get("state") or "UNDETERMINED",
            "array": bool(row.get("array")) or bool(self._details and self._details.task_range),
            "facts": facts,
            "requests": [list(pair) for pair in self._details.requests.items()] if self._details else [],
            "reasons": reasons,
            "timeline": self._timeline(started),
            "strip": self._strip(),
            "usage": usage_rows(self._details, row, tasks, self._until(snapshot, gone=gone)),
            "logs": self._logs(started),
            "cell": self._of_cell(),
            "actions": [] if is_past else possible_actions(kinds),
            "trouble": " ".join(dict.fromkeys(self._troubles)),
            "gone": gone,
        }

    def _until(self, snapshot: Snapshot | None, *, gone: bool) -> float:
        """Return until when it ran, as far as `snapshot` goes; seconds since the epoch."""
        now = time.time() if snapshot is None else snapshot.time
        if not gone:
            self._seen_at = max(now, self._seen_at or 0.0)
            return now
        if self._end is not None and self._end.finish_time is not None:
            return min(now, self._end.finish_time.timestamp())
        return now if self._seen_at is None else self._seen_at

    def log(self, stream: str, offset: int) -> dict[str, Any]:
        """Return ``text``, ``offset``, ``whole`` and ``note`` of an ``ILog``."""
        tail = self._tails.get(stream)
        if tail is None:
            tail = self._tails[stream] = LogTail(lambda: self._printed(stream))
        return tail.answer(offset)

    # -- what the system and the records tell -----------------------------------------------------------------------

    def _look(self, snapshot: Snapshot | None) -> dict[str, int]:
        """Take the job's rows from `snapshot`; return how many of the tasks that are meant are of each kind."""
        if snapshot is None:
            return {}
        import pyarrow.compute as pc

        rows = snapshot.tasks.filter(pc.equal(snapshot.tasks["job_id"], self.job_id))
        jobs = snapshot.jobs.filter(pc.equal(snapshot.jobs["job_id"], self.job_id))
        if not jobs.num_rows:
            return {}
        self._rows = rows
        job: dict[str, Any] = jobs.to_pylist()[0]
        if self.task is None:
            self._row = job
            return kinds_by_job(jobs)[self.job_id].kinds
        task = next((row for row in rows.to_pylist() if self._is_meant(row)), None)
        if task is None:
            return {}
        self._row = task | {"array": True}
        from gcs_lab.status.state_kinds import KINDS, kinds_of

        place = next(at for at, row in enumerate(rows.to_pylist()) if self._is_meant(row))
        return {KINDS[int(kinds_of(rows)[place])]: 1}

    def _is_meant(self, row: dict[str, Any]) -> bool:
        if row["task"] is not None:
            return bool(row["task"] == self.task)
        return any(self.task in piece for piece in parse_tasks(row["tasks"] or ""))

    def _ask(self) -> None:
        try:
            told = self._cluster.status.backend.job_details([self.job_id])
        except GcsError as reason:
            self._troubles.append(str(reason))
        else:
            # It may have ended since the snapshot: then what was told last stays.
            self._details = told.get(self.job_id, self._details)

    def _reasons(self) -> list[str]:
        try:
            found = self._cluster.jobs.pending_reasons([self.job_id])
        except GcsError as reason:
            self._troubles.append(f"Why it waits is not known: {reason}")
            return []
        return [reason.text for reason in found.get(self.job_id, [])]

    def _tasks(self) -> list[TaskDetails]:
        tasks: Sequence[TaskDetails] = self._details.tasks if self._details is not None else ()
        return [one for one in tasks if self.task is None or one.task == self.task]

    def _timeline(self, started: TaskDetails | None) -> list[dict[str, Any]]:
        events: dict[str, float] = {}
        submitted = self._row.get("submission_time") or (self._details.submission_time if self._details else None)
        start = (started.start_time if started else None) or self._row.get("start_time")
        if self._is_many():
            # That of the first of those that run now, which changes as tasks end.
            start = None
        for what, moment in (("submitted", submitted), ("started", start)):
            if moment is not None:
                events[what] = moment.timestamp()
        if self._end is not None and self._end.finish_time is not None:
            events["ended"] = self._end.finish_time.timestamp()
        told = [(at, what) for what, at in events.items()]
        try:
            recorder = self._cluster.status.poller.recorder
            seen = [] if recorder is None else recorder.timeline(self.job_id)
        except GcsError as reason:
            self._troubles.append(f"Nothing was recorded of it: {reason}")
            seen = []
        # Of one second, in the order in which it can only have been.
        order = {"submitted": 0, "started": 1, "ended": 3}
        told = sorted({*told, *seen}, key=lambda event: (event[0], order.get(event[1], 2)))[-_MOST_EVENTS:]
        return [{"time": at, "what": what} for at, what in told]

    def _is_many(self) -> bool:
        return self.task is None and bool(self._row.get("array"))

    def _strip(self) -> list[list[Any]]:
        if self._rows is None or not self._is_many():
            return []
        return [list(run) for run in task_strip(self._rows, self._details.task_range if self._details else None)]

    def _end_facts(self) -> list[dict[str, Any]]:
        """Return how it ended, if the system's accounting tells."""
        name = self.job_id if self.task is None else f"{self.job_id}.{self.task}"
        if self._end is None:
            try:
                self._end = self._cluster.jobs.backend.info([name]).get(name)
            except GcsError as reason:
                self._troubles.append(f"How it ended is not known: {reason}")
        end = self._end
        if end is None:
            return []
        if not self._row:
            self._row = {"name": end.job_name, "owner": end.job_owner, "job_id": self.job_id}
        self._row |= {"state": end.job_state.name, "letters": end.job_sub_state}
        rows = [
            ("Ended", clock(end.finish_time)),
            ("Exit status", end.exit_status),
            ("Signal", end.terminating_signal),
            ("Deleted by", end.deleted_by),
            ("Message", end.annotation),
            ("Wall time", None if end.wallclock_time is None else format_time(end.wallclock_time)),
            ("CPU time", None if end.cpu_time is None else format_time(end.cpu_time)),
            ("Memory, peak", None if end.max_rss is None else format_memory(end.max_rss)),
            ("Virtual memory, peak", None if end.max_vmem is None else format_memory(end.max_vmem)),
        ]
        told = [[label, str(value)] for label, value in rows if value not in (None, "")]
        return [{"title": "Its end", "rows": told}] if told else []

    # -- its cell and what it printed -------------------------------------------------------------------------------

    def _of_cell(self) -> Any:
        if not self._looked_for_cell:
            self._looked_for_cell = True
            try:
                self._cell = cell_of(self._cluster.name, self.job_id)
            except GcsError as reason:
                self._troubles.append(str(reason))
        return None if self._cell is None else self._cell.message()

    def _logs(self, started: TaskDetails | None) -> list[dict[str, str]]:
        self._of_cell()
        if self._cell is not None and (folder := self._cell.folder_of(self.task)) is not None:
            if self._cell.entry.kind == "sweep" and self.task is None:
                return []
            return [{"stream": stream, "path": str(folder.events)} for stream in ("stdout", "stderr")]
        if started is None:
            return []
        paths = {"stdout": started.stdout_path, "stderr": started.stderr_path}
        if paths["stderr"] == paths["stdout"]:
            del paths["stderr"]
        return [{"stream": stream, "path": path} for stream, path in paths.items() if path]

    def _printed(self, stream: str) -> Printed:
        """Return what a job printed: of a cell's job from its log, else from the file that the system names."""
        self._of_cell()
        if self._cell is not None and (folder := self._cell.folder_of(self.task)) is not None:
            return self._reader(FolderText, folder, stream)()
        if self._details is None:
            self._ask()
        tasks = self._tasks()
        if not tasks:
            return Printed("", "it has not started, so there is no output yet.")
        if len(tasks) > 1:
            return Printed("", "it has several tasks; open one of them.")
        path = tasks[0].stdout_path if stream == "stdout" else tasks[0].stderr_path
        if not path:
            return Printed("", "the system does not tell where this output goes.")
        return self._reader(FileText, path, tasks[0].host)()

    def _reader(self, kind: type[FileText | FolderText], *source: Any) -> Callable[[], Printed]:
        """Return what reads a source, the same one each time: it remembers where it began."""
        key = (kind, *map(str, source))
        if key not in self._readers:
            self._readers[key] = kind(*source)
        return self._readers[key]
