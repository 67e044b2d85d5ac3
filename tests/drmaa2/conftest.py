"""Systems that the DRMAA2 face is driven on: an embedded cluster, and the session's private Grid Engine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from drmaa2.drmaa2_lab import Site, end_all_jobs
from gridengine.demo_lab import demo_cell, home_of, processes_of
from patience import wait_for

from gcs_lab.backends.embedded import service

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["demo_cell"]

#: Files of others, which are run by test_univas_tests.py.
collect_ignore = ["univa_tests"]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a home of gcs_lab with nothing in it; no cluster runs until one is connected to."""
    folder = Path(tempfile.mkdtemp(prefix="gf-", dir="/tmp"))
    monkeypatch.setenv("GCS_LAB_HOME", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Site]:
    """Yield an embedded cluster with 8 slots, for the tests of one file."""
    folder = Path(tempfile.mkdtemp(prefix="gf-", dir="/tmp"))
    found = Site("embedded", folder)
    with found.in_force():
        found.configure('[[hosts]]\nname = "node"\n[[queues]]\nname = "all.q"\nslots = 8\n')
    yield found
    with found.in_force():
        end_all_jobs(found)
        found.disconnect()
        service.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def gridengine(demo_cell) -> Iterator[Site]:
    """Yield the session's private Grid Engine, for the tests of one file."""
    found = Site("demo", home_of(demo_cell))
    yield found
    with found.in_force():
        end_all_jobs(found)
        found.disconnect()
    # The helper of a program that has ended may take a moment to close its session.
    wait_for(lambda: not [line for line in processes_of(found.home) if "drmaa_helper" in line], "end of helpers")


@pytest.fixture(params=["embedded", pytest.param("gridengine", marks=pytest.mark.gridengine)])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Yield each of the systems, in force; what is left of jobs and reservations is ended."""
    found: Site = request.getfixturevalue(request.param)
    with found.in_force():
        yield found
        end_all_jobs(found)
