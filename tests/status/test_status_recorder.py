"""The recorder: what is kept, for how long, within which limit; and what happens to torn files."""

from __future__ import annotations

import itertools
import os
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory_backend import InMemoryStatus, task_row

from gcs_lab.status import recorded_snapshots
from gcs_lab.status.difference import TABLES, changes_between
from gcs_lab.status.history_database import HistoryDatabase
from gcs_lab.status.kept_moments import SNAPSHOTS, thinned
from gcs_lab.status.overview import overview_of
from gcs_lab.status.recorder import Recorder, recorder_limit
from gcs_lab.status.taking import take_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.status import Snapshot

NOW = 1_790_000_000.0


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InMemoryStatus:
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "h"))
    monkeypatch.delenv("GCS_LAB_RECORDER", raising=False)
    return InMemoryStatus()


def _seen(backend: InMemoryStatus, time: float) -> Snapshot:
    return replace(take_snapshot(backend, "memory", int(time)), time=time)


def _rows(snapshot: Snapshot | None, table: str) -> list[dict[str, object]]:
    assert snapshot is not None
    return sorted(snapshot.table(table).to_pylist(), key=lambda row: row["key"])


# -- what is kept -------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(times=st.lists(st.floats(NOW - 4 * 86400, NOW), max_size=200, unique=True))
def test_thinning_keeps_many_of_the_last_minutes_and_fewer_of_the_hours_before(times: list[float]) -> None:
    forgotten = thinned(times, NOW, SNAPSHOTS)
    kept = sorted(set(times) - set(forgotten))
    assert len(kept) <= 121 + 181 + 289
    assert all(NOW - time <= 48 * 3600 for time in kept)
    # Who is forgotten has a neighbour that is kept, or is too old.
    for time in forgotten:
        step = next((step for until, step in SNAPSHOTS if NOW - time <= until), None)
        assert step is None or any(time // step == other // step for other in kept)
    assert thinned(kept, NOW, SNAPSHOTS) == []


def test_what_was_kept_once_stays_until_its_time_is_over() -> None:
    kept: set[float] = set()
    for step in range(4000):
        now = NOW + 7.0 * step
        kept.add(now)
        kept -= set(thinned(kept, now, SNAPSHOTS))
    ages = sorted(now - time for time in kept)
    assert max(older - younger for younger, older in itertools.pairwise(ages)) <= 600 + 7
    assert ages[-1] >= 6 * 3600
    assert len([age for age in ages if age < 600]) >= 80


# -- snapshots ----------------------------------------------------------------------------------------------------


def test_a_moment_of_a_small_cluster_comes_back_as_it_was(backend: InMemoryStatus) -> None:
    recorder = Recorder("memory", "x")
    first = _seen(backend, NOW)
    recorder.add(first)
    backend.tasks.append(task_row("9", "eve", cpu=2.5, priority=0.5))
    second = _seen(backend, NOW + 10)
    recorder.add(second, first, changes_between(first, second))
    assert recorder.times() == [NOW, NOW + 10]
    for at, expected in ((NOW, first), (NOW + 9.9, first), (NOW + 10, second), (NOW + 1e6, second)):
        found = recorder.at(at)
        assert found is not None
        assert all(found.table(name).equals(expected.table(name)) for name in TABLES)
        assert (found.time, found.sequence, found.commands) == (expected.time, expected.sequence, expected.commands)
    assert recorder.at(NOW - 1) is None
    assert Recorder("memory", "another").times() == []


def test_of_a_large_cluster_the_difference_is_kept_and_comes_back(
    backend: InMemoryStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_snapshots, "_SMALL", 0)
    monkeypatch.setattr(recorded_snapshots, "_MOST_DIFFERENT", 0.5)
    backend.tasks = [task_row(str(n), letters="qw", slots=n) for n in range(1, 41)]
    recorder, before, seen = Recorder("memory", "x"), None, []
    for step in range(6):
        snapshot = _seen(backend, NOW + 60 * step)
        recorder.add(snapshot, before, changes_between(before, snapshot) if before else None)
        before = snapshot
        seen.append(snapshot)
        backend.tasks = [task_row(str(step + 1), letters="r", cpu=1.5, owner=f"o{step}"), *backend.tasks[1:]][
            step % 2 :
        ]
        backend.tasks.append(task_row(str(100 + step), letters="Eqw"))
    assert len(list(recorder._folder().glob("snapshots/base-*"))) == 1
    assert recorder.times() == [one.time for one in seen]
    for one in seen:
        found = recorder.at(one.time)
        for table in TABLES:
            assert _rows(found, table) == _rows(one, table)
    backend.tasks = [task_row(str(n)) for n in range(200, 240)]
    recorder.add(_seen(backend, NOW + 400))
    assert len(list(recorder._folder().glob("snapshots/base-*"))) == 2, "all is another: a new base"
    assert _rows(recorder.at(NOW + 400), "tasks") == _rows(_seen(backend, NOW), "tasks")


def test_figures_of_what_runs_on_unchanged_are_those_of_the_base(
    backend: InMemoryStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_snapshots, "_SMALL", 0)
    backend.tasks = [task_row(str(n), cpu=1.0) for n in range(1, 41)]
    recorder = Recorder("memory", "x")
    first = _seen(backend, NOW)
    recorder.add(first)
    backend.tasks = [task_row(str(n), cpu=100.0) for n in range(1, 41)]
    second = _seen(backend, NOW + 60)
    recorder.add(second, first, changes_between(first, second))
    found = recorder.at(NOW + 60)
    assert found is not None
    assert set(found.tasks["cpu"].to_pylist()) == {1.0}


def test_a_moment_like_the_one_before_it_takes_no_file(backend: InMemoryStatus) -> None:
    recorder = Recorder("memory", "x")
    first, second = _seen(backend, NOW), _seen(backend, NOW + 60)
    recorder.add(first)
    recorder.add(second, first, changes_between(first, second))
    assert recorder.times() == [NOW]
    assert recorder.history().num_rows == 2


def test_the_limit_holds_and_the_oldest_goes_first(backend: InMemoryStatus) -> None:
    recorder = Recorder("memory", "x", limit=120_000)
    for step in range(40):
        backend.tasks = [task_row(str(n + step)) for n in range(50)]
        recorder.add(_seen(backend, NOW + 60 * step))
    sizes = [path.stat().st_size for path in recorder._folder().glob("snapshots/*")]
    assert sum(sizes) <= 120_000
    assert 1 < len(recorder.times()) < 40
    assert recorder.times()[-1] == NOW + 60 * 39
    assert "of at most 0.1 MB" in recorder.kept()


def test_what_was_not_finished_goes_after_a_while(backend: InMemoryStatus) -> None:
    recorder = Recorder("memory", "x")
    recorder.add(_seen(backend, NOW))
    unfinished = recorder._folder() / "snapshots" / "at-1.arrow.1.tmp"
    unfinished.touch()
    os.utime(unfinished, (NOW, NOW))
    for seconds, there in ((300, True), (1000, False)):
        recorder.add(_seen(backend, NOW + seconds))
        assert unfinished.exists() is there


def test_a_torn_file_is_left_out_and_counted(backend: InMemoryStatus) -> None:
    recorder = Recorder("memory", "x")
    for step in range(3):
        backend.tasks.append(task_row(str(50 + step)))
        recorder.add(_seen(backend, NOW + 60 * step))
    torn = max(recorder._folder().glob("snapshots/at-*"))
    torn.write_bytes(torn.read_bytes()[:-40])
    found = recorder.at(NOW + 1e6)
    assert found is not None
    assert found.time == NOW + 60
    assert "1 torn files left out" in recorder.kept()
    (recorder._folder() / "snapshots" / "notes.txt").write_text("somebody's")
    assert len(recorder.times()) == 3


# -- history and timelines ----------------------------------------------------------------------------------------


def test_counts_and_owners_of_each_moment(backend: InMemoryStatus) -> None:
    recorder = Recorder("memory", "x")
    backend.tasks = [task_row(str(n), f"user{n:02}", "r", slots=n) for n in range(1, 16)]
    backend.tasks += [task_row("99", "zoe", "qw", tasks="1-7:1", task_count=7)]
    recorder.add(_seen(backend, NOW))
    backend.tasks = [task_row("99", "zoe", "Eqw")]
    recorder.add(_seen(backend, NOW + 90))
    history = recorder.history().to_pylist()
    assert [(row["running"], row["pending"], row["error"]) for row in history] == [(15, 7, 0), (0, 0, 1)]
    assert (history[0]["slots_used"], history[0]["slots_total"], history[0]["slots_closed"]) == (1, 4, 0)
    assert history[0]["time"].timestamp() == NOW
    assert recorder.history().schema.field("time").type == pa.timestamp("us", tz="UTC")
    owners = [row for row in recorder.owners().to_pylist() if row["time"].timestamp() == NOW]
    assert len(owners) == 13
    assert next(row for row in owners if row["owner"] == "user15")["slots"] == 15
    rest = next(row for row in owners if row["owner"] == "…")
    assert (rest["slots"], rest["running"], rest["waiting"]) == (1 + 2 + 3, 3, 7)


def test_a_jobs_timeline_says_what_was_seen_of_it(backend: InMemoryStatus) -> None:
    recorder, before = Recorder("memory", "x"), None
    steps = [
        [task_row("1", letters="qw"), task_row("7", letters="qw", tasks="1-9:1", task_count=9)],
        [
            task_row("1", letters="r", host="node1"),
            task_row("7", letters="r", tasks="1", task=1),
            task_row("7", letters="qw", tasks="2-9:1", task_count=8),
        ],
        [
            task_row("1", letters="r", host="node1", cpu=3.0),
            task_row("8", letters="hqw"),
            task_row("9", host="node1") | {"letters": "t"},
        ],
        [task_row("1", letters="Eqw"), task_row("8", letters="s"), task_row("9") | {"letters": "dr"}],
    ]
    for place, backend.tasks in enumerate(steps):
        snapshot = _seen(backend, NOW + 2 * place)  # quicker than snapshots are kept: nothing is lost
        recorder.add(snapshot, before, changes_between(before, snapshot) if before else None)
        before = snapshot
    recorder.close()
    told = {job_id: recorder.timeline(job_id) for job_id in ("1", "7", "8", "9", "77")}
    assert told["1"] == [(NOW + 2, "runs on all.q@node1"), (NOW + 6, "in error state (Eqw)")]
    assert told["7"] == [(NOW + 2, "1 run, 8 wait"), (NOW + 4, "left the queue")]
    assert told["8"] == [(NOW + 4, "seen for the first time: held"), (NOW + 6, "suspended")]
    assert [what for _, what in told["9"]] == [
        "seen for the first time: runs on all.q@node1 (t)",
        "is being deleted (dr)",
    ]
    assert told["77"] == []
    assert Recorder("memory", "x").timeline("8") == told["8"], "it outlives the process"


def test_timelines_are_bounded(backend: InMemoryStatus) -> None:
    recorder, before = Recorder("memory", "x", limit=600_000), _seen(backend, NOW)
    for step in range(1, 5):
        backend.tasks = [task_row(str(1000 * step + n)) for n in range(400)]
        snapshot = _seen(backend, NOW + 400 * step)
        recorder.add(snapshot, before, changes_between(before, snapshot))
        before = snapshot
    with sqlite3.connect(recorder._folder() / "history.sqlite") as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM changes").fetchone()
    connection.close()
    assert count == 600_000 // 6 // 200
    assert recorder.timeline("3399")[-1][1] == "left the queue"
    assert not recorder.timeline("1399")


def test_counts_are_bounded_by_the_limit_too(backend: InMemoryStatus) -> None:
    database = HistoryDatabase(Recorder("memory", "x")._folder() / "history.sqlite", 120_000)
    backend.tasks = [task_row(str(n), f"user{n:02}", "r") for n in range(20)]
    overview = overview_of(_seen(backend, NOW))
    for step in range(600):
        database.add(replace(overview, time=NOW + 60 * step), [])
    assert 20 <= database.history().num_rows < 600
    assert database.history()["time"][-1].as_py().timestamp() == NOW + 60 * 599
    assert database._database.path.stat().st_size < 200_000


# -- trouble ------------------------------------------------------------------------------------------------------


def test_a_torn_database_is_begun_anew(backend: InMemoryStatus) -> None:
    recorder = Recorder("memory", "x")
    recorder.add(_seen(backend, NOW))
    recorder.close()
    path = recorder._folder() / "history.sqlite"
    for name in ("history.sqlite-wal", "history.sqlite-shm"):
        path.with_name(name).unlink(missing_ok=True)
    path.write_bytes(b"no database at all" * 500)
    again = Recorder("memory", "x")
    assert again.history().num_rows == 0
    again.add(_seen(backend, NOW + 60))
    assert again.history().num_rows == 1
    assert "1 torn files" in again.kept()


def test_what_cannot_be_written_is_said_and_raises_nothing(backend: InMemoryStatus, tmp_path: Path) -> None:
    (tmp_path / "h" / "state").mkdir(parents=True, mode=0o700)
    (tmp_path / "h" / "state" / "recorder").write_text("")
    recorder = Recorder("memory", "x")
    recorder.add(_seen(backend, NOW))
    assert "could not do its work" in recorder.trouble
    assert (recorder.times(), recorder.at(NOW), recorder.timeline("1")) == ([], None, [])
    assert recorder.history().num_rows == recorder.owners().num_rows == 0
    assert "could not do its work" in recorder.kept()
    (tmp_path / "h" / "state" / "recorder").unlink()
    recorder.add(_seen(backend, NOW + 60))
    assert (recorder.trouble, recorder.times()) == ("", [NOW + 60])


@pytest.mark.parametrize(
    ("told", "limit"),
    [("", 64 << 20), ("16M", 16 << 20), ("1g", 1 << 30), ("500KiB", 500 << 10), ("off", 0), ("0", 0), ("much", 0)],
)
def test_the_limit_is_a_size_or_off(told: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCS_LAB_RECORDER", told)
    assert recorder_limit() == limit


def test_switched_off_it_leaves_no_trace(
    backend: InMemoryStatus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GCS_LAB_RECORDER", "off")
    recorder = Recorder("memory", "x")
    recorder.add(_seen(backend, NOW))
    assert recorder.kept() == "nothing is recorded: GCS_LAB_RECORDER says so"
    assert not (tmp_path / "h" / "state" / "recorder").exists()
