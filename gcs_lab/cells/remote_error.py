"""Rebuild an exception that a cell's code raised in its job, with the frames it passed through there."""

from __future__ import annotations

from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from gcs_lab.cells import runner
from gcs_lab.errors import RemoteError, UntrustedFile, UpstreamFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.cells.job_folder import JobFolder

__all__ = ["rebuild_exception"]


def rebuild_exception(body: dict[str, Any], folder: JobFolder, filenames: Mapping[str, str]) -> BaseException:
    """Return the exception of an ``error`` event: its own type if it can be rebuilt, else a RemoteError.

    Its ``__traceback__`` has the frames of the job (file, line and function; no variables), so that whatever draws
    tracebacks draws this one, with source lines of the cell and of files that are here too.

    Parameters
    ----------
    body
        The event.
    folder
        Where the pickled exception lies.
    filenames
        What to call the files of the job here (the cell's file name in another kernel).
    """
    if body.get("upstream"):
        return UpstreamFailed(str(body.get("evalue", "")))
    error = _unpickled(body, folder) or _stand_in(str(body.get("ename", "")), str(body.get("evalue", "")))
    error.__traceback__ = _traceback(body.get("frames") or [], filenames)
    known_notes = list(getattr(error, "__notes__", ()))
    for note in body.get("notes") or []:
        if note not in known_notes:
            error.add_note(str(note))
    cause = body.get("cause")
    if isinstance(cause, dict):
        error.__cause__ = rebuild_exception({**cause, "payload": False}, folder, filenames)
    return error


def _stand_in(ename: str, evalue: str) -> RemoteError:
    """Return a RemoteError whose type has the remote type's name, so that it reads as the original."""
    kind = type(ename or "RemoteError", (RemoteError,), {"__module__": RemoteError.__module__})
    stand_in: RemoteError = kind(ename, evalue)
    return stand_in


def _unpickled(body: dict[str, Any], folder: JobFolder) -> BaseException | None:
    if not body.get("payload") or not folder.exception.exists():
        return None
    try:
        folder.check_trusted(folder.exception)
        values, _ = runner.read_payload(str(folder.exception))
    except UntrustedFile:
        raise
    except Exception:
        # Its class is not importable here, or its constructor refuses: the RemoteError tells the same.
        return None
    error = values.get("exception")
    # Exceptions that end a program would end the kernel's cell in unexpected ways.
    return error if isinstance(error, Exception) else None


def _traceback(frames: list[dict[str, Any]], filenames: Mapping[str, str]) -> TracebackType | None:
    """Return a traceback object with the recorded frames."""
    trace: TracebackType | None = None
    for frame in reversed(frames):
        filename = str(frame.get("filename", "?"))
        line = max(1, int(frame.get("lineno") or 1))
        first = min(line, max(1, int(frame.get("firstlineno") or line)))
        rebuilt = _frame(filenames.get(filename, filename), str(frame.get("name", "?")), first, line)
        trace = TracebackType(trace, rebuilt, rebuilt.f_lasti, line)
    return trace


def _frame(filename: str, name: str, first: int, line: int) -> FrameType:
    """Return a frame of a function `name` that begins in line `first` of `filename` and stopped in line `line`.

    A traceback can only be made of real frames, so a piece of code of that name stops in that line. (tblib does the
    like, but lets functions begin where they stop: IPython, which counts from the first line, then shows others.)
    """
    stop = compile("\n" * (line - first) + "raise Stop", filename, "exec")
    code = stop.replace(co_name=name, co_qualname=name, co_firstlineno=first)
    try:
        exec(code, {"__name__": "__main__", "__file__": filename, "Stop": _Stop})  # noqa: S102  (our own line)
    except _Stop as stopped:
        trace = stopped.__traceback__
        if trace is not None and trace.tb_next is not None:
            return trace.tb_next.tb_frame
    raise AssertionError


class _Stop(Exception):
    """Stops the piece of code that makes a frame."""
