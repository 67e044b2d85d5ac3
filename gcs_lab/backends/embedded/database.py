"""The scheduler's memory: an SQLite database in WAL mode.

``synchronous=NORMAL``: what is committed survives the death of any process; a power cut may lose the last commits,
never the consistency. Writes of one turn of the scheduler's loop are one transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.array_job import ArrayJob, Ending
from gcs_lab.backends.embedded.database_schema import digest_of, prepare
from gcs_lab.backends.embedded.placement import Instance
from gcs_lab.backends.embedded.reservation_table import ReservationTable
from gcs_lab.backends.embedded.submit_request import SubmitRequest
from gcs_lab.backends.embedded.task import Job, Phase, Task
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from gcs_lab.backends.embedded.task import SharedRequest

__all__ = ["Database"]

ANSWERS_KEPT_SECONDS = 3600.0
#: SQLite takes a limited number of parameters in one statement.
_BATCH = 500

_JOB = "SELECT job_id, token, owner, submitted, request_id, own, waits_for, waits_for_tasks_of FROM jobs"
_TASK = (
    "SELECT job_id, task_id, phase, held, suspended, requeued, run, slots, dispatched, finished, outcome, deleted_by,"
    " annotation, to_end FROM tasks"
)


class Database:
    """Jobs, answers already given, and accounting lines not yet written.

    Parameters
    ----------
    path
        The file; it is made if it is not there.

    Raises
    ------
    sqlite3.Error
        If it cannot be opened; every method raises it if the database cannot be read or written.
    Internal
        If it was written by a newer gcs_lab.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        prepare(self._connection, path)
        #: Reservations and queue states.
        self.reservations = ReservationTable(self._connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end, or roll back if an exception passes."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    # --- what was submitted ---

    def add_request(self, request: SubmitRequest) -> int:
        """Keep what jobs ask for alike, and return its number: the same for the same."""
        text = json.dumps(request.to_wire(), sort_keys=True)
        digest = digest_of(text)
        self._connection.execute("INSERT OR IGNORE INTO requests (digest, request) VALUES (?, ?)", (digest, text))
        (number,) = self._connection.execute("SELECT request_id FROM requests WHERE digest = ?", (digest,)).fetchone()
        return int(number)

    def request(self, request_id: int) -> SubmitRequest:
        """Return what :meth:`add_request` kept."""
        row = self._connection.execute("SELECT request FROM requests WHERE request_id = ?", (request_id,)).fetchone()
        return SubmitRequest.from_wire(json.loads(row[0]))

    def last_job_id(self) -> int:
        """Return the highest id that a job ever had; 0 if there was none."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").fetchone()
        return 0 if row is None else int(row[0])

    def add_jobs(self, jobs: Iterable[Job]) -> None:
        """Add jobs that wait."""
        self._connection.executemany(
            "INSERT INTO jobs (job_id, token, owner, submitted, request_id, own, waits_for, waits_for_tasks_of, live)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
            (
                (
                    job.job_id,
                    job.token,
                    job.owner,
                    job.submitted,
                    job.shared.request_id,
                    job.own,
                    json.dumps(job.waits_for) if job.waits_for else None,
                    json.dumps(job.waits_for_tasks_of) if job.waits_for_tasks_of else None,
                )
                for job in jobs
            ),
        )

    def alter_job(self, job: Job) -> None:
        """Write what a job asks for now."""
        self._connection.execute(
            "UPDATE jobs SET request_id = ?, own = ? WHERE job_id = ?", (job.shared.request_id, job.own, job.job_id)
        )

    def jobs_of_tokens(self, tokens: Iterable[str]) -> dict[str, int]:
        """Return the ids of the jobs that were submitted with `tokens`, by token."""
        return dict(self._chosen("SELECT token, job_id FROM jobs WHERE token IN", tokens))

    # --- what became of it ---

    def save(self, task: Task) -> None:
        """Write the task's state."""
        slots = [[instance.queue, instance.host, count] for instance, count in task.slots.items()]
        done = task.state() is JobState.DONE if task.phase is Phase.ENDED else None
        self._connection.execute(
            "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *task.key,
                task.phase.value,
                task.held,
                task.suspended,
                task.requeued,
                task.run,
                json.dumps(slots),
                task.dispatched,
                task.finished,
                json.dumps(dict(task.outcome)),
                task.deleted_by,
                task.annotation,
                task.to_end,
                done,
            ),
        )

    def save_array(self, array: ArrayJob) -> None:
        """Write what is known of the tasks of an array that have no row."""
        endings = json.dumps([asdict(ending) for ending in array.endings]) if array.endings else None
        self._connection.execute(
            "UPDATE jobs SET stored = ?, endings = ? WHERE job_id = ?",
            (zlib.compress(array.stored(), 1), endings, array.job.job_id),
        )

    def end_job(self, job_id: int, finished: float, end_states: bytes | None = None) -> None:
        """Note that a job has left the queue: of an array all tasks, with a byte each (1: DONE)."""
        packed = None if end_states is None else zlib.compress(end_states, 1)
        self._connection.execute(
            "UPDATE jobs SET live = 0, finished = ?, end_states = ? WHERE job_id = ?", (finished, packed, job_id)
        )

    # --- reading it back; `shared` gives the request with a number ---

    def live_jobs(self, shared: Callable[[int], SharedRequest]) -> Iterator[Job]:
        """Yield all jobs that have not ended, oldest first."""
        return (_job(row, shared) for row in self._connection.execute(f"{_JOB} WHERE live ORDER BY job_id"))

    def jobs(self, job_ids: Iterable[int], shared: Callable[[int], SharedRequest]) -> dict[int, Job]:
        """Return some jobs by id, ended ones too."""
        found = (_job(row, shared) for row in self._chosen(f"{_JOB} WHERE job_id IN", job_ids))
        return {job.job_id: job for job in found}

    def live_rows(self) -> list[tuple[Any, ...]]:
        """Return the rows of all tasks that have not ended; see :meth:`read_task`."""
        return self._connection.execute(f"{_TASK} WHERE phase != 'ended' ORDER BY job_id, task_id").fetchall()

    def rows(self, job_id: int, task_ids: Iterable[int]) -> list[tuple[Any, ...]]:
        """Return the rows of some tasks of a job; see :meth:`read_task`."""
        return self._chosen(f"{_TASK} WHERE job_id = ? AND task_id IN", task_ids, job_id)

    @staticmethod
    def read_task(row: tuple[Any, ...], job: Job) -> Task:
        """Return the task that a row tells of."""
        _, task_id, phase, held, suspended, requeued, run, slots, dispatched, finished, outcome, by, note, to_end = (
            row
        )
        task = Task(
            job,
            task_id,
            Phase(phase),
            held=bool(held),
            suspended=bool(suspended),
            requeued=bool(requeued),
            run=run,
            dispatched=dispatched,
            finished=finished,
            deleted_by=by,
            annotation=note,
            to_end=to_end,
        )
        if slots != "[]":
            task.slots = {Instance(queue, host): count for queue, host, count in json.loads(slots)}
        if outcome != "{}":
            task.outcome = json.loads(outcome)
        return task

    def array(self, job: Job) -> ArrayJob:
        """Return an array job, without the objects of its tasks that have not ended."""
        array = ArrayJob(job)
        stored, endings, end_states = self._connection.execute(
            "SELECT stored, endings, end_states FROM jobs WHERE job_id = ?", (job.job_id,)
        ).fetchone()
        array.endings = [Ending(**ending) for ending in json.loads(endings or "[]")]
        array.restore(None if stored is None else zlib.decompress(stored))
        if end_states is not None:
            array.restore_ended(zlib.decompress(end_states))
        else:
            ended = self._connection.execute(
                "SELECT task_id, done FROM tasks WHERE job_id = ? AND phase = 'ended'", (job.job_id,)
            )
            array.restore_rows(ended)
        return array

    def array_totals(self, job_id: int) -> tuple[Any, ...]:
        """Return of the runs of an array: first start, last end, highest exit status, wall clock and CPU seconds,
        highest memory (bytes: virtual, resident), highest failure code, slots.
        """  # noqa: D205
        row = self._connection.execute(
            "SELECT min(dispatched), max(finished), max(json_extract(outcome, '$.exit_status')),"
            " sum(json_extract(outcome, '$.wallclock')),"
            " sum(json_extract(outcome, '$.ru_utime') + json_extract(outcome, '$.ru_stime')),"
            " max(json_extract(outcome, '$.max_vmem')), max(json_extract(outcome, '$.max_rss')),"
            " max(json_extract(outcome, '$.failed')) FROM tasks WHERE job_id = ?",
            (job_id,),
        ).fetchone()
        assert isinstance(row, tuple)  # noqa: S101  (an aggregate has one row)
        return row

    # --- answers and accounting ---

    def answer_given(self, token: str) -> Any:
        """Return the answer that was given to the question with `token`; None if there was none."""
        row = self._connection.execute("SELECT answer FROM answers WHERE token = ?", (token,)).fetchone()
        return None if row is None else json.loads(row[0])

    def keep_answer(self, token: str, answer: Any) -> None:
        """Remember an answer, so that a question asked twice is not done twice."""
        now = time.time()
        self._connection.execute("INSERT INTO answers VALUES (?, ?, ?)", (token, json.dumps(answer), now))

    def post_accounting(self, line: str) -> None:
        """Remember a line that is to be appended to the accounting file."""
        self._connection.execute("INSERT INTO accounting_outbox (line) VALUES (?)", (line,))

    def accounting_due(self) -> list[tuple[int, str]]:
        """Return the lines that are to be appended, with their numbers."""
        return self._connection.execute("SELECT number, line FROM accounting_outbox ORDER BY number").fetchall()

    def accounting_done(self, last: int) -> None:
        """Forget the lines up to number `last`."""
        self._connection.execute("DELETE FROM accounting_outbox WHERE number <= ?", (last,))

    def forget(self, ended_before: float) -> None:
        """Forget jobs that ended before a time (seconds since the epoch), and answers of more than an hour ago."""
        with self.transaction():
            run = self._connection.execute
            run(
                "DELETE FROM tasks WHERE job_id IN (SELECT job_id FROM jobs WHERE NOT live AND finished < ?)",
                (ended_before,),
            )
            if run("DELETE FROM jobs WHERE NOT live AND finished < ?", (ended_before,)).rowcount:
                run("DELETE FROM requests WHERE request_id NOT IN (SELECT request_id FROM jobs)")
            self.reservations.forget(ended_before)
            run("DELETE FROM answers WHERE given < ?", (time.time() - ANSWERS_KEPT_SECONDS,))

    def _chosen(self, question: str, values: Iterable[Any], *first: Any) -> list[tuple[Any, ...]]:
        """Return the rows for which an expression is among `values`, however many these are.

        `first` are the values of the question's parameters before them.
        """
        left = list(values)
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(left), _BATCH):
            batch = left[start : start + _BATCH]
            found += self._connection.execute(f"{question} ({','.join('?' * len(batch))})", [*first, *batch])
        return found


def _job(row: tuple[Any, ...], shared: Callable[[int], SharedRequest]) -> Job:
    job_id, token, owner, submitted, request_id, own, waits_for, waits_for_tasks_of = row
    return Job(
        job_id,
        owner,
        submitted,
        token,
        shared(request_id),
        own,
        tuple(json.loads(waits_for)) if waits_for else (),
        tuple(json.loads(waits_for_tasks_of)) if waits_for_tasks_of else (),
    )
