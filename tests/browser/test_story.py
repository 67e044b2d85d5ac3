"""A person's story in a real JupyterLab: run cells as jobs, restart the kernel, come back, cancel by the button."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TOUR = Path(__file__).parents[2] / "notebooks" / "0-tour.ipynb"
SHOTS = Path(__file__).parents[2] / "test-results" / "screenshots"
START = "%load_ext gcs_lab\n%gcs connect embedded"


def _text(page, index: int) -> str:
    return page.output(index).inner_text()


def test_the_tour_runs_from_top_to_bottom_and_its_figures_are_there(lab):
    path = lab.notebooks / "tour.ipynb"
    notebook = nbformat.read(TOUR, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.strip() == "%gcs connect":
            cell.source = "%gcs connect embedded"
    nbformat.write(notebook, path)
    codes = [n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    cells = {notebook.cells[n].source.split("\n")[0]: n for n in codes}
    train = next(n for line, n in cells.items() if "-N train" in line)
    mistakes = next(n for line, n in cells.items() if line.startswith("%%gcs run -N mistakes"))
    with lab.open_path(path, viewport=(1280, 1400)) as page:
        page.run_all(wait=False)
        # The figure is there, and drawn anew, while the job still runs.
        expect(page.output(train).locator("img")).to_be_visible()
        expect(page.output(train).get_by_text("running", exact=True)).to_be_visible()
        page.wait_for_text(train, "of the unseen digits are read correctly", seconds=120)
        expect(page.output(mistakes).locator("img")).to_be_visible()
        page.wait_for_text(codes[-1], "mistakes")
        assert (
            page.page.locator(
                ".jp-Notebook [data-mime-type='application/vnd.jupyter.stderr']:has-text('Error')"
            ).count()
            == 0
        )
        page.wait_for_text(train, "done")
        page.cell(train).scroll_into_view_if_needed()
        page.screenshot(SHOTS / "tour-light.png")
        page.set_theme(dark=True)
        page.cell(train).scroll_into_view_if_needed()
        page.screenshot(SHOTS / "tour-dark.png")
        page.set_theme(dark=False)
        saved = page.save()
    train_outputs = saved.cells[train].outputs
    assert any("image/png" in output.get("data", {}) for output in train_outputs)
    lines = [output["data"].get("text/plain", "") for output in train_outputs if output.get("data")]
    assert any("done" in "".join(line) and "train" in "".join(line) for line in lines)
    assert "of the unseen digits" in str(train_outputs)


def test_restart_in_the_middle_of_a_job_then_attach_continues_its_output_and_brings_its_results(lab, tmp_path):
    # It goes on until the notebook, whose kernel was restarted, has found it again.
    wait = f"    while i == 5 and not os.path.exists('{tmp_path}/go'):\n        time.sleep(0.1)\n"
    cells = [
        START,
        f"%%gcs submit -N long\nimport os, time\nfor i in range(12):\n    print('step', i)\n    time.sleep(0.5)\n{wait}answer = 42",
        "%gcs attach",
        "%gcs wait",
        "print('the answer is', answer)",
    ]
    with lab.open(cells, name="restart") as page:
        page.run_cell(0)
        page.run_cell(1)
        page.wait_for_text(1, "step 2")
        # The card keeps the last that it was told.
        page.wait_for_text(1, "running")
        page.restart_kernel()
        page.wait_for_text(1, "running when the kernel was last there; the job goes on without it: %gcs attach")
        page.run_cell(0)
        page.run_cell(2)
        page.wait_for_text(2, "step 0")
        (tmp_path / "go").touch()
        page.wait_for_text(2, "step 11")
        page.run_cell(3)
        page.run_cell(4)
        page.wait_for_text(4, "the answer is 42")
        page.wait_for_text(2, "done")
        page.screenshot(SHOTS / "attach-light.png")


def test_a_page_loaded_again_keeps_the_live_card_and_says_where_the_output_is(lab, tmp_path):
    # A card that is younger than a second is not told from one that was made with the page.
    wait = f"    while i in (5, 12) and not os.path.exists(f'{tmp_path}/{{i}}'):\n        time.sleep(0.1)\n"
    cells = [
        START,
        f"%%gcs submit -N steady\nimport os, time\nfor i in range(20):\n    print('step', i)\n    time.sleep(0.5)\n{wait}",
    ]
    with lab.open(cells, name="reload") as page:
        page.run_cell(0)
        page.run_cell(1)
        page.wait_for_text(1, "step 2")
        page.save()
        page.load()
        page.wait_for_text(1, "running")
        (tmp_path / "5").touch()
        page.wait_for_text(1, "the page was loaded again: new output is in Logs")
        page.output(1).get_by_role("button", name=re.compile("Logs")).click()
        page.wait_for_text(1, "step 10")
        (tmp_path / "12").touch()
        page.wait_for_text(1, "done")


def test_a_job_is_cancelled_by_its_button_while_the_kernel_is_busy_with_another_cell(lab, tmp_path):
    cells = [
        START,
        "%%gcs submit -N endless\nimport time\nprint('it runs')\ntime.sleep(600)",
        f"import os, time\nwhile not os.path.exists('{tmp_path}/go'):\n    time.sleep(0.1)\nprint('the kernel was busy')",
    ]
    with lab.open(cells, name="cancel") as page:
        page.run_cell(0)
        page.run_cell(1)
        page.wait_for_text(1, "it runs")
        page.run_cell(2, wait=False)
        page.output(1).get_by_role("button", name=re.compile("[Cc]ancel")).click()
        page.wait_for_text(1, "failed")
        assert "the kernel was busy" not in _text(page, 2)
        (tmp_path / "go").touch()
        page.wait_for_text(2, "the kernel was busy")
        assert "endless" in _text(page, 1)


def test_a_held_job_is_released_by_its_button(lab):
    cells = [START, "%%gcs submit -N patient -hold\nprint('at last')"]
    with lab.open(cells, name="hold") as page:
        page.run_cell(0)
        page.run_cell(1)
        page.wait_for_text(1, "held")
        page.output(1).get_by_role("button", name=re.compile("[Rr]elease")).click()
        page.wait_for_text(1, "at last")
        page.wait_for_text(1, "done")


def test_the_card_goes_on_while_the_kernel_computes_and_output_lands_under_its_own_cell(lab):
    cells = [
        START,
        "%%gcs submit -N aa\nimport time\nfor i in range(8):\n    print('aa', i)\n    time.sleep(0.4)",
        "%%gcs submit -N bb\nimport time\nfor i in range(8):\n    print('bb', i)\n    time.sleep(0.4)",
        "total = 0\nfor i in range(60_000_000):\n    total += i",
    ]
    with lab.open(cells, name="busy") as page:
        for index in (0, 1, 2):
            page.run_cell(index)
        page.run_cell(3, wait=False)
        page.wait_for_text(1, "aa 7")
        page.wait_for_text(2, "bb 7")
        assert "bb" not in _text(page, 1).replace("bb·", "")
        assert "aa" not in _text(page, 2)
        page.wait_for_kernel()


def test_a_saved_notebook_tells_the_end_without_a_kernel(lab, tmp_path):
    from nbconvert import HTMLExporter

    with lab.open([START, "%%gcs run -N told\nprint('spoken')\n6 * 7"], name="saved") as page:
        page.run_cell(0)
        page.run_cell(1)
        page.wait_for_text(1, "done")
        page.save()
        copy = tmp_path / "copy.ipynb"
        shutil.copy(page.path, copy)
    html, _ = HTMLExporter().from_filename(str(copy))
    for part in ("told", "done", "spoken", "42"):
        assert part in html
    assert "widget-view" not in nbformat.writes(nbformat.read(copy, as_version=4))
