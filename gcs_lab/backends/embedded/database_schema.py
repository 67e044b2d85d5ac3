"""The tables of the scheduler's database, and how those of older versions become them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from gcs_lab.errors import Internal

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

__all__ = ["SCHEMA_VERSION", "digest_of", "prepare"]

SCHEMA_VERSION = 2

# What jobs ask for alike stands once in `requests`, in what they differ in `jobs.own`. A task has a row in `tasks`
# once it has left the state in which it was submitted; tasks of an array that were held, or ended with many others
# before they ran, are told by `jobs.stored` (a compressed byte a task) and `jobs.endings`. `jobs.end_states` has
# for an array that has ended whether each task is DONE.
_SCHEMA = """
CREATE TABLE requests (request_id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, request TEXT NOT NULL);
CREATE TABLE jobs (
    job_id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    submitted REAL NOT NULL,
    request_id INTEGER NOT NULL REFERENCES requests,
    own TEXT,
    waits_for TEXT,
    waits_for_tasks_of TEXT,
    live INTEGER NOT NULL,
    finished REAL,
    stored BLOB,
    endings TEXT,
    end_states BLOB
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
    to_end TEXT,
    done INTEGER,
    PRIMARY KEY (job_id, task_id)
) WITHOUT ROWID;
CREATE INDEX jobs_live ON jobs (job_id) WHERE live;
CREATE INDEX jobs_finished ON jobs (finished) WHERE NOT live;
CREATE INDEX tasks_not_ended ON tasks (job_id) WHERE phase != 'ended';
CREATE TABLE IF NOT EXISTS answers (token TEXT PRIMARY KEY, answer TEXT NOT NULL, given REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounting_outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL);
"""

# Version 1 had no arrays, a whole request in each job, and a row in `tasks` for every job.
_FROM_1 = """
ALTER TABLE jobs RENAME TO jobs_1;
ALTER TABLE tasks RENAME TO tasks_1;
DROP INDEX tasks_not_ended;
DROP INDEX tasks_ended;
"""


def digest_of(text: str) -> bytes:
    """Return the key by which the text of a request is found."""
    return hashlib.sha256(text.encode("ascii")).digest()


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of this version, from nothing or from those of an older one; all or nothing.

    Raises
    ------
    Internal
        If the database was written by a newer gcs_lab.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise Internal(
            f"{path} has schema {version}, and this gcs_lab knows {SCHEMA_VERSION}. Use the newer gcs_lab that "
            "made it, or move the file away to begin anew."
        )
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version == 1:
            _run(connection, _FROM_1)
        _run(connection, _SCHEMA)
        if version == 1:
            _copy_from_1(connection)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _run(connection: sqlite3.Connection, script: str) -> None:
    # Not by executescript(), which commits what was begun.
    for statement in filter(str.strip, script.split(";")):
        connection.execute(statement)


def _copy_from_1(connection: sqlite3.Connection) -> None:
    for job_id, token, owner, submitted, text in connection.execute("SELECT * FROM jobs_1").fetchall():
        request = json.dumps({**json.loads(text), "token": ""}, sort_keys=True)
        digest = digest_of(request)
        connection.execute("INSERT OR IGNORE INTO requests (digest, request) VALUES (?, ?)", (digest, request))
        connection.execute(
            "INSERT INTO jobs (job_id, token, owner, submitted, request_id, live, finished) SELECT ?, ?, ?, ?,"
            " (SELECT request_id FROM requests WHERE digest = ?), t.phase != 'ended', t.finished"
            " FROM tasks_1 t WHERE t.job_id = ?",
            (job_id, token, owner, submitted, digest, job_id),
        )
    # The last number given out: ids of jobs that were forgotten must not come again.
    connection.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, (SELECT o.seq FROM sqlite_sequence o WHERE o.name = 'jobs_1'))"
        " WHERE name = 'jobs' AND EXISTS (SELECT 1 FROM sqlite_sequence o WHERE o.name = 'jobs_1')"
    )
    connection.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'jobs', seq FROM sqlite_sequence WHERE name = 'jobs_1'"
        " AND NOT EXISTS (SELECT 1 FROM sqlite_sequence o WHERE o.name = 'jobs')"
    )
    connection.execute(
        "INSERT INTO tasks SELECT job_id, task_id, phase, held, suspended, requeued, run, slots, dispatched,"
        " finished, outcome, deleted_by, annotation,"
        " CASE WHEN deleted_by IS NOT NULL AND phase != 'ended' THEN 'deleted by ' || deleted_by END,"
        " CASE WHEN phase = 'ended' THEN coalesce(json_extract(outcome, '$.exit_status') = 0"
        " AND json_extract(outcome, '$.failed') = 0, 0) END FROM tasks_1"
    )
    connection.execute("DROP TABLE tasks_1")
    connection.execute("DROP TABLE jobs_1")
