"""The scheduler's memory: an SQLite database in WAL mode.

``synchronous=NORMAL``: what is committed survives the death of any process; a power cut may lose the last commits,
never the consistency. Writes of one turn of the scheduler's loop are one transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.placement import Instance
from gcs_lab.backends.embedded.submit_request import SubmitRequest
from gcs_lab.backends.embedded.task import Job, Phase, Task
from gcs_lab.errors import Internal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Database"]

SCHEMA_VERSION = 1
ANSWERS_KEPT_SECONDS = 3600.0
#: SQLite takes a limited number of parameters in one statement.
_BATCH = 500

# A job has one row in `tasks` for each of its tasks; one that is no array has task 0.
_SCHEMA = """
CREATE TABLE jobs (
    job_id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    submitted REAL NOT NULL,
    request TEXT NOT NULL
);
CREATE TABLE tasks (
    job_id INTEGER NOT NULL REFERENCES jobs,
    task_id INTEGER NOT NULL,
    phase TEXT NOT NULL,
    held INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    requeued INTEGER NOT NULL,
    run INTEGER NOT NULL,
    slots TEXT NOT NULL,
    dispatched REAL,
    finished REAL,
    outcome TEXT NOT NULL,
    deleted_by TEXT,
    annotation TEXT,
    PRIMARY KEY (job_id, task_id)
) WITHOUT ROWID;
CREATE INDEX tasks_not_ended ON tasks (job_id) WHERE phase != 'ended';
CREATE INDEX tasks_ended ON tasks (finished) WHERE phase = 'ended';
CREATE TABLE answers (token TEXT PRIMARY KEY, answer TEXT NOT NULL, given REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE accounting_outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL);
"""

_TASK = (
    "SELECT t.job_id, t.task_id, t.phase, t.held, t.suspended, t.requeued, t.run, t.slots, t.dispatched, t.finished,"
    " t.outcome, t.deleted_by, t.annotation, j.owner, j.submitted, j.request FROM tasks t JOIN jobs j USING (job_id)"
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
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        elif version != SCHEMA_VERSION:
            raise Internal(
                f"{path} has schema {version}, and this gcs_lab knows {SCHEMA_VERSION}. Use the newer gcs_lab that "
                "made it, or move the file away to begin anew."
            )

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

    def add_job(self, owner: str, submitted: float, request: SubmitRequest) -> Job:
        """Add a job with its one task and return it."""
        cursor = self._connection.execute(
            "INSERT INTO jobs (token, owner, submitted, request) VALUES (?, ?, ?, ?)",
            (request.token, owner, submitted, json.dumps(request.to_wire())),
        )
        assert cursor.lastrowid is not None  # noqa: S101  (an INSERT always has one)
        return Job(cursor.lastrowid, owner, submitted, request)

    def job_of_token(self, token: str) -> int | None:
        """Return the id of the job that was submitted with `token`."""
        row = self._connection.execute("SELECT job_id FROM jobs WHERE token = ?", (token,)).fetchone()
        return None if row is None else int(row[0])

    def save(self, task: Task) -> None:
        """Write the task's state."""
        slots = [[instance.queue, instance.host, count] for instance, count in task.slots.items()]
        self._connection.execute(
            "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                json.dumps(task.outcome),
                task.deleted_by,
                task.annotation,
            ),
        )

    def live_tasks(self) -> list[Task]:
        """Return all tasks that have not ended, oldest first."""
        return [_task(row) for row in self._connection.execute(f"{_TASK} WHERE t.phase != 'ended' ORDER BY 1, 2")]

    def tasks_of(self, job_ids: Iterable[int]) -> list[Task]:
        """Return the tasks of some jobs."""
        ids = list(job_ids)
        found = []
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            marks = ",".join("?" * len(batch))
            found += self._connection.execute(f"{_TASK} WHERE t.job_id IN ({marks})", batch).fetchall()
        return [_task(row) for row in found]

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
            if run("DELETE FROM tasks WHERE phase = 'ended' AND finished < ?", (ended_before,)).rowcount:
                run("DELETE FROM jobs WHERE job_id NOT IN (SELECT job_id FROM tasks)")
            run("DELETE FROM answers WHERE given < ?", (time.time() - ANSWERS_KEPT_SECONDS,))


def _task(row: tuple[Any, ...]) -> Task:
    job_id, task_id, phase, held, suspended, requeued, run, slots, dispatched, finished, outcome, by, note = row[:13]
    owner, submitted, request = row[13:]
    return Task(
        Job(job_id, owner, submitted, SubmitRequest.from_wire(json.loads(request))),
        task_id,
        Phase(phase),
        held=bool(held),
        suspended=bool(suspended),
        requeued=bool(requeued),
        run=run,
        slots={Instance(queue, host): count for queue, host, count in json.loads(slots)},
        dispatched=dispatched,
        finished=finished,
        outcome=json.loads(outcome),
        deleted_by=by,
        annotation=note,
    )
