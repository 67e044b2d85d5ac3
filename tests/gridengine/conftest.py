"""Fixtures of the Grid Engine tests."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gridengine.demo_lab import demo_cell, home_of, need_packages

from gcs_lab.backends.gridengine import demo
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.backends.gridengine.demo import DemoState

__all__ = ["demo_cell"]

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(params=["sge-8.1.9", "ocs-9.2"])
def recorded(request: pytest.FixtureRequest) -> Path:
    """Return the folder of recorded outputs of one version; the test runs for each."""
    return DATA / request.param


@pytest.fixture
def sge() -> Path:
    return DATA / "sge-8.1.9"


@pytest.fixture
def ocs() -> Path:
    return DATA / "ocs-9.2"


@pytest.fixture(scope="session", params=["drmaa", "qsub"])
def cluster(request: pytest.FixtureRequest, demo_cell: DemoState) -> Iterator[Cluster]:
    """Yield the demo cell, connected once by libdrmaa and once by qsub."""
    system = GridEngineSystem("demo", demo_cell.cell(), request.param)
    assert system.jobs.submitter.transport == request.param
    yield Cluster(system)
    system.close()


@pytest.fixture
def own_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a new, short home of gcs_lab for cells that the test starts and stops itself."""
    need_packages()
    place = Path(tempfile.mkdtemp(prefix="gd-", dir="/tmp"))
    monkeypatch.setenv("GCS_LAB_HOME", str(place))
    yield place
    for state in demo.status():
        demo.stop(state.name)
    shutil.rmtree(place)


@pytest.fixture
def in_demo_home(demo_cell: DemoState, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the session's demo cell the one that ``connect`` finds."""
    monkeypatch.setenv("GCS_LAB_HOME", str(home_of(demo_cell)))
    return home_of(demo_cell)
