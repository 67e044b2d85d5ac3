"""Every lesson is whole, ends well unsolved and solved on the embedded cluster, and its checks tell one from the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import nbformat
import pytest
from lesson_runs import LESSONS, ROOT, check_solved, check_unsolved, cluster_words, run_lesson

sys.path.append(str(ROOT / "tools"))
from lesson_notebook import exercises, faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EACH = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def cluster(lesson_home: Path) -> Iterator[Path]:
    """The home of an embedded cluster that runs."""
    cluster_words("embedded", "start", home=lesson_home)
    yield lesson_home
    cluster_words("embedded", "stop", home=lesson_home)


@EACH
def test_a_lesson_is_whole_before_it_is_run(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert faults(notebook, path.parent) == []
    nbformat.validate(notebook)
    if path.name != "0-tour.ipynb":
        assert 2 <= len(exercises(notebook)) <= 4


@EACH
@pytest.mark.timeout(300)
def test_an_unsolved_lesson_ends_well_and_its_checks_say_what_is_missing(
    path: Path, cluster: Path, tmp_path: Path
) -> None:
    run = run_lesson(path, "embedded", cluster, tmp_path / path.name)
    assert "cluster: the embedded one, because ENGINE=embedded was asked for" in run.told
    check_unsolved(run, path)


@EACH
@pytest.mark.timeout(300)
def test_the_solutions_of_a_lesson_satisfy_its_checks(path: Path, cluster: Path, tmp_path: Path) -> None:
    if not exercises(nbformat.read(path, as_version=4)):
        return  # There is nothing to solve: it was run above.
    check_solved(run_lesson(path, "embedded", cluster, tmp_path / path.name, "--solved"), path)


def test_every_lesson_is_in_the_table_of_the_course() -> None:
    table = (ROOT / "notebooks" / "README.md").read_text()
    for path in LESSONS:
        assert f"({path.name})" in table


def test_all_data_are_told_where_they_come_from() -> None:
    folder = ROOT / "notebooks" / "data"
    told = (folder / "README.md").read_text()
    for path in set(folder.iterdir()) - {folder / "README.md"}:
        assert path.name in told
        assert path.stat().st_size < 300_000
