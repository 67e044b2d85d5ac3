"""A morning's work with keys alone: no mouse, no command that a person could not give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from extension_page import badge, job_row, main_tab, own_lab, panel, status, wait_until_ready
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

CELLS = [
    "import time\nfor n in range(3000):\n    print('tick', n, flush=True)\n    time.sleep(0.1)",
    '%%gcs submit -N points --over "n=[1, 2, 0]"\n1 / n',
    "%%gcs submit -N waits --after chatty\n1",
    "'the last cell'",
]
#: A job list of a test has fewer rows; more presses would mean that the focus is elsewhere.
MOST_ROWS = 10


@pytest.fixture(scope="module")
def cluster_lab(chromium: Browser) -> Iterator[LiveLab]:
    with own_lab(chromium) as lab:
        yield lab


def focused(page: LabPage) -> str:
    """Return the words of what has the focus."""
    place = page.page.locator(":focus")
    return (place.get_attribute("aria-label") or place.inner_text()) if place.count() else ""


def press(page: LabPage, *keys: str) -> None:
    for key in keys:
        page.page.keyboard.press(key)


def find_row(page: LabPage, name: str) -> None:
    """Walk from the first row of the panel to a job's."""
    press(page, "Home")
    for _ in range(MOST_ROWS):
        if re.search(rf"\b{name}\b", focused(page)):
            return
        press(page, "ArrowDown")
    raise AssertionError(f"no row {name} was reached; the focus is on {focused(page)!r}")


def tab_to(page: LabPage, name: str, *, most: int = 30) -> None:
    for _ in range(most):
        if focused(page) == name:
            return
        press(page, "Tab")
    raise AssertionError(f"{name!r} was not reached with Tab; the focus is on {focused(page)!r}")


def test_a_morning_with_keys_alone(cluster_lab: LiveLab) -> None:
    with cluster_lab.open(CELLS, name="keys") as page:
        # The form: a name, and off it goes.
        press(page, "Alt+Shift+KeyR")
        dialog = page.page.locator(".jp-Dialog")
        expect(dialog.locator(".jp-gcs-lab-preview code")).to_contain_text("%%gcs submit")
        page.page.keyboard.type("chatty")
        expect(dialog.locator(".jp-gcs-lab-preview code")).to_contain_text("-N chatty")
        press(page, "Enter")
        expect(badge(page, 0)).to_contain_text("running")
        # Two cells by the notebook's own keys; the first look at the panel takes the keys that follow.
        press(page, "ArrowDown", "Shift+Enter", "Shift+Enter")
        press(page, "Alt+Shift+KeyG")
        expect(job_row(page, "points")).to_contain_text("1 of 3 failed")
        expect(page.page.locator(":focus")).to_have_class("jp-gcs-lab-job-main")
        # The failed point of the sweep again.
        find_row(page, "points")
        for _ in range(3):
            if focused(page) == "Rerun 1 failed":
                break
            press(page, "ArrowRight")
        press(page, "Enter")
        expect(panel(page)).to_contain_text("1 failed task of sweep")
        # Why one waits, in its row; and it is cancelled.
        expect(job_row(page, "waits")).to_contain_text("waits for job")
        expect(job_row(page, "waits").get_by_role("button", name="Release")).to_have_count(0)
        find_row(page, "waits")
        press(page, "Delete")
        expect(dialog).to_contain_text("Cancel job")
        tab_to(page, "Cancel job", most=3)
        press(page, "Enter")
        expect(job_row(page, "waits")).to_contain_text("deleted")
        # The log of another, searched.
        find_row(page, "chatty")
        press(page, "Enter")
        log = main_tab(page, "job")
        expect(log.get_by_role("tabpanel")).to_contain_text(re.compile(r"tick \d+"))
        tab_to(page, "search the whole log")
        page.page.keyboard.type("tick 7")
        expect(log.locator("mark").first).to_have_text("tick 7")
        # What it all used (the keys of a text field are its own); then the browser is opened anew, and all is found.
        press(page, "Tab", "Tab", "Tab", "Alt+Shift+KeyU")
        expect(main_tab(page, "accounting").locator(".gcs-explorer")).to_be_visible()
        page.page.goto(f"{cluster_lab.url}/lab?token={cluster_lab.token}")
        wait_until_ready(page)
        expect(status(page)).to_contain_text("▶ 1")
        press(page, "Alt+Shift+KeyG")
        expect(job_row(page, "chatty")).to_be_visible()
        find_row(page, "chatty")
        press(page, "Delete")
        tab_to(page, "Cancel job", most=3)
        press(page, "Enter")
        expect(job_row(page, "chatty")).not_to_contain_text("running")
