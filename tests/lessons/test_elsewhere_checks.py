"""The checks of lesson 8, on real cells, scripts and a real notebook of the embedded cluster."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kernel_session import start_kernel
from points_met import met, met_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel_session import KernelSession

_NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
_CELL = "slopes = pd.DataFrame({'group': ['all'], 'middle': [-0.1]})"
_SCRIPT = "%%gcs run --lang bash\n#$ -N islands\n{time}\n{work}"
_COUNTS = "tail -n +2 data/penguins.csv | cut -d, -f2 | sort | uniq -c"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelSession]:
    """A kernel beside the lesson's data, with the penguins read."""
    session = start_kernel(tmp_path_factory, "embedded", JPY_SESSION_NAME="elsewhere.ipynb")
    folder = Path(session.value("__import__('os').getcwd()").strip("'"))
    (folder / "data").mkdir()
    shutil.copy(_NOTEBOOKS / "data" / "penguins.csv", folder / "data")
    shutil.copy(_NOTEBOOKS / "species-report.ipynb", folder)
    begun = session.run("import pandas as pd\nfrom gcs_lab.lessons import check")
    assert begun.error() is None, begun.traceback()
    yield session
    session.close()


def test_the_same_cell_is_told_from_another_one(kernel: KernelSession) -> None:
    assert met(kernel, "same_cell") == [False] * 5
    assert met_after(kernel, f"%%gcs run -N slopes\n{_CELL}", "same_cell") == [True, False, False, False, False]
    # Run again where it ran, without a word of where.
    assert met_after(kernel, f"%%gcs run -N slopes\n{_CELL}", "same_cell") == [True, False, False, False, False]
    changed = f"%%gcs run -N slopes --on embedded\n{_CELL} * 1"
    assert met_after(kernel, changed, "same_cell") == [True, True, True, False, False]
    assert met_after(kernel, f"%%gcs run -N slopes --on embedded\n{_CELL}", "same_cell") == [True] * 5


def test_where_there_is_another_cluster_the_cell_must_have_run_there(kernel: KernelSession) -> None:
    """Here a second one is only offered; on Grid Engine the solved lesson runs its cell on both."""
    kernel.run(f"%%gcs run -N slopes\n{_CELL}")
    kernel.run(f"%%gcs run -N slopes --on embedded\n{_CELL}")
    kernel.run(
        "import gcs_lab.cluster as module\nfrom dataclasses import replace\nreal = module.offers\n"
        "module.offers = lambda: [*real(), (real()[0][0], replace(real()[0][1], cluster='partner'))]"
    )
    try:
        assert met(kernel, "same_cell") == [True, True, False, False, False]
        assert "embedded, partner" in kernel.value("check.same_cell()")
    finally:
        kernel.run("module.offers = real")


def test_a_script_is_read_with_its_lines_and_what_it_printed(kernel: KernelSession) -> None:
    kernel.run("globals().pop('penguins', None)")
    assert met(kernel, "own_script") == [False] * 5
    kernel.run("penguins = pd.read_csv('data/penguins.csv')")
    # A cell of that name is no script.
    assert met_after(kernel, "%%gcs run -N islands\nprint('Biscoe 168')", "own_script") == [False] * 5
    named = f"%%gcs run --lang bash -N islands\n{_COUNTS}"
    assert met_after(kernel, named, "own_script") == [True, False, False, True, True]
    wrong = _SCRIPT.format(time="#$ -cwd -l h_rt=0:01:00", work="cut -d, -f2 data/penguins.csv | sort -u")
    assert met_after(kernel, wrong, "own_script") == [True, True, True, True, False]
    typed = "# penguins of each island\necho Biscoe 168\necho Dream 124\necho Torgersen 52"
    only_said = _SCRIPT.format(time="#$ -l h_rt=60", work=typed)
    assert met_after(kernel, only_said, "own_script") == [True, True, True, True, False]
    assert "count them in" in kernel.value("check.own_script()")
    right = _SCRIPT.format(time="#$ -l h_rt=60", work=_COUNTS)
    assert met_after(kernel, right, "own_script") == [True] * 5
    failed = kernel.run(_SCRIPT.format(time="#$ -l h_rt=60", work=f"{_COUNTS}\nexit 3"))
    assert failed.error() is not None
    assert met(kernel, "own_script") == [True, True, True, False, True]


def test_a_report_is_checked_by_its_parameter_and_what_was_read_in_it(kernel: KernelSession) -> None:
    kernel.run("penguins = pd.read_csv('data/penguins.csv')\nmean_mass = ...\nimport os\nos.mkdir('reports')")
    assert met(kernel, "notebook_job") == [False] * 5
    line = "%gcs submit-notebook species-report.ipynb {} --output reports --wait"
    assert met_after(kernel, line.format("-p species=Adelie"), "notebook_job") == [True, False, True, True, False]
    chosen = line.format("-p species=Gentoo") + "\nmean_mass = 3701"
    assert met_after(kernel, chosen, "notebook_job") == [True, True, True, True, False]
    assert met_after(kernel, "mean_mass = 5076", "notebook_job") == [True] * 5
    kernel.run("import shutil\nshutil.rmtree('reports')")
    assert met(kernel, "notebook_job") == [True, True, True, False, True]
