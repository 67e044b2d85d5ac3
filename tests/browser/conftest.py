"""One JupyterLab for all browser tests of a test process."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from live_lab import LiveLab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def lab(chromium: Browser) -> Iterator[LiveLab]:
    """A running JupyterLab; ``lab.open([...cells...])`` opens a notebook in headless Chromium."""
    # Directly under /tmp: the path of a unix socket may have 107 bytes at the most.
    home = Path(tempfile.mkdtemp(prefix="lab-", dir="/tmp"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        server = LiveLab(chromium, home)
        stack.callback(server.stop)
        server.start()
        yield server
