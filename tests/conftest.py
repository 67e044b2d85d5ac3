"""What holds for every test: an own home, no process left behind, and no silent skip."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

#: Tests that run against real systems; in continuous integration they may not be skipped.
REAL = ("gridengine", "browser")

#: The first prints the conformance suite's table: here, because under xdist the process that reports collects nothing
#: itself.
pytest_plugins = [
    name
    for name in ("conformance.outcome_table", "browser.one_chromium")
    if Path(__file__).with_name(name.partition(".")[0]).is_dir()
]

_home: Path | None = None


def pytest_configure() -> None:
    """Give this test process (each xdist worker is one) folders of its own, before anything reads them."""
    global _home  # noqa: PLW0603
    # Directly under /tmp: the path of a unix socket may have 107 bytes at the most.
    _home = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp"))
    os.environ["GCS_LAB_HOME"] = str(_home)
    os.environ["IPYTHONDIR"] = str(_home / "ipython")
    for name in ("CONFIG", "DATA", "RUNTIME"):
        os.environ[f"JUPYTER_{name}_DIR"] = str(_home / "jupyter" / name.lower())
    # The mark of what tests start. The embedded scheduler keeps little of its environment, and TMPDIR of that.
    os.environ["TMPDIR"] = str(_home / "tmp")
    (_home / "tmp").mkdir()
    tempfile.tempdir = None
    os.environ.pop("GCS_LAB_CLUSTER", None)


def pytest_unconfigure() -> None:
    if _home is not None:
        shutil.rmtree(_home, ignore_errors=True)


def _processes_of_the_session() -> dict[int, str]:
    """Return pid and command line of every process that a test started, and those that they started."""
    mark = f"TMPDIR={os.environ['TMPDIR']}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end while it is looked at, and others' may not be read.
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(folder.name)] = command.strip()
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """After the last test of this process, fail when a process that a test started is still there, and end it.

    Not in a fixture: those of the session end in no order that could be relied on.
    """
    answer = yield
    if nextitem is None:
        _no_process_left_behind()
    return answer


def _no_process_left_behind() -> None:
    if (clusters := sys.modules.get("gcs_lab.cluster")) is not None:
        # What a program is connected to is closed at its end, which has not come yet.
        clusters._close_all()
    _stop_embedded_cluster_of_the_session()
    # A job that was told to end, or a helper whose kernel was killed, may take a while on a busy machine.
    deadline = time.monotonic() + 30
    while (left := _processes_of_the_session()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if left:
        lines = "\n".join(f"  {pid}: {command[:200]}" for pid, command in left.items())
        pytest.fail(f"processes that the tests started were still there 30 s after the last test:\n{lines}")


def _stop_embedded_cluster_of_the_session() -> None:
    """End the scheduler that tests without a home of their own shared."""
    assert _home is not None
    if (_home / "state" / "embedded").exists():
        from gcs_lab.backends.embedded import service

        os.environ["GCS_LAB_HOME"] = str(_home)
        service.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the notebooks that are executed from end to end: as the last they would keep one worker alone."""
    items.sort(key=lambda item: item.path.name not in {"test_lessons.py", "test_lessons_gridengine.py"})


def _skips_are_failures() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"} and os.environ.get("GCS_LAB_ALLOW_SKIPS") != "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    real = any(item.get_closest_marker(name) for name in REAL)
    if report.skipped and real and _skips_are_failures() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = (
            f"{_reason(report)}\nWith CI=true a test against a real system must run. Install what it needs, or set "
            "GCS_LAB_ALLOW_SKIPS=1."
        )
    return report


def _reason(report: Any) -> str:
    """Return why a test was skipped, as the skip said it."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr or "no reason was given")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List every test that did not run, with the reason: nothing is left out in silence."""
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.section("not run for real")
    for report in skipped:
        terminalreporter.write_line(f"{report.nodeid}: {_reason(report)}")
    if not skipped:
        terminalreporter.write_line("everything that was collected ran")
