"""Tasks of a sweep that run again: which are meant, whether they may, and how they are submitted."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.cells.sweep_rounds import forget_round, note_submitted
from gcs_lab.errors import InvalidArgument, InvalidState, UnknownName

if TYPE_CHECKING:
    import pandas as pd

    from gcs_lab.cells.sweep_job import SweepJob
    from gcs_lab.cells.sweep_rounds import Round
    from gcs_lab.vocabulary import JobTemplate

__all__ = ["check_can_run_again", "chosen_tasks", "submit_round", "task_numbers"]


def task_numbers(tasks: object) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return numbers of tasks in order, each once. Raises InvalidArgument if they are something else."""
    if isinstance(tasks, str | bytes) or not isinstance(tasks, Iterable):
        raise InvalidArgument(f"rerun(tasks={tasks!r:.40}): expected the numbers of tasks, for example [3, 7].")
    numbers = []
    for task in tasks:
        if isinstance(task, bool | np.bool_):
            raise InvalidArgument(
                "rerun(tasks=…): these are booleans, not numbers of tasks. To choose by the table, write "
                "rerun(points=lambda frame: frame.x > 3)."
            )
        try:
            numbers.append(operator.index(task))
        except TypeError:
            raise InvalidArgument(f"rerun(tasks=…): {task!r:.40} is not the number of a task.") from None
    try:
        return np.unique(np.array(numbers, np.int64))
    except OverflowError:
        raise InvalidArgument(f"rerun(tasks=…): {max(numbers, key=abs)} is not the number of a task.") from None


def chosen_tasks(frame: pd.DataFrame, chosen: object) -> list[int]:
    """Return the tasks of the rows of a sweep's table for which `chosen` is true; what is missing is not.

    Raises
    ------
    InvalidArgument
        If it is not a boolean for each row.
    """
    import pandas as pd

    series = chosen if isinstance(chosen, pd.Series) else pd.Series(chosen)
    # The table's whole numbers may be missing, so that what is compared with them is pandas' own boolean.
    if len(series) != len(frame) or not pd.api.types.is_bool_dtype(series.dtype):
        raise InvalidArgument(
            f"rerun(points=…): expected a boolean for each of the {len(frame):,} tasks, got {len(series):,} "
            f"values of type {series.dtype}."
        )
    return [int(task) for task in frame.index[series.fillna(value=False).to_numpy(bool)]]


def check_can_run_again(sweep: SweepJob, wanted: np.ndarray[Any, np.dtype[np.int64]]) -> None:
    """Check that the tasks `wanted` of a sweep, whose lock the caller holds, have ended.

    Raises
    ------
    InvalidState
        If one has not, or there is none.
    UnknownName
        If there is no such task.
    """
    if not len(wanted):
        raise InvalidState(f"no task of sweep {sweep.id} ({sweep.name}) is to run again.")
    outside = wanted[(wanted < 1) | (wanted > len(sweep))]
    if len(outside):
        raise UnknownName("task", str(outside[0]), [], where=f"sweep {sweep.name}, whose tasks are 1 to {len(sweep)}")
    going_on = wanted[~sweep.table.ended[wanted - 1]]
    if len(going_on):
        raise InvalidState(
            f"{len(going_on):,} of {len(wanted):,} tasks have not ended yet, the first is task {going_on[0]}. "
            "Only tasks that have ended run again."
        )


def submit_round(sweep: SweepJob, ran: Round, template: JobTemplate) -> None:
    """Submit a round of a sweep that is written down, and write down its id.

    Raises
    ------
    GcsError
        If the cluster refuses or does not answer; then nothing of the round is left.
    """
    limit = sweep.spec["sweep"].get("max_parallel")
    try:
        array = sweep.cluster.jobs.submit_array(template, 1, len(ran.tasks), max_parallel=limit, token=ran.token)
    except BaseException:
        forget_round(sweep.folder, ran)
        raise
    note_submitted(sweep.folder, ran, array.id)
    # What was found out about these tasks holds no more.
    for folder in (sweep.folder, *map(sweep.folder.of_task, ran.tasks.tolist())):
        folder.verdict.unlink(missing_ok=True)
