"""Remember when jobs were submitted: qstat's list tells it of waiting jobs only."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["KnownSubmissions"]


class KnownSubmissions:
    """The submission times of the jobs of the last poll, as far as one of the polls saw them wait.

    It holds 16 bytes a job, of the jobs that are there now. A job that ran before the first poll has none: asking
    for the details of all of them would cost the qmaster more than the whole poll.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: NDArray[np.uint64] | None = None
        self._times: NDArray[np.int64] | None = None

    def filled(self, tasks: pa.Table) -> pa.Table:
        """Return the table of tasks with the submission times that are known."""
        import numpy as np
        import pyarrow as pa

        column = tasks.column("submission_time")
        # The upper half of a key is the job's number (`gcs_lab.status.keys`).
        jobs = np.asarray(tasks.column("key")) >> np.uint64(32)
        times = np.asarray(column.cast(pa.int64()).fill_null(0))
        told = times != 0
        with self._lock:
            known, first = np.unique(jobs[told], return_index=True)
            known_times = times[told][first]
            if self._jobs is not None and self._times is not None:
                kept = np.isin(self._jobs, jobs) & ~np.isin(self._jobs, known)
                known = np.r_[known, self._jobs[kept]]
                known_times = np.r_[known_times, self._times[kept]]
                order = np.argsort(known)
                known, known_times = known[order], known_times[order]
            self._jobs, self._times = known, known_times
        if not len(known) or told.all():
            return tasks
        places = np.minimum(np.searchsorted(known, jobs), len(known) - 1)
        filled = np.where(told, times, np.where(known[places] == jobs, known_times[places], 0))
        made = pa.array(filled, pa.int64(), mask=filled == 0).cast(column.type)
        return tasks.set_column(tasks.schema.get_field_index("submission_time"), tasks.field("submission_time"), made)
