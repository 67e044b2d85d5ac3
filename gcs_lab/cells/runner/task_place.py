# ruff: noqa: PTH102, PTH112, PTH118, PTH120, PTH123
# Importing pathlib alone would add a tenth to the start of every job.
"""Where the tasks of a sweep stand in its folder, and which point a task of a round is."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["ROUNDS", "enter_task", "round_map", "task_folder"]

ROUNDS = "rounds"
#: Tasks whose folders stand in one folder: no file system is slow, or full, with so many.
_TASKS_A_FOLDER = 1000
_INDEX = struct.Struct("<I")


def task_folder(folder: str, task: int) -> str:
    """Return the folder that task `task` (1, 2 …) of the sweep in `folder` writes to."""
    return os.path.join(folder, "tasks", str(task // _TASKS_A_FOLDER), str(task))


def round_map(folder: str, number: int) -> str:
    """Return the file that says which tasks a later round runs: one little-endian u32 for each, in order."""
    return os.path.join(folder, ROUNDS, f"{number}.map")


def enter_task(folder: str, spec: dict[str, Any], number: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Find out which task this is, make its folder, and put both into `spec`: ``task``, ``place`` and ``round``.

    Returns what the cell is to see in its environment: the array job of a later round has indices of its own, and
    the cell's are those of the sweep.

    Raises
    ------
    ValueError, OSError
        If it cannot be found out, or the folder cannot be made.
    """
    index = environment.get("SGE_TASK_ID") or environment.get("SLURM_ARRAY_TASK_ID") or ""
    if not index.isdigit() or int(index) < 1:
        raise ValueError(f"the index of the task (SGE_TASK_ID) is {index!r} instead of 1 or more")
    task = int(index) if number == 1 else _mapped(round_map(folder, number), int(index))
    tasks = int(spec["sweep"]["tasks"])
    if not 1 <= task <= tasks:
        raise ValueError(f"there is no task {task}: the sweep has {tasks}")
    place = task_folder(folder, task)
    _make_private(folder, place)
    spec.update(task=task, place=place, round=number)
    return {} if number == 1 else {"SGE_TASK_ID": str(task), "SGE_TASK_FIRST": "1", "SGE_TASK_LAST": str(tasks)}


def _make_private(above: str, place: str) -> None:
    """Make the folder `place` and those between it and `above`, each for this user alone."""
    if os.path.isdir(place):
        return
    parent = os.path.dirname(place)
    if parent != above:
        _make_private(above, parent)
    try:
        os.mkdir(place, 0o700)
    except FileExistsError:
        # Another task was quicker.
        return


def _mapped(path: str, index: int) -> int:
    with open(path, "rb") as file:
        file.seek((index - 1) * _INDEX.size)
        found = file.read(_INDEX.size)
    if len(found) < _INDEX.size:
        raise ValueError(f"{path} has no entry {index}")
    return int(_INDEX.unpack(found)[0])
