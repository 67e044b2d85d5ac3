"""Files that are rotated, cut off, compressed and copied while they are read: nothing is lost, nothing is doubled."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest
from store_lines import record_line, record_lines

from gcs_lab import open_accounting
from gcs_lab.accounting import ingest, ingest_blocks, ingest_text
from gcs_lab.accounting.ingest_text import Changed, Text
from gcs_lab.accounting.store import Store, store_folder
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def jobs_of(store: Store) -> list[int]:
    return sorted(store.scan(["job_id"]).collect()["job_id"].cast(pl.Int64).to_list())


def test_a_compressed_file_stays_the_one_that_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "accounting.0.gz"
    lines = record_lines(range(1, 3000))
    path.write_bytes(gzip.compress(lines))
    with Text(path) as text:
        text.read_at(500_000, 10)
        path.rename(tmp_path / "accounting.1.gz")
        path.write_bytes(gzip.compress(b"another\n" * 100_000))
        assert text.read_at(0, 100) == lines[:100]  # it must go back for that
        text.close()
        with pytest.raises(Changed):
            text.read_at(200_000, 10)


def test_a_file_that_is_cut_off_while_it_is_read_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, copy = tmp_path / "accounting", tmp_path / "accounting.0"
    file.write_bytes(b"# Version: 8.1.9\n" + record_lines(range(1, 5)))
    store = Store(tmp_path / "store", lambda: [path for path in (copy, file) if path.exists()])
    real = ingest_blocks.store_blocks

    def copytruncate_first(*arguments: object, **named: object) -> object:
        if not copy.exists():
            shutil.copy(file, copy)
            os.truncate(file, 0)
            with file.open("ab") as more:
                more.write(record_lines(range(5, 8)))
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest, "store_blocks", copytruncate_first)
    assert jobs_of(store) == list(range(1, 8))
    with file.open("ab") as more:
        more.write(record_lines(range(8, 20)))
    file.rename(tmp_path / "accounting.00")
    file.write_bytes(record_line(20))
    store = Store(tmp_path / "store", lambda: [copy, tmp_path / "accounting.00", file])
    assert jobs_of(store) == list(range(1, 21))


def test_files_that_are_rotated_after_they_were_listed_are_all_there(tmp_path: Path) -> None:
    file = tmp_path / "accounting"
    file.write_bytes(record_lines(range(1, 5)))

    def listed_too_early() -> Sequence[Path]:
        files = sorted(tmp_path.glob("accounting.*"), reverse=True) + [file] * file.exists()
        if len(files) < 3:
            for old in files:
                old.rename(tmp_path / f"accounting.{int(old.suffix[1:] or -1) + 1 if old.suffix else 0}")
            file.write_bytes(record_lines(range(10 * len(files), 10 * len(files) + 3)))
        return files

    store = Store(tmp_path / "store", listed_too_early)
    store.refresh()
    assert jobs_of(store) == [1, 2, 3, 4, 10, 11, 12, 20, 21, 22]


def test_the_beginning_of_a_copy_leaves_nothing_behind(tmp_path: Path) -> None:
    file, copy = tmp_path / "accounting", tmp_path / "accounting.0"
    text = record_lines(range(1, 8))
    file.write_bytes(text)
    Store(tmp_path / "store", lambda: [file]).refresh()
    store = Store(tmp_path / "store", lambda: [copy, file])
    copy.write_bytes(text[: len(text) // 2])  # seen while it is made, and its original empty a moment later
    file.write_bytes(b"")
    store.refresh()
    copy.write_bytes(text)
    file.write_bytes(record_line(8))
    assert jobs_of(store) == list(range(1, 9))
    assert store.totals().rejects == 0


def test_a_file_that_is_just_being_compressed_leaves_nothing_behind(tmp_path: Path) -> None:
    file, packed = tmp_path / "accounting.0", tmp_path / "accounting.0.gz"
    text = b"# Version: 8.1.9\n" + record_lines(range(1, 2000))
    file.write_bytes(text)
    store = Store(tmp_path / "store", lambda: [path for path in (file, packed) if path.exists()])
    store.refresh()
    file.unlink()
    whole = gzip.compress(text)
    for length in (len(whole) // 2, len(whole)):
        packed.write_bytes(whole[:length])
        assert jobs_of(store) == list(range(1, 2000))
        assert store.totals().rejects == 0


def test_more_files_than_may_be_open_are_all_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_MOST_OPEN", 2)
    files = [tmp_path / f"accounting.{9 - number}" for number in range(6)]
    for number, file in enumerate(files):
        data = b"# Version: 8.1.9\n" + record_lines(range(10 * number, 10 * number + 10))
        file.write_bytes(gzip.compress(data) if number % 2 else data)
    store = Store(tmp_path / "store", lambda: files)
    assert jobs_of(store) == list(range(60))
    for file in files:
        file.rename(tmp_path / f"old.{file.name}")
    files = [tmp_path / f"old.{file.name}" for file in files]
    assert store.refresh().records == 0
    assert jobs_of(store) == list(range(60))


def test_a_dump_whose_jobs_span_lines_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = "JobID|JobName|State|Start|End|Submit|AllocCPUS|Elapsed|MaxRSS|ExitCode\n"
    times = "2026-01-01T00:00:10|2026-01-01T00:01:10|2026-01-01T00:00:00|1|00:01:00"
    file = tmp_path / "jobs.txt"
    for last in (50, 80):
        file.write_text(
            header
            + "".join(
                f"{n}|j|COMPLETED|{times}||0:0\n{n}.batch|batch|COMPLETED|{times}|{n}K|0:0\n" for n in range(1, last)
            )
        )
        monkeypatch.setattr(ingest_text.Text.blocks, "__defaults__", (1000,))
        monkeypatch.setattr(ingest_blocks, "_COMMIT_EVERY", 0.0)
        store = Store(tmp_path / "store", lambda: [file])
        records = store.scan(["job_id", "max_rss"]).collect()
        assert records["job_id"].to_list() == [str(n) for n in range(1, last)]
        assert records["max_rss"].to_list() == [1024 * n for n in range(1, last)]
        assert store.totals().rejects == 0


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "accounting")
    with pytest.raises(InvalidArgument, match="is a pipe or a device"):
        open_accounting(tmp_path / "accounting")
    notes = Store(tmp_path / "store", lambda: [tmp_path / "accounting"]).refresh().notes
    assert "is no file (a folder, a pipe or a device)" in notes[0]


def test_a_cache_that_is_emptied_meanwhile_is_filled_again(tmp_path: Path) -> None:
    file = tmp_path / "accounting"
    file.write_bytes(record_lines(range(5)))
    store = Store(tmp_path / "store", lambda: [file])
    assert jobs_of(store) == list(range(5))
    shutil.rmtree(tmp_path / "store")
    assert jobs_of(store) == list(range(5))
    next((tmp_path / "store").glob("*.parquet")).unlink()
    assert "damaged or missing" in store.refresh().notes[0]
    assert jobs_of(store) == list(range(5))


def test_without_any_cache_the_store_lives_in_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(record_line(1))
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "file" / "home"))
    store = Store(store_folder("anything"), lambda: [tmp_path / "file"])
    # As its name says nothing, the record tells what the file is.
    assert jobs_of(store) == [1]
    assert "Set GCS_LAB_HOME" in store.notes[0]


_FORKS = """
import os, sys
from gcs_lab import open_accounting
from gcs_lab.errors import UnsupportedOperation
accounting = open_accounting(sys.argv[1], folder=sys.argv[2])
assert len(accounting.frame()) == 3
child = os.fork()
if not child:
    try:
        accounting.frame()
    except UnsupportedOperation as error:
        os._exit(7 if "spawn" in str(error) else 1)
    os._exit(2)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert len(accounting.frame()) == 3
"""


def test_a_forked_child_is_told_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    (tmp_path / "accounting").write_bytes(record_lines(range(3)))
    command = [sys.executable, "-c", _FORKS, str(tmp_path / "accounting"), str(tmp_path / "store")]
    subprocess.run(command, check=True, timeout=60)
