"""Sweeps over REST, on the embedded cluster: their tasks, single ones, and those that run again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from job_cells import ended, send_sweep
from patience import wait_for

from gcs_lab.cells.journal import Journal

if TYPE_CHECKING:
    from live_server import LiveServer

JOBS = "clusters/embedded/jobs"
#: Fails at the odd ones as long as there is no file that says otherwise.
SOURCE = """\
import os
print(f"x is {x}")
if x % 2 and not os.path.exists(flag):
    raise ValueError(f"odd: {x}")
y = x * x
big = object
"""


def rows(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(told["columns"], row, strict=True)) for row in told["rows"]]


@pytest.fixture(scope="module")
def sweep(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A sweep of four points of which two failed, and the file that lets them succeed."""
    flag = tmp_path_factory.mktemp("flag") / "go"
    made = send_sweep(f"flag = {str(flag)!r}\n{SOURCE}", "x=range(4)", name="squares")
    facts = ended(server, made.id)
    assert facts["state"] == "FAILED"
    return made.id, flag


def test_its_tasks_are_a_table(server: LiveServer, sweep: tuple[str, Path]) -> None:
    told = server.get(f"{JOBS}/{sweep[0]}/tasks")
    assert told["total"] == 4
    table = rows(told)
    assert [(row["task"], row["x"], row["state"], row["y"]) for row in table] == [
        (1, 0, "DONE", 0), (2, 1, "FAILED", None), (3, 2, "DONE", 4), (4, 3, "FAILED", None),
    ]  # fmt: skip
    assert table[1]["error"] == "ValueError: odd: 1"
    assert table[1]["exit"] == 1
    assert [row["task"] for row in rows(server.get(f"{JOBS}/{sweep[0]}/tasks", state="FAILED", first=1))] == [4]
    assert server.get(f"{JOBS}/{sweep[0]}/tasks", first=2, limit=1)["rows"][0][0] == 3


def test_a_task_has_a_log_and_outputs_of_its_own(server: LiveServer, sweep: tuple[str, Path]) -> None:
    job_id = sweep[0]
    assert "open one" in server.get(f"{JOBS}/{job_id}/log")["note"]
    assert "open one" in server.get(f"{JOBS}/{job_id}/outputs")["note"]
    log = server.get(f"{JOBS}/{job_id}/log", task=2)
    assert (log["lines"], log["task"], log["live"]) == (["x is 1"], 2, False)
    assert server.get(f"{JOBS}/{job_id}.2/log")["lines"] == ["x is 1"]
    (error,) = server.get(f"{JOBS}/{job_id}/outputs", task=2)["outputs"]
    assert error["evalue"] == "odd: 1"
    facts = server.get(f"{JOBS}/{job_id}", task=2)
    assert (facts["state"], facts["exit_status"], facts["tasks"]) == ("FAILED", 1, 4)
    assert facts["outcome"] == "ValueError: odd: 1"
    assert server.get(f"{JOBS}/{job_id}")["outcome"].startswith("2 of 4 failed")
    server.refused(404, "GET", f"{JOBS}/{job_id}/log", params={"task": 5})


def test_failed_points_run_again_without_a_kernel(server: LiveServer, sweep: tuple[str, Path]) -> None:
    job_id, flag = sweep
    path = f"{JOBS}/{job_id}"
    assert "say which" in server.refused(400, "POST", f"{path}/rerun", json={})["message"]
    server.refused(400, "POST", f"{path}/rerun", json={"failed": True, "tasks": [1]})
    server.refused(400, "POST", f"{path}/rerun", json={"failed": True, "requests": {"no space": "x"}})
    server.refused(400, "POST", f"{path}/rerun", json={"failed": True, "requests": {"h_vmen": "1G"}})
    server.refused(404, "POST", f"{path}/rerun", json={"tasks": [9]})
    flag.touch()
    again = server.post(f"{path}/rerun", {"failed": True, "requests": {"h_rt": "600"}})
    assert again["tasks"] == 2
    assert again["job_id"] != job_id
    assert "2 tasks of sweep squares" in again["text"]
    # By the id of the new round it is the same sweep, whose array has indices of its own.
    wait_for(lambda: server.get(f"{JOBS}/{again['job_id']}")["state"] == "DONE", "its end")
    assert [row["y"] for row in rows(server.get(f"{path}/tasks"))] == [0, 1, 4, 9]
    assert server.get(f"{JOBS}/{again['job_id']}.2/log")["lines"] == [
        "x is 3", "", "--- it started again (try 2) ---", "x is 3",
    ]  # fmt: skip
    assert server.get(f"{path}/outputs", task=4)["outputs"] == []
    assert server.get(path)["job_id"] == again["job_id"]
    assert "has failed" in server.refused(409, "POST", f"{path}/rerun", json={"failed": True})["message"]
    entry = Journal().find(job_id, "embedded")[0]
    assert entry.state == "DONE"


def test_one_task_is_cancelled_and_a_folder_that_is_gone(server: LiveServer) -> None:
    made = send_sweep("import time\ntime.sleep(600)", "x=range(3)", name="waits", hold=True)
    acted = server.post(f"{JOBS}/{made.id}/actions", {"action": "cancel", "tasks": [2]})
    assert acted["done"] == 1
    states = [row["state"] for row in rows(server.get(f"{JOBS}/{made.id}/tasks"))]
    assert states[0] == states[2] == "QUEUED_HELD"
    assert "not ended" in server.refused(409, "POST", f"{JOBS}/{made.id}/rerun", json={"tasks": [1]})["message"]
    assert server.post(f"{JOBS}/{made.id}/actions", {"action": "cancel"})["failures"] == []
    shutil.rmtree(Path(made.entry.folder))
    refused = server.refused(409, "POST", f"{JOBS}/{made.id}/rerun", json={"failed": True})
    assert "Run its cell" in refused["message"]
    assert "was deleted" in server.get(f"{JOBS}/{made.id}/log", task=1)["note"]
    assert server.get(f"{JOBS}/{made.id}")["name"] == "waits"
