"""A database of the first version is taken over with all that it knows."""

from __future__ import annotations

import json
import os
import sqlite3

from gcs_lab.backends.embedded.submission import submit_request
from gcs_lab.vocabulary import JobState, JobTemplate

SCHEMA_1 = """
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
PRAGMA user_version=1;
"""
#: The entries of a request of that version.
ENTRIES_1 = [
    "token",
    "name",
    "command",
    "args",
    "environment",
    "working_directory",
    "input_path",
    "output_path",
    "error_path",
    "join_files",
    "held",
    "rerunnable",
    "priority",
    "queues",
    "parallel_environment",
    "min_slots",
    "max_slots",
    "requests",
    "account",
    "submitter",
]


def old_database(lab):
    database = sqlite3.connect(lab.places.database)
    database.executescript(SCHEMA_1)
    slots = json.dumps([["all.q", os.uname().nodename, 1]])
    done = json.dumps({"exit_status": 0, "failed": 0, "wallclock": 1.5})
    failed = json.dumps({"exit_status": 3, "failed": 0, "wallclock": 1.5})
    rows = {
        3: ("pending", 1, 0, "[]", None, None, "{}", None, None),
        4: ("pending", 0, 0, "[]", None, None, "{}", None, None),
        5: ("ended", 0, 1, slots, 10.0, 4e9, done, None, None),
        6: ("ended", 0, 1, slots, 10.0, 4e9, failed, None, "ended with exit status 3"),
        7: ("error", 0, 1, slots, 10.0, 20.0, json.dumps({"failed": 27}), None, "error: no such command"),
        8: ("dispatching", 0, 1, slots, 10.0, None, "{}", None, None),
        9: ("ended", 0, 0, "[]", None, 4e9, "{}", "alice", "deleted by alice before it ran"),
    }
    for job_id, (phase, held, run, *rest) in rows.items():
        template = JobTemplate(
            remote_command="/bin/sh", args=["-c", f"echo {job_id} >> runs"], working_directory=str(lab.work)
        )
        wire = submit_request(template, token=f"{job_id:032x}").to_wire()
        wire["held"] = bool(held)
        text = json.dumps({name: wire[name] for name in ENTRIES_1})
        database.execute("INSERT INTO jobs VALUES (?, ?, 'alice', 1.0, ?)", (job_id, wire["token"], text))
        database.execute(
            "INSERT INTO tasks VALUES (?, 0, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?)", (job_id, phase, held, run, *rest)
        )
    database.execute("UPDATE sqlite_sequence SET seq = 20 WHERE name = 'jobs'")
    database.commit()
    database.close()


def test_a_database_of_the_first_version_is_taken_over(lab):
    old_database(lab)
    assert lab.state("3").sub_state == "hqw"
    assert lab.state("5").state is JobState.DONE
    infos = lab.system.jobs.info(["6", "7", "9"])
    assert (infos["6"].job_state, infos["6"].exit_status) == (JobState.FAILED, 3)
    assert (infos["7"].job_sub_state, infos["7"].annotation) == ("Eqw", "error: no such command")
    assert (infos["9"].job_state, infos["9"].deleted_by) == (JobState.FAILED, "alice")
    (waiting, dispatched) = (lab.jobs.job(job_id) for job_id in ("4", "8"))
    assert [lab.ended(job).job_state for job in (waiting, dispatched)] == [JobState.DONE] * 2
    assert sorted(lab.read("runs").split()) == ["4", "8"]
    assert lab.system.jobs.find_submissions([f"{5:032x}"]) == {f"{5:032x}": "5"}
    assert lab.shell("true").id == "21"
