"""A cluster of one's own that nobody wants is not started by the extension; one that was stopped stays so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from extension_page import job_row, open_bare, own_lab, panel, show_panel, status, wait_until_ready
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cluster_lab(chromium: Browser) -> Iterator[LiveLab]:
    with own_lab(chromium, arguments=["--GcsLabServer.beat_seconds=1"]) as lab:
        yield lab


@pytest.fixture(scope="module")
def page(cluster_lab: LiveLab) -> Iterator[LabPage]:
    with open_bare(cluster_lab) as opened:
        yield opened


def elsewhere(lab: LiveLab, program: str) -> str:
    """Run a program as a kernel would that shares nothing with the server but the home."""
    told = subprocess.run(
        [sys.executable, "-c", program], env=lab.environment, capture_output=True, text=True, timeout=60, check=True
    )
    return told.stdout.strip()


def runs(lab: LiveLab) -> bool:
    told = elsewhere(lab, "from gcs_lab.backends.embedded import service; print(service.status().pid is not None)")
    return told == "True"


SUBMIT = "import gcs_lab; print(gcs_lab.connect('embedded').jobs.run('sleep', '600', job_name='{}').id)"


def test_what_was_stopped_stays_so_until_somebody_asks(page: LabPage, cluster_lab: LiveLab) -> None:
    # The status bar looks on, but nobody has seen the panel.
    expect(status(page)).to_contain_text("embedded stopped")
    assert not runs(cluster_lab)
    show_panel(page)
    expect(panel(page).locator(".jp-gcs-lab-health-line")).to_contain_text("free")
    expect(panel(page).locator(".jp-gcs-lab-system")).to_have_text("0.1.0")
    panel(page).locator(".jp-gcs-lab-chosen").click()
    panel(page).locator("[data-cluster=embedded] button", has_text="Stop").click()
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(panel(page).get_by_role("button", name="Start embedded")).to_be_visible()
    expect(status(page)).to_contain_text("embedded stopped")
    page.page.reload()
    wait_until_ready(page)
    expect(panel(page).get_by_role("button", name="Start embedded")).to_be_visible()
    assert not runs(cluster_lab)
    # A tab that is opened by hand asks.
    page.command("gcs-lab:open-queue")
    expect(panel(page).locator(".jp-gcs-lab-health-line")).to_contain_text("free")
    assert runs(cluster_lab)


def test_what_happened_while_the_server_slept_is_told_when_it_wakes(page: LabPage, cluster_lab: LiveLab) -> None:
    first = elsewhere(cluster_lab, SUBMIT.format("before"))
    expect(job_row(page, "before")).to_be_visible()
    process = cluster_lab._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        elsewhere(cluster_lab, SUBMIT.format("meanwhile"))
        end = f"import gcs_lab; gcs_lab.connect('embedded').jobs.job({first!r}).terminate()"
        elsewhere(cluster_lab, end)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    expect(job_row(page, "meanwhile")).to_contain_text("running")
    expect(panel(page).locator(".jp-gcs-lab-job[data-job-id]", has_text="before")).to_contain_text("deleted by")


def test_a_page_that_slept_is_up_to_date_when_it_wakes(page: LabPage, cluster_lab: LiveLab) -> None:
    wire = page.page.context.new_cdp_session(page.page)
    wire.send("Page.setWebLifecycleState", {"state": "frozen"})
    elsewhere(cluster_lab, SUBMIT.format("asleep"))
    # The server has given up the line by then.
    time.sleep(3.5)
    wire.send("Page.setWebLifecycleState", {"state": "active"})
    wire.detach()
    expect(job_row(page, "asleep")).to_contain_text("running")
    expect(job_row(page, "asleep")).to_have_count(1)
