# ruff: noqa: PTH118
# Importing pathlib alone would add a tenth to the start of every job.
"""An earlier sweep, as a job that needs it sees it: its results, read from its folder."""

from __future__ import annotations

import os

from .point_file import POINTS, read_point
from .result_files import read_outputs
from .sweep_end import ends_of_tasks
from .task_place import task_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Any

    import pandas as pd

__all__ = ["SweepResults", "free_name"]


class SweepResults:
    """What a sweep left, read when it is asked for; ``len`` is the number of its tasks, which count from 1.

    Parameters
    ----------
    folder
        Its folder.
    tasks
        The number of its tasks.
    """

    def __init__(self, folder: str, tasks: int) -> None:
        self.folder, self.tasks = folder, tasks

    def __len__(self) -> int:
        return self.tasks

    def __repr__(self) -> str:
        return f"<the results of a sweep of {self.tasks} tasks; .frame is their table>"

    def __getitem__(self, task: int) -> dict[str, Any]:
        """Return all that task `task` left, and its parameters, by name."""
        if not 1 <= task <= self.tasks:
            raise IndexError(f"there is no task {task}: the sweep has the tasks 1 to {self.tasks}")
        return {**self.parameters(task), **read_outputs(task_folder(self.folder, task))[0]}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[task] for task in range(1, self.tasks + 1))

    def parameters(self, task: int) -> dict[str, Any]:
        """Return the point of a task: its parameters by name."""
        return read_point(os.path.join(self.folder, POINTS), task)

    def load(self, name: str) -> list[Any]:
        """Return the value `name` of every task, in order; a parameter, too.

        Raises
        ------
        KeyError
            If a task did not leave it.
        """
        return [self._load(name, task) for task in range(1, self.tasks + 1)]

    def _load(self, name: str, task: int) -> Any:
        values, header = read_outputs(task_folder(self.folder, task))
        if name not in values:
            values = self.parameters(task)
        if name not in values:
            skipped = header.get("skipped", {}).get(name)
            why = f"it is a {skipped['type']} that could not be pickled" if skipped else "it never bound that name"
            raise KeyError(f"task {task} did not leave {name!r}: {why}")
        return values[name]

    def results(self, name: str) -> dict[int, Any]:
        """Return the values of `name` by task, of those tasks that left it as something plain: nothing is unpickled.

        Plain are numbers, booleans, None and short text.
        """
        ends = ends_of_tasks(self.folder)
        return {task: end["results"][name] for task, end in sorted(ends.items()) if name in _results(end)}

    @property
    def frame(self) -> pd.DataFrame:
        """A table with a row for each task: its parameters, how it ended, and its plain results (needs pandas).

        The columns are those of the table in the notebook. Where names clash, a parameter keeps its name, and the
        others are called ``task_memory`` or ``result_x``.
        """
        import pandas as pd

        ends = ends_of_tasks(self.folder)
        rows = []
        for task in range(1, self.tasks + 1):
            end = ends.get(task, {})
            status = end.get("exit_status")
            state = ("FAILED" if status else "DONE") if end else "UNDETERMINED"
            row = self.parameters(task)
            own = {
                "state": state,
                "host": end.get("host"),
                "wall": end.get("wall"),
                "memory": end.get("max_rss"),
                "exit": status,
                "error": end.get("error") or "",
            }
            for prefix, values in (("task_", own), ("result_", _results(end))):
                for name, value in values.items():
                    row[free_name(name, prefix, row)] = value
            rows.append(row)
        index = pd.RangeIndex(1, self.tasks + 1, name="task")
        return pd.DataFrame(rows, index=index)


def free_name(name: str, prefix: str, taken: Collection[str]) -> str:
    """Return a column's name; one that is taken gets the prefix, as often as it must."""
    while name in taken:
        name = f"{prefix}{name}"
    return name


def _results(end: Mapping[str, Any]) -> dict[str, Any]:
    found = end.get("results")
    return found if isinstance(found, dict) else {}
