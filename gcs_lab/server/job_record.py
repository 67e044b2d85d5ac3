"""What is known of one job beside the cockpit's details: its cell, its end, and what can be read of it."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.runner.job_end import end_of_job
from gcs_lab.errors import DrmCommunication, GcsError, UnknownName
from gcs_lab.jobs.requests import format_time
from gcs_lab.server.in_time import answer_in_time
from gcs_lab.server.job_lookup import STATE_SECONDS, last_events, recent_snapshot, row_of
from gcs_lab.server.log_streams import streams_of
from gcs_lab.server.sweep_handles import SWEEPS
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gcs_lab.cells.job_folder import JobFolder
    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.server.job_lookup import FoundJob
    from gcs_lab.vocabulary import JobInfo

__all__ = ["job_record"]

#: Exit statuses that Grid Engine gives a meaning of its own: run again, and error state.
_SCHEDULER_EXITS = {99, 100}
_FIRST_BYTES = 64 << 10
#: What a large file of accounting may take.
_INFO_SECONDS = 10.0


def job_record(job: FoundJob, contents_path: Callable[[str], str]) -> dict[str, Any]:
    """Return an ``IJobFacts``.

    Parameters
    ----------
    job
        The job, or a task of it.
    contents_path
        Returns the path by which pages know a file; ``""``: they do not.

    Raises
    ------
    UnknownName
        If neither the user's journal nor the system knows the job.
    GcsError
        If the system has to be asked and does not answer.
    """
    told: dict[str, Any] = {
        "job_id": job.job_id,
        "cluster": job.cluster.name,
        "name": "",
        "kind": "job",
        "state": JobState.UNDETERMINED.name,
        "letters": "",
        "notebook": "",
        "cell": "",
        "execution_count": 0,
        "source": "",
        "folder": "",
        "submitted": None,
        "started": None,
        "ended": None,
        "exit_status": None,
        "outcome": "",
        "streams": streams_of(job),
        "tasks": 0,
        "attach": _attach(job),
    }
    if job.cell is not None and job.entry is not None:
        told |= _of_entry(job.entry, contents_path)
        told["source"] = job.cell.source
        told["folder"] = "" if job.folder is None else str(job.folder.path)
    known: bool | None = True
    if job.is_sweep:
        _add_sweep(job, told)
    else:
        known = _add_system(job, told)
        if job.folder is not None:
            _add_log(job.folder, told)
        elif job.entry is None and not known:
            raise UnknownName("job", job.job_id, [], where=job.cluster.system, complete=False)
    if job.entry is not None and job.entry.finished and job.task is None:
        told["state"], told["ended"] = job.entry.state, told["ended"] or job.entry.finished
        told["outcome"] = job.entry.message or told["outcome"]
    told["outcome"] = told["outcome"] or _outcome(told)
    if known is None and told["state"] == JobState.UNDETERMINED.name:
        told["outcome"] = f"{job.cluster.name} does not answer now, so its state is not known."
    return told


def _of_entry(entry: JournalEntry, contents_path: Callable[[str], str]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "state": entry.state,
        "notebook": contents_path(entry.notebook) if entry.notebook else "",
        "cell": entry.cell,
        "execution_count": entry.execution_count,
        "submitted": entry.submitted or None,
        "tasks": entry.tasks,
    }


def _attach(job: FoundJob) -> str:
    if job.entry is not None:
        # An id alone would mean the job of that id on the cluster that the notebook uses.
        return f"%load_ext gcs_lab\n%gcs attach {job.entry.job_id} --on {shlex.quote(job.cluster.name)}"
    name = job.job_id if job.task is None else f"{job.job_id}.{job.task}"
    return f"import gcs_lab\n\njob = gcs_lab.connect({job.cluster.name!r}).jobs.job({name!r})\njob.info()"


# -- a sweep -------------------------------------------------------------------------------------------------------


def _add_sweep(job: FoundJob, told: dict[str, Any]) -> None:
    """Take what the tasks of a sweep wrote, and what the cluster says of them."""
    try:
        sweep = SWEEPS.up_to_date(job)
    except GcsError as error:
        # What the journal has is still worth telling.
        told["outcome"] = str(error)
        return
    with sweep.lock:
        table = sweep.table
        if job.task is None:
            started = table.started[table.started > 0]
            told["state"], told["outcome"] = sweep.state.name, sweep.message
            told["started"] = float(started.min()) if len(started) else None
            told["ended"] = sweep.finished_at or None if sweep.concluded.is_set() else None
            told["job_id"] = sweep.id
            return
        place = job.task - 1
        told["state"] = JobState(int(table.states[place])).name
        told["outcome"] = table.errors.get(place, "")
        told["started"] = float(table.started[place]) or None
        told["ended"] = (float(table.finished[place]) or None) if table.ended[place] else None
        told["exit_status"] = None if table.exit[place] < 0 else int(table.exit[place])
        told["job_id"] = sweep.job_id_of(job.task)


# -- one job -------------------------------------------------------------------------------------------------------


def _add_system(job: FoundJob, told: dict[str, Any]) -> bool | None:
    """Take what the queue says of a job, else accounting; return whether it is known, None: it does not answer."""
    row = _row(job) if job.task is None else None
    if row is not None:
        told["name"] = told["name"] or row["name"] or ""
        told["kind"] = told["kind"] if job.entry is not None else "array" if row["array"] else "job"
        told["state"], told["letters"] = row["state"] or "UNDETERMINED", row["letters"] or ""
        told["submitted"] = told["submitted"] or _seconds(row["submission_time"])
        told["started"] = _seconds(row["start_time"])
        return True
    name = job.job_id if job.task is None else f"{job.job_id}.{job.task}"
    backend = job.cluster.jobs.backend
    if job.entry is None:
        found = backend.info([name])
    else:
        # What the journal and the job's own log have is worth telling without it.
        question = ("info", job.cluster.name, name)
        answer = None
        with contextlib.suppress(DrmCommunication):
            answer = answer_in_time(question, lambda: backend.info([name]), _INFO_SECONDS)
        if answer is None:
            return None
        found = answer
    info = found.get(name)
    if info is None:
        return False
    _add_info(info, told)
    return True


def _row(job: FoundJob) -> dict[str, Any] | None:
    """Return the job's row in the queue; None if it is not there (any more), or nobody looked of late."""
    snapshot = recent_snapshot(job.cluster)
    row = None if snapshot is None else row_of(snapshot, job.job_id)
    if row is None or recent_snapshot(job.cluster, STATE_SECONDS) is not None:
        return row
    # The snapshot is not of now: whether the job is still there is asked, together with others.
    board, job_id = job.cluster.jobs.board, job.job_id
    try:
        status = answer_in_time(
            ("state", job.cluster.name, job_id), lambda: board.status([job_id], max_age=STATE_SECONDS)[job_id]
        )
    except DrmCommunication:
        status = None
    if status is None:
        # It does not answer; what was seen last is less than a minute old.
        return row
    return None if status.final else row | {"state": status.state.name, "letters": status.sub_state}


def _add_info(info: JobInfo, told: dict[str, Any]) -> None:
    told["name"] = told["name"] or info.job_name or ""
    told["state"], told["letters"] = info.job_state.name, info.job_sub_state
    told["submitted"] = told["submitted"] or _seconds(info.submission_time)
    told["started"] = _seconds(info.dispatch_time)
    if info.job_state.terminated:
        told["ended"] = _seconds(info.finish_time)
        told["exit_status"] = info.exit_status
        signal = info.terminating_signal
        told["outcome"] = info.annotation or (f"killed by {signal}" if signal else "")


def _add_log(folder: JobFolder, told: dict[str, Any]) -> None:
    """Take what the runner said: it knows sooner than the scheduler."""
    first = next((event for event in EventLog(folder.events).read(_FIRST_BYTES) if event.type == "started"), None)
    if first is not None:
        told["started"] = told["started"] or first.t
    events = last_events(folder)
    if not events or events[-1]["type"] != "finished":
        return
    finished = events[-1]
    status = finished.get("exit_status")
    if status in _SCHEDULER_EXITS and finished.get("reason") != "killed":
        return  # the scheduler tells what becomes of it
    told["exit_status"] = status
    told["ended"] = float(finished["t"])
    told["state"] = JobState.FAILED.name if status else JobState.DONE.name
    if status:
        end = end_of_job(str(folder.path))
        told["outcome"] = end.why.removeprefix("failed: ") if end is not None else ""


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _outcome(told: dict[str, Any]) -> str:
    if told["state"] == JobState.DONE.name:
        if told["started"] and told["ended"]:
            return f"done in {format_time(max(told['ended'] - told['started'], 0.0))}"
        return "done"
    if told["state"] == JobState.FAILED.name and told["exit_status"]:
        return f"exit status {told['exit_status']}"
    return "failed" if told["state"] == JobState.FAILED.name else ""
