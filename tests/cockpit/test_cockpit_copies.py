"""Rows of the cockpit as text, CSV, and a command."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cockpit_lab import ME
from in_memory_backend import task_row

if TYPE_CHECKING:
    from cockpit_lab import Lab, Page


def copy(page: Page, format_: str, keys: Any = "matching", view: str = "jobs", columns: tuple[str, ...] = ("job_id", "name", "letters")) -> dict[str, Any]:  # fmt: skip
    return page.ask("copy", "copied", view=view, format=format_, keys=keys, columns=list(columns))


def test_text_stands_in_columns_and_csv_is_for_programs(lab: Lab):
    when = datetime(2026, 11, 20, 12, tzinfo=UTC)
    lab.status.tasks = [
        task_row("1", ME, "r", name='a, "b"', submission_time=when),
        task_row("7", ME, "qw", tasks="2-9:1", task_count=8),
    ]
    page = lab.page()
    text = copy(page, "text")
    assert text["rows"] == 2
    assert text["text"].splitlines()[0].split() == ["Job", "Name", "State"]
    assert text["text"].splitlines()[2].split() == ["7", "job7", "qw"]
    told = copy(page, "csv", columns=("job_id", "name", "tasks", "submission_time"))
    rows = list(csv.reader(io.StringIO(told["text"])))
    assert rows[0] == ["job_id", "name", "tasks", "submission_time"]
    assert rows[1][:3] == ["1", 'a, "b"', "1"]
    assert datetime.fromisoformat(rows[1][3]) == when
    assert rows[2] == ["7", "job7", "8", ""]


def test_a_line_for_qdel_names_jobs_and_tasks(lab: Lab):
    page = lab.page()
    rows = page.view(columns=["job_id"], expanded=[str(7 << 32)])
    tasks = [key for key, level in zip(rows["keys"], rows["levels"], strict=True) if level == 2]
    assert copy(page, "qdel", [str(1 << 32), *tasks])["text"] == "qdel 1 7.1 7.2-9:1\n"
    lab.system.system = "the embedded cluster of gcs_lab 0.1"
    assert copy(page, "qdel", [str(1 << 32)])["text"] == "%gcs cancel 1\n"
    assert "jobs alone" in copy(page, "qdel", view="hosts")["message"]


def test_matching_rows_are_those_of_the_filter(lab: Lab):
    page = lab.page(filter="owner:eve")
    assert copy(page, "csv", columns=("job_id",))["text"] == "job_id\n3\n"
    told = copy(page, "text", view="hosts", columns=("host", "slots"))
    assert (told["rows"], told["text"].splitlines()[1].split()) == (1, ["node2", "1/6"])
    assert copy(page, "csv", columns=("colour",))["kind"] == "trouble"
