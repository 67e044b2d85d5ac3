"""The extension in a real JupyterLab on the embedded cluster: a morning at a notebook, without a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe import needs_axe, serious_faults
from extension_page import (
    badge,
    job_row,
    main_tab,
    notification,
    own_lab,
    panel,
    press_in_row,
    show_panel,
    status,
    wait_until_ready,
)
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Browser, WebSocket

pytestmark = pytest.mark.browser

CONNECT = "%load_ext gcs_lab\n%gcs connect embedded"
CHATTY = """%%gcs submit -N chatty
import time
from IPython.display import HTML, display
display(HTML("<b>drawn</b>"))
for n in range(3000):
    print("tick", n, flush=True)
    time.sleep(0.1)
"""
PLAIN = "print('computed', 6 * 7)"
BROKEN = "%%gcs submit -N broken\nx = 0\n1 / x"
POINTS = '%%gcs submit -N points --over "n=[1, 2, 0]"\n1 / n'
SLEEPER = "%%gcs submit -N sleeper\nimport time\ntime.sleep(600)"
HIGH_CONTRAST = "JupyterLab Dark High Contrast"


@pytest.fixture(scope="module")
def cluster_lab(chromium: Browser) -> Iterator[LiveLab]:
    with own_lab(chromium) as lab:
        yield lab


@pytest.fixture(scope="module")
def sockets() -> list[WebSocket]:
    """All lines to the server of clusters that the page of this file has opened."""
    return []


@pytest.fixture(scope="module")
def page(cluster_lab: LiveLab, sockets: list[WebSocket]) -> Iterator[LabPage]:
    """One notebook with jobs, for all tests of this file."""
    with cluster_lab.open([CONNECT, CHATTY, PLAIN, BROKEN, POINTS, SLEEPER], name="morning") as opened:
        opened.page.on("websocket", lambda line: sockets.append(line) if "gcs-lab/channels" in line.url else None)
        opened.load()
        yield opened
        assert opened.refused == []


def test_the_launcher_offers_the_cluster(page: LabPage) -> None:
    page.command("launcher:create")
    section = page.page.locator(".jp-Launcher-section", has_text="Cluster")
    for card in ("Cluster Queue", "Cluster Accounting", "Start Demo Cluster"):
        expect(section.locator(".jp-LauncherCard", has_text=card)).to_be_visible()
    section.locator(".jp-LauncherCard", has_text="Start Demo Cluster").click()
    dialog = page.page.locator(".jp-Dialog")
    dialog.locator("label", has_text="embedded").click()
    dialog.get_by_role("button", name="Start").click()
    expect(notification(page, "embedded runs")).to_be_visible()
    expect(status(page)).to_contain_text("no jobs")
    page.command("application:close")
    expect(show_panel(page)).to_contain_text("embedded")


def test_a_cell_that_was_submitted_is_in_the_panel_at_once(page: LabPage) -> None:
    page.run_cell(0)
    page.run_cell(1)
    row = job_row(page, "chatty")
    expect(row).to_be_visible()
    expect(row).to_contain_text("running")
    expect(status(page)).to_contain_text("▶ 1")
    expect(badge(page, 1)).to_contain_text("running")


def test_a_person_is_told_of_a_job_that_failed(page: LabPage) -> None:
    # The first job of this page that ends: those that end within three seconds after it share a notification.
    page.run_cell(3)
    toast = notification(page, "ZeroDivisionError")
    expect(toast).to_contain_text("broken")
    toast.get_by_role("button", name="Open").click()
    expect(main_tab(page, "job")).to_contain_text("ZeroDivisionError")
    page.command("application:close")


def test_the_button_runs_a_cell_and_its_output_is_below_it(page: LabPage) -> None:
    cell = page.cell(2)
    cell.locator(".jp-InputArea-editor").click()
    cell.get_by_role("button", name=re.compile("cluster", re.IGNORECASE)).click()
    dialog = page.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("%%gcs submit")
    page.page.locator("#jp-gcs-lab-form-name").fill("by-button")
    expect(dialog.locator(".jp-gcs-lab-preview code")).to_contain_text("-N by-button")
    dialog.get_by_role("button", name="Run on cluster").click()
    expect(cell.locator(".cm-content")).to_contain_text("%%gcs submit")
    page.wait_for_text(2, "computed 42")
    expect(badge(page, 2)).to_contain_text("done")
    expect(job_row(page, "by-button")).to_be_visible()


def test_a_sweep_is_one_row_and_its_failed_point_is_run_again(page: LabPage) -> None:
    page.run_cell(4)
    row = job_row(page, "points")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("failed")
    row.get_by_role("button", name=re.compile("Rerun")).click()
    expect(panel(page)).to_contain_text("runs again, as job")
    expect(row).to_contain_text("failed")
    expect(row).to_have_count(1)


def test_from_the_panel_to_the_cell_that_submitted_it(page: LabPage) -> None:
    page.cell(0).locator(".jp-InputArea-editor").click()
    row = job_row(page, "chatty")
    press_in_row(row, "Go to cell")
    expect(page.cell(1)).to_have_class(re.compile("jp-mod-active"))


def test_the_job_tab_has_facts_log_search_and_displays(page: LabPage) -> None:
    job_row(page, "chatty").locator(".jp-gcs-lab-job-main").click()
    tab = main_tab(page, "job")
    expect(tab).to_contain_text("chatty")
    log = tab.get_by_role("tabpanel")
    expect(log).to_contain_text(re.compile(r"tick \d+"))
    tab.get_by_role("searchbox").fill("tick 17")
    expect(tab.locator("mark").first).to_have_text("tick 17")
    tab.get_by_role("tab", name="Displays").click()
    expect(tab.locator("b", has_text="drawn")).to_be_visible()
    tab.get_by_role("tab", name="Facts").click()
    expect(tab).to_contain_text("all.q")


def test_the_other_tabs_are_the_cockpit_and_the_explorer(page: LabPage) -> None:
    panel(page).get_by_role("button", name="Queue", exact=True).click()
    expect(main_tab(page, "queue").locator(".gcs-row-line", has_text="chatty")).to_be_visible()
    panel(page).get_by_role("button", name="Hosts", exact=True).click()
    expect(main_tab(page, "hosts")).to_contain_text(re.compile("all.q|hosts", re.IGNORECASE))
    panel(page).get_by_role("button", name="Accounting", exact=True).click()
    expect(main_tab(page, "accounting").locator(".gcs-explorer")).to_be_visible()


def test_with_keys_alone_a_job_is_found_and_cancelled(page: LabPage) -> None:
    page.page.get_by_role("tab", name="morning.ipynb").click()
    page.run_cell(5)
    row = job_row(page, "sleeper")
    expect(row).to_contain_text("running")
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Alt+Shift+KeyG")
    # The way in is the row where one was before.
    expect(page.page.locator(":focus")).to_have_class("jp-gcs-lab-job-main")
    page.page.keyboard.press("Home")
    while "sleeper" not in page.page.locator(":focus").inner_text():
        page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Delete")
    dialog = page.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Cancel job")
    dialog.get_by_role("button", name="Cancel job").focus()
    page.page.keyboard.press("Enter")
    expect(badge(page, 5)).not_to_contain_text("running")
    expect(row).not_to_contain_text("running")


@needs_axe
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", HIGH_CONTRAST])
def test_axe_finds_nothing_serious(page: LabPage, theme: str) -> None:
    page.command("apputils:change-theme", {"theme": theme})
    page.page.locator("#jupyterlab-splash").wait_for(state="detached")
    job_row(page, "chatty").locator(".jp-gcs-lab-job-main").click()
    expect(main_tab(page, "job")).to_contain_text("chatty")
    faults = [
        fault
        for part in (".jp-gcs-lab-panel", ".jp-gcs-lab-status", ".jp-gcs-lab-view")
        for fault in serious_faults(page, part)
    ]
    page.set_theme(dark=False)
    assert faults == []


def test_ten_tabs_have_one_line_to_the_server(page: LabPage, sockets: list[WebSocket]) -> None:
    names = ["by-button", "broken", "sleeper", "points"]
    for command in ("open-queue", "open-accounting", "open-hosts"):
        page.command(f"gcs-lab:{command}")
    for name in names:
        job_row(page, name).first.locator(".jp-gcs-lab-job-main").click()
        expect(main_tab(page, "job")).to_contain_text(name)
    assert len([line for line in sockets if not line.is_closed()]) == 1


def test_everything_is_found_again_after_a_reload(page: LabPage) -> None:
    ids = "() => [...window.jupyterapp.shell.widgets('main')].map(one => one.id).filter(id => id.startsWith('gcs-lab-')).sort()"
    before = page.page.evaluate(ids)
    # The layout is kept a moment after it has changed.
    with page.page.expect_response(
        lambda answer: "/lab/api/workspaces" in answer.url and answer.request.method == "PUT"
    ):
        page.command("gcs-lab:open-queue")
    page.page.goto(f"{page.lab.url}/lab?token={page.lab.token}")
    wait_until_ready(page)
    expect(job_row(page, "chatty")).to_be_visible()
    assert page.page.evaluate(ids) == before
    expect(main_tab(page, "queue").locator(".gcs-row-line", has_text="chatty")).to_be_visible()
