"""Which logs a job has, and their lines: what its cell printed, and the scheduler's own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import GcsError, InvalidArgument
from gcs_lab.server.log_index import Lines, Matches
from gcs_lab.server.log_source import FileSource, Indices, PrintedSource

if TYPE_CHECKING:
    from gcs_lab.server.job_lookup import FoundJob
    from gcs_lab.server.log_index import Stop
    from gcs_lab.status import TaskDetails

__all__ = ["STREAMS", "log_lines", "log_matches", "streams_of"]

STREAMS = ("output", "stdout", "stderr")
#: Of this server.
_INDICES = Indices()


def streams_of(job: FoundJob) -> list[dict[str, Any]]:
    """Return the logs that there are, with their sizes (of ``output``: of the event log that has it), in bytes."""
    found = []
    for stream in STREAMS:
        try:
            source = _source(job, stream)
            size = source[1].stat().st_size if isinstance(source, tuple) else None
        except (OSError, GcsError):
            continue
        # The scheduler's files of a cell's job are empty if all went well.
        if size is not None and (size or job.cell is None or stream == "output"):
            found.append({"stream": stream, "bytes": size})
    return found


def log_lines(job: FoundJob, stream: str, first: int, count: int, stop: Stop) -> dict[str, Any]:
    """Return an ``ILogLines``.

    Parameters
    ----------
    job
        The job, or a task of it.
    stream
        One of :data:`STREAMS`.
    first, count, stop
        As for :meth:`~gcs_lab.server.log_index.LineIndex.lines`.

    Raises
    ------
    GcsError
        If the system has to be asked where the log is, and does not answer.
    InvalidState
        If nobody waits any more.
    """
    # Asked before the log is read: what is written in between is not missed.
    live = job.is_live()
    source = _source(job, stream)
    note, found = "", Lines(0, [], 0, [])
    if isinstance(source, str):
        note = source
    else:
        try:
            found = _INDICES.of(*source).lines(first, count, stop)
        except OSError as error:
            note = f"{source[1]} cannot be read: {error.strerror or error}."
    if not found.total and not note:
        note = _empty(job, stream, live=live)
    notes = [note] if note else found.notes
    return {
        "stream": stream,
        "task": job.task,
        "first": found.first,
        "lines": found.lines,
        "total": found.total,
        "live": live,
        "note": " ".join(notes),
    }


def log_matches(job: FoundJob, stream: str, text: str, *, after: int, limit: int, stop: Stop) -> dict[str, Any]:
    """Return an ``ILogMatches``; as :func:`log_lines`.

    Raises
    ------
    InvalidArgument
        If `text` is empty, or has a line break: lines are looked at one by one.
    """
    if not text or "\n" in text or "\r" in text:
        raise InvalidArgument("the text that is looked for is empty or has a line break; give a part of one line.")
    source = _source(job, stream)
    found = Matches([], 0, more=False)
    if not isinstance(source, str):
        try:
            found = _INDICES.of(*source).matches(text, after, limit, stop)
        except OSError as error:
            raise InvalidArgument(f"{source[1]} cannot be read: {error.strerror or error}.") from error
    matches = [{"line": number, "text": line} for number, line in found.matches]
    return {"matches": matches, "total": found.total, "more": found.more}


def _source(job: FoundJob, stream: str) -> tuple[type[FileSource], Path] | str:
    """Return where a log is, or why there is none."""
    if job.is_sweep and job.task is None and stream == "output":
        return "each point of a sweep has a log of its own; open one of them."
    folder = job.folder
    if folder is not None:
        if stream == "output":
            return PrintedSource, folder.events
        # The tasks of a sweep share the scheduler's files.
        whole = job.cell.folder if job.cell is not None else None
        return FileSource, getattr(whole or folder, stream)
    if job.cell is not None:
        return f"its job folder, {job.cell.entry.folder}, was deleted or is not yours alone, so its log is not read."
    if stream == "output":
        return "no notebook of yours submitted it; what it printed is in its standard output and error."
    return _told_by_system(job, stream)


def _told_by_system(job: FoundJob, stream: str) -> tuple[type[FileSource], Path] | str:
    """Return the file that the system names: it is asked while the job is in the queue."""
    details = job.cluster.status.backend.job_details([job.job_id]).get(job.job_id)
    if details is None:
        return "it has left the queue, and the system does not tell any more where its output went."
    tasks: list[TaskDetails] = [one for one in details.tasks if job.task is None or one.task == job.task]
    if not tasks:
        return "it has not started, so there is no output yet."
    if len(tasks) > 1:
        return "it has several tasks; open one of them."
    path = tasks[0].stdout_path if stream == "stdout" else tasks[0].stderr_path
    if not path:
        return "the system does not tell where this output goes."
    if stream == "stderr" and path == tasks[0].stdout_path:
        return "it is joined with the standard output."
    return FileSource, Path(path)


def _empty(job: FoundJob, stream: str, *, live: bool) -> str:
    if job.cell is not None and stream != "output":
        return "it is empty: all that the cell printed is in its output."
    return "nothing was printed yet." if live else "nothing was printed."
