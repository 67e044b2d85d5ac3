"""Array jobs: which tasks they have, and in which states they are, at a few bytes a task."""

from __future__ import annotations

import threading
import time
from array import array
from dataclasses import dataclass, field
from math import gcd
from typing import TYPE_CHECKING

from gcs_lab.accounting.endings import ends_the_job
from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.ended_jobs import AWAITING, DELETED, NO_RECORD, WAITING, state_of_end
from gcs_lab.backends.gridengine.job_details_xml import parse_task_ranges
from gcs_lab.backends.gridengine.job_states import job_state
from gcs_lab.backends.gridengine.state_codes import StateCodes
from gcs_lab.backends.gridengine.task_ranges import parse_ranges
from gcs_lab.vocabulary import JobState, TaskRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gcs_lab.backends.gridengine.ended_jobs import EndedJobs
    from gcs_lab.backends.gridengine.qstat_xml import JobRow
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.backends.gridengine.task_ends import TaskEnds

__all__ = ["ArrayJobs", "put_rows"]


@dataclass
class _Array:
    """One array job: its tasks; since when each is missing (0: it is not); which waited when last seen."""

    tasks: TaskRange
    #: None of its tasks had ended when we connected.
    recent: bool
    missing: array[float] = field(init=False)
    waited: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.missing = array("d", bytes(8 * len(self.tasks)))
        self.waited = bytearray(len(self.tasks))


def put_rows(codes: StateCodes, rows: Iterable[JobRow]) -> None:
    """Put the states that rows of qstat tell into `codes`."""
    known: dict[str, int] = {}
    for row in rows:
        code = known.get(row.letters)
        if code is None:
            code = known[row.letters] = codes.code(job_state(row.letters), row.letters)
        tasks = row.tasks or ""
        if tasks.isdecimal():
            codes.put_one(int(tasks), code)
        else:
            for some in parse_ranges(tasks):
                codes.put(some, code)


class ArrayJobs:
    """Knows the array jobs of a cell that anyone asked for.

    Parameters
    ----------
    cell
        The cell.
    ended
        Tells of tasks that have left the queue.
    """

    def __init__(self, cell: SgeCell, ended: EndedJobs) -> None:
        self._cell, self._ended = cell, ended
        self._lock = threading.Lock()
        self._arrays: dict[str, _Array] = {}
        self._single: set[str] = set()

    def note_submitted(self, job_id: str, tasks: TaskRange | None) -> None:
        """Remember a job that we submitted; `tasks` are those of an array job."""
        with self._lock:
            if tasks is None:
                self._single.add(job_id)
            else:
                self._arrays[job_id] = _Array(tasks, recent=True)

    def learn(self, rows: Mapping[str, Sequence[JobRow]], gone: Iterable[str] = ()) -> None:
        """Find out which of some jobs are array jobs, and their tasks: from qstat, of those `gone` from accounting.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        new = []
        with self._lock:
            for job_id, some in rows.items():
                if some[0].tasks is None:
                    self._single.add(job_id)
                elif job_id not in self._arrays:
                    new.append(job_id)
            missing = [job_id for job_id in gone if job_id not in self._arrays and job_id not in self._single]
        found = {}
        if new:
            # 9.x exits with 1 if one of them has ended meanwhile.
            found = parse_task_ranges(run_command(self._cell, ["qstat", "-j", ",".join(new), "-xml"]).stdout)
        recorded = self._ended.records(missing)
        with self._lock:
            self._single.update(recorded)
        unknown = [job_id for job_id in missing if job_id not in recorded]
        for job_id in [*(job_id for job_id in new if job_id not in found), *unknown]:
            indices = self._ended.task_ends(job_id, bool, recent=self._ended.seen(job_id)).indices()
            indices.update(
                index for row in rows.get(job_id, ()) for r in parse_ranges(row.tasks or "") for index in r
            )
            if indices:
                found[job_id] = _span(indices)
        with self._lock:
            for job_id, tasks in found.items():
                self._arrays.setdefault(job_id, _Array(tasks, recent=False))

    def tasks(self, job_id: str) -> TaskRange | None:
        """Return the tasks of an array job; None for any other."""
        with self._lock:
            known = self._arrays.get(job_id)
            return None if known is None else known.tasks

    def states(self, array_id: str, rows: Iterable[JobRow]) -> StateCodes:
        """Return the states of all tasks of a known array job of which `rows` are in the queue.

        Raises
        ------
        GcsError
            If accounting cannot be read.
        """
        with self._lock:
            known = self._arrays[array_id]
        codes = StateCodes(known.tasks)
        put_rows(codes, rows)
        waiting = codes.where(*WAITING, JobState.FAILED)
        if not codes.unknown:
            known.waited = bytearray(waiting)
            known.missing = array("d", bytes(8 * len(known.tasks)))
            return codes
        gone = codes.unknown
        ends = self._ended.task_ends(array_id, lambda found: len(found) >= gone, recent=known.recent)
        not_final = _put_ends(codes, ends)
        if codes.unknown:
            self._put_missing(array_id, known, codes, waiting, not_final)
        return codes

    def _put_missing(
        self, array_id: str, known: _Array, codes: StateCodes, waiting: bytes, not_final: dict[int, tuple[int, int]]
    ) -> None:
        """Tell of tasks that are neither in the queue nor, for good, in accounting."""
        self._ended.deletions.read_messages()
        now = time.monotonic()
        patience = {waited: self._ended.patience(waited=waited) for waited in (False, True)}
        followed = self._ended.patience(recorded=True)
        awaiting = codes.code(JobState.UNDETERMINED, AWAITING)
        if any(since and now - since > followed for since in known.missing):
            self._ended.reserved.look([array_id])
        over = self._ended.reserved.over(array_id)
        waited_before, known.waited = known.waited, bytearray(waiting)
        missing = array("d", bytes(8 * len(known.tasks)))
        for index in codes.unknown_indices():
            place = (index - known.tasks.begin) // known.tasks.step
            since = missing[place] = known.missing[place] or now
            waited = known.waited[place] = waited_before[place]
            deletion = self._ended.deletions.of(array_id, index)
            if index in not_final and (now - since > followed or (deletion is not None and deletion.at_once)):
                code = codes.code(*state_of_end(*not_final[index]))
            elif deletion is not None and deletion.at_once:
                code = codes.code(JobState.FAILED, DELETED)
            elif over is not None and now - since > followed:
                code = codes.code(JobState.FAILED, over.words)
            elif now - since <= patience[waited == 1]:
                code = awaiting
            else:
                code = codes.code(JobState.FAILED, NO_RECORD)
            codes.put_one(index, code)
        known.missing = missing


def _put_ends(codes: StateCodes, ends: TaskEnds) -> dict[int, tuple[int, int]]:
    """Put what accounting says into `codes`; return the ends that were none, by index.

    A task that is in the queue is not looked for: it may have a record of an earlier run.
    """
    known: dict[int, int | None] = {}
    not_final = {}
    for index, end in dict(ends.packed()).items():
        if end not in known:
            failed, exit_status = ends.unpacked(end)
            known[end] = codes.code(*state_of_end(failed, exit_status)) if ends_the_job(failed) else None
        code = known[end]
        if code is None:
            not_final[index] = ends.unpacked(end)
        else:
            codes.put_one(index, code, only_unknown=True)
    return not_final


def _span(indices: set[int]) -> TaskRange:
    """Return the tasks of an array of which `indices` are known, as far as these tell."""
    first = min(indices)
    step = gcd(*(index - first for index in indices)) or 1
    return TaskRange(first, max(indices), step)
