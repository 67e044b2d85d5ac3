"""The widget of one table in a real JupyterLab; no cluster is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe import needs_axe
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

SHOTS = Path(__file__).parents[2] / "test-results" / "screenshots"

TABLE = """
import threading, time
import pyarrow as pa
from IPython.display import display
from gcs_lab.models import TableModel
from gcs_lab.status.tables import schema
from gcs_lab.widgets import Grid

def job(n, name="fit"):
    known = dict(key=n << 32, job_id=str(n), array=n % 5 == 0, name=f"{name} {n}", owner=("alice", "bob")[n % 2],
                 letters="r" if n % 3 else "Eqw", state="RUNNING" if n % 3 else "QUEUED", priority=0.5, slots=n % 7 + 1,
                 queue="all.q", host=f"node{n % 9}", tasks=1, running=n % 40 if n % 5 == 0 else 1, suspended=0,
                 pending=7 * (n % 5 == 0), held=0, error=0)
    return {name: None for name in schema("jobs").names} | known

def table(*names, count=10_000):
    return pa.Table.from_pylist([job(n, *names) for n in range(1, count + 1)], schema=schema("jobs"))

model = TableModel("jobs")
model.update(table())
other = table("train")
grid = Grid(model)
display(grid)
"""
#: The kernel computes, and a thread (the poller's, in real life) has news.
BUSY = """
threading.Timer(1.0, lambda: model.update(other)).start()
until = time.monotonic() + 8
while time.monotonic() < until:
    sum(range(1000))
"""


@pytest.fixture(scope="module")
def page(lab: LiveLab) -> Iterator[LabPage]:
    with lab.open([TABLE, BUSY]) as opened:
        opened.run_cell(0)
        line(opened).first.wait_for()
        yield opened
        assert opened.refused == []


def line(page: LabPage) -> Locator:
    return page.output(0).locator(".gcs-row-line:not(.gcs-skeleton)")


def focused(page: LabPage) -> str:
    text: str = page.page.evaluate("() => document.activeElement.closest('.gcs-row-line')?.innerText ?? ''")
    return text.split(maxsplit=1)[0] if text else ""


def test_rows_are_read_sorted_and_narrowed_with_the_keyboard_alone(page: LabPage):
    keyboard = page.page.keyboard
    page.output(0).get_by_role("combobox").focus()
    keyboard.type("owner:bob name~99")
    keyboard.press("Enter")
    expect(page.output(0).locator(".gcs-counts")).to_have_text("185 of 10,000 jobs")
    keyboard.press("Escape")
    expect(page.output(0).locator(".gcs-counts")).to_have_text("10,000 jobs")
    keyboard.press("Tab")
    # JupyterLab's own keys (a, b, x, arrows, Enter) have no meaning here.
    cells = page.page.locator(".jp-Cell").count()
    keyboard.press("ArrowDown")
    keyboard.press("a")
    keyboard.press("x")
    assert page.page.locator(".jp-Cell").count() == cells
    keyboard.press("Control+End")
    expect(line(page).last).to_contain_text("10000")
    page.page.wait_for_function(
        "() => document.activeElement.closest('.gcs-row-line')?.innerText.startsWith('10000')"
    )
    keyboard.press("Control+Home")
    page.page.wait_for_function("() => document.activeElement.closest('.gcs-row-line')?.innerText.startsWith('1')")


def test_the_table_keeps_up_while_the_kernel_computes(page: LabPage):
    line(page).nth(2).locator("[data-column=name]").click()
    page.run_cell(1, wait=False)
    page.wait_for_kernel("busy")
    expect(line(page).first).to_contain_text("train 1")
    # What the browser asks is answered, too.
    page.output(0).locator(".gcs-head-cell[data-column=slots]").click()
    expect(page.output(0).locator(".gcs-head-cell[data-column=slots]")).to_have_attribute("aria-sort", "descending")
    expect(line(page).first.locator("[data-column=slots]")).to_have_text("7")
    expect(page.output(0).locator(".gcs-selected")).to_have_text("1 selected")
    page.wait_for_kernel()


@needs_axe
@pytest.mark.parametrize("dark", [False, True])
def test_the_table_has_no_serious_fault(page: LabPage, dark):
    page.set_theme(dark=dark)
    axe = Path(__file__).resolve().parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
    page.page.add_script_tag(path=axe)
    found = page.page.evaluate("() => axe.run('.gcs-table-widget')")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.output(0).screenshot(path=SHOTS / f"grid_{'dark' if dark else 'light'}.png")
    expect(page.output(0).locator(".gcs-grid")).to_have_attribute("data-ground", "dark" if dark else "light")
    assert found["passes"]
    assert [fault["id"] for fault in found["violations"] if fault["impact"] in {"serious", "critical"}] == []


def test_a_saved_notebook_has_the_first_rows_and_is_small(page: LabPage):
    saved = page.save()
    data = saved["cells"][0]["outputs"][0]["data"]
    assert "<table>" in data["text/html"]
    assert sum(len(str(part)) for part in data.values()) < 20_000
