"""The link under `%gcs submit-notebook`: the output notebook opens in JupyterLab while the job runs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SHOTS = Path(__file__).parents[2] / "test-results" / "screenshots"
START = "%load_ext gcs_lab\n%gcs connect embedded"


def test_the_link_opens_the_output_notebook_while_it_runs(lab):
    book = nbformat.v4.new_notebook()
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book.cells = [
        nbformat.v4.new_code_cell("print('the first cell')"),
        nbformat.v4.new_markdown_cell("## Train the model"),
        nbformat.v4.new_code_cell("import time\ntime.sleep(300)"),
    ]
    folder = lab.notebooks / "with space"
    folder.mkdir()
    nbformat.write(book, folder / "long run.ipynb")
    cells = [START, "%gcs submit-notebook 'with space/long run.ipynb' -N watched", "%gcs cancel watched"]
    with lab.open(cells, viewport=(1280, 1000)) as page:
        page.run_cell(0)
        page.run_cell(1)
        page.wait_for_text(1, "cell 2 of 2: Train the model", seconds=90)
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(SHOTS / "notebook-job.png")
        page.output(1).get_by_role("link", name="long run-").click()
        opened = page.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        expect(opened.get_by_text("the first cell", exact=True)).to_be_visible()
        page.screenshot(SHOTS / "notebook-job-output.png")
        page.command("application:activate-previous-tab", wait=False)
        expect(page.output(1).get_by_text("Train the model").first).to_be_visible()
        page.run_cell(2)
        page.wait_for_text(1, "deleted by")
