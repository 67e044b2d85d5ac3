"""What is done by mouse alone: a job dragged from the panel into a notebook, a script submitted in the file browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from extension_page import job_row, main_tab, notification, own_lab, show_panel
from playwright.sync_api import expect

if TYPE_CHECKING:
    from live_lab import LabPage
    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.browser

CELLS = [
    "%load_ext gcs_lab\n%gcs connect embedded",
    "%%gcs submit -N six\nanswer = 6 * 7\nprint('computed', answer)",
    "'the last cell'",
]
SCRIPT = "#!/bin/sh\n#$ -N hello\necho from the script\n"


def drag(page: LabPage, what: Locator, onto: Locator) -> None:
    mouse = page.page.mouse
    begin, end = what.bounding_box(), onto.bounding_box()
    assert begin is not None
    assert end is not None
    mouse.move(begin["x"] + 20, begin["y"] + 8)
    mouse.down()
    # A press is a drag when it has moved some pixels; what is dragged over hears of each step.
    mouse.move(begin["x"] + 40, begin["y"] + 16, steps=4)
    mouse.move(end["x"] + 60, end["y"] + end["height"] / 2, steps=12)
    expect(page.page.locator(".lm-mod-drag-image")).to_be_visible()
    mouse.up()


def test_a_job_is_dragged_into_a_notebook_and_a_script_submitted_in_the_file_browser(chromium: Browser) -> None:
    with own_lab(chromium) as lab:
        (lab.notebooks / "hello.sh").write_text(SCRIPT)
        with lab.open(CELLS, name="mouse") as page:
            page.run_cell(0)
            page.run_cell(1)
            show_panel(page)
            row = job_row(page, "six")
            expect(row).to_contain_text("done")
            drag(page, row, page.cell(2))
            inserted = page.page.locator(".jp-Notebook .jp-CodeCell", has_text="%gcs attach")
            expect(inserted).to_have_count(1)
            # It stands before the cell on which it was dropped, and works.
            expect(page.cell(2)).to_contain_text("%gcs attach")
            page.run_cell(2)
            expect(page.cell(2).locator(".jp-OutputArea")).to_contain_text("computed 42")

            page.command("filebrowser:activate")
            page.page.locator(".jp-DirListing-item", has_text="hello.sh").click(button="right")
            page.page.locator(".lm-Menu-item", has_text="Run on Cluster").click()
            dialog = page.page.locator(".jp-Dialog")
            expect(dialog).to_contain_text("hello.sh")
            dialog.get_by_role("button", name="Run on cluster").click()
            submitted = notification(page, "hello")
            expect(submitted).to_be_visible()
            submitted.get_by_role("button", name="Open job").click()
            expect(main_tab(page, "job")).to_contain_text("from the script")
            assert page.refused == []
