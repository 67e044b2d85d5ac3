"""What went wrong in a sweep, drawn with the traceback of its first failed task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from gcs_lab.cells.event_log import EventLog
from gcs_lab.errors import JobFailed
from gcs_lab.magics.tracebacks import exception_of

if TYPE_CHECKING:
    from gcs_lab.cells.job_folder import JobFolder
    from gcs_lab.cells.journal import JournalEntry
    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.magics.tracebacks import TracebackArtist

__all__ = ["raise_sweep_failed"]


@dataclass
class _FailedTask:
    """One task, as a failed job."""

    id: str
    name: str
    folder: JobFolder
    entry: JournalEntry
    spec: dict[str, Any]
    error: dict[str, Any] | None
    message: str


def raise_sweep_failed(sweep: Sweep, artist: TracebackArtist) -> NoReturn:
    """Raise that tasks of a sweep failed; IPython shows the first one's traceback, and under it how many failed.

    Raises
    ------
    JobFailed
        Always.
    """
    text = f"sweep {sweep.id} ({sweep.name}): {sweep.message}"
    failed = sweep.table.failed()
    lines = _first_traceback(sweep, int(failed[0]) + 1, artist) if len(failed) else []
    error = JobFailed(text)

    def render(_: Any = None) -> list[str]:
        return [*lines, f"JobFailed: {text}"]

    error._render_traceback_ = render  # type: ignore[method-assign]
    raise error from None


def _first_traceback(sweep: Sweep, number: int, artist: TracebackArtist) -> list[str]:
    task = sweep[number]
    body = None
    log = EventLog(task.folder.events)
    while events := log.read():
        for event in events:
            if event.type == "started":
                # What it raised in an earlier try is over.
                body = None
            elif event.type == "error":
                body = event.body
    if body is None:
        return []
    failed = _FailedTask(task.job_id, sweep.name, task.folder, sweep.entry, sweep.spec, body, task.error)
    return artist.draw(exception_of(failed, artist))
