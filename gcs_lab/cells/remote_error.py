"""Rebuild an exception that a cell's code raised in its job, with the frames it passed through there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.cells import runner
from gcs_lab.errors import RemoteError, UntrustedFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

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
    """Return a traceback object for recorded frames (tblib builds it from code objects with those names)."""
    from tblib import Traceback

    described: dict[str, Any] | None = None
    for frame in reversed(frames):
        filename = str(frame.get("filename", "?"))
        filename = filenames.get(filename, filename)
        line = int(frame.get("lineno") or 1)
        described = {
            "tb_frame": {
                "f_globals": {"__name__": "__main__" if frame.get("cell") else "", "__file__": filename},
                "f_code": {"co_filename": filename, "co_name": str(frame.get("name", "?"))},
                "f_lineno": line,
                "f_locals": {},
            },
            "tb_lineno": line,
            "tb_next": described,
        }
    if described is None:
        return None
    rebuilt: TracebackType = Traceback.from_dict(described).as_traceback()
    return rebuilt
