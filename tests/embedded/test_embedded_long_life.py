"""A scheduler that is in use for months: what ended leaves nothing behind in it, and a mistake does not end it."""

from __future__ import annotations

import gc
import os
import socket
import time
from types import SimpleNamespace

import pytest

from gcs_lab.backends.embedded.accounting import AccountingFile
from gcs_lab.backends.embedded.array_job import ArrayJob
from gcs_lab.backends.embedded.cluster_file import parse_layout
from gcs_lab.backends.embedded.control import Control
from gcs_lab.backends.embedded.database import Database
from gcs_lab.backends.embedded.live_runs import LiveRuns
from gcs_lab.backends.embedded.questions import Questions
from gcs_lab.backends.embedded.scheduler import Scheduler
from gcs_lab.backends.embedded.server import Server
from gcs_lab.backends.embedded.submission import submit_request
from gcs_lab.backends.embedded.submissions import Submissions
from gcs_lab.backends.embedded.task import Job, SharedRequest
from gcs_lab.backends.embedded.task_reports import array_report
from gcs_lab.backends.embedded.timers import Timers
from gcs_lab.vocabulary import JobTemplate

LAYOUT = parse_layout('[[hosts]]\nname="node"\n[[queues]]\nname="all.q"\nslots=1\n')


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler without a process of its own; nothing is started by it."""
    places = SimpleNamespace(run_folder=lambda *key: tmp_path / ".".join(map(str, key)))
    made = Scheduler(Database(tmp_path / "jobs.sqlite"), LAYOUT, LiveRuns(places, LAYOUT, None))
    yield made
    made.database.close()
    os.close(made.timers.fileno())
    made.watch.runs._poll.close()


def submit(submissions, scheduler, **attributes):
    template = JobTemplate(remote_command="/bin/true", submit_as_hold=True, **attributes)
    with scheduler.database.transaction():
        return submissions.submit(submit_request(template).to_wire())


def end(scheduler, job_id):
    with scheduler.database.transaction():
        assert Control(scheduler, "me", lambda ids: ids).act("terminate", [str(job_id)]) == {}


def requests(scheduler):
    return scheduler.database._connection.execute("SELECT count(*) FROM requests").fetchone()[0]


def test_what_ended_long_ago_is_forgotten_and_numbers_of_requests_that_come_again_mean_the_new_one(scheduler):
    submissions = Submissions(scheduler, "me")
    first = submit(submissions, scheduler, priority=-5)
    stays = submit(submissions, scheduler, priority=-6)
    end(scheduler, first)
    scheduler.tidy(time.time() + 1)
    assert requests(scheduler) == 1
    # The number of the request that was forgotten may be given out again: for what is asked for now.
    for priority in (-7, -5, -6):
        job_id = submit(submissions, scheduler, priority=priority)
        assert scheduler.jobs[job_id].job.request.priority == priority
    scheduler.load()
    assert sorted(entry.job.request.priority for entry in scheduler.jobs.values()) == [-7, -6, -6, -5]
    assert stays in scheduler.jobs
    assert first not in scheduler.jobs


def test_requests_of_ended_jobs_are_not_kept_in_memory(scheduler):
    for priority in range(20):
        end(scheduler, submit(Submissions(scheduler, "me"), scheduler, priority=-priority))
    gc.collect()
    assert len(scheduler.shared) == 0


def test_times_of_ended_jobs_are_not_kept_until_they_come(scheduler):
    later = time.time() + 10_000_000
    submissions = Submissions(scheduler, "me")
    when = {"start_time": _moment(later), "deadline_time": _moment(later + 60)}
    stays = submit(submissions, scheduler, **when)
    for _ in range(200):
        end(scheduler, submit(submissions, scheduler, **when))
    assert len(scheduler.timers._due) < 100
    assert scheduler.early == {stays}
    assert {what for _, _, what in scheduler.timers._due} >= {("start", stays), ("deadline", stays)}


def _moment(seconds):
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC)


def test_what_was_dropped_is_not_told():
    timers = Timers()
    try:
        for number in range(3):
            timers.add(1.0, number)
        timers.drop(1)
        assert timers.due() == [0, 2]
    finally:
        os.close(timers.fileno())


def test_a_mistake_in_what_is_done_for_one_job_does_not_end_the_scheduler(scheduler, tmp_path, caplog):
    done = []
    accounting = AccountingFile(tmp_path / "accounting", scheduler.database)
    listener, other = socket.socketpair()
    server = Server(
        listener=listener,
        scheduler=scheduler,
        runs=scheduler.watch.runs,
        questions=Questions(scheduler, "me"),
        accounting=accounting,
        idle_seconds=1.0,
        keep_seconds=1.0,
    )
    try:
        scheduler.effects = [lambda: {}["a mistake"], lambda: done.append(1)]
        server._turn([])
        server._turn([])
    finally:
        server._selector.close()
        listener.close()
        other.close()
    assert done == [1]
    assert "please report it" in caplog.text


def test_a_record_is_whole_though_the_system_writes_a_few_bytes_at_a_time(scheduler, tmp_path, monkeypatch):
    accounting = AccountingFile(tmp_path / "accounting", scheduler.database)
    line = ":".join(map(str, range(45))) + "\n"
    with scheduler.database.transaction():
        scheduler.database.post_accounting(line)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:7]))
    accounting.append_due()
    monkeypatch.undo()
    assert (tmp_path / "accounting").read_text().splitlines(keepends=True)[1:] == [line]


def test_the_states_of_an_array_are_packed_anew_when_one_has_changed():
    request = submit_request(JobTemplate(remote_command="/bin/true"))
    shared = SharedRequest(1, request, None)
    array = ArrayJob(Job(1, "me", 0.0, "", shared, '{"tasks": [1, 1000, 1]}'))
    first = array_report(array)
    assert array_report(array) == first
    array.blocked = True
    held = array_report(array)
    assert held["palette"] == [[2, "hqw"]]
    array.blocked = False
    array.codes[5] = 1
    assert array_report(array)["palette"] == [[1, "qw"], [2, "hqw"]]
    assert array_report(array)["codes"] != first["codes"]
