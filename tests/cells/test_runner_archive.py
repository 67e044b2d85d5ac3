"""The one file in which the runner travels."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from test_runner import end, folders, make_folder, run, start

from gcs_lab.cells import runner, runner_archive
from gcs_lab.cells.job_folder import JobFolder

__all__ = ["folders", "run"]

SOURCES = sorted(path.name for path in Path(runner.__file__).parent.glob("*.py"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GCS_LAB_HOME", str(tmp_path / "home"))


def test_it_holds_the_runner_what_it_was_compiled_to_and_cloudpickle():
    with zipfile.ZipFile(runner_archive.runner_archive()) as archive:
        names = set(archive.namelist())
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert {f"gcs_lab_runner/{name}" for name in SOURCES} < names
    assert {f"gcs_lab_runner/{name}c" for name in SOURCES} < names
    assert "fallback/cloudpickle/__init__.py" in names
    assert {name.partition("/")[0] for name in names} == {
        "__main__.py",
        "__main__.pyc",
        "gcs_lab_runner",
        "fallback",
    }


def test_it_is_made_once_is_private_and_is_linked_into_the_job_folders(tmp_path):
    kept = runner_archive.runner_archive()
    written = kept.stat().st_mtime_ns
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    folder = JobFolder(tmp_path)
    folder.write_runner()
    assert folder.runner.samefile(kept)
    assert kept.stat().st_mtime_ns == written
    assert list(kept.parent.iterdir()) == [kept]


def test_where_files_cannot_be_linked_it_is_copied(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    folder = JobFolder(tmp_path)
    folder.write_runner()
    assert folder.runner.read_bytes() == runner_archive.runner_archive().read_bytes()
    assert stat.S_IMODE(folder.runner.stat().st_mode) == 0o600
    assert not folder.runner.samefile(runner_archive.runner_archive())


def test_another_content_is_another_file(monkeypatch):
    first = runner_archive.runner_archive()
    monkeypatch.setattr(runner_archive, "_START", runner_archive._START + b"# changed\n")
    assert runner_archive.runner_archive() != first
    assert first.exists()


def test_the_version_that_submitted_compiles_nothing(folders):
    folder = make_folder("import sys\nx = sys.modules['gcs_lab_runner.cell'].__file__", outputs=["x"])
    folders.append(folder)
    assert end(folder, start(folder)).outputs["x"] == str(folder / "runner.pyz/gcs_lab_runner/cell.pyc")


def test_it_can_be_started_by_a_relative_path_and_needs_no_zlib(folders):
    folder = make_folder("import sys\nf = lambda: 'zlib' in sys.modules\nx = f()", outputs=["f", "x"])
    folders.append(folder)
    # Without the site's packages cloudpickle comes from the archive, whose path must hold in another working folder.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "runner.pyz", "."],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    values, _ = runner.read_payload(str(folder / "outputs.payload"))
    assert values["x"] is False


def test_the_archive_is_last_on_the_path_of_the_cell_and_imports_nothing_that_the_cell_did_not(run):
    job = run(
        "import sys\nx = sys.path\nz = [name for name in ('gcs_lab', 'cloudpickle') if name in sys.modules]",
        outputs=["x", "z"],
    )
    assert job.outputs["x"][0] == str(job.folder / "work")
    assert job.outputs["x"][-1] == str(job.folder / "runner.pyz/fallback")
    assert not [entry for entry in job.outputs["x"][:-1] if entry.startswith(str(job.folder / "runner.pyz"))]
    assert job.outputs["z"] == []


def test_started_without_a_folder_it_says_how_it_is_used():
    done = subprocess.run(
        [sys.executable, runner_archive.runner_archive()], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "usage: PYTHON runner.pyz FOLDER [ROUND]\n"
