"""A private Grid Engine for tests: one for the whole session, in a home of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from gcs_lab.backends.gridengine import demo
from gcs_lab.backends.gridengine.sge_cell import debian_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALL = "apt-get install -y --no-install-recommends gridengine-master gridengine-exec gridengine-client gridengine-drmaa1.0"


def need_packages() -> None:
    """Skip the test where Debian's packages are missing."""
    binaries = debian_binaries()
    if binaries is None or not (binaries / "sge_qmaster").is_file():
        pytest.skip(f"Grid Engine's Debian packages are not installed: {INSTALL}")


@contextmanager
def home(folder: Path | None = None) -> Iterator[Path]:
    """Make `folder` (None: a new, short one, removed afterwards) the home of gcs_lab."""
    mine = folder or Path(tempfile.mkdtemp(prefix="gd-", dir="/tmp"))
    before = os.environ.get("GCS_LAB_HOME")
    os.environ["GCS_LAB_HOME"] = str(mine)
    try:
        yield mine
    finally:
        if before is None:
            del os.environ["GCS_LAB_HOME"]
        else:
            os.environ["GCS_LAB_HOME"] = before
        if folder is None:
            shutil.rmtree(mine)


def home_of(state: demo.DemoState) -> Path:
    """Return the GCS_LAB_HOME in which a demo cell was started."""
    return state.folder.parents[2]


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of all living processes that know of `folder` in arguments or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = [*process.cmdline(), *process.environ().values()]
        except (psutil.Error, OSError):
            continue
        if any(word.startswith(str(folder)) for word in words):
            found.append(" ".join(process.cmdline()))
    return found


@pytest.fixture(scope="session")
def demo_cell() -> Iterator[demo.DemoState]:
    """Yield a running demo cell; stop it at the end and look whether it left anything."""
    need_packages()
    place = Path(tempfile.mkdtemp(prefix="gd-", dir="/tmp"))
    with home(place):
        state = demo.start()
    try:
        yield state
    finally:
        with home(place):
            demo.stop()
        left = processes_of(place)
        folder_left = state.folder.exists()
        shutil.rmtree(place)
        assert not left, left
        assert not folder_left
