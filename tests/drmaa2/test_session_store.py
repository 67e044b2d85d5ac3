"""Where sessions are kept: names, many processes at once, and files that cannot be used."""

from __future__ import annotations

import getpass
import multiprocessing
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcs_lab.errors import (
    DeniedByDrms,
    Internal,
    InvalidArgument,
    InvalidSession,
    OutOfResource,
    SessionManagement,
)
from gcs_lab.jobs.session_jobs import INTENT_SECONDS, SessionJobs
from gcs_lab.jobs.session_store import SessionKind, SessionStore, session_name_of
from gcs_lab.vocabulary import JobTemplate, TaskRange

if TYPE_CHECKING:
    from pathlib import Path

JOB = SessionKind.JOB


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions.sqlite")


@pytest.fixture
def jobs(store: SessionStore) -> SessionJobs:
    return SessionJobs(store, store.create(JOB, "fit", "embedded"))


def test_a_session_is_found_by_its_name_until_it_is_destroyed(store: SessionStore) -> None:
    made = store.create(JOB, "fit", "embedded", "here")
    assert store.find(JOB, "fit") == made
    assert (made.cluster, made.contact) == ("embedded", "here")
    assert store.names(JOB) == ["fit"]
    assert store.names(SessionKind.RESERVATION) == []
    store.destroy(JOB, "fit")
    assert store.names(JOB) == []
    with pytest.raises(InvalidArgument, match="no job session is called 'fit'"):
        store.find(JOB, "fit")
    with pytest.raises(InvalidArgument):
        store.destroy(JOB, "fit")


def test_a_name_is_given_once_for_each_kind(store: SessionStore) -> None:
    store.create(JOB, "fit", "embedded")
    store.create(SessionKind.RESERVATION, "fit", "embedded")
    with pytest.raises(InvalidArgument, match="there is a job session 'fit' already"):
        store.create(JOB, "fit", "demo")


@pytest.mark.parametrize(
    "name", ["", " fit", "fit ", "a/b", "a@", "@b", "a\nb", "a\0b", "\ud800", "x" * 256, None, 5, b"fit"]
)
def test_what_cannot_be_a_name_is_refused(name: object, store: SessionStore) -> None:
    with pytest.raises(InvalidArgument):
        store.create(JOB, name, "embedded")
    with pytest.raises(InvalidArgument):
        store.find(JOB, name)


@given(name=st.one_of(st.text(max_size=300), st.binary(), st.none(), st.integers()))
def test_any_name_is_taken_or_refused(name: object) -> None:
    try:
        assert session_name_of(name) in name
    except (InvalidArgument, DeniedByDrms):
        return
    assert name.isprintable()


@pytest.mark.parametrize("name", ["x", "x" * 255, "Fit 1: ä", "日本"])
def test_names_may_have_any_printable_text(name: str, store: SessionStore) -> None:
    store.create(JOB, name, "embedded")
    assert store.names(JOB) == [name]


def test_univas_form_with_the_users_name_is_understood(store: SessionStore) -> None:
    store.create(JOB, "fit", "embedded")
    assert store.find(JOB, f"{getpass.getuser()}@fit").name == "fit"
    with pytest.raises(DeniedByDrms, match="sessions are a user's own"):
        store.find(JOB, "somebody-else@fit")


def test_a_session_of_the_same_name_is_another_one(store: SessionStore) -> None:
    first = store.create(JOB, "fit", "embedded")
    store.destroy(JOB, "fit")
    second = store.create(JOB, "fit", "embedded")
    assert first.number != second.number
    assert not store.forget(first)
    assert store.names(JOB) == ["fit"]


def test_an_intent_is_unresolved_until_the_id_is_known(jobs: SessionJobs) -> None:
    jobs.plan([JobTemplate(remote_command="x", job_name="n")], ["t1"])
    assert list(jobs.unresolved()) == ["t1"]
    assert jobs.all() == []
    jobs.record({"t1": "5"})
    assert jobs.unresolved() == {}
    (known,) = jobs.all()
    assert (known.job_id, known.job_name, known.tasks) == ("5", "n", None)
    assert known.template == JobTemplate(remote_command="x", job_name="n")
    assert jobs.find(["5", "6"]) == {"5": known}


def test_an_array_keeps_its_structure(jobs: SessionJobs) -> None:
    jobs.plan([JobTemplate(remote_command="x")], ["t1"], TaskRange(2, 11, 3), 4)
    jobs.record({"t1": "7"})
    (known,) = jobs.all()
    assert (known.tasks, known.max_parallel) == (TaskRange(2, 11, 3), 4)
    jobs.reap(known, 5)
    assert jobs.is_reaped(known, 5)
    assert not jobs.is_reaped(known, 8)
    assert jobs.reaped_tasks() == {known.number: {5}}
    jobs.reap(known)
    assert jobs.all() == []
    assert jobs.reaped_tasks() == {}


def test_the_session_of_a_job_is_found_on_its_cluster_only(store: SessionStore, jobs: SessionJobs) -> None:
    jobs.plan([JobTemplate(remote_command="x")] * 2, ["t1", "t2"])
    jobs.record({"t1": "5", "t2": "6"})
    assert store.session_of("embedded", ["5", "6", "7"]) == {"5": "fit", "6": "fit"}
    assert store.session_of("demo", ["5"]) == {}


def test_nothing_is_planned_in_a_session_that_was_destroyed(store: SessionStore, jobs: SessionJobs) -> None:
    store.destroy(JOB, "fit")
    with pytest.raises(InvalidSession, match="nothing was submitted"):
        jobs.plan([JobTemplate(remote_command="x")], ["t1"])


def test_a_destroyed_session_leaves_nothing_in_the_file(store: SessionStore, jobs: SessionJobs) -> None:
    jobs.plan([JobTemplate(remote_command="x")], ["t1"], TaskRange(1, 3))
    jobs.record({"t1": "5"})
    jobs.reap(jobs.all()[0], 2)
    store.destroy(JOB, "fit")
    with store.reading() as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("submissions", "reaped_tasks")
        ]
    assert counts == [0, 0]


def test_fifty_thousand_jobs_are_found_by_their_ids(jobs: SessionJobs) -> None:
    template = JobTemplate(remote_command="x")
    tokens = [f"{number:032x}" for number in range(50_000)]
    jobs.plan([template] * len(tokens), tokens)
    jobs.record({token: str(number) for number, token in enumerate(tokens)})
    assert [one.job_id for one in jobs.all()] == [str(number) for number in range(50_000)]
    assert len(jobs.find([str(number) for number in range(50_001)])) == 50_000


def test_a_file_of_a_newer_gcs_lab_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    SessionStore(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Internal, match="newer gcs_lab"):
        SessionStore(path)


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(SessionManagement, match="file is not a database"):
        SessionStore(path)


def test_a_full_disk_is_out_of_resource(store: SessionStore, jobs: SessionJobs) -> None:
    with store.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutOfResource, match="full"):
        jobs.plan([JobTemplate(remote_command="x" * 100_000)], ["t1"])
    assert jobs.unresolved() == {}


def test_a_file_that_was_removed_is_made_again(store: SessionStore) -> None:
    store.create(JOB, "old", "embedded")
    for path in store.path.parent.glob("sessions.sqlite*"):
        path.unlink()
    store.create(JOB, "new", "embedded")
    assert SessionStore(store.path).names(JOB) == ["new"]


def test_a_forked_child_writes_on_a_connection_of_its_own(store: SessionStore) -> None:
    store.create(JOB, "before", "embedded")
    child = multiprocessing.get_context("fork").Process(target=store.create, args=(JOB, "child", "embedded"))
    child.start()
    store.create(JOB, "parent", "embedded")
    child.join(30)
    assert child.exitcode == 0
    assert sorted(store.names(JOB)) == ["before", "child", "parent"]


def test_the_file_is_the_users_alone(store: SessionStore) -> None:
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_on_a_network_file_system_no_memory_is_shared(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gcs_lab.user_database.is_on_network", lambda _: True)
    store = SessionStore(tmp_path / "sessions.sqlite")
    store.create(JOB, "fit", "embedded")
    with store.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


WRITER = """
import sys, uuid
from pathlib import Path
from gcs_lab.jobs.session_jobs import SessionJobs
from gcs_lab.jobs.session_store import SessionKind, SessionStore
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import JobTemplate
store = SessionStore(Path(sys.argv[1]))
try:
    record = store.create(SessionKind.JOB, "both", "embedded")
except InvalidArgument:
    record = store.find(SessionKind.JOB, "both")
jobs = SessionJobs(store, record)
print("ready", flush=True)
for number in range(int(sys.argv[3])):
    token = uuid.uuid4().hex
    jobs.plan([JobTemplate(remote_command="x")], [token])
    jobs.record({token: f"{sys.argv[2]}{number}"})
    print(number, flush=True)
"""


def _writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_start_on_a_new_file_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    writers = [_writer(path, name, 100) for name in "abcd"]
    outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, outputs
    store = SessionStore(path)
    found = SessionJobs(store, store.find(JOB, "both")).all()
    assert {one.job_id for one in found} == {f"{name}{number}" for name in "abcd" for number in range(100)}


@pytest.fixture
def killed(tmp_path: Path) -> tuple[Path, list[int]]:
    """Return the file that a process was writing when it was killed, and what it had said was written."""
    path = tmp_path / "sessions.sqlite"
    with _writer(path, "a", 100_000) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        while writer.stdout.readline() != "50\n":
            pass
        time.sleep(0.01)
        writer.kill()
        written = [int(line) for line in writer.stdout.read().splitlines() if line.isdigit()]
    return path, [*range(51), *written]


def test_what_was_written_when_a_process_was_killed_is_there(killed: tuple[Path, list[int]]) -> None:
    path, written = killed
    store = SessionStore(path)
    jobs = SessionJobs(store, store.find(JOB, "both"))
    there = {one.job_id for one in jobs.all()}
    # The last line may have been cut off.
    assert there >= {f"a{number}" for number in written[:-1]}
    assert len(jobs.unresolved()) <= 1
    with store.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_intent_that_nobody_knows_is_kept_for_a_day() -> None:
    assert INTENT_SECONDS == 24 * 3600
