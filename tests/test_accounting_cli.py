"""``gcs-lab accounting``: qacct's flags, tables for people and for programs, and mistakes."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import TYPE_CHECKING

import pytest

from gcs_lab.accounting.synthetic import write_site
from gcs_lab.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"records": 3000, "users": 20, "days": 30, "hosts": 8, "seed": 3}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "accounting"
    write_site(path, **SMALL)
    return path


def told(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["accounting", *words]) == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    answer: list[dict[str, object]] = json.loads(told(capsys, *words, "--json"))
    return answer


def test_a_flag_of_qacct_without_a_value_splits_and_with_one_chooses(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_owner = rows(capsys, "summary", "-f", str(site), "-o")
    assert 10 < len(by_owner) <= 20
    assert sum(int(str(row["records"])) for row in by_owner) == 3000
    first = by_owner[0]
    assert rows(capsys, "summary", "-f", str(site), "-o", str(first["owner"]))[0]["records"] == first["records"]
    both = rows(capsys, "summary", "-f", str(site), "-q", "-slots")
    assert {"queue", "slots"} < set(both[0])


def test_the_same_is_a_table_for_people_and_lines_for_programs(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = told(capsys, "top", "-f", str(site), "-n", "2")
    assert table.split()[:3] == ["owner", "slot_seconds", "share"]
    assert len(table.strip().splitlines()) == 3
    lines = list(csv.DictReader(io.StringIO(told(capsys, "top", "-f", str(site), "-n", "2", "--csv"))))
    assert [line["owner"] for line in lines] == [line.split()[0] for line in table.splitlines()[1:]]


def test_a_failing_host_and_a_family_are_told(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = write_site(tmp_path / "again", **SMALL)
    since = time.strftime("%Y%m%d%H%M", time.localtime(facts.failing_since))
    by_host = rows(capsys, "failures", "-f", str(site), "-H", "-b", since)
    assert by_host[0]["host"] == facts.failing_node
    [family, *_] = rows(capsys, "families", "-f", str(site))
    advice = told(capsys, "advice", "-f", str(site), str(family["family"]))
    assert advice.strip()


def test_what_should_be_known_is_told_beside_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accounting", "summary", "-f", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert "slot_seconds" in captured.out
    assert "There is no file of accounting" in captured.err
    assert "cannot be written" in told(capsys, "synthetic", str(tmp_path / "no" / "file"), status=1)


def test_one_job_is_shown_as_qacct_does(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = str(rows(capsys, "sql", "-f", str(site), "select job_id from records limit 1")[0]["job_id"])
    shown = told(capsys, "job", "-f", str(site), job)
    assert "exit_status" in shown
    assert rows(capsys, "job", "-f", str(site), job)[0]["job_id"] == job


def test_reading_says_what_was_read_and_what_is_no_record(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "accounting"
    bad.write_bytes(site.read_bytes() + b"this is no record\n")
    assert "in the store are 3,000 out of 1 files" in told(capsys, "ingest", "-f", str(bad))
    assert rows(capsys, "rejects", "-f", str(bad))[0]["text"] == "this is no record"
    assert rows(capsys, "ingest", "-f", str(bad))[0]["all_rejects"] == 1


def test_a_synthetic_site_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "site"
    words = ["synthetic", str(path), "--records", "500", "--users", "5", "--hosts", "8", "--days", "10"]
    assert "500 records of 5 users on 8 hosts" in told(capsys, *words)
    assert "is not overwritten" in told(capsys, *words, status=1)


def test_what_cannot_be_is_said(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere" in told(capsys, "summary", "-f", str(site.parent / "nowhere"), status=1)
    assert "expected one column" in told(capsys, "top", "-f", str(site), "--by", "owner,queue", status=1)
    assert "oner" in told(capsys, "summary", "-f", str(site), "--by", "oner", status=1)
    assert "there is no --csv" in told(capsys, "advice", "-f", str(site), "x", "--csv", status=1)
    assert told(capsys, "top", "-f", str(site), "-o", "nobody") == "nothing was found\n"
