"""The difference between two snapshots, and the tables that are made of the polled ones (CPU time)."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from status_sections._queue_tables import cluster_poll, with_changes

from gcs_lab.status.difference import table_changes
from gcs_lab.status.job_rows import jobs_of
from gcs_lab.status.queue_rows import queues_of

if TYPE_CHECKING:
    from collections.abc import Callable

Row = tuple[str, float, str, str]

ROUNDS = 7
CHANGES = 1000


def milliseconds(work: Callable[[], object]) -> float:
    """Return the median of the CPU time that `work` takes, in all threads: others may be busy here, too."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return 1000 * statistics.median(taken)


def run() -> list[Row]:
    """Return the rows of the table."""
    rows: list[Row] = []
    for count, goals in ((100_000, ("<= 50", "<= 100")), (1_000_000, ("", ""))):
        poll = cluster_poll(count)
        later = with_changes(poll.tasks, CHANGES, 2)
        told = table_changes(poll.tasks, later)
        if len(told.removed) != CHANGES // 4 or len(told.changed) != 3 * CHANGES // 4:
            raise RuntimeError("the difference is not what was changed")
        name = f"{count:,} rows"
        rows += [
            (f"difference: {name}, {CHANGES:,} changed, all that runs with new figures",
             milliseconds(lambda old=poll.tasks, new=later: table_changes(old, new)), "ms", goals[0]),
            (f"difference: {name}, nothing changed",
             milliseconds(lambda old=poll.tasks: table_changes(old, old)), "ms", ""),
            (f"jobs made of {name}", milliseconds(lambda tasks=later: jobs_of(tasks)), "ms", goals[1]),
        ]  # fmt: skip
    instances = cluster_poll(1000, hosts=20_000).queue_instances
    rows.append(("queues made of 20,000 instances", milliseconds(lambda: queues_of(instances)), "ms", "<= 100"))
    return rows
