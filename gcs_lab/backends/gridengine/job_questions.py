"""States and information of jobs, tasks and array jobs, each with one question to the cell for all that is asked."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.array_jobs import put_rows
from gcs_lab.backends.gridengine.commands import run_command
from gcs_lab.backends.gridengine.ended_jobs import AWAITING, DELETED, NO_SUCH_TASK, state_of_end
from gcs_lab.backends.gridengine.job_details_xml import JobDetails, parse_details
from gcs_lab.backends.gridengine.job_infos import (
    info_of_array,
    info_of_ended,
    info_of_present,
    row_status,
    status_of_rows,
)
from gcs_lab.backends.gridengine.state_codes import StateCodes
from gcs_lab.backends.gridengine.task_ranges import parse_ranges
from gcs_lab.vocabulary import JobInfo, JobState, JobStatus, TaskRange, split_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from gcs_lab.backends.gridengine.array_jobs import ArrayJobs
    from gcs_lab.backends.gridengine.ended_jobs import EndedJobs
    from gcs_lab.backends.gridengine.job_rows import JobRows
    from gcs_lab.backends.gridengine.qstat_xml import JobRow
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.vocabulary import ArrayStatus

__all__ = ["JobQuestions", "by_job"]

#: Of so many failed tasks the accounting records are read for each answer; that takes 30 µs each.
_EXPLAINED = 200
_CLEAR = "(when the cause is mended, clear the error: qmod -cj)"


def by_job(job_ids: Iterable[str]) -> dict[str, list[int]]:
    """Return the ids' jobs, each with the indices of those of its tasks that are among `job_ids`."""
    found: dict[str, list[int]] = {}
    for job_id in job_ids:
        job, index = split_id(job_id)
        indices = found.setdefault(job, [])
        if index is not None:
            indices.append(index)
    return found


class JobQuestions:
    """Answers questions about jobs.

    Parameters
    ----------
    cell
        The cell.
    rows
        Asks its qstat.
    arrays
        Knows its array jobs.
    ended
        Knows the jobs that have left its queue.
    """

    def __init__(self, cell: SgeCell, rows: JobRows, arrays: ArrayJobs, ended: EndedJobs) -> None:
        self._cell, self._rows, self._arrays, self._ended = cell, rows, arrays, ended
        self._lock = threading.Lock()
        self._reasons: dict[str, dict[int, str]] = {}

    def rows_of(self, jobs: Collection[str]) -> dict[str, list[JobRow]]:
        """Return the rows of those of `jobs` that are in the queue, with all of them known to be arrays or not.

        Raises
        ------
        GcsError
            If the cell does not answer.
        """
        rows = self._rows.of(set(jobs))
        self._arrays.learn(rows, [job for job in jobs if job not in rows])
        self._ended.reserved.learn(rows)
        self._ended.note_present({job: status_of_rows(some) for job, some in rows.items()})
        return rows

    def present_states(self, array_id: str, rows: Iterable[JobRow]) -> StateCodes:
        """Return the states of those tasks of an array job that are in the queue."""
        codes = StateCodes(self._arrays.tasks(array_id) or TaskRange(1, 1))
        put_rows(codes, rows)
        return codes

    def status(self, job_ids: Collection[str]) -> dict[str, JobStatus]:
        """Return the states: one ``qstat`` for all, then accounting's new lines for those that are gone."""
        return self._status(job_ids, self.rows_of(by_job(job_ids)))

    def _status(self, job_ids: Collection[str], rows: Mapping[str, Sequence[JobRow]]) -> dict[str, JobStatus]:
        self._learn_reasons(rows)
        wanted = by_job(job_ids)
        whole = wanted.keys() & set(job_ids)
        answer: dict[str, JobStatus] = {}
        gone = []
        for job, indices in wanted.items():
            some = rows.get(job, [])
            if self._arrays.tasks(job) is not None:
                answer |= self._array(job, some, indices, whole=job in whole)
                answer |= {} if some else self._deleted_tasks(job, indices, answer)
                continue
            if job in whole:
                if some:
                    answer[job] = self._with_reason(status_of_rows(some), job, None)
                else:
                    gone.append(job)
            for index in indices:
                answer[f"{job}.{index}"] = _no_such_task(job, index)
            answer |= {} if some else self._deleted_tasks(job, indices, answer)
        return answer | (self._ended.status(gone) if gone else {})

    def _deleted_tasks(
        self, job: str, indices: Sequence[int], answer: Mapping[str, JobStatus]
    ) -> dict[str, JobStatus]:
        """Return the states of tasks that we do not know to be tasks, because they were deleted before they ran."""
        ids = [task_id for index in indices if answer[task_id := f"{job}.{index}"].sub_state == NO_SUCH_TASK]
        if ids:
            self._ended.deletions.read_messages()
        deleted = [task_id for task_id in ids if self._ended.deleted_by(task_id) is not None]
        return self._ended.explained(dict.fromkeys(deleted, JobStatus(JobState.FAILED, DELETED))) if deleted else {}

    def array_status(self, array_ids: Collection[str]) -> dict[str, ArrayStatus]:
        """Return the states of all tasks of array jobs, with one ``qstat`` for all."""
        rows = self.rows_of(array_ids)
        self._learn_reasons(rows)
        return {
            array_id: self._explained(array_id, self._arrays.states(array_id, rows.get(array_id, ())))
            for array_id in array_ids
            if self._arrays.tasks(array_id) is not None
        }

    def info(self, job_ids: Collection[str]) -> dict[str, JobInfo]:
        """Return what ``qstat -j`` says of what is in the queue, and accounting of what has ended."""
        rows = self.rows_of(by_job(job_ids))
        statuses = self._status(job_ids, rows)
        details = self._details(rows)
        infos: dict[str, JobInfo] = {}
        gone = []
        for job_id in job_ids:
            job, index = split_id(job_id)
            tasks = self._arrays.tasks(job)
            if index is None and tasks is not None:
                some, records = rows.get(job, []), self._ended.task_records(job)
                found = info_of_array(
                    job, len(tasks), statuses[job], rows=some, details=details.get(job), records=records
                )
                if found is not None:
                    infos[job] = found
                elif self._ended.seen(job):
                    infos[job] = self._without_record(job, statuses[job])
                continue
            row = _row_of(rows.get(job, ()), index)
            if row is None:
                gone.append(job_id)
                continue
            infos[job_id] = info_of_present(row, statuses[job_id], details.get(job), index)
        recorded = self._ended.records(gone)
        for job_id in gone:
            by, status = self._ended.deleted_by(job_id), statuses[job_id]
            if job_id in recorded:
                record = recorded[job_id]
                infos[job_id] = info_of_ended(record, self._ended.why(record), by)
            elif by is not None or (self._ended.seen(split_id(job_id)[0]) and status.sub_state != NO_SUCH_TASK):
                infos[job_id] = self._without_record(job_id, status)
        return infos

    def _without_record(self, job_id: str, status: JobStatus) -> JobInfo:
        """Return what is known of a job, task or array that is gone, and of which accounting has nothing."""
        over = self._ended.reserved.over(split_id(job_id)[0])
        return JobInfo(
            job_id=job_id,
            job_state=status.state,
            job_sub_state=status.sub_state,
            annotation=status.annotation,
            finish_time=over.end_time if over is not None and status.state is JobState.FAILED else None,
            deleted_by=self._ended.deleted_by(job_id),
        )

    def _array(
        self, array_id: str, rows: Sequence[JobRow], indices: Sequence[int], *, whole: bool
    ) -> dict[str, JobStatus]:
        answer: dict[str, JobStatus] = {}
        if whole and rows:
            status = status_of_rows(rows)
            first = next((r for row in rows if row.letters == status.sub_state for r in _indices(row)), None)
            answer[array_id] = self._with_reason(status, array_id, first)
        if not indices and not (whole and not rows):
            return answer
        codes = self._arrays.states(array_id, rows)
        if whole and not rows:
            answer[array_id] = _whole_of_gone(codes)
        single = {int(row.tasks): row for row in rows if row.tasks is not None and row.tasks.isdecimal()}
        slots = rows[0].slots if rows else None
        failed = []
        for index in indices:
            task_id, found = f"{array_id}.{index}", codes.state_of(index)
            if found is None:
                answer[task_id] = _no_such_task(array_id, index)
                continue
            row = single.get(index)
            state, sub_state = found
            if row is not None:
                answer[task_id] = self._with_reason(row_status(row), array_id, index)
            elif state is JobState.FAILED and not sub_state.startswith("E"):
                answer[task_id] = JobStatus(state, sub_state)
                failed.append(task_id)
            else:
                waits = not state.terminated or sub_state.startswith("E")
                status = JobStatus(state, sub_state, slots=slots if waits and sub_state != AWAITING else None)
                answer[task_id] = self._with_reason(status, array_id, index)
        return answer | self._ended.explained({task_id: answer[task_id] for task_id in failed})

    def _learn_reasons(self, rows: Mapping[str, Sequence[JobRow]]) -> None:
        """Ask why jobs are in error state: once, until others of their tasks are or the state was cleared."""
        in_error = {
            job: {index for row in some if "E" in row.letters for index in _indices(row)}
            for job, some in rows.items()
            if any("E" in row.letters for row in some)
        }
        with self._lock:
            for job in rows.keys() - in_error.keys():
                self._reasons.pop(job, None)
            new = [job for job, indices in in_error.items() if self._reasons.get(job, {}).keys() != indices]
        details = self._details(new)
        with self._lock:
            for job in new:
                tasks = details[job].tasks if job in details else {}
                said = {index: (tasks[index].error_reason if index in tasks else None) for index in in_error[job]}
                unique: dict[str, str] = {}
                self._reasons[job] = {
                    index: unique.setdefault(text, text)
                    for index, reason in said.items()
                    for text in [f"{reason or 'Grid Engine does not say why'} {_CLEAR}"]
                }

    def _explained(self, array_id: str, codes: StateCodes) -> ArrayStatus:
        """Return the states with a word on each task that failed; on very many, with what accounting's index says."""
        with self._lock:
            annotations = dict(self._reasons.get(array_id, {}))
        status = codes.finished(annotations)
        words = {code: letters for code, (state, letters) in enumerate(status.palette) if state is JobState.FAILED}
        failed = {
            index: words[code]
            for index, code in zip(status.tasks.indices, status.codes, strict=True)
            if code in words and index not in annotations
        }
        if len(failed) > _EXPLAINED:
            annotations |= failed
            return status
        named = {f"{array_id}.{index}": JobStatus(JobState.FAILED, letters) for index, letters in failed.items()}
        for index, explained in zip(failed, self._ended.explained(named).values(), strict=True):
            annotations[index] = explained.annotation or failed[index]
        return status

    def _with_reason(self, status: JobStatus, job: str, index: int | None) -> JobStatus:
        if "E" not in status.sub_state:
            return status
        with self._lock:
            reason = self._reasons.get(job, {}).get(index or 1)
        return replace(status, annotation=reason)

    def _details(self, jobs: Iterable[str]) -> dict[str, JobDetails]:
        ids = ",".join(jobs)
        if not ids:
            return {}
        # 9.x exits with 1 if one of them has ended meanwhile.
        return parse_details(run_command(self._cell, ["qstat", "-j", ids, "-xml"]).stdout)


def _indices(row: JobRow) -> Iterable[int]:
    return [1] if row.tasks is None else (index for some in parse_ranges(row.tasks) for index in some)


def _row_of(rows: Iterable[JobRow], index: int | None) -> JobRow | None:
    """Return the row that tells of a task, or of a single job."""
    for row in rows:
        if (row.tasks is None) is (index is None) and (
            index is None or any(index in some for some in parse_ranges(row.tasks or ""))
        ):
            return row
    return None


def _no_such_task(job: str, index: int) -> JobStatus:
    return JobStatus(JobState.FAILED, NO_SUCH_TASK, annotation=f"job {job} has no task {index}")


def _whole_of_gone(codes: StateCodes) -> JobStatus:
    """Return the state of an array job none of whose tasks is in the queue."""
    counts = codes.counts()
    if counts[JobState.UNDETERMINED]:
        return JobStatus(JobState.UNDETERMINED, AWAITING)
    if not counts[JobState.FAILED]:
        return JobStatus(*state_of_end(0, 0))
    said = f"{counts[JobState.FAILED]} of {len(codes.tasks)} tasks failed"
    return JobStatus(JobState.FAILED, said, annotation=said)
