"""What a cockpit shows at a moment: a snapshot, present or past, and what a filter leaves of it everywhere."""

from __future__ import annotations

import getpass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.cockpit.columns_of_tables import rows_in_states
from gcs_lab.status.filter_language import parse_everywhere, parse_filter
from gcs_lab.status.tables import JOB_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status import Snapshot

__all__ = ["Picture", "current_user", "whole_filter"]


def current_user() -> str:
    """Return the name of the user, as the cluster knows it."""
    return getpass.getuser()


def whole_filter(text: str, user: str | None) -> str:
    """Return `text`, narrowed to the jobs of `user` if that is not None. Raises FilterError if it cannot be read."""
    parse_everywhere(text, "jobs")
    if user is None:
        return text.strip()
    own = parse_filter("", JOB_COLUMNS).narrowed("owner", user)
    return f"({text.strip()}) {own}" if text.strip() else own


class Picture:
    """A snapshot and a filter. It does not change; what it takes long to find is found when it is asked for.

    Parameters
    ----------
    snapshot
        What is shown.
    filter_text
        A filter that can be read (:func:`whole_filter`).
    is_past
        Whether the snapshot is a recorded one.
    """

    def __init__(self, snapshot: Snapshot, filter_text: str = "", *, is_past: bool = False) -> None:
        self.snapshot, self.filter_text, self.is_past = snapshot, filter_text, is_past

    @property
    def now(self) -> float:
        """What "ago" counts from: seconds since the epoch."""
        return self.snapshot.time

    @cached_property
    def jobs_mask(self) -> NDArray[np.bool_] | None:
        """Which rows of the jobs the filter lets through; None: all."""
        if not self.filter_text:
            return None
        return parse_everywhere(self.filter_text, "jobs").mask(self.snapshot.jobs, self.now)

    def matching_jobs(self) -> pa.Table:
        """Return the rows of the jobs that the filter lets through."""
        return self.snapshot.jobs if self.jobs_mask is None else self._filtered(self.snapshot.jobs, self.jobs_mask)

    def waiting_tasks(self) -> pa.Table:
        """Return the rows of tasks that wait for slots and belong to matching jobs."""
        return self._tasks_in("QUEUED", "REQUEUED")

    @cached_property
    def _running(self) -> pa.Table:
        """Return the rows of tasks that have slots and belong to matching jobs."""
        return self._tasks_in("RUNNING", "SUSPENDED")

    def _tasks_in(self, *states: str) -> pa.Table:
        tasks = self.snapshot.tasks
        rows = rows_in_states(tasks, *states)
        if self.jobs_mask is not None:
            jobs = self.snapshot.jobs["key"].to_numpy()[self.jobs_mask] >> np.uint64(32)
            rows = rows & np.isin(tasks["key"].to_numpy() >> np.uint64(32), jobs)
        return self._filtered(tasks, rows)

    def related(self, view: str) -> NDArray[np.bool_] | None:
        """Return on which rows of queues, queue instances or hosts matching jobs run; None: there is no filter.

        A parallel job counts where its master task runs: that is what the systems tell of it.
        """
        if not self.filter_text or view == "jobs":
            return None
        table = self.snapshot.table(view)
        names = {"queues": ["queue"], "queue_instances": ["queue", "host"], "hosts": ["host"]}[view]
        wanted = set(zip(*(self._running[name].to_pylist() for name in names), strict=True))
        rows = zip(*(table[name].to_pylist() for name in names), strict=True)
        return np.fromiter((row in wanted for row in rows), np.bool_, table.num_rows)

    def mask(self, view: str) -> NDArray[np.bool_] | None:
        """Return which rows of a table the filter lets through; None: all."""
        if view == "jobs" or not self.filter_text:
            return self.jobs_mask
        return parse_everywhere(self.filter_text, view).mask(
            self.snapshot.table(view), self.now, related=self.related(view)
        )

    @staticmethod
    def _filtered(table: pa.Table, rows: NDArray[np.bool_]) -> pa.Table:
        import pyarrow as pa

        return table.filter(pa.array(rows))
