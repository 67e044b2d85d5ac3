"""The store: what is read, kept and remembered, and what happens when it cannot be."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import polars as pl
import pytest
from store_lines import START, bad_line, record_line, record_lines

from gcs_lab.accounting import ingest_blocks, ingest_text, store_direct, store_place
from gcs_lab.accounting import store as store_module
from gcs_lab.accounting.manifest import load_manifest
from gcs_lab.accounting.store import Store, store_folder
from gcs_lab.accounting.store_grouped import Aggregation
from gcs_lab.accounting.tables import record_schema
from gcs_lab.errors import InvalidArgument, OutOfResource

JOBS = {"jobs": Aggregation("len", pl.col("owner"))}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounting"
    path.write_bytes(b"# Version: 8.1.9\n" + record_lines(range(1, 11)))
    return path


@pytest.fixture
def store(tmp_path: Path, file: Path) -> Store:
    return Store(tmp_path / "store", lambda: [file])


def append(file: Path, data: bytes) -> None:
    with file.open("ab") as out:
        out.write(data)


def jobs_of(store: Store) -> list[int]:
    return store.scan(["job_id"]).collect()["job_id"].cast(pl.Int64).to_list()


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_text.Text.blocks, "__defaults__", (2000,))
    monkeypatch.setattr(ingest_blocks, "_COMMIT_EVERY", 0.0)


def test_a_scan_has_the_columns_of_a_record_in_the_order_of_the_file(store: Store) -> None:
    frame = store.scan().collect()
    assert frame.schema == record_schema()
    assert frame["job_id"].to_list() == [str(job) for job in range(1, 11)]
    assert store.totals()[:4] == (10, 0, store._current().sources[1].offset, 1)
    assert store.span == (START + 71, START + 161)


def test_files_of_the_store_are_for_its_owner_alone(store: Store, file: Path) -> None:
    append(file, bad_line(11))
    store.grouped(["owner"], JOBS)
    kept = [path for path in store.folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} >= {".parquet", ".json"}
    assert [path.name for path in kept if path.stat().st_mode & 0o077] == []
    assert store.folder.stat().st_mode & 0o077 == 0


def test_an_empty_store_answers_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", list)
    assert store.scan().collect().schema == record_schema()
    assert store.grouped([], {**JOBS, "first": Aggregation("min", pl.col("end_time"))}).rows() == [(0, None)]
    assert store.grouped(["owner"], JOBS).is_empty()
    assert store.raw("1") == []
    assert store.rejects().columns == ["file", "line", "offset", "reason", "text"]


def test_only_what_was_appended_is_read(store: Store, file: Path) -> None:
    store.refresh()
    append(file, record_lines(range(11, 14)) + bad_line(1))
    assert store.refresh()[:3] == (3, 1, 0)
    assert store.refresh()[:3] == (0, 0, 0)
    assert jobs_of(store) == list(range(1, 14))


def test_an_unknown_column_is_refused(store: Store) -> None:
    with pytest.raises(InvalidArgument, match="no column colour"):
        store.scan(["colour"])


def test_rejects_have_the_line_of_the_whole_file(store: Store, file: Path, small_blocks: None) -> None:
    append(file, bad_line(1) + record_lines(range(20, 40)))
    store.refresh()
    append(file, bad_line(2))
    store.refresh()
    lines = file.read_bytes().splitlines(keepends=True)
    found = store.rejects()
    assert found["text"].str.strip_chars().to_list() == ["no record 1", "no record 2"]
    for number, offset, text in found.select("line", "offset", "text").rows():
        assert lines[number - 1].decode().strip() == text.strip()
        assert sum(map(len, lines[: number - 1])) == offset
    assert set(found["file"]) == {str(file)}


def test_of_many_rejects_some_are_kept_and_all_counted(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_blocks, "MOST_REJECTS", 5)
    append(file, b"".join(bad_line(i) for i in range(20)))
    assert store.refresh().rejects == 20
    assert (len(store.rejects()), store.totals().rejects) == (5, 20)


def test_a_torn_last_line_waits_but_not_for_ever(store: Store, file: Path) -> None:
    line = record_line(11)
    append(file, line[:-1])
    assert jobs_of(store) == list(range(1, 11))
    long_ago = time.time() - 600
    os.utime(file, (long_ago, long_ago))
    assert jobs_of(store) == list(range(1, 12))
    append(file, b"\n" + record_line(12))
    assert jobs_of(store) == list(range(1, 13))


def test_raw_lines_are_found_also_when_the_file_was_renamed_and_compressed(
    tmp_path: Path, small_blocks: None
) -> None:
    import gzip

    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / "accounting").write_bytes(b"# Version\n" + bad_line(0) + record_lines(range(1, 30)) + record_line(7))
    store = Store(tmp_path / "store", lambda: sorted(spool.iterdir()))
    store.refresh()
    expected = [record_line(7).decode().rstrip("\n")] * 2
    assert store.raw("7") == expected
    (spool / "accounting.0.gz").write_bytes(gzip.compress((spool / "accounting").read_bytes()))
    (spool / "accounting").unlink()
    assert store.refresh()[:2] == (0, 0)
    assert store.raw("7") == expected
    assert store.raw("99") == []


def test_sums_are_remembered_and_what_is_new_is_added(store: Store, file: Path) -> None:
    figures = {
        "cpu": Aggregation("sum", pl.col("cpu")),
        "known": Aggregation("count", pl.col("project")),
        "first": Aggregation("min", pl.col("end_time")),
        "last": Aggregation("max", pl.col("end_time")),
        **JOBS,
    }
    for more in range(4):
        where = pl.col("slots") == 1
        answer = store.grouped({"who": pl.col("owner")}, figures, where)
        direct = store.scan().collect().group_by(pl.col("owner").alias("who"))
        expected = direct.agg(
            pl.col("cpu").sum(),
            known=pl.lit(0, dtype=pl.Int64),
            first=pl.col("end_time").min(),
            last=pl.col("end_time").max(),
            jobs=pl.len().cast(pl.Int64),
        )
        assert answer.equals(expected.sort("who"))
        append(file, record_lines(range(100 * (more + 1), 100 * (more + 1) + 50)))


def test_a_remembered_answer_needs_no_record(store: Store) -> None:
    first = store.grouped(["owner"], JOBS)
    for part in store.folder.glob("*.parquet"):
        part.write_bytes(b"x" * part.stat().st_size)
    assert store.grouped(["owner"], JOBS).equals(first)
    # Also by the next process.
    assert Store(store.folder, store._files).grouped(["owner"], JOBS).equals(first)


def test_a_remembered_answer_is_given_up_when_the_file_is_rewritten(store: Store, file: Path) -> None:
    assert store.grouped([], JOBS)["jobs"].item() == 10
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    assert store.grouped([], JOBS)["jobs"].item() == 9
    assert 3 not in jobs_of(store)


def test_a_file_that_was_put_back_from_an_older_copy_and_then_rewritten_gives_nothing_twice(
    store: Store, file: Path, small_blocks: None
) -> None:
    store.refresh()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:6]) + record_lines([11, 12]))
    # What the older copy did not have did happen.
    assert sorted(jobs_of(store)) == list(range(1, 13))
    file.write_bytes(b"".join([*lines[:3], *lines[4:6]]) + record_lines([11, 12, 13]))
    found = jobs_of(store)
    assert len(found) == len(set(found))
    assert {1, 2, 4, 5, 11, 12, 13} <= set(found)
    assert 3 not in found
    append(file, record_line(14))
    assert sorted(jobs_of(store)) == sorted([*found, 14])


def test_a_copy_beside_its_original_counts_once(tmp_path: Path) -> None:
    import gzip

    names = ["accounting.0", "accounting.0.gz", "accounting"]
    (tmp_path / names[0]).write_bytes(record_lines(range(1, 500)))
    (tmp_path / names[1]).write_bytes(gzip.compress(record_lines(range(1, 500)))[:-2000])  # is being written
    (tmp_path / names[2]).write_bytes(record_lines(range(500, 510)))
    store = Store(tmp_path / "store", lambda: [tmp_path / name for name in names])
    assert sorted(jobs_of(store)) == list(range(1, 510))
    (tmp_path / names[1]).write_bytes(gzip.compress(record_lines(range(1, 500))))
    assert sorted(jobs_of(store)) == list(range(1, 510))
    assert store.rejects().is_empty()


def test_a_compressed_file_that_ends_early_gives_what_is_whole_and_a_reject(tmp_path: Path) -> None:
    import gzip

    file = tmp_path / "accounting.0.gz"
    packed = gzip.compress(record_lines(range(1, 500)))
    file.write_bytes(packed[:-2000])
    store = Store(tmp_path / "store", lambda: [file])
    found = jobs_of(store)
    assert found == list(range(1, len(found) + 1))
    assert 100 < len(found) < 499
    assert "ends early" in store.rejects()["reason"].item()
    file.write_bytes(packed)
    assert jobs_of(store) == list(range(1, 500))
    assert store.rejects().is_empty()


def test_many_small_appends_become_few_parts(store: Store, file: Path) -> None:
    for job in range(11, 75):
        append(file, record_line(job) + (bad_line(job) if job % 10 == 0 else b""))
        assert store.grouped([], JOBS)["jobs"].item() == job
    assert len(store._current().parts) < 25
    assert jobs_of(store) == list(range(1, 75))
    assert store.rejects()["text"].str.strip_chars().to_list() == [f"no record {n}" for n in range(20, 75, 10)]


def test_parts_that_cannot_hold_a_time_are_left_out(store: Store, file: Path, small_blocks: None) -> None:
    append(file, record_lines(range(11, 60)))
    store.refresh()
    late = store.scan(["job_id"], ended=(START + 500, None)).collect()
    assert 0 < len(late) < 59
    assert {"59", "50"} <= set(late["job_id"])


def test_progress_is_told_and_a_stop_leaves_what_was_read(
    store: Store, file: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gcs_lab.accounting import ingest_report

    monkeypatch.setattr(ingest_report, "_EVERY", 0.0)
    append(file, record_lines(range(11, 200)))
    stop, told = threading.Event(), []

    def tell(progress) -> None:
        told.append(progress)
        if progress.bytes_done > progress.bytes_total / 2:
            stop.set()

    done = store.refresh(tell, stop)
    assert not done.complete
    assert 50 < done.records < 199
    assert told[-1].bytes_total == file.stat().st_size
    assert sorted(step.bytes_done for step in told) == [step.bytes_done for step in told]
    assert told[-1].rate > 0
    assert (told[-1].left or 0) > 0
    rest = store.refresh()
    assert (rest.complete, rest.records) == (True, 199 - done.records)
    assert jobs_of(store) == list(range(1, 200))


def test_an_interrupt_leaves_what_was_read(store: Store, file: Path, small_blocks: None) -> None:
    append(file, record_lines(range(11, 200)))
    real, calls = ingest_blocks._batch, 0

    def interrupted(*arguments):
        nonlocal calls
        calls += 1
        if calls == 10:
            raise KeyboardInterrupt
        return real(*arguments)

    with mock.patch.object(ingest_blocks, "_batch", interrupted), pytest.raises(KeyboardInterrupt):
        store.refresh()
    assert store.totals().records > 10
    assert jobs_of(store) == list(range(1, 200))


def test_a_full_disk_is_told_and_leaves_what_was_there(store: Store, file: Path) -> None:
    store.refresh()
    append(file, record_line(11))
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with (
        mock.patch.object(ingest_blocks, "write_part", side_effect=full),
        pytest.raises(OutOfResource, match="no space is left"),
    ):
        store.refresh()
    assert store.totals().records == 10
    assert jobs_of(store) == list(range(1, 12))


def test_without_locks_the_store_lives_in_a_temporary_folder(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(store_place.fcntl, "flock", no_locks)
    moved = store_place.Place(tmp_path / "store")
    monkeypatch.undo()
    assert moved.folder != tmp_path / "store"
    assert "no locks" in moved.note
    (tmp_path / "a file").touch()
    store = Store(tmp_path / "a file" / "store", lambda: [file])
    assert jobs_of(store) == list(range(1, 11))
    assert "GCS_LAB_HOME" in store.notes[0]


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "accounting.0"  # opening a folder fails for root too
    folder.mkdir()
    store = Store(tmp_path / "store", lambda: [folder, file])
    assert store.refresh().records == 10
    assert str(folder) in store.notes[0]


def test_a_file_of_an_unknown_format_is_told_each_time(store: Store, file: Path) -> None:
    file.write_bytes(b"hello\nworld\n")
    file.rename(file.with_name("diary"))
    odd = Store(store.folder, lambda: [file.with_name("diary")])
    for _ in range(2):
        assert odd.refresh().records == 0
        assert "diary was left out" in odd.notes[0]
    assert not (store.folder / "manifest.json").exists()


def test_a_damaged_store_is_read_again(store: Store, file: Path, small_blocks: None) -> None:
    append(file, record_lines(range(11, 60)))
    store.refresh()
    parts = sorted(store.folder.glob("*.parquet"))
    parts[len(parts) // 2].unlink()
    again = Store(store.folder, store._files)
    assert jobs_of(again) == list(range(1, 60))
    assert "damaged or missing" in again.notes[0]
    (store.folder / "manifest.json").write_text("{")
    assert jobs_of(Store(store.folder, store._files)) == list(range(1, 60))


def test_what_a_killed_process_left_is_removed_and_what_is_read_is_not(store: Store, file: Path) -> None:
    store.refresh()
    frame = store.scan(["job_id"])
    (store.folder / "00000099-abcdef01.parquet").write_bytes(b"rubbish")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    assert len(jobs_of(store)) == 9
    assert not (store.folder / "00000099-abcdef01.parquet").exists()
    assert len(frame.collect()) == 10


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_direct, "DIRECT_FROM", 1)


def test_what_is_not_stored_is_answered_from_the_file(
    store: Store, file: Path, direct: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(file, bad_line(1))
    assert jobs_of(store) == list(range(1, 11))
    assert store.totals().records == 0
    assert store.grouped(["owner"], JOBS)["jobs"].sum() == 10
    store.close()
    assert store.refresh().records == 10
    append(file, record_lines(range(11, 20)))
    assert jobs_of(store) == list(range(1, 20))
    assert store.grouped(["owner"], JOBS)["jobs"].sum() == 19
    assert store.totals().records == 10
    store.close()


def test_very_much_is_stored_where_it_can_be_seen_how_far_that_is(
    store: Store, file: Path, direct: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_direct, "DIRECT_TO", file.stat().st_size - 1)
    assert jobs_of(store) == list(range(1, 11))
    assert store.totals().records == 10


def test_a_thread_stores_what_was_answered_from_the_file(
    store: Store, file: Path, direct: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_direct, "_SLOWEST", 1 << 60)
    monkeypatch.setattr(
        threading.Event,
        "wait",
        lambda self, timeout=None, wait=threading.Event.wait: wait(self, min(timeout or 9, 0.01)),
    )
    assert jobs_of(store) == list(range(1, 11))
    deadline = time.monotonic() + 20
    while store.totals().records < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert jobs_of(store) == list(range(1, 11))
    assert store.totals().records == 10
    store.close()


def test_where_no_file_is_qacct_is_asked_for_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Path(__file__).parents[1] / "data"
    text = next(path for path in sorted(data.rglob("*qacct*")) if path.is_file()).read_bytes()
    asked = []

    def qacct(since: float | None) -> bytes | None:
        asked.append(since)
        return text

    monkeypatch.setattr(store_module, "ASK_AGAIN", 0.0)
    store = Store(tmp_path / "store", list, qacct=qacct)
    first = store.refresh()
    assert first.records > 0
    assert store.refresh().records == 0
    assert asked[0] is None
    assert asked[1] == (store.span[1] or 0) - 86_400
    assert len(store.scan().collect()) == first.records
    file = tmp_path / "accounting"
    file.write_bytes(record_line(5))
    assert jobs_of(Store(tmp_path / "store", lambda: [file])) == [5]


_INGEST = """
import sys
from pathlib import Path
from gcs_lab.accounting import ingest_blocks, ingest_text
ingest_text.Text.blocks.__defaults__ = (20_000,)
ingest_blocks._COMMIT_EVERY = 0.0
from gcs_lab.accounting.store import Store
store = Store(Path(sys.argv[1]), lambda: [Path(sys.argv[2])])
print("ready", flush=True)
store.refresh()
"""


def start(store: Path, file: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", _INGEST, str(store), str(file)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def finish(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    with process.stdout:
        return process.wait(60)


def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    file, folder = tmp_path / "accounting", tmp_path / "store"
    file.write_bytes(record_lines(range(20_000)))
    generations = []
    for wait_for in (1, 20, 60):
        process = start(folder, file)
        while load_manifest(folder).generation < wait_for and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        finish(process)
        generations.append(load_manifest(folder).totals().records)
    assert generations[0] < 20_000
    store = Store(folder, lambda: [file])
    assert jobs_of(store) == list(range(20_000))
    names = {path.name.partition(".")[0] for path in folder.glob("*.parquet")}
    current = store._current()
    assert names == {part.name for part in current.parts} | {name for name, _ in current.retired}


def test_two_processes_at_once_read_everything_once(tmp_path: Path) -> None:
    file, folder = tmp_path / "accounting", tmp_path / "store"
    file.write_bytes(record_lines(range(20_000)))
    processes = [start(folder, file), start(folder, file)]
    assert jobs_of(Store(folder, lambda: [file])) == list(range(20_000))
    assert [finish(process) for process in processes] == [0, 0]
    assert jobs_of(Store(folder, lambda: [file])) == list(range(20_000))


def test_folders_of_clusters_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path))
    one, two = store_folder("/opt/sge:default:6444"), store_folder("/opt/sge:default:6445")
    assert one != two
    assert one.parent == tmp_path / "cache" / "accounting"
    assert one == store_folder("/opt/sge:default:6444")
