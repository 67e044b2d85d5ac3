"""Sweeps in the panel: one row, with counts from the folder and the queue; the failed tasks again."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from in_memory_backend import task_row
from panel_lab import ME, submit_points

from gcs_lab.vocabulary import JobInfo, JobState

if TYPE_CHECKING:
    from collections.abc import Collection

    from panel_lab import Lab

    from gcs_lab.cells.sweep import Sweep


@pytest.fixture
def sweep(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    monkeypatch.setattr("gcs_lab.cells.unexplained_ends._GRACE", -1.0)
    lab.system.jobs.supports_everything()
    return submit_points(lab.cluster, "y = x", "x=range(1, 11)", name="grid")


def queue(sweep: Sweep, running: int, waiting: int, job_id: str = "") -> list[dict[str, Any]]:
    """Return the rows of so many tasks that run and wait."""
    name = job_id or sweep.id
    rows = [task_row(name, ME, "r", name="grid", task=n, tasks=str(n)) for n in range(1, running + 1)]
    if waiting:
        rows.append(task_row(name, ME, "qw", name="grid", tasks="5-10:1", task_count=waiting))
    return rows


def say_end(sweep: Sweep, *tasks: int, exit_status: int = 0, number: int = 1) -> None:
    with (sweep.folder.path / "ends-h.jsonl").open("a") as file:
        for task in tasks:
            line = {
                "task": task,
                "round": number,
                "try": number,
                "exit_status": exit_status,
                "wall": 1.0,
                "host": "h",
            }
            file.write(
                json.dumps(line | {"started": time.time() - 1} | ({"error": "ValueError: x"} if exit_status else {}))
                + "\n"
            )


def counts(row: dict[str, Any] | None) -> dict[str, int]:
    return {name: number for name, number in ((row or {}).get("tasks") or {}).items() if number}


def test_a_sweep_is_one_row_from_its_submission_to_its_end_and_its_rerun(lab: Lab, sweep: Sweep) -> None:
    page = lab.page()
    row = page.wait_row("1")
    assert (row["kind"], row["name"], row["state"]) == ("sweep", "grid", "QUEUED")
    assert counts(row) == {"pending": 10, "total": 10}
    lab.status.tasks = queue(sweep, 3, 7)
    lab.now()
    page.wait(lambda: counts(page.row("1")) == {"running": 3, "pending": 7, "total": 10})
    # Folders know of an end before the scheduler tells it.
    say_end(sweep, 1)
    say_end(sweep, 2, exit_status=1)
    page.wait(lambda: counts(page.row("1")) == {"running": 1, "pending": 7, "done": 1, "failed": 1, "total": 10})
    assert page.row("1")["actions"] == ["cancel", "hold", "suspend", "rerun_failed"]
    say_end(sweep, *range(3, 11))
    ended = page.wait_row("1", "recent", state="FAILED")
    assert ended["outcome"] == "1 of 10 failed; first: task 2: ValueError: x"
    assert counts(ended) == {"done": 9, "failed": 1, "total": 10}
    assert ended["actions"] == ["rerun_failed"]
    (told,) = page.wait(lambda: page.told("ended"))
    assert (len(told["jobs"]), told["failed"]) == (1, 1)

    lab.status.tasks = []
    acted = page.act("rerun_failed", "1")
    assert (acted["error"], acted["text"]) == ("", "1 failed task of sweep 1 (grid) runs again, as job 2.")
    lab.status.tasks = queue(sweep, 1, 0, "2")
    lab.now()
    page.wait(lambda: counts(page.row("1")) == {"running": 1, "done": 9, "total": 10})
    assert page.row("2") is None
    acted = page.act("cancel", "1")
    assert acted["error"] == ""
    assert lab.system.jobs.controlled[-1][1] == ["2"], "the array job that is in the queue"
    lab.status.tasks = []
    say_end(sweep, 2, number=2)
    lab.now()
    ended = page.wait_row("1", "recent", state="DONE")
    assert ended["outcome"] == "all 10 done"
    assert len(page.told("ended")) == 1, "who cancelled it knows"


def test_a_sweep_started_when_the_first_of_its_tasks_did(lab: Lab, sweep: Sweep) -> None:
    first, later = (datetime.now(UTC) - timedelta(seconds=seconds) for seconds in (50, 10))
    lab.status.tasks = [
        task_row("1", ME, "r", name="grid", task=1, tasks="1", start_time=first),
        task_row("1", ME, "r", name="grid", task=2, tasks="2", start_time=later),
    ]
    page = lab.page()
    began = round(first.timestamp(), 3)
    page.wait_row("1", started=began)
    lab.status.tasks.pop(0)
    lab.now()
    page.wait(lambda: counts(page.row("1")).get("running") == 1)
    assert page.row("1")["started"] == began
    say_end(sweep, 1)
    page.wait(lambda: counts(page.row("1")).get("done") == 1)
    assert page.row("1")["started"] == began
    # Who looks only now is told by the folder.
    assert 0 < lab.page().wait_row("1", state="RUNNING")["started"] < time.time()


def test_tasks_that_were_killed_are_found_out_by_accounting(lab: Lab, sweep: Sweep, monkeypatch: Any) -> None:
    lab.status.tasks = queue(sweep, 3, 7)
    page = lab.page()
    page.wait(lambda: counts(page.row("1")) == {"running": 3, "pending": 7, "total": 10})

    def info(job_ids: Collection[str]) -> dict[str, JobInfo]:
        return {
            job_id: JobInfo(job_id=job_id, job_state=JobState.FAILED, failed=100, annotation="killed: h_rt exceeded")
            for job_id in job_ids
        }

    monkeypatch.setattr(lab.system.jobs, "info", info)
    say_end(sweep, *range(1, 9))
    lab.system.jobs.task_states["1"] = dict.fromkeys(range(1, 11), JobState.FAILED)
    lab.status.tasks = []
    lab.now()
    row = page.wait_row("1", "recent", state="FAILED")
    assert counts(row) == {"done": 8, "failed": 2, "total": 10}
    assert row["outcome"] == "2 of 10 failed; first: task 9: killed: h_rt exceeded"
    (told,) = page.wait(lambda: page.told("ended"))
    assert [job["job_id"] for job in told["jobs"]] == ["1"]


def test_a_sweep_whose_folder_is_gone_is_shown_as_the_queue_has_it(lab: Lab, sweep: Sweep) -> None:
    sweep.folder.remove()
    lab.status.tasks = queue(sweep, 2, 6)
    page = lab.page()
    row = page.wait_row("1")
    assert counts(row) == {"running": 2, "pending": 6, "total": 10}
    error = page.act("rerun_failed", "1")["error"]
    assert "cannot run again: its folder" in error
