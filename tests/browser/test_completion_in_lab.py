"""Tab in JupyterLab, in the first line of a ``%%gcs`` cell and below it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import TimeoutError as NotShown
from playwright.sync_api import expect

if TYPE_CHECKING:
    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

#: A cell that has just been entered may not take the first one.
TABS = 2


def tab(page: LabPage, text: str, *, cell: int = 1) -> Locator:
    """Write `text` at the end of a cell and press Tab; return the list that opens."""
    page.cell(cell).locator(".cm-content").click()
    page.page.keyboard.press("Control+End")
    page.page.keyboard.type(text)
    offered = page.page.locator(".jp-Completer:not(.lm-mod-hidden) .jp-Completer-item")
    for _ in range(TABS):
        page.page.keyboard.press("Tab")
        with contextlib.suppress(NotShown):
            offered.first.wait_for(timeout=15_000)
            return offered
    raise AssertionError(f"no list opened behind {page.cell(cell).locator('.cm-content').inner_text()!r}")


def line(page: LabPage, number: int = 0) -> Locator:
    return page.cell(1).locator(".cm-line").nth(number)


def test_tab_offers_complexes_with_their_types_and_writes_the_chosen_one(lab: LiveLab) -> None:
    with lab.open(
        [
            "%load_ext gcs_lab\nfirst_value = first_view = 1",
            "%%gcs submit -N fit ",
            "%%gcs submit -N fit\nprint(first_v",
        ]
    ) as page:
        page.run_cell(0)
        offered = tab(page, "-l h_rt=1:00:00,h_v")
        expect(offered).to_have_count(1)
        expect(offered).to_contain_text("h_vmem=")
        # JupyterLab writes types in small letters.
        expect(offered).to_contain_text("memory")
        page.page.keyboard.press("Enter")
        expect(line(page)).to_have_text("%%gcs submit -N fit -l h_rt=1:00:00,h_vmem=")
        offered = tab(page, "1")
        # JupyterLab has its own order; what is typed on narrows the list.
        expect(offered).to_have_text(["m16Gmemory", "m1Gmemory"])
        page.page.keyboard.type("6")
        expect(offered).to_have_text(["m16Gmemory"])
        page.page.keyboard.press("Enter")
        expect(line(page)).to_have_text("%%gcs submit -N fit -l h_rt=1:00:00,h_vmem=16G")
        offered = tab(page, " --expl")
        expect(offered).to_contain_text("show\xa0what\xa0would\xa0be\xa0sent")
        page.page.keyboard.press("Enter")
        expect(line(page)).to_have_text("%%gcs submit -N fit -l h_rt=1:00:00,h_vmem=16G --explain")
        # Below the first line IPython completes. Two fit: JupyterLab writes a single one at once, without a list.
        offered = tab(page, "", cell=2)
        expect(offered.filter(has_text="first_value")).to_have_count(1)
        expect(offered.filter(has_text="first_view")).to_have_count(1)
