"""The extension on a real private Grid Engine: cells as jobs by the button, and a qmaster that goes away and comes back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from extension_page import badge, job_row, main_tab, notification, own_lab, panel, press_in_row, show_panel, status
from gridengine.demo_lab import home, need_packages, processes_of
from playwright.sync_api import expect

from gcs_lab.backends.gridengine import demo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.gridengine]

CONNECT = "%load_ext gcs_lab\n%gcs connect demo"
PLAIN = "print('computed', 6 * 7)"
SLEEPER = "%%gcs submit -N sleeper\nimport time\ntime.sleep(600)"
WAITS = "%%gcs submit -N waits --after sleeper\n1"


@pytest.fixture(scope="module")
def cluster_lab(chromium: Browser) -> Iterator[LiveLab]:
    """A JupyterLab that knows of no cluster but what can be started; what was started is ended."""
    need_packages()
    place = Path(tempfile.mkdtemp(prefix="gd-", dir="/tmp"))
    try:
        with own_lab(chromium, environment={"GCS_LAB_HOME": str(place)}) as lab:
            yield lab
    finally:
        with home(place):
            demo.stop()
        left = processes_of(place)
        shutil.rmtree(place)
        assert not left, left


@pytest.fixture(scope="module")
def page(cluster_lab: LiveLab) -> Iterator[LabPage]:
    with cluster_lab.open([CONNECT, PLAIN, SLEEPER, WAITS]) as opened:
        yield opened


def test_a_private_grid_engine_is_started_from_the_launcher(page: LabPage) -> None:
    page.command("launcher:create")
    page.page.locator(".jp-LauncherCard", has_text="Start Demo Cluster").click()
    dialog = page.page.locator(".jp-Dialog")
    dialog.locator("label", has=page.page.get_by_text("demo", exact=True)).click()
    dialog.get_by_role("button", name="Start").click()
    expect(notification(page, "demo runs.")).to_be_visible()
    expect(show_panel(page)).to_contain_text("demo")
    expect(status(page)).to_contain_text("no jobs")
    page.command("application:close")
    page.run_cell(0)


def test_the_button_runs_a_cell_on_grid_engine(page: LabPage) -> None:
    cell = page.cell(1)
    cell.locator(".jp-InputArea-editor").click()
    cell.get_by_role("button", name=re.compile("cluster", re.IGNORECASE)).click()
    dialog = page.page.locator(".jp-Dialog")
    expect(dialog.locator(".jp-gcs-lab-preview code")).to_contain_text("%%gcs submit")
    dialog.get_by_role("button", name="Run on cluster").click()
    page.wait_for_text(1, "computed 42")
    expect(badge(page, 1)).to_contain_text("done")


def test_a_job_that_waits_says_why_and_another_is_cancelled(page: LabPage) -> None:
    page.run_cell(2)
    expect(job_row(page, "sleeper")).to_contain_text("running")
    page.run_cell(3)
    expect(job_row(page, "waits")).to_contain_text("waits for")
    job_row(page, "sleeper").locator(".jp-gcs-lab-job-main").click()
    expect(main_tab(page, "job")).to_contain_text("sleeper")
    row = job_row(page, "waits")
    press_in_row(row, "Cancel job")
    page.page.locator(".jp-Dialog").get_by_role("button", name="Cancel job").click()
    expect(row).not_to_contain_text("waits for")


def test_a_qmaster_that_died_leaves_the_picture_and_says_so(page: LabPage, cluster_lab: LiveLab) -> None:
    with home(Path(cluster_lab.environment["GCS_LAB_HOME"])):
        (cell,) = demo.status()
        pid = cell.daemons["sge_qmaster"]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        try:
            expect(panel(page)).to_contain_text("has not answered since")
            expect(job_row(page, "sleeper")).to_be_visible()
            expect(status(page)).to_have_attribute("data-level", "bad")
            # Whoever asks for the list of clusters does not take the picture away, and is offered the start.
            page.command("gcs-lab:show-panel")
            panel(page).get_by_role("button", name="Start demo again").click()
            expect(panel(page)).not_to_contain_text("has not answered since")
        finally:
            demo.start()
    expect(panel(page)).not_to_contain_text("has not answered since")
    expect(status(page)).to_contain_text("▶ 1")
