"""What differs on a real Grid Engine: letters, jobs that qsub sent, arrays, errors that are cleared, records."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from gridengine.demo_lab import demo_cell, home_of
from job_cells import ended, form, send_cell, send_sweep
from patience import wait_for

from gcs_lab import connect
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live_server import LiveServer

    from gcs_lab.backends.gridengine.demo import DemoState

__all__ = ["demo_cell"]
pytestmark = pytest.mark.gridengine


def test_jobs_of_a_real_grid_engine(
    demo_cell: DemoState, monkeypatch: pytest.MonkeyPatch, start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    monkeypatch.setenv("GCS_LAB_HOME", str(home_of(demo_cell)))
    server = start_server()
    with closing(connect(demo_cell.name)) as cluster:
        use_all(server, cluster.name, tmp_path)


def use_all(server: LiveServer, name: str, tmp_path: Path) -> None:
    jobs = f"clusters/{name}/jobs"
    cell = send_cell("print('hello')\n3 + 4", cluster=name, name="hello", cell="c9")
    sweep = send_sweep("print(x)\nassert x != 1", "x=range(2)", cluster=name, name="points")
    # As qsub sends it: no folder and no journal tells of it.
    files = {"output_path": str(tmp_path / "out"), "error_path": str(tmp_path / "err")}
    plain = connect(name).jobs.run("/bin/sh", "-c", "echo from qsub; sleep 600", job_name="plain", **files)
    held = JobTemplate(remote_command="/bin/sleep", args=["60"], job_name="many", submit_as_hold=True, **files)
    array = connect(name).jobs.submit_array(held, 1, 4)
    facts = ended(server, cell.id, name)
    assert (facts["state"], facts["exit_status"], facts["cell"]) == ("DONE", 0, "c9")
    assert server.get(f"{jobs}/{cell.id}/log")["lines"] == ["hello"]
    assert server.get(f"{jobs}/{cell.id}/outputs")["outputs"][0]["data"]["text/plain"] == "7"

    lines = f"{jobs}/{plain.id}/log"
    wait_for(lambda: server.get(lines, stream="stdout")["lines"] == ["from qsub"], "its line")

    def letters() -> str:
        connect(name).status.poller.fresh()
        return str(server.get(f"{jobs}/{plain.id}")["letters"])

    wait_for(lambda: letters() == "r", "that it runs")
    facts = server.get(f"{jobs}/{plain.id}")
    assert (facts["letters"], facts["kind"], facts["name"]) == ("r", "job", "plain")
    assert {"stream": "stdout", "bytes": 10} in facts["streams"]
    acted = server.post(f"{jobs}/{plain.id}/actions", {"action": "cancel"})
    assert acted["text"] == f"Job {plain.id} was cancelled."
    # It ends at once for qstat, and is known from accounting then.
    assert ended(server, plain.id, name)["outcome"]

    rows = server.get(f"{jobs}/{array.id}/tasks")["rows"]
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert {row[2] for row in rows} == {"hqw"}
    assert server.post(f"{jobs}/{array.id}/actions", {"action": "cancel", "tasks": [3]})["done"] == 1
    assert server.post(f"{jobs}/{array.id}/actions", {"action": "cancel"})["failures"] == []

    assert ended(server, sweep.id, name)["outcome"].startswith("1 of 2 failed")
    again = server.post(f"{jobs}/{sweep.id}/rerun", {"failed": True})
    assert again["tasks"] == 1
    wait_for(lambda: server.get(f"{jobs}/{sweep.id}")["state"] == "FAILED", "its end")
    assert "started again" in "\n".join(server.get(f"{jobs}/{sweep.id}/log", task=2)["lines"])

    body = {"kind": "cell", "path": "", "form": form(queue="al.q", parallel_environment="smp", slots="2")}
    problems = server.post(f"clusters/{name}/plan", body)["problems"]
    assert [problem["field"] for problem in problems] == ["queue"]
    told = server.get(f"clusters/{name}/accounting", question="summary", by="name", name="hello")
    assert told["total"] == 1
