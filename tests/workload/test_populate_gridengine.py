"""People come to a real private Grid Engine, of nodes and of simulated hosts; and a past beside its records."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gridengine.demo_lab import need_packages
from patience import wait_for

from gcs_lab.backends.gridengine import demo
from gcs_lab.cluster import connect
from gcs_lab.vocabulary import JobState
from gcs_lab.workload.own_cluster import own_cluster, records_file
from gcs_lab.workload.populate import Wishes, clear, instant_year, once, play, what_is_left

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.gridengine


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    need_packages()
    folder = Path(tempfile.mkdtemp(prefix="gd-", dir="/tmp"))
    monkeypatch.setenv("GCS_LAB_HOME", str(folder))
    yield folder
    for state in demo.status():
        demo.stop(state.name)
    shutil.rmtree(folder)


def test_a_class_and_its_past_on_nodes(home: Path) -> None:
    demo.start(nodes=2, slots=2)
    wishes = Wishes(students=6)
    assert own_cluster() == "demo"
    text = once(wishes, 200)
    assert "6 people on 2 hosts with 4 slots. Jobs really run" in text
    assert "refused" not in text
    cluster = connect("demo")

    def told() -> str:
        waiting = [
            info.job_id for info in cluster.jobs.find() if info.job_state in {JobState.QUEUED, JobState.QUEUED_HELD}
        ]
        reasons = cluster.jobs.pending_reasons([job_id for job_id in waiting if "." not in job_id])
        return " | ".join(reason.text for found in reasons.values() for reason in found)

    words = ("slots of all.q", "waits for job", "held by its user", "start time", "fits nowhere", "mem_total=8T")
    wait_for(lambda: all(word in told() for word in words), "all reasons to wait")
    own = records_file("demo")
    wait_for(lambda: own.exists() and len(own.read_text().splitlines()) > 5, "records of the mistakes")
    instant_year(wishes, 20)
    assert len(cluster.accounting.summary(by="owner", since="365d")) == 7
    failures = " | ".join(cluster.accounting.failures()["reason"])
    assert "exit status 127" in failures
    assert clear(wishes, past=True).endswith("its invented past is gone")
    wait_for(lambda: not cluster.jobs.find(), "the end of the crowd")
    assert len(cluster.accounting.summary(by="owner")) == 1
    assert what_is_left(wishes) == "nothing of it is left on demo"
    cluster.close()


def test_a_department_on_simulated_hosts(home: Path) -> None:
    demo.start("big", simulated=20)
    # Never chosen unasked by connect(), but it is the only one of the user's own that runs.
    assert own_cluster() == "demo-big"
    wishes = Wishes("demo-big", speed=2000.0)
    said: list[str] = []
    text = play(wishes, 6, said=said.append, told=lambda _: None, stopped=lambda: False)
    assert "80 people on 20 hosts with 320 slots that are simulated: jobs execute nothing there" in said[0]
    assert "refused" not in text
    cluster = connect("demo-big")
    jobs = cluster.status.snapshot().jobs.to_pydict()
    assert set(jobs["project"]) <= {"physics", "biology", "climate", "teaching"}
    assert len(set(jobs["project"])) > 1
    wait_for(lambda: sum(cluster.status.snapshot().jobs["running"].to_pylist()) > 10, "jobs on simulated hosts")
    clear(wishes, past=False)
    wait_for(lambda: not cluster.jobs.find(), "the end of its jobs")
    cluster.close()
