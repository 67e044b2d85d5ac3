"""What the test suite says of tests that did not run (``tests/conftest.py``), seen from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.gridengine
def test_on_grid_engine():
    pytest.skip("its packages are not installed")

@pytest.mark.browser
@pytest.mark.skipif(True, reason="there is no browser")
def test_in_a_browser():
    pass

@pytest.mark.skipif(True, reason="it needs two machines")
def test_elsewhere():
    pass

def test_here():
    pass
"""


def _run_suite(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_some.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  gridengine: real\n  browser: real\n")
    clean = {name: value for name, value in os.environ.items() if name not in {"CI", "GCS_LAB_ALLOW_SKIPS"}}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_each_skipped_test_is_listed_with_its_reason(tmp_path: Path) -> None:
    status, told = _run_suite(tmp_path)
    assert status == 0
    listed = told.partition("not run for real")[2].splitlines()[1:4]
    assert listed == [
        "test_some.py::test_on_grid_engine: its packages are not installed",
        "test_some.py::test_in_a_browser: there is no browser",
        "test_some.py::test_elsewhere: it needs two machines",
    ]


def test_a_run_without_skips_says_that_everything_ran(tmp_path: Path) -> None:
    status, told = _run_suite(tmp_path, "-k", "test_here")
    assert status == 0
    assert "everything that was collected ran" in told


def test_in_continuous_integration_a_skipped_real_test_is_a_failure(tmp_path: Path) -> None:
    status, told = _run_suite(tmp_path, CI="true")
    assert status == 1
    assert "FAILED test_some.py::test_on_grid_engine - its packages are not installed" in told
    assert "ERROR test_some.py::test_in_a_browser - there is no browser" in told
    assert "1 failed, 1 passed, 1 skipped, 1 error" in told


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_skips_may_be_allowed_in_continuous_integration(tmp_path: Path, workers: tuple[str, ...]) -> None:
    status, told = _run_suite(tmp_path, *workers, CI="true", GCS_LAB_ALLOW_SKIPS="1")
    assert status == 0
    assert "test_some.py::test_in_a_browser: there is no browser" in told
