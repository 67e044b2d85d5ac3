"""The cockpit's host on a real Grid Engine: a job's facts and logs, an array's strip, actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cockpit_lab import Page
from gridengine.demo_lab import demo_cell

from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.cluster import Cluster
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState

__all__ = ["demo_cell"]

pytestmark = pytest.mark.gridengine


@pytest.fixture
def cluster(demo_cell: DemoState) -> Iterator[Cluster]:
    made = Cluster(GridEngineSystem("demo", demo_cell.cell()))
    yield made
    for job in made.jobs.list():
        job.terminate()
    made.close()


def done(page: Page, action: str, job_id: str, **fields: str) -> dict[str, Any]:
    parts = {"action": action, "targets": [{"job_id": job_id, "task": None}], "fields": fields}
    plan = page.ask("plan", **parts)
    assert (plan["jobs"], plan["refused"], plan["error"]) == (1, [], ""), plan
    acted = page.ask("act", "acted", **parts)
    assert (acted["done"], acted["failures"], acted["error"]) == (1, [], ""), acted
    return acted


def test_a_job_is_explained_followed_and_ended(cluster: Cluster, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    out = tmp_path / "out"
    job = cluster.jobs.run(
        "/bin/sh", "-c", "echo hello; sleep 60", job_name="fit", output_path=str(out), join_files=True,
        resource_requests={"h_rt": "600"},
    )  # fmt: skip
    array = cluster.jobs.submit_array(JobTemplate(remote_command="/bin/sleep", args=["60"]), 1, 30, max_parallel=1)
    held = cluster.jobs.run("/bin/sleep", "60", submit_as_hold=True)
    job.wait_started(30)
    page = Page(cluster)
    try:
        page.say("hello", protocol=1)
        cluster.status.poller.fresh()
        page.wait(lambda m: m["kind"] == "overview" and m["jobs"] >= 3, 30)
        told = page.ask("details", job_id=job.id, task=None)
        assert (told["name"], told["state"], told["trouble"]) == ("fit", "RUNNING", "")
        assert told["requests"] == [["h_rt", "600"]]
        assert next(row for row in told["usage"] if row["label"] == "Wall time")["asked"] == 600
        assert [log["stream"] for log in told["logs"]][:1] == ["stdout"]
        assert page.ask("log", job_id=job.id, task=None, stream="stdout", offset=0)["text"] == "hello\n"
        strip = page.ask("details", job_id=array.id, task=None)["strip"]
        assert sum(count for _, count, _ in strip) == 30
        assert "held" in page.ask("details", job_id=held.id, task=None)["reasons"][0]
        done(page, "release", held.id)
        done(page, "alter", held.id, name="renamed")
        done(page, "cancel", job.id)
        page.ask("details", job_id=job.id, task=None)
        gone = page.wait(lambda m: m["kind"] == "details" and m["job_id"] == job.id and m["gone"], 30)
        assert gone["actions"] == []
    finally:
        page.host.close()
