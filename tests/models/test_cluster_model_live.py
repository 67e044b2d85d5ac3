"""The models of a cluster, fed by the poller of a real embedded one."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from embedded.embedded_lab import processes_with
from patience import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.backends.embedded.system import EmbeddedSystem
from gcs_lab.cluster import Cluster
from gcs_lab.models import ClusterModel

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp"))
    monkeypatch.setenv("GCS_LAB_HOME", str(folder))
    made = Cluster(EmbeddedSystem.connect())
    yield made
    made.close()
    service.stop()
    wait_for(lambda: not processes_with(str(folder)), "end of all processes")
    shutil.rmtree(folder)


def test_a_script_follows_a_job_without_any_widget(cluster: Cluster, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with ClusterModel(cluster) as model:
        assert model.wait() is model
        assert model.slots_total == model.slots_free > 0
        assert (model.hosts_up, model.job_count, model.error) == (1, 0, "")
        events: list[tuple[str, list[str]]] = []
        model.jobs.on_change(lambda event: events.append((event.kind, [row["name"] for row in event.rows()])))
        model.jobs.filter = "name:nap state:running"
        queue = model.queue("all.q")
        job = cluster.jobs.run("/bin/sh", "-c", f"until test -e {go}; do sleep 0.05; done", job_name="nap")
        seen = model.job(job.id)
        wait_for(lambda: seen.state == "RUNNING", "the job to be seen running")
        wait_for(lambda: model.tasks_by_state == {"RUNNING": 1} and queue.slots_used == 1, "the figures")
        assert (seen.name, seen.queue, seen.tasks, seen.is_array) == ("nap", "all.q", 1, False)
        assert seen.started >= seen.submitted > 0
        assert model.host(seen.host).is_up
        assert model.jobs.window(0, 5, ["job_id", "letters"]).rows == [[job.id, "r"]]
        assert model.owners[0]["slots"] == 1
        go.touch()
        wait_for(lambda: seen.ended, "the end to be seen")
        wait_for(lambda: model.job_count == 0, "an empty cluster")
        kinds = [kind for kind, names in events if names == ["nap"]]
        assert (kinds[0], kinds[-1]) == ("added", "removed")
    wait_for(
        lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("gcs_lab-status")],
        "end of the poller's thread",
    )
