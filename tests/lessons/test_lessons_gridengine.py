"""Every lesson, solved, on a private Grid Engine."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from lesson_runs import LESSONS, check_solved, cluster_words, run_lesson

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def cluster(lesson_home: Path) -> Iterator[Path]:
    """The home of a private Grid Engine that runs."""
    if shutil.which("qstat") is None:
        pytest.skip(
            "Grid Engine's Debian packages are not installed: apt-get install gridengine-master gridengine-exec"
        )
    cluster_words("demo", "start", home=lesson_home)
    yield lesson_home
    cluster_words("demo", "stop", home=lesson_home)


@pytest.mark.gridengine
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_solutions_of_a_lesson_satisfy_its_checks(path: Path, cluster: Path, tmp_path: Path) -> None:
    run = run_lesson(path, "gridengine", cluster, tmp_path / path.name, "--solved")
    assert "cluster: a private Grid Engine" in run.told
    check_solved(run, path)
