"""The job card in a real JupyterLab."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe import needs_axe, serious_faults
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

SETUP = """
import threading, time
from IPython.display import display
from gcs_lab.errors import DeniedByDrms
from gcs_lab.models import JobModel
from gcs_lab.widgets import JobCard

class Actions:
    heard = []
    def cancel(self):
        self.heard.append("cancel")
        end("FAILED", 137, "cancelled by the test")
    def hold(self):
        self.heard.append("hold")
        raise DeniedByDrms("the queue's owner says no. Ask <b>her</b>.")
    def release(self):
        self.heard.append("release")
        model.state = "QUEUED"
    def log_tail(self, stream, lines):
        return "".join(f"line {n}\\n" for n in range(40)) if stream == "stdout" else "careful: <i>x</i>\\n"

def start():
    model.queue, model.host, model.started = "all.q", "node1", time.time() - 65
    model.rss, model.max_rss, model.progress, model.progress_text = 300 * 2**20, 2**30, 0.3, "120/400 batches"
    model.state = "RUNNING"

def end(state, exit_status, message=""):
    model.message, model.exit_status, model.finished = message, exit_status, model.started + 70
    model.state, model.ended = state, True

model = JobModel(name="fit <script>alert(1)</script>", job_id="12", state="QUEUED", sub_state="qw",
                 system="Grid Engine 8.1.9", submitted=time.time())
card = JobCard(model, Actions())
data, metadata = card.bundle()
handle = display(data, metadata=metadata, raw=True, display_id="card")
"""
FINISH = """
end("DONE", 0)
data, metadata = card.final_bundle()
handle = display(data, metadata=metadata, raw=True, display_id="card", update=True)
card.close()
"""
#: Keeps the kernel busy until there is a file.
BUSY = "import os\nwhile not os.path.exists('{}'):\n    time.sleep(0.1)\nprint('busy cell over', Actions.heard)"
FINAL_LINE = "✓ done fit <script>alert(1)</script> · job 12 · all.q@node1 · 1:10 wall · peak 1.0 GiB · exit 0"


@pytest.fixture
def page(lab: LiveLab, tmp_path: Path) -> Iterator[LabPage]:
    cells = [SETUP, "start()", BUSY.format(tmp_path / "go"), FINISH]
    with lab.open(cells) as opened:
        opened.run_cell(0)
        card_of(opened).wait_for()
        yield opened
        assert opened.refused == []


def card_of(page: LabPage) -> Locator:
    return page.output(0).locator(".gcs-card")


def press(page: LabPage, label: str) -> None:
    card_of(page).get_by_role("button", name=re.compile(f"^{label}")).click()


def test_card_follows_a_model_changed_by_a_thread_while_the_kernel_is_busy(lab, tmp_path):
    busy = f"threading.Timer(0.5, start).start()\n{BUSY.format(tmp_path / 'go')}"
    with lab.open([SETUP, busy]) as page:
        page.run_cell(0)
        expect(card_of(page)).to_contain_text("waiting 0:0")
        page.run_cell(1, wait=False)
        expect(card_of(page)).to_have_attribute("data-state", "RUNNING")
        expect(card_of(page)).to_contain_text("30% · 120/400 batches")
        # It began at 1:05, and counts without being told.
        expect(card_of(page)).to_contain_text(re.compile(r"1:(0[7-9]|[1-5]\d)mem"))
        assert "busy cell over" not in page.output(1).inner_text()
        (tmp_path / "go").touch()
        page.wait_for_text(1, "busy cell over")


def test_buttons_and_log_work_while_the_kernel_is_busy(page, tmp_path):
    page.run_cell(1)
    page.run_cell(2, wait=False)
    page.wait_for_kernel("busy")
    press(page, "Logs")
    expect(card_of(page).locator("pre")).to_contain_text("line 39")
    press(page, "Cancel")
    expect(card_of(page)).to_have_attribute("data-state", "FAILED")
    expect(card_of(page)).to_contain_text("cancelled by the test")
    assert "busy cell over" not in page.output(2).inner_text()
    (tmp_path / "go").touch()
    page.wait_for_text(2, "busy cell over ['cancel']")


def test_a_refusal_is_shown_in_words_and_as_text(page):
    press(page, "Hold")
    expect(card_of(page).get_by_role("alert")).to_have_text("hold failed: the queue's owner says no. Ask <b>her</b>.")


def test_a_second_view_and_a_page_that_is_loaded_again_show_the_present_state(lab):
    with lab.open([SETUP, "start()\ncard"]) as page:
        page.run_all()
        expect(page.page.locator(".gcs-card[data-state=RUNNING]")).to_have_count(2)
        page.save()
        page.load()
        expect(page.page.locator(".gcs-card[data-state=RUNNING]")).to_have_count(2)
        page.output(1).get_by_role("button", name="Cancel").click()
        expect(page.page.locator(".gcs-card[data-state=FAILED]")).to_have_count(2)


def test_saved_notebook_shows_the_final_line_without_its_kernel_and_when_exported(lab, page):
    from nbconvert import HTMLExporter

    page.run_cell(1)
    page.run_cell(3)
    expect(page.output(0)).to_have_text(FINAL_LINE)
    notebook = page.save()
    assert set(notebook.cells[0].outputs[0].data) == {"text/html", "text/plain"}
    html, _ = HTMLExporter().from_notebook_node(notebook)
    # The cell's own source has the text too, coloured by words; the line has it in one piece.
    assert "fit &lt;script&gt;alert(1)&lt;/script&gt;</strong> · job 12 · all.q@node1 · 1:10 wall" in html
    page.restart_kernel()
    with lab.open_path(page.path) as again:
        expect(again.output(0)).to_have_text(FINAL_LINE)


@needs_axe
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(page, dark, tmp_path):
    page.set_theme(dark=dark)
    assert serious_faults(page) == []
    page.run_cell(1)
    press(page, "Logs")
    expect(card_of(page).locator("pre")).to_contain_text("line 39")
    press(page, "Cancel")
    expect(card_of(page)).to_have_attribute("data-state", "FAILED")
    assert serious_faults(page) == []
    page.screenshot(tmp_path / "card.png", cell=0)
    assert (tmp_path / "card.png").stat().st_size > 10_000


def test_every_control_is_reached_and_pressed_by_keyboard(page):
    page.run_cell(1)
    card_of(page).get_by_role("button", name="Logs").focus()
    page.page.keyboard.press("Enter")
    expect(card_of(page).locator("pre")).to_contain_text("line 39")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")
    expect(card_of(page)).to_have_attribute("data-state", "FAILED")
    expect(card_of(page).get_by_role("button", name="Logs")).to_be_focused()
