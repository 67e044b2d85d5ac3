# ruff: noqa: PTH110, PTH112, PTH118, PTH123, PTH208
# Importing pathlib alone would add a tenth to the start of every job.
"""How a sweep or one of its tasks ended, read from the lines that tasks leave in its folder (docs/event-log.md)."""

from __future__ import annotations

import json
import os
import struct

from .job_end import VERDICT, JobEnd, end_of_job
from .task_place import ROUNDS, round_map, task_folder
from .trust import check_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["end_of_sweep", "end_of_task", "ends_of_tasks"]


def end_of_sweep(folder: str, tasks: int) -> JobEnd | None:
    """Return how all tasks of a sweep together ended; None if some have not (yet), as far as is to be seen.

    Raises
    ------
    PermissionError
        If another user could have written what it says.
    """
    if not os.path.isdir(folder):
        return end_of_job(folder)
    ends = ends_of_tasks(folder)
    failed = sorted(task for task, end in ends.items() if end.get("exit_status"))
    if len(ends) >= tasks or not failed:
        if failed:
            why = f"{len(failed):,} of {tasks:,} tasks failed; first: task {failed[0]}: {_why(ends[failed[0]])}"
            return JobEnd(good=False, why=f"failed: {why}")
        if len(ends) >= tasks:
            return JobEnd(good=True)
    return _verdict(folder)


def end_of_task(folder: str, task: int) -> JobEnd | None:
    """Return how one task of a sweep ended; None if no end is to be seen (yet). Raises as :func:`end_of_sweep`."""
    if not os.path.isdir(folder):
        return end_of_job(folder)
    if not os.path.exists(round_map(folder, 2)):
        # Its own log says it; 10,000 tasks that each read the lines of 10,000 would keep a file server busy.
        place = task_folder(folder, task)
        return (end_of_job(place) if os.path.isdir(place) else None) or _verdict(folder)
    end = ends_of_tasks(folder, task).get(task)
    if end is None:
        return _verdict(folder)
    return JobEnd(good=False, why=f"failed: {_why(end)}") if end.get("exit_status") else JobEnd(good=True)


def _why(end: dict[str, Any]) -> str:
    killed = f"killed by {end['signal']}" if end.get("signal") else ""
    return str(end.get("error") or killed or f"exit status {end.get('exit_status')}")


def ends_of_tasks(folder: str, only: int | None = None) -> dict[int, dict[str, Any]]:
    """Return the end of each task that has told one in the latest round that it is in, by its index.

    Parameters
    ----------
    folder
        The sweep's folder.
    only
        The one task whose end is wanted; None: all.

    Raises
    ------
    PermissionError
        If another user could have written them.
    """
    found: dict[int, dict[str, Any]] = {}
    wanted = b"" if only is None else b'"task":%d,' % only
    for name in os.listdir(folder):
        if not (name.startswith("ends-") and name.endswith(".jsonl")):
            continue
        with open(check_trusted(os.path.join(folder, name)), "rb") as file:
            for line in file:
                end = _end(line) if wanted in line else None
                if end is not None:
                    known = found.get(end["task"])
                    if known is None or _order(end) >= _order(known):
                        found[end["task"]] = end
    again = _latest_rounds(folder, only)
    return {task: end for task, end in found.items() if int(end.get("round") or 1) >= again.get(task, 1)}


def _end(line: bytes) -> dict[str, Any] | None:
    try:
        end = json.loads(line) if line.endswith(b"\n") and line.strip() else None
    except ValueError:
        return None
    return end if isinstance(end, dict) and isinstance(end.get("task"), int) else None


def _order(end: dict[str, Any]) -> tuple[int, int]:
    return int(end.get("round") or 1), int(end.get("try") or 1)


def _latest_rounds(folder: str, only: int | None) -> dict[int, int]:
    """Return the number of the last round of each task that was run again."""
    found: dict[int, int] = {}
    number = 2
    while os.path.exists(path := round_map(folder, number)):
        with open(path, "rb") as file:
            content = file.read()
        for (task,) in struct.iter_unpack("<I", content[: len(content) // 4 * 4]):
            if only in (None, task):
                found[task] = number
        number += 1
    return found


def _verdict(folder: str) -> JobEnd | None:
    """Return what the notebook said of the end of tasks that could not tell theirs, unless a round began after it."""
    try:
        with open(check_trusted(os.path.join(folder, VERDICT)), "rb") as file:
            verdict = json.load(file)
        rounds = sum(name.endswith(".json") for name in os.listdir(os.path.join(folder, ROUNDS)))
    except (FileNotFoundError, ValueError):
        return None
    if int(verdict.get("seq", -1)) < rounds:
        return None
    return JobEnd(good=bool(verdict.get("good")), why=str(verdict.get("why", "")))
