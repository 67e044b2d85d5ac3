"""What the tests of the panel's host share."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from panel_lab import Lab

from gcs_lab.panel.ends import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a panel look and speak ten times as often: what is waited for is what happens, not that it is due."""
    for name, seconds in {
        "host.PUSH_SECONDS": 0.05,
        "host.LOOK_SECONDS": 0.025,
        "host.HIDDEN_LOOK_SECONDS": 0.1,
        "host.GATHER_SECONDS": 0.2,
        "ends._FIRST_PAUSE": 0.05,
        "ends._LONGEST_PAUSE": 1.0,
        "sweeps._FIRST_PAUSE": 0.4,
        "job_board._SUBMISSION_SECONDS": 2.0,
    }.items():
        monkeypatch.setattr(f"gcs_lab.panel.{name}", seconds)
    monkeypatch.setitem(PATIENCE, "other", 4.0)
    monkeypatch.setattr("gcs_lab.models.waiting_watch.FIRST_SECONDS", 0.2)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Lab]:
    """A cluster in memory with one host of four slots and no jobs."""
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "home"))
    made = Lab(f"lab-{tmp_path.name[-40:]}", tmp_path / "jobs")
    yield made
    made.close()
    deadline = time.monotonic() + 10
    while left := [t.name for t in threading.enumerate() if t.name.startswith(("gcs-lab-panel", "gcs_lab-status"))]:
        assert time.monotonic() < deadline, f"threads are left: {left}"
        time.sleep(0.01)
