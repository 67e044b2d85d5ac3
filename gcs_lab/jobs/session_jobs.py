"""What a job session knows of its jobs: intents, ids, templates, arrays, and what was reaped."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidSession
from gcs_lab.vocabulary import JobTemplate, TaskRange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gcs_lab.jobs.session_store import SessionRecord, SessionStore

__all__ = ["SessionJobs", "Submission"]

#: Seconds after which an intent that the system knows nothing of is forgotten.
INTENT_SECONDS = 86400.0
_COLUMNS = "number, job_id, template, tasks, max_parallel, submitted, json_extract(template, '$.job_name')"
#: SQLite takes 32,766 marks in a statement at the most; older ones 999.
_AT_ONCE = 900


@dataclass(frozen=True)
class Submission:
    """A job or a whole array of a session.

    ``tasks`` is None for a single job; ``submitted`` is aware (UTC); ``job_name`` is None if the template has none.
    """

    number: int
    job_id: str
    template_json: str
    tasks: TaskRange | None
    max_parallel: int | None
    submitted: datetime
    job_name: str | None

    @property
    def template(self) -> JobTemplate:
        """What was asked for."""
        return JobTemplate.from_json(json.loads(self.template_json))


class SessionJobs:
    """The jobs of one session, as they are kept.

    A submission is written down before it is sent, with its token; so whoever opens the session after a crash in
    between can ask the system for it.

    Parameters
    ----------
    store
        Where the sessions are kept.
    session
        Whose jobs they are.
    """

    def __init__(self, store: SessionStore, session: SessionRecord) -> None:
        self._store, self._session = store, session

    def plan(
        self,
        templates: Sequence[JobTemplate],
        tokens: Sequence[str],
        tasks: TaskRange | None = None,
        max_parallel: int | None = None,
    ) -> None:
        """Write down what is about to be submitted. Raises InvalidSession if the session was destroyed."""
        now, range_ = time.time(), None if tasks is None else str(tasks)
        number = self._session.number
        # Many templates of one call are often the same object.
        texts: dict[int, str] = {}
        for template in templates:
            if id(template) not in texts:
                texts[id(template)] = json.dumps(template.to_json())
        rows = [
            (number, token, texts[id(template)], range_, max_parallel, now)
            for template, token in zip(templates, tokens, strict=True)
        ]
        with self._store.writing() as connection:
            try:
                connection.executemany(
                    "INSERT INTO submissions (session, token, template, tasks, max_parallel, submitted) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    rows,
                )
            except sqlite3.IntegrityError:
                raise InvalidSession(
                    f"job session {self._session.name!r} was destroyed; nothing was submitted. Create it again."
                ) from None

    def record(self, job_ids: Mapping[str, str]) -> None:
        """Write down the system's ids, by token."""
        with self._store.writing() as connection:
            connection.executemany(
                "UPDATE submissions SET job_id = ? WHERE token = ?", [(i, t) for t, i in job_ids.items()]
            )

    def forget(self, tokens: Collection[str]) -> None:
        """Take back what was planned and did not come about."""
        with self._store.writing() as connection:
            connection.executemany("DELETE FROM submissions WHERE token = ?", [(token,) for token in tokens])

    def unresolved(self) -> dict[str, float]:
        """Return the tokens whose job's id is not known, with the seconds since they were planned."""
        now = time.time()
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT token, submitted FROM submissions WHERE session = ? AND job_id IS NULL",
                (self._session.number,),
            ).fetchall()
        return {token: now - planned for token, planned in rows}

    def all(self) -> list[Submission]:
        """Return everything that was submitted and not reaped, in order."""
        with self._store.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM submissions WHERE session = ? AND job_id IS NOT NULL ORDER BY number",  # noqa: S608
                (self._session.number,),
            ).fetchall()
        return [_submission(row) for row in rows]

    def find(self, job_ids: Collection[str]) -> dict[str, Submission]:
        """Return jobs and whole arrays by id; those that are not the session's are left out."""
        wanted = list(job_ids)
        found: dict[str, Submission] = {}
        with self._store.reading() as connection:
            for part in _portions(wanted):
                marks = ", ".join("?" * len(part))
                rows = connection.execute(
                    f"SELECT {_COLUMNS} FROM submissions WHERE session = ? AND job_id IN ({marks}) ORDER BY number",  # noqa: S608
                    (self._session.number, *part),
                ).fetchall()
                # A system that wrapped its ids around has given one twice: the later job is meant.
                found.update({row[1]: _submission(row) for row in rows})
        return found

    def reap(self, submission: Submission, task: int | None = None) -> None:
        """Forget a job, a whole array (`task` None), or one task of an array."""
        with self._store.writing() as connection:
            if task is None:
                connection.execute("DELETE FROM submissions WHERE number = ?", (submission.number,))
            else:
                connection.execute("INSERT OR IGNORE INTO reaped_tasks VALUES (?, ?)", (submission.number, task))

    def reaped_tasks(self) -> dict[int, set[int]]:
        """Return the indices of all tasks that were reaped one by one, by the number of their submission."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT submission, task FROM reaped_tasks JOIN submissions ON submissions.number = submission "
                "WHERE session = ?",
                (self._session.number,),
            ).fetchall()
        reaped: dict[int, set[int]] = {}
        for submission, task in rows:
            reaped.setdefault(submission, set()).add(task)
        return reaped

    def is_reaped(self, submission: Submission, task: int) -> bool:
        """Tell whether one task of an array was reaped."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM reaped_tasks WHERE submission = ? AND task = ?", (submission.number, task)
            ).fetchone()
        return row is not None


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _submission(row: tuple[int, str, str, str | None, int | None, float, str | None]) -> Submission:
    number, job_id, template, tasks, max_parallel, submitted, job_name = row
    return Submission(
        number,
        job_id,
        template,
        _task_range(tasks),
        max_parallel,
        datetime.fromtimestamp(submitted, tz=UTC),
        job_name,
    )


def _task_range(text: str | None) -> TaskRange | None:
    """Read what ``str(TaskRange)`` wrote: ``"1-10:2"``."""
    if text is None:
        return None
    begin, _, rest = text.partition("-")
    end, _, step = rest.partition(":")
    return TaskRange(int(begin), int(end), int(step))
