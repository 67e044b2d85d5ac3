"""Orders to run again, repeated where the qmaster forgot them.

8.1.9 now and then forgets one that it is told while the job starts: the run goes on, without the letter R. What
cannot be seen from outside is another fault of it: where other jobs start and end on the same host in these seconds,
it may take the run to be over before the host has ended it, and "start" it there again, so that the job is ``Rr`` and
the old run goes on (seen on a busy host; on one that is quiet, the host ends it with its next load report).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.errors import TryLater
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gcs_lab.backends.gridengine.control import Orders
    from gcs_lab.backends.gridengine.job_rows import JobRows
    from gcs_lab.backends.gridengine.qstat_xml import JobRow
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["requeue"]

#: Seconds within which an order shows in qstat; most do at once.
HEARD_SECONDS = 2.0
_PAUSE = 0.25
_MOST_TIMES = 4
_AT_ONCE = 100


def requeue(orders: Orders, cell: SgeCell, rows: JobRows, before: Mapping[str, Sequence[JobRow]]) -> None:
    """Do what is ordered, and order it again for runs that go on as if nothing had been said.

    Parameters
    ----------
    orders
        What is to be requeued; gets a ``TryLater`` for what was forgotten each time.
    cell, rows
        The cell, and who asks its qstat.
    before
        The rows of the jobs as they were.

    Raises
    ------
    GcsError
        If the cell does not answer.
    """
    orders.run(cell)
    asked = {job_id for _, ids in orders.words for job_id in ids} - orders.failures.keys()
    left = {run: start for run, start in _runs(before).items() if run in asked or run.partition(".")[0] in asked}
    for number in range(_MOST_TIMES):
        words = list(left)
        for first in range(0, len(words) if number else 0, _AT_ONCE):
            run_command(cell, ["qmod", "-rj", *words[first : first + _AT_ONCE]])
        until = time.monotonic() + HEARD_SECONDS
        while left:
            now = _runs(rows.of({run.partition(".")[0] for run in left}))
            left = {run: start for run, start in left.items() if now.get(run) == start}
            if time.monotonic() > until:
                break
            time.sleep(_PAUSE if left else 0)
        if not left:
            return
    for run in left:
        job = run.partition(".")[0]
        orders.failures[run if run in asked else job] = TryLater(
            f"job {run} was not requeued: Grid Engine took the order {_MOST_TIMES} times, and its run goes on. Try "
            "again."
        )


def _runs(rows: Mapping[str, Iterable[JobRow]]) -> dict[str, str]:
    """Return the runs that no order to run again concerns, with their starts: ``"5"``, or ``"5.3"`` of an array."""
    return {
        job if row.tasks is None else f"{job}.{row.tasks}": row.time
        for job, some in rows.items()
        for row in some
        if "R" not in row.letters and job_state(row.letters) in (JobState.RUNNING, JobState.SUSPENDED)
    }
