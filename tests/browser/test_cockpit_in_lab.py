"""The cockpit in a real JupyterLab on the embedded cluster: live, and without its kernel."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from live_lab import LiveLab

pytestmark = pytest.mark.browser

DASHBOARD = """
import gcs_lab
cluster = gcs_lab.connect("embedded")
held = cluster.jobs.run("sleep", "1", job_name="first-seen", submit_as_hold=True)
cluster.dashboard()
"""
LATER = """
import time
other = cluster.jobs.run("sleep", "1", job_name="seen-while-busy", submit_as_hold=True)
end = time.time() + 5
while time.time() < end:
    pass
"""
FINISH = """
for job in cluster.jobs.list():
    job.terminate()
cluster.close()
"""


def test_the_cockpit_is_live_keeps_up_while_a_cell_runs_and_leaves_a_page(lab: LiveLab, tmp_path: Path) -> None:
    with lab.open([DASHBOARD, LATER, FINISH]) as page:
        page.run_cell(0)
        page.wait_for_text(0, "first-seen", seconds=60)
        static = page.page.locator("[id^=gcs-static-]")
        expect(static).to_be_hidden()
        page.run_cell(1, wait=False)
        page.wait_for_text(0, "seen-while-busy")
        page.wait_for_kernel()
        # A press in the page reaches the jobs: what is asked first, then what was done.
        row = page.output(0).get_by_role("row").filter(has_text="first-seen")
        row.get_by_text("first-seen").dblclick()
        page.output(0).get_by_role("button", name=re.compile("^Release")).first.click()
        page.page.get_by_role("alertdialog").get_by_role("button", name=re.compile("^Release")).click()
        expect(row).not_to_contain_text("held", timeout=30_000)
        expect(static).to_contain_text("first-seen")
        page.save()
        path = page.path
        page.run_cell(2)
    for kernel in json.loads(lab._request("/api/kernels")):
        lab._request(f"/api/kernels/{kernel['id']}", method="DELETE")
    assert path.stat().st_size < 60_000
    with lab.open_path(path) as page:
        expect(page.page.locator("[id^=gcs-static-]")).to_be_visible()
        page.wait_for_text(0, "first-seen")
