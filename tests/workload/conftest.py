"""A home of its own for each test that starts a cluster; nothing is left behind."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gcs_lab.backends.embedded import service
from gcs_lab.backends.embedded.places import Places
from gcs_lab.cluster import connect
from gcs_lab.jobs import JobAction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.cluster import Cluster

#: Two hosts with two slots, and simulated ones; of each a queue.
SHAPE = """
[[hosts]]
name = "node"
count = 2
[[hosts]]
name = "sim"
count = 3
simulated = true
[[queues]]
name = "all.q"
slots = 2
hosts = ["node*"]
[[queues]]
name = "sim.q"
slots = 8
hosts = ["sim*"]
[[parallel_environments]]
name = "smp"
slots = 99
allocation_rule = "$pe_slots"
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp"))
    monkeypatch.setenv("GCS_LAB_HOME", str(folder))
    yield folder
    service.stop()
    shutil.rmtree(folder)


@pytest.fixture
def cluster(home: Path) -> Iterator[Cluster]:
    """Yield an embedded cluster of two real and three simulated hosts; its jobs are deleted afterwards."""
    Places.of_user().configuration.write_text(SHAPE)
    made = connect("embedded")
    yield made
    # One of them may end meanwhile.
    made.jobs.control(JobAction.TERMINATE, [job.id for job in made.jobs.list()])
    made.close()
