"""What the tests of the server extension share: a live server, one for all that do not need their own."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from echo_host import echo
from live_server import LINES, LiveServer
from patience import wait_for

from gcs_lab import cluster
from gcs_lab.backends.embedded import service
from gcs_lab.backends.gridengine import demo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["echo"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server on the embedded cluster of the test session."""
    made = LiveServer(tmp_path_factory.mktemp("contents"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _lines_are_closed() -> Iterator[None]:
    yield
    while LINES:
        LINES.pop().close()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A new folder whose path leaves room for that of a unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, short_folder: Path) -> Iterator[Path]:
    """A home in which nothing runs; what a test starts is stopped."""
    monkeypatch.setenv("GCS_LAB_HOME", str(short_folder))
    monkeypatch.setenv("IPYTHONDIR", str(short_folder / "ipython"))
    yield short_folder
    for (of_home, _), connected in list(cluster._connected.items()):
        if of_home == str(short_folder):
            connected.close()
    service.stop()
    for state in demo.status():
        demo.stop(state.name)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Start servers of a test's own; none of them, and no thread of theirs, is left."""
    made: list[LiveServer] = []

    def start(base_url: str = "/", **config: Any) -> LiveServer:
        root = tmp_path / f"contents-{len(made)}"
        root.mkdir()
        made.append(LiveServer(root, base_url, config))
        return made[-1]

    before = set(threading.enumerate())
    yield start
    for server in made:
        server.stop()
    wait_for(lambda: not _ours(before), "that no thread is left")


def _ours(before: set[threading.Thread]) -> list[str]:
    new = set(threading.enumerate()) - before
    return [thread.name for thread in new if thread.name.startswith(("gcs-lab", "gcs_lab", "live-server"))]
