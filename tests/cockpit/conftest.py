"""What the tests of the cockpit's host share."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from cockpit_lab import ME, Lab
from in_memory_backend import task_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def each_look_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the strip be told after each look at the cluster, though nothing differs but the clock."""
    monkeypatch.setattr("gcs_lab.cockpit.stage.BEAT_SECONDS", 0.0)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Lab]:
    """A cluster of two hosts and two queues, with jobs of this user and of two others."""
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "home"))
    made = Lab(f"lab-{tmp_path.name[-40:]}")
    made.status.queue_instances = [
        {"queue": "all.q", "host": "node1", "type": "BIP", "slots_used": 3, "slots_total": 4, "state": ""},
        {"queue": "all.q", "host": "node2", "type": "BIP", "slots_used": 0, "slots_total": 4, "state": "d"},
        {"queue": "short.q", "host": "node2", "type": "B", "slots_used": 1, "slots_total": 2, "state": ""},
    ]
    made.status.hosts = [
        {"host": "node1", "cores": 4, "load_avg": 1.5, "slots_used": 3, "slots_total": 4, "state": ""},
        {"host": "node2", "cores": 4, "load_avg": 0.1, "slots_used": 1, "slots_total": 6, "state": ""},
    ]
    made.status.tasks = [
        task_row("1", ME, "r", host="node1", slots=2),
        task_row("2", "bob", "r", host="node1"),
        task_row("3", "eve", "r", host="node2", queue="short.q"),
        task_row("4", ME, "qw"),
        task_row("5", ME, "hqw"),
        task_row("6", "bob", "Eqw"),
        task_row("7", ME, "r", host="node1", task=1, tasks="1", slots=0),
        task_row("7", ME, "qw", tasks="2-9:1", task_count=8),
    ]
    for row in made.status.tasks:
        made.system.jobs.states.setdefault(row["job_id"], None)
    yield made
    made.close()
    deadline = time.monotonic() + 10
    while left := [t.name for t in threading.enumerate() if t.name.startswith(("gcs-lab-cockpit", "gcs_lab-status"))]:
        assert time.monotonic() < deadline, f"threads are left: {left}"
        time.sleep(0.01)
