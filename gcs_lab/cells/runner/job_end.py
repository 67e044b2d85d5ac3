# ruff: noqa: PTH112, PTH118, PTH123
# Importing pathlib alone would add a tenth to the start of every job.
"""How a job ended, read from its folder (docs/event-log.md): by the jobs that wait for it, and by the notebook."""

from __future__ import annotations

import json
import os

from .trust import check_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["VERDICT", "JobEnd", "end_of_job", "host_of_job", "why_of_error"]

#: What the notebook wrote of a job that could not tell its end itself: ``{"good": false, "why": "…", "seq": …}``.
VERDICT = "verdict.json"
_LOG = "events.jsonl"
_BLOCK_BYTES = 1 << 16


class JobEnd:
    """Whether a job ended well; if not, ``why``: ``"failed: ValueError: no data"``, ``"was not run: …"``."""

    def __init__(self, *, good: bool, why: str = "") -> None:
        self.good, self.why = good, why

    def __repr__(self) -> str:
        return f"<JobEnd {'well' if self.good else self.why}>"


def end_of_job(folder: str) -> JobEnd | None:
    """Return how the job of a folder ended; None if no end is to be seen there (yet).

    The job's own last word counts; of one that could not say it (killed, deleted while it waited) the notebook's.

    Raises
    ------
    PermissionError
        If another user could have written what it says.
    """
    if not os.path.isdir(folder):
        return JobEnd(good=False, why=f"failed: its job folder {folder} was deleted")
    lines = _lines_from_the_end(os.path.join(folder, _LOG))
    last = next(lines, None)
    if last is not None and last.get("type") == "finished":
        if last.get("exit_status") == 0:
            return JobEnd(good=True)
        return JobEnd(good=False, why=_why(last, lines))
    return _verdict(folder, int(last["seq"]) if last is not None else -1)


def host_of_job(folder: str) -> str | None:
    """Return the host that a job (last) started on; None if it is not to be seen that it started."""
    host = None
    for event in _lines_from_the_end(os.path.join(folder, _LOG)):
        if event.get("type") == "started":
            host = str(event.get("host"))
            break
    return host


def _lines_from_the_end(path: str) -> Iterator[dict[str, Any]]:
    """Yield the events of a log, the last first; lines that are no events are left out."""
    try:
        file = open(check_trusted(path), "rb")  # noqa: SIM115  (closed by the block below)
    except FileNotFoundError:
        return
    with file:
        position, rest = file.seek(0, os.SEEK_END), b""
        # A last line without its end is not whole yet.
        whole = False
        while position > 0:
            size = min(_BLOCK_BYTES, position)
            position -= size
            file.seek(position)
            rest = file.read(size) + rest
            if not whole:
                cut = rest.rfind(b"\n")
                whole, rest = cut >= 0, rest[: cut + 1] if cut >= 0 else rest
                if not whole:
                    continue
            first, _, tail = rest.partition(b"\n") if position else (b"", b"", rest)
            for line in reversed(tail.split(b"\n")):
                event = _event(line)
                if event is not None:
                    yield event
            rest = first + b"\n" if first else b""


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line) if line else None
    except ValueError:
        return None
    return event if isinstance(event, dict) and "type" in event and "seq" in event else None


def _why(finished: dict[str, Any], before: Iterator[dict[str, Any]]) -> str:
    """Return in words why a job failed: its error, the signal that ended it, or its exit status."""
    if finished.get("signal"):
        return f"failed: killed by {finished['signal']}"
    if finished.get("reason") == "error":
        for event in before:
            if event["type"] == "error":
                return why_of_error(event)
            if event["type"] == "started":
                break
    return f"failed with exit status {finished.get('exit_status')}"


def why_of_error(event: dict[str, Any]) -> str:
    """Return an ``error`` event in one line: ``"failed: ValueError: no data"`` or ``"was not run: …"``."""
    said = str(event.get("evalue", "")).strip().splitlines()
    first = said[0] if said else ""
    if event.get("upstream"):
        return f"was {first}"
    return f"failed: {event.get('ename')}{': ' if first else ''}{first}"


def _verdict(folder: str, last_seq: int) -> JobEnd | None:
    """Return what the notebook wrote of the job's end, unless the job said something after that."""
    try:
        with open(check_trusted(os.path.join(folder, VERDICT)), "rb") as file:
            verdict = json.load(file)
    except (FileNotFoundError, ValueError):
        return None
    if int(verdict.get("seq", -1)) < last_seq:
        return None
    return JobEnd(good=bool(verdict.get("good")), why=str(verdict.get("why", "")))
