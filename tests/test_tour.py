"""The tour notebook, executed as ``make tour`` does, on each cluster there is here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gt-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def _run_tour(engine: str, home: Path, output: Path, notebook: str = "tour.ipynb") -> str:
    tool, path = ROOT / "tools" / "run_tour.py", ROOT / "notebooks" / notebook
    done = subprocess.run(
        [sys.executable, tool, "--engine", engine, "--notebook", path, "--output", output],
        env=os.environ | {"GCS_LAB_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _check(told: str, output: Path, cluster: str) -> None:
    rows = [line.split() for line in told.partition("What ran where")[2].splitlines()[2:5]]
    assert [row[0] for row in rows] == ["load", "train", "mistakes"]
    for _, job_id, where, place, state, wall, unit, *_ in rows:
        assert (where, state, unit) == (cluster, "done", "s")
        assert job_id.isdigit()
        assert re.fullmatch(r"all\.q@\S+", place)
        assert float(wall) > 0
    notebook = nbformat.read(output, as_version=4)
    by_id = {cell.id: cell for cell in notebook.cells}
    for drawn in ("train", "plot"):
        assert any("image/png" in output.get("data", {}) for output in by_id[drawn].outputs)
    assert float(by_id["accuracy-now"].outputs[0].data["text/plain"]) > 0.9
    assert "jobs go to" in by_id["connect"].outputs[0].text


@pytest.mark.timeout(200)
def test_the_tour_runs_on_the_embedded_cluster(home: Path, tmp_path: Path) -> None:
    told = _run_tour("embedded", home, tmp_path / "tour.ipynb")
    assert "cluster: the embedded one, because ENGINE=embedded was asked for" in told
    _check(told, tmp_path / "tour.ipynb", "embedded")


@pytest.mark.gridengine
@pytest.mark.timeout(200)
def test_the_tour_runs_on_a_private_grid_engine(home: Path, tmp_path: Path) -> None:
    if shutil.which("qstat") is None:
        pytest.skip(
            "Grid Engine's Debian packages are not installed: apt-get install gridengine-master gridengine-exec"
        )
    told = _run_tour("auto", home, tmp_path / "tour.ipynb")
    assert "cluster: a private Grid Engine" in told
    _check(told, tmp_path / "tour.ipynb", "demo")


def _check_sweep(told: str, output: Path, cluster: str) -> None:
    row = told.partition("What ran where")[2].splitlines()[2].split()
    assert row[:1] + row[2:6] == ["waves", cluster, "30", "tasks", "done"]
    by_id = {cell.id: cell for cell in nbformat.read(output, as_version=4).cells}
    assert "5 tasks: ran out of memory: h_vmem=1200M was too little" in by_id["advice-1"].outputs[0].text
    assert "RidgeClassifier" in by_id["model"].outputs[0].data["text/plain"]
    assert "30 done of 30" in told
    assert any("image/png" in output.get("data", {}) for output in by_id["surface"].outputs)


@pytest.mark.timeout(300)
def test_the_sweep_runs_on_the_embedded_cluster(home: Path, tmp_path: Path) -> None:
    told = _run_tour("embedded", home, tmp_path / "sweep.ipynb", "sweep.ipynb")
    _check_sweep(told, tmp_path / "sweep.ipynb", "embedded")


@pytest.mark.gridengine
@pytest.mark.timeout(300)
def test_the_sweep_runs_on_a_private_grid_engine(home: Path, tmp_path: Path) -> None:
    if shutil.which("qstat") is None:
        pytest.skip(
            "Grid Engine's Debian packages are not installed: apt-get install gridengine-master gridengine-exec"
        )
    told = _run_tour("auto", home, tmp_path / "sweep.ipynb", "sweep.ipynb")
    _check_sweep(told, tmp_path / "sweep.ipynb", "demo")


@pytest.mark.timeout(300)
def test_the_lesson_on_accounting_finds_what_was_hidden_in_the_year(home: Path, tmp_path: Path) -> None:
    told = _run_tour("embedded", home, tmp_path / "accounting.ipynb", "accounting.ipynb")
    by_id = {cell.id: cell for cell in nbformat.read(tmp_path / "accounting.ipynb", as_version=4).cells}

    def shown(cell_id: str) -> str:
        return "\n".join(str(output.get("data", {}).get("text/plain", "")) for output in by_id[cell_id].outputs)

    assert "records=400000, rejects=0" in shown("open-site")
    assert "exit status 74" in shown("node-causes")
    assert "-l h_vmem=" in shown("advice")
    assert "of such jobs start within" in shown("estimate")
    assert shown("hidden").startswith("(True, True, ")
    assert [word for word in shown("own-ended").split() if word in {"done", "failed"}].count("done") == 4
    assert "exit status 3" in shown("own-job")
    for drawn, mime in (
        ("rush", "application/vnd.plotly.v1+json"),
        ("explore", "application/vnd.jupyter.widget-view+json"),
    ):
        assert any(mime in output.get("data", {}) for output in by_id[drawn].outputs), drawn
    assert "Error" not in told
