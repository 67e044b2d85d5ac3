"""Lessons executed as ``make tour`` does, on a cluster that all lessons of a test file share."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "run_tour.py"
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]-*.ipynb"))


@dataclass(frozen=True)
class Run:
    """What the tool printed, and the executed notebook."""

    told: str
    notebook: Any

    def cell(self, cell_id: str) -> Any:
        return next(cell for cell in self.notebook.cells if cell.id == cell_id)

    def text(self, cell_id: str) -> str:
        """All that a cell printed and showed, as plain text."""
        return "\n".join(
            output.text if output.output_type == "stream" else str(output.get("data", {}).get("text/plain", ""))
            for output in self.cell(cell_id).outputs
        )

    def kinds(self, cell_id: str) -> set[str]:
        """The MIME types of what a cell shows."""
        return {mime for output in self.cell(cell_id).outputs for mime in output.get("data", {})}

    def verdicts(self) -> dict[str, str]:
        """The first line of each check's report, by its cell's id."""
        ids = [cell.id for cell in self.notebook.cells if "check" in cell.metadata.get("tags", ())]
        return {cell_id: self.text(cell_id).strip().partition("\n")[0] for cell_id in ids}

    def jobs(self) -> list[list[str]]:
        """The rows of the table of jobs: name, id, cluster, queue@host, state …"""
        table = self.told.partition("What ran where")[2].partition("\n\n")[0]
        return [line.split() for line in table.splitlines()[2:]]


def cluster_words(*words: str, home: Path) -> None:
    """Start or stop a cluster: ``gcs-lab demo start``."""
    argv = [sys.executable, "-m", "gcs_lab.cli", *words]
    environment = os.environ | {"GCS_LAB_HOME": str(home)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def run_lesson(path: Path, engine: str, home: Path, output: Path, *flags: str) -> Run:
    """Execute a lesson; fail where a cell raised that is not tagged so, or where anything warned."""
    argv = [sys.executable, TOOL, "--engine", engine, "--notebook", path, "--output", output, *flags]
    environment = os.environ | {"GCS_LAB_HOME": str(home)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run = Run(done.stdout, nbformat.read(output, as_version=4))
    for cell in run.notebook.cells:
        for told in cell.get("outputs", ()):
            warned = told.output_type == "stream" and told.name == "stderr" and re.search(r"\w+Warning:", told.text)
            assert not warned, (cell.id, told.text)
    return run


def _tour(run: Run) -> None:
    names, _, _, places, states, walls, units = zip(*(row[:7] for row in run.jobs()), strict=True)
    assert names == ("load", "train", "mistakes")
    assert set(states) == {"done"}
    assert set(units) == {"s"}
    assert all(float(wall) > 0 for wall in walls)
    assert all(re.fullmatch(r"all\.q@\S+", place) for place in places)
    assert "image/png" in run.kinds("train") & run.kinds("plot")
    assert float(run.text("accuracy-now")) > 0.9


def _first_job(run: Run) -> None:
    assert "49.7 g for each mm; the flipper explains 76%" in run.text("fit")
    assert "is still being computed" in run.text("placeholder")
    assert "image/png" in run.kinds("bootstrap")
    assert "no attribute 'flipper_length'" in run.text("ratio")


def _sweeps(run: Run) -> None:
    assert run.jobs()[0][3:5] == ["15", "tasks"]
    assert "3 tasks: ran out of memory: h_vmem=1200M was too little" in run.text("advice-1")
    assert "RidgeClassifier" in run.text("model")
    assert "image/png" in run.kinds("surface") & run.kinds("redraw")


def _accounting(run: Run) -> None:
    assert "records=400000, rejects=0" in run.text("open-site")
    assert "-l h_vmem=" in run.text("advice")
    assert "of such jobs start within" in run.text("estimate")
    assert run.text("own-ended").split().count("done") == 4
    assert "exit status 3" in run.text("own-job")
    assert "image/png" in run.kinds("rush")
    assert "application/vnd.jupyter.widget-view+json" in run.kinds("explore")


def _elsewhere(run: Run) -> None:
    assert "-0.085" in run.text("laptop")
    assert "groups" in run.text("explain")
    assert "JT_DEADLINE" in run.text("supports")
    assert run.text("script-back").strip() == "6300"
    # Where there are two clusters, the solution's cell ran on both.
    clusters = {row[2] for row in run.jobs() if row[0] == "slopes"}
    named = {line.partition(":")[0] for line in run.text("offers").splitlines() if ": " in line}
    if run.verdicts()["same-check"].endswith(": done"):
        assert clusters == named - {"One cluster alone"}


def _pipelines(run: Run) -> None:
    assert "2,225 weeks from March 1958 to December 2001; 59 are missing" in run.text("clean")
    assert "is still being computed" in run.text("placeholder")
    assert "image/png" in run.kinds("growth")
    assert "trends: MemoryError" in run.text("failed-table")
    assert "task 1 of sweep" in run.text("failed-table")


def _waiting(run: Run) -> None:
    assert "slots of all.q are in use" in run.text("begin")
    assert "lets no more run at once" in run.text("why-all")
    assert "no host offers mem_total=8T" in run.text("lasting")
    assert "text/html" in run.kinds("dashboard")
    assert "jobs of the class and" in run.text("end")


#: What a lesson shows however it is run, beside its checks.
SHOWN: dict[str, Callable[[Run], None]] = {
    "0-tour.ipynb": _tour,
    "1-first-job.ipynb": _first_job,
    "2-sweeps.ipynb": _sweeps,
    "3-pipelines.ipynb": _pipelines,
    "4-waiting.ipynb": _waiting,
    "5-accounting.ipynb": _accounting,
    "8-from-laptop-to-cluster.ipynb": _elsewhere,
}


def check_unsolved(run: Run, path: Path) -> None:
    """Every check says what is missing, and none that all is done."""
    for cell_id, verdict in run.verdicts().items():
        assert re.search(r": \d+ of \d+, not yet$", verdict), (cell_id, run.text(cell_id))
    SHOWN.get(path.name, lambda _: None)(run)


def check_solved(run: Run, path: Path) -> None:
    """Every check is satisfied by the lesson's own solutions."""
    for cell_id, verdict in run.verdicts().items():
        assert verdict.endswith(": done"), (cell_id, run.text(cell_id))
    SHOWN.get(path.name, lambda _: None)(run)
