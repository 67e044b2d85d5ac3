"""How those tasks of a sweep ended that could not say it themselves: killed, deleted, or never started."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from gcs_lab.cells.sweep_ends import end_in_log
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from gcs_lab.cells.sweep_job import SweepJob
    from gcs_lab.vocabulary import JobInfo

__all__ = ["LAST_SEQ", "UnexplainedEnds"]

#: No event that a task wrote before it was found to have ended has so high a number.
LAST_SEQ = 1 << 53
#: Seconds that a network file system may take to show what an ended task wrote last.
_GRACE = 3.0
#: Seconds to wait for the scheduler's word on why tasks ended.
_PATIENCE = 20.0


class UnexplainedEnds:
    """Finds out how tasks ended that have left the queue without a word.

    Parameters
    ----------
    sweep
        Their sweep.
    """

    def __init__(self, sweep: SweepJob) -> None:
        self._sweep = sweep

    def find_out(self) -> bool:
        """Ask the tasks' own logs, and then accounting, with one question for all; return whether there was news."""
        sweep, table = self._sweep, self._sweep.table
        if not len(table.gone_for(_GRACE)):
            return False
        with contextlib.suppress(OSError):
            sweep.read_log(now=True)
        with sweep.lock:
            before = table.version
            for place in table.gone_for(_GRACE).tolist():
                self._take_from_log(place)
            ids = {place: sweep.job_id_of(place + 1) for place in table.gone_for(_GRACE).tolist()}
        infos: dict[str, JobInfo] = {}
        if ids:
            with contextlib.suppress(GcsError):
                infos = sweep.cluster.jobs.backend.info(list(ids.values()))
        with sweep.lock:
            late = set(table.gone_for(_PATIENCE).tolist())
            for place, job_id in ids.items():
                info = infos.get(job_id)
                if not table.ended[place] and (info is not None or place in late):
                    self._explain(place, info)
            return table.version != before

    def _take_from_log(self, place: int) -> None:
        """Take the end that stands in the task's own log, or that it told before it asked to be run again."""
        table = self._sweep.table
        own = table.unsure(place)
        if own is None:
            own = end_in_log(self._sweep.folder.of_task(place + 1).events, after_try=int(table.tries[place]))
        if own is not None and own.get("exit_status") is not None:
            table.take_end(place, own)

    def _explain(self, place: int, info: JobInfo | None) -> None:
        table = self._sweep.table
        message = (info.annotation if info else None) or table.annotations.get(place, "")
        killed = info is not None and bool(info.failed or info.deleted_by)
        if not message or (not killed and info is not None and info.exit_status is not None):
            message = self._last_words(place, info)
        table.explain(place, message, info)
        folder = self._sweep.folder.of_task(place + 1)
        if folder.path.is_dir():
            # For jobs that wait for this task.
            with contextlib.suppress(OSError):
                folder.write_verdict(f"failed: {message}", LAST_SEQ)

    def _last_words(self, place: int, info: JobInfo | None) -> str:
        began = self._sweep.folder.of_task(place + 1).events.exists()
        ended = "the task ended in the middle" if began else "the task ended before its code began"
        status = f" (exit status {info.exit_status})" if info and info.exit_status is not None else ""
        said = "" if began else self._shells_last_line()
        return f"{ended}{status}{': ' if said else ''}{said}"

    def _shells_last_line(self) -> str:
        """Return the last that a task's shell said: all tasks share the file, which is empty if all goes well."""
        try:
            said = self._sweep.folder.stdout.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return said[-1][:300] if said else ""
