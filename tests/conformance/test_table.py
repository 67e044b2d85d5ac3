"""The table of what is honoured, refused or failed: it is made of outcomes, and no row is without a statement."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.outcome_table import PROPERTY, markdown, outcomes
from conformance.subjects import all_subjects, stated_subjects


def test_every_attribute_and_operation_has_a_statement() -> None:
    untested = [row for row in all_subjects() if row not in stated_subjects()]
    assert untested == []


def test_every_statement_speaks_of_something_that_there_is() -> None:
    assert stated_subjects() - set(all_subjects()) == set()


def _report(outcome: str, rows: list[str], word: str = "honoured", when: str = "call") -> Any:
    marks = {name: name == outcome for name in ("passed", "failed", "skipped")}
    return SimpleNamespace(user_properties=[(PROPERTY, ["here", rows, word])], when=when, **marks)


def test_one_failed_statement_fails_its_rows() -> None:
    reports = [_report("passed", ["Job.hold", "Job.release"]), _report("failed", ["Job.hold"])]
    assert outcomes(reports) == {"here": {"Job.hold": "FAILED", "Job.release": "honoured"}}


def test_a_row_is_refused_only_if_nothing_honours_it() -> None:
    reports = [_report("passed", ["a"], "refused"), _report("passed", ["b"], "refused"), _report("passed", ["b"])]
    assert outcomes(reports) == {"here": {"a": "refused", "b": "honoured"}}


def test_a_skipped_statement_says_nothing() -> None:
    assert outcomes([_report("skipped", ["a"]), _report("passed", ["b"], when="teardown")]) == {}


def test_the_table_is_also_written_as_markdown() -> None:
    text = markdown([["what", "here"], ["Job.hold", "honoured"]])
    assert text.endswith("\n\n| what | here |\n| --- | --- |\n| `Job.hold` | honoured |\n")


SUITE = """
def test_that_holds(record_property):
    record_property("conformance", ["here", ["Job.hold", "JobTemplate.args"], "honoured"])

def test_of_a_refusal(record_property):
    record_property("conformance", ["here", ["JobTemplate.email"], "refused"])

def test_that_does_not_hold(record_property):
    record_property("conformance", ["here", ["Job.hold"], "honoured"])
    raise AssertionError
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_table_is_printed_and_written_at_the_end_of_a_run(tmp_path: Path, workers: tuple[str, ...]) -> None:
    (tmp_path / "test_some.py").write_text(SUITE)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "conformance.outcome_table",
            "--conformance-table",
            "t.md",
            *workers,
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    shown = {tuple(line.split()) for line in done.stdout.splitlines()}
    expected = {("Job.hold", "FAILED"), ("JobTemplate.args", "honoured"), ("JobTemplate.email", "refused")}
    assert expected <= shown
    written = (tmp_path / "t.md").read_text()
    assert all(f"| `{row}` | {word} |\n" in written for row, word in expected)
    assert "| `Jobs.find` | not run |\n" in written
