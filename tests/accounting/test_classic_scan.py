"""Columns straight from a classic file: the same rows as the reader makes, whatever stands in the file."""

from __future__ import annotations

import bz2
from pathlib import Path

import polars as pl
import pytest
from classic_lines_made import block, line

from gcs_lab.accounting import classic_scan, source_file
from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.classic_scan import scan_direct
from gcs_lab.accounting.tables import RECORD_COLUMNS

RECORDED = Path(__file__).parents[1] / "data" / "sge-8.1.9" / "accounting"
ODD = [
    "torn",
    line(ru_utime="nan", job_number=900),
    line(ru_utime="x", job_number=901),
    line(job_number="x"),
    line(category="-l h_rt=1:0:0", job_number=902),
    line(52, job_number=903),
    line(end_time="9" * 18, job_number=904),
    line(maxvmem="1e30", job_number=905),
    "#" + line(),
    line().replace("fit", "f\0t"),
    "",
    line()[:150] + line(job_number=906),
    line(job_number="").replace("sge", "s:e"),
]


def whole(path: Path) -> pl.DataFrame:
    return ClassicReader().read(path.read_bytes(), 0).records


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Have files of many blocks; the last newline of one is looked for further and further back."""
    monkeypatch.setattr(classic_scan, "_BLOCK", 1000)
    monkeypatch.setattr(source_file, "_TAIL", 64)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "accounting"
    lines = [line(job_number=number, owner=f"user{number % 7}", cpu=number / 8) for number in range(100)]
    path.write_bytes(b"# Version\n" + block(*lines))
    return path


@pytest.mark.parametrize("odd", ODD)
def test_rows_are_those_of_the_reader(tmp_path, odd):
    path = tmp_path / "accounting"
    lines = [line(job_number=number) for number in range(20)]
    path.write_bytes(block(*lines[:11], odd, *lines[11:]))
    expected = whole(path)
    assert len(expected) >= 20
    assert scan_direct(path).collect().equals(expected)
    for columns in (["owner", "cpu"], ["max_vmem"], ["job_id", "end_time", "more"], ["ru_utime"], []):
        assert scan_direct(path, columns).collect().equals(expected.select(columns)), columns


def test_recorded_file_and_each_column():
    expected = whole(RECORDED)
    for column in RECORD_COLUMNS:
        assert scan_direct(RECORDED, [column.name]).collect().equals(expected.select(column.name)), column.name


def test_only_blocks_that_are_not_plain_are_read_by_the_reader(plain, monkeypatch):
    read: list[int] = []
    real = ClassicReader.read
    monkeypatch.setattr(ClassicReader, "read", lambda self, data, at: read.append(at) or real(self, data, at))
    assert scan_direct(plain, ["owner"]).select(pl.len()).collect().item() == 100
    assert read == [0]


def test_polars_pushes_its_questions_down(plain):
    expected = whole(plain)
    lazy = scan_direct(plain, ["owner", "cpu", "job_id"])
    assert (
        lazy.filter(pl.col("cpu") > 3)
        .select("owner")
        .collect()
        .equals(expected.filter(pl.col("cpu") > 3).select("owner"))
    )
    assert lazy.head(5).collect().equals(expected.select("job_id", "owner", "cpu").head(5))
    sums = lazy.group_by("owner").agg(pl.col("cpu").sum()).sort("owner")
    wanted = expected.group_by("owner").agg(pl.col("cpu").sum()).sort("owner")
    assert sums.collect().equals(wanted)
    assert sums.collect(engine="streaming").equals(wanted)


def test_a_range_of_bytes(plain):
    data = plain.read_bytes()
    start = data.index(b"all.q:node1:users:user3")
    end = data.index(b"all.q:node1:users:user0", start)
    found = scan_direct(plain, ["job_id"], start, end).collect()["job_id"].to_list()
    assert found == ["3", "4", "5", "6"]
    assert scan_direct(plain, ["job_id"], end, end).collect().is_empty()


def test_what_is_appended_after_the_question_is_not_in_the_answer(tmp_path):
    path = tmp_path / "accounting"
    path.write_bytes(block(line()))
    lazy = scan_direct(path, ["job_id"])
    with path.open("ab") as file:
        file.write(block(line()))
    assert len(lazy.collect()) == 1


def test_a_compressed_file_is_none_of_its_business(tmp_path):
    path = tmp_path / "accounting"
    path.write_bytes(bz2.compress(block(line())))
    assert scan_direct(path) is None
    with pytest.raises(FileNotFoundError):
        scan_direct(tmp_path / "missing")
