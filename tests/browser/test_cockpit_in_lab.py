"""The cockpit in a real JupyterLab: on the embedded cluster and a Grid Engine, with keys alone, and without its kernel."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from axe import needs_axe, serious_faults
from gridengine.demo_lab import demo_cell, home_of
from nbconvert import HTMLExporter
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Locator

    from gcs_lab.backends.gridengine.demo import DemoState

__all__ = ["demo_cell"]

pytestmark = pytest.mark.browser

DASHBOARD = """
import os, time
import gcs_lab
cluster = gcs_lab.connect("embedded")
here = {"working_directory": os.getcwd()}
chatty = "for n in $(seq 600); do echo tick $n; sleep 0.5; done"
HELD = ("first-seen", "by-keys")
jobs = {name: cluster.jobs.run("sleep", "1", job_name=name, submit_as_hold=True, **here) for name in HELD}
jobs["chatty"] = cluster.jobs.run("/bin/sh", "-c", chatty, job_name="chatty", **here)
cluster.dashboard()
"""
#: The kernel computes, and another job comes.
LATER = """
other = cluster.jobs.run("sleep", "1", job_name="seen-while-busy", submit_as_hold=True, **here)
end = time.time() + 5
while time.time() < end:
    pass
print("computed")
"""
CHECK = """
print("by-keys", jobs["by-keys"].state.name, "chatty", jobs["chatty"].state.name)
"""
FINISH = """
for job in cluster.jobs.list():
    job.terminate()
cluster.close()
"""
ON_GRID_ENGINE = """
import os
os.environ["GCS_LAB_HOME"] = {home!r}
import gcs_lab
cluster = gcs_lab.connect({cell!r})
from gcs_lab.vocabulary import JobTemplate
one = JobTemplate(remote_command="sleep", args=["300"], job_name="array", working_directory=os.getcwd())
array = cluster.jobs.submit_array(one, 1, 3)
cluster.jobs.wait_all_started([array], 60)
cluster.dashboard(filter="name:array")
"""
END = """
array.terminate()
cluster.close()
"""


@pytest.fixture(scope="module")
def page(lab: LiveLab) -> Iterator[LabPage]:
    """One notebook for all tests on the embedded cluster; the last one ends its kernel."""
    with lab.open([DASHBOARD, LATER, CHECK, FINISH]) as opened:
        opened.run_cell(0)
        row(opened, "chatty").wait_for()
        yield opened
        assert opened.refused == []


def row(page: LabPage, name: str) -> Locator:
    return page.output(0).locator(".gcs-row-line").filter(has=page.page.get_by_text(name, exact=True))


def narrow(page: LabPage, text: str) -> None:
    page.output(0).get_by_role("combobox").fill(text)
    page.page.keyboard.press("Enter")


def tab_to(page: LabPage, wanted: str) -> None:
    """Press Tab until what has the focus is within `wanted`."""
    for _ in range(60):
        page.page.keyboard.press("Tab")
        if page.page.evaluate("wanted => document.activeElement.closest(wanted) !== null", wanted):
            return
    raise AssertionError(f"no Tab leads to {wanted}")


def focused(page: LabPage) -> str:
    text: str = page.page.evaluate("() => document.activeElement.innerText")
    return text


def test_a_press_narrows_everything_and_takes_it_away_again(page: LabPage) -> None:
    output = page.output(0)
    expect(page.page.locator("[id^=gcs-static-]")).to_be_hidden()
    held = output.get_by_role("button", name=re.compile("held"))
    held.first.click()
    expect(row(page, "chatty")).to_have_count(0)
    expect(row(page, "first-seen")).to_be_visible()
    expect(output.get_by_role("combobox")).to_have_value("state:held")
    held.first.click()
    expect(row(page, "chatty")).to_be_visible()


def test_the_drawer_has_the_log_as_it_grows(page: LabPage) -> None:
    row(page, "chatty").get_by_text("chatty").dblclick()
    log = page.output(0).locator(".gcs-drawer .gcs-log-text")
    expect(log).to_contain_text(re.compile(r"tick 1\n(.*\n)*tick 4\n"))
    last = int(log.inner_text().split()[-1])
    expect(log).to_contain_text(f"tick {last + 3}\n")
    page.output(0).get_by_role("button", name="Close the details").click()


def test_with_keys_alone_a_job_is_found_opened_and_released(page: LabPage) -> None:
    keyboard = page.page.keyboard
    page.output(0).get_by_role("combobox").focus()
    keyboard.type("name:by-keys")
    keyboard.press("Enter")
    expect(row(page, "chatty")).to_have_count(0)
    # The way in is the head, or the row where one was before.
    tab_to(page, "[role=grid], [role=treegrid]")
    keyboard.press("Control+End")
    keyboard.press("Enter")
    drawer = page.output(0).locator(".gcs-drawer")
    expect(drawer.get_by_role("heading", name="by-keys")).to_be_focused()
    expect(drawer.get_by_role("button", name="Release")).to_be_visible()
    while not focused(page).startswith("Release"):
        tab_to(page, ".gcs-drawer button")
    keyboard.press("Enter")
    dialog = page.page.get_by_role("alertdialog")
    expect(dialog.get_by_role("heading")).to_have_text(re.compile("^Release job [0-9]+ of .+[?]$"))
    expect(dialog.get_by_role("button", name="Keep as it is")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.output(0).locator(".gcs-notes")).to_contain_text("Release: done for 1 job")
    # Its button is gone with what it was for; the focus has not gone with it.
    expect(drawer.get_by_role("button", name="Release")).to_have_count(0)
    expect(drawer.get_by_role("heading", name="by-keys")).to_be_focused()
    expect(drawer).to_contain_text("it has left the queue")
    keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    page.run_cell(2)
    page.wait_for_text(2, "by-keys DONE chatty RUNNING")
    narrow(page, "")


def test_it_keeps_up_and_acts_while_the_kernel_computes(page: LabPage) -> None:
    page.run_cell(1, wait=False)
    expect(row(page, "seen-while-busy")).to_be_visible()
    row(page, "first-seen").get_by_text("first-seen").dblclick()
    expect(page.output(0).locator(".gcs-drawer")).to_contain_text("held by its user")
    expect(page.output(1)).not_to_contain_text("computed")
    page.output(0).get_by_role("button", name="Close the details").click()
    page.wait_for_kernel()


@needs_axe
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_with_a_job_open(page: LabPage, theme: str) -> None:
    page.set_theme(dark=theme == "dark")
    expect(page.output(0).locator(".gcs-cockpit")).to_have_attribute("data-ground", theme)
    row(page, "chatty").get_by_text("chatty").dblclick()
    expect(page.output(0).locator(".gcs-log-text")).to_contain_text("tick")
    assert serious_faults(page, ".gcs-cockpit") == []
    page.set_theme(dark=False)


def test_on_grid_engine_one_task_of_an_array_is_cancelled(lab: LiveLab, demo_cell: DemoState) -> None:
    with lab.open([ON_GRID_ENGINE.format(home=str(home_of(demo_cell)), cell=demo_cell.cluster), END]) as page:
        page.run_cell(0)
        row(page, "array").locator("[data-does=expand]").click()
        task = row(page, "array").filter(has=page.page.locator("[data-column=task]", has_text=re.compile("^2$")))
        expect(task).to_contain_text("running")
        task.get_by_text("array").dblclick()
        drawer = page.output(0).locator(".gcs-drawer")
        expect(drawer).to_contain_text(re.compile(r"/array\.o\d+\.2\b"))
        drawer.get_by_role("button", name="Cancel").click()
        dialog = page.page.get_by_role("alertdialog")
        expect(dialog.get_by_role("heading")).to_have_text(re.compile("^Cancel task [0-9]+[.][0-9]+ of .+[?]$"))
        dialog.get_by_role("button", name="Cancel").click()
        expect(drawer).to_contain_text("it has left the queue")
        told = subprocess.run(
            ["/bin/sh", "-c", f". {demo_cell.settings_sh}; qstat -g d"], capture_output=True, text=True, check=True
        ).stdout
        tasks = [line.split()[-1] for line in told.splitlines() if " array " in line]
        page.run_cell(1)
        assert sorted(tasks) == ["1", "3"]


def test_without_its_kernel_and_exported_it_is_a_page(page: LabPage, lab: LiveLab) -> None:
    expect(page.page.locator("[id^=gcs-static-]")).to_contain_text("first-seen")
    page.save()
    page.run_cell(3)
    for kernel in json.loads(lab._request("/api/kernels")):
        lab._request(f"/api/kernels/{kernel['id']}", method="DELETE")
    assert page.path.stat().st_size < 60_000
    exported = page.path.with_suffix(".html")
    exported.write_text(HTMLExporter().from_filename(str(page.path))[0])
    with lab.open_path(page.path) as again:
        expect(again.page.locator("[id^=gcs-static-]")).to_be_visible()
        again.wait_for_text(0, "first-seen")
        again.page.goto(exported.as_uri())
        expect(again.page.locator("[id^=gcs-static-]")).to_contain_text("first-seen")
