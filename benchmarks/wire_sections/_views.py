"""A grid of 50 rows on a large queue, for the sections."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from status_sections._queue_tables import NOW, cluster_poll, with_changes

from gcs_lab.models import TableModel, Viewport
from gcs_lab.models.columns import default_columns
from gcs_lab.status.job_rows import jobs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

__all__ = ["COUNTS", "NOW", "ROWS", "ViewOfJobs", "milliseconds"]

#: Jobs, and rows of the window.
COUNTS = (100_000, 1_000_000)
ROWS = 50
CHANGES = 1_000
#: As the grid asks for them: those that are shown, what it needs besides, and figures that are others at every look.
COLUMNS = [*default_columns("jobs"), "array", "state", "cpu", "memory", "io"]


def milliseconds(work: Callable[[], object], rounds: int = 7, before: Callable[[], object] | None = None) -> float:
    """Return the median of what `work` takes; `before` is done before each, and does not count."""
    taken = []
    for _ in range(rounds):
        if before is not None:
            before()
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken)


class ViewOfJobs:
    """A model of so many jobs with a grid on it, and the next looks at the cluster: 1,000 jobs other each time."""

    def __init__(self, count: int) -> None:
        self.looks: list[tuple[pa.Table, pa.Table]] = []
        tasks = cluster_poll(count).tasks
        for seed in range(4):
            self.looks.append((tasks, jobs_of(tasks)))
            tasks = with_changes(tasks, CHANGES, seed)
        self.model = TableModel("jobs")
        self.viewport = Viewport(self.model)
        self._look = self._ids = self._first = 0
        self.model.update(self.jobs, None, self.looks[0][0], NOW)

    @property
    def jobs(self) -> pa.Table:
        """The jobs as they were told last."""
        return self.looks[self._look][1]

    def request(self, sort: list[Any], text: str = "", first: int = 0, *, anew: bool = True) -> dict[str, Any]:
        """Return the answer to a request."""
        self._ids += 1
        return self.viewport.request(
            {
                "kind": "view",
                "view": "jobs",
                "id": self._ids,
                "sort": sort,
                "filter": text,
                "first": first,
                "count": ROWS,
                "columns": COLUMNS,
                "expanded": [],
                "anew": anew,
            }
        )

    def scroll(self) -> dict[str, Any]:
        """Return the answer to a request of the same rows but 20, as a grid asks that is scrolled."""
        self._first = (self._first + 20) % 10_000
        return self.request([], first=self._first, anew=False)

    def tick(self) -> dict[str, Any] | None:
        """Take the next look at the cluster, two seconds later; return what is sent."""
        self._look = (self._look + 1) % len(self.looks)
        tasks, jobs = self.looks[self._look]
        self.model.update(jobs, None, tasks, NOW + 2 * self._look)
        return self.viewport.push()
