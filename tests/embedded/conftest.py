"""A real embedded cluster for each test, in a folder of its own; nothing of it is left behind."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from embedded_lab import Lab, processes_with
from hypothesis import settings
from patience import wait_for

from gcs_lab.backends.embedded import service

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("thorough", max_examples=800)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp"))
    monkeypatch.setenv("GCS_LAB_HOME", str(folder))
    yield folder
    service.stop()
    wait_for(lambda: not processes_with(str(folder)), "end of all processes")
    shutil.rmtree(folder)


@pytest.fixture
def lab(home: Path) -> Iterator[Lab]:
    made = Lab(home)
    yield made
    made.close()
