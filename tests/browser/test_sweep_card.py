"""The sweep's card, and the job card's reasons and advice, in a real JupyterLab; no cluster is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe import needs_axe, serious_faults
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

SHOTS = Path(__file__).parents[2] / "test-results" / "screenshots"

SWEEP = """
import time
from IPython.display import display
from gcs_lab.models import JobModel
from gcs_lab.models.sweep_model import STATES, SweepModel
from gcs_lab.widgets import JobCard, SweepCard

TASKS, PER_CELL = {tasks}, {per_cell}
DONE, FAILED, RUNNING, QUEUED = (STATES.index(name) for name in ("DONE", "FAILED", "RUNNING", "QUEUED"))
FAILED_TASKS = {{n for n in (17, 4711, 4712, 6000) if n <= TASKS}}

def code(task, over, running):
    if task in FAILED_TASKS and task <= over:
        return FAILED
    return DONE if task <= over else RUNNING if task <= over + running else QUEUED

def go(over, running):
    codes = [code(task, over, running) for task in range(1, TASKS + 1)]
    weight = [FAILED, RUNNING, QUEUED, DONE]
    cells = [codes[i:i + PER_CELL] for i in range(0, TASKS, PER_CELL)]
    model.counts = {{STATES[c]: codes.count(c) for c in weight if c in codes}}
    model.strip = bytes(min(cell, key=weight.index) for cell in cells)
    model.wall_left = (TASKS - over) / 50

class Actions:
    def cancel(self): pass
    def hold(self): pass
    def release(self): pass
    def rerun_failed(self):
        FAILED_TASKS.clear()
        go(7000, 120)
    def tasks_of_cell(self, cell):
        tasks = range(cell * PER_CELL + 1, min(TASKS, (cell + 1) * PER_CELL) + 1)
        rows = [dict(task=n, state=STATES[code(n, 7000, 120)], parameters=f"x={{n}}, model='forest'", host="node1",
                     wall=3.2, memory=300 * 2**20, error="") for n in tasks]
        for row in rows:
            if row["state"] == "FAILED":
                row["error"] = "ValueError: no <b>such</b> depth, and a long sentence about what would have been right"
        return sorted(rows, key=lambda row: row["state"] != "FAILED")
    def task_output(self, task, lines):
        return f"fitting x={{task}}\\n" + "".join(f"epoch {{n}}: loss {{1 / n:.3f}}\\n" for n in range(1, 30))

model = SweepModel(name="grid <script>alert(1)</script>", job_id="12", system="Grid Engine 8.1.9", tasks=TASKS,
                   tasks_per_cell=PER_CELL, submitted=time.time() - 80, started=time.time() - 75,
                   parameters=["x", "model"])
go(7000, 120)
card = SweepCard(model, Actions())
data, metadata = card.bundle()
handle = display(data, metadata=metadata, raw=True, display_id="card")
"""
FAILED_NOW = 'model.message = "4 failed so far; first: task 17: ValueError: no <b>such</b> depth"'
END = """
FAILED_TASKS.clear()
go(TASKS, 0)
model.usage = ["asked for 4 GiB each; 95 of 100 tasks used less than 310 MiB", "asked for 1:00:00; the longest took 9 s"]
model.advice = "-l h_vmem=400M,h_rt=0:01:00"
model.finished, model.wall_left, model.message, model.ended = time.time(), -1.0, "", True
"""
FINAL = """
data, metadata = card.final_bundle()
handle = display(data, metadata=metadata, raw=True, display_id="card", update=True)
card.close()
"""
JOB = """
class JobActions:
    def cancel(self): pass
    def hold(self): pass
    def release(self): pass
    def log_tail(self, stream, lines): return ""

job = JobModel(name="fit", job_id="13", state="QUEUED", sub_state="hqw", system="Grid Engine 8.1.9",
               submitted=time.time() - 30, waiting=[
    "waits for job 12 (prepare), which runs",
    "asks for h_vmem=900G, and the largest that a queue has is 64G (big.q)",
    "queue all.q is disabled on node3",
    "no slots are free in all.q: 40 of 40 are taken",
    "7 jobs are before it"])
job_card = JobCard(job, JobActions())
data, metadata = job_card.bundle()
job_handle = display(data, metadata=metadata, raw=True, display_id="job-card")
"""
JOB_END = """
job.started, job.waiting, job.queue, job.host = time.time() - 70, [], "all.q", "node1"
job.usage = ["asked for 4 GiB, used 310 MiB at the peak", "asked for 1:00:00, took 1:10"]
job.advice, job.finished, job.exit_status = "-l h_vmem=400M,h_rt=0:05:00", time.time(), 0
job.state, job.ended = "DONE", True
"""


@pytest.fixture(scope="module")
def page(lab: LiveLab) -> Iterator[LabPage]:
    """A sweep of 10,000 tasks, three to a cell, for all tests; each brings it into the state that it needs."""
    with lab.open([SWEEP.format(tasks=10_000, per_cell=3), FAILED_NOW, JOB, JOB_END, END, FINAL]) as opened:
        opened.run_cell(0)
        card_of(opened).wait_for()
        yield opened
        assert opened.refused == []


def card_of(page: LabPage, cell: int = 0) -> Locator:
    return page.output(cell).locator(".gcs-card")


def strip_of(page: LabPage) -> Locator:
    return card_of(page).get_by_role("slider")


def open_first_failed(page: LabPage) -> None:
    """Lead by keys from the first cell to the first failed one, and open it."""
    strip_of(page).focus()
    for key in ("Home", "f", "Enter"):
        page.page.keyboard.press(key)
    expect(card_of(page).locator(".gcs-detail")).to_contain_text("task 17")


def shoot(page: LabPage, name: str, *, cell: int = 0) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    card_of(page, cell).screenshot(path=SHOTS / name)


def colours(page: LabPage) -> set[str]:
    """Return the colours that the strip is painted with, as ``#rrggbb``."""
    return set(
        page.page.evaluate(
            """async () => {
                const canvas = document.querySelector('.gcs-cells');
                await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
                const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                const seen = new Set();
                for (let at = 0; at < data.length; at += 4) {
                    if (data[at + 3] === 255) {
                        const hex = [0, 1, 2].map(part => data[at + part].toString(16).padStart(2, '0'));
                        seen.add('#' + hex.join(''));
                    }
                }
                return [...seen];
            }"""
        )
    )


def test_ten_thousand_tasks_are_one_strip_with_counts_and_estimate(page):
    expect(card_of(page)).to_contain_text("70% · 7,000/10,000")
    expect(card_of(page).get_by_role("listitem")).to_have_text(
        ["4 failed", "120 running", "2,880 queued", "6,996 done"]
    )
    assert page.page.evaluate("() => document.querySelectorAll('.gcs-card *').length") < 120
    expect(strip_of(page)).to_have_attribute("aria-valuemax", "3334")
    assert colours(page) == {"#a31515", "#0b4f9c", "#8a949e", "#1a9a6c"}


@pytest.mark.parametrize("ratio", [1.25, 2])
def test_the_strip_is_sharp_on_a_screen_with_more_pixels(page, ratio):
    screen = {"width": 1280, "height": 900, "deviceScaleFactor": ratio, "mobile": False}
    session = page.page.context.new_cdp_session(page.page)
    session.send("Emulation.setDeviceMetricsOverride", screen)
    page.page.wait_for_function(
        "ratio => { const it = document.querySelector('.gcs-cells'); return it.width === Math.round(it.clientWidth * ratio); }",
        arg=ratio,
    )
    # No pixel has a colour between that of a cell and the ground.
    assert colours(page) == {"#a31515", "#0b4f9c", "#8a949e", "#1a9a6c"}
    session.send("Emulation.clearDeviceMetricsOverride")
    session.detach()


def test_keys_lead_to_a_failed_task_and_open_it(page):
    open_first_failed(page)
    expect(strip_of(page)).to_have_attribute("aria-valuetext", "tasks 16\u201318: failed (some)")
    expect(card_of(page).locator("tbody tr")).to_have_count(3)
    expect(card_of(page).locator("pre")).to_contain_text("epoch 29")
    # JupyterLab has not taken the keys for itself: the cell was not left, and none was added or removed.
    expect(strip_of(page)).to_be_focused()
    assert page.page.locator(".jp-Notebook .jp-Cell").count() == 6


def test_another_task_of_the_cell_is_chosen_by_its_button(page):
    open_first_failed(page)
    card_of(page).get_by_role("button", name="output of task 16").click()
    expect(card_of(page).locator("pre")).to_contain_text("fitting x=16")
    expect(card_of(page).locator(".gcs-detail")).to_contain_text("x=16, model='forest'")
    card_of(page).get_by_role("button", name="output of task 17").click()
    expect(card_of(page).locator(".gcs-tasks .gcs-trouble")).to_contain_text("no <b>such</b> depth")


@needs_axe
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_with_a_cell_open(page, theme):
    page.run_cell(1)
    open_first_failed(page)
    page.set_theme(dark=theme == "dark")
    expect(card_of(page)).to_have_attribute("data-ground", theme)
    assert serious_faults(page) == []
    strip_of(page).focus()
    shoot(page, f"sweep-{theme}.png")


def test_the_dark_theme_has_colours_of_its_own(page):
    page.set_theme(dark=True)
    expect(card_of(page)).to_have_attribute("data-ground", "dark")
    assert {"#ffa28b", "#388bfd", "#8b949e", "#2a7d62"} <= colours(page)
    page.set_theme(dark=False)
    expect(card_of(page)).to_have_attribute("data-ground", "light")


def test_a_narrow_page_has_the_whole_strip(page):
    open_first_failed(page)
    page.page.set_viewport_size({"width": 480, "height": 900})
    page.command("application:toggle-left-area")
    canvas = card_of(page).locator("canvas")
    expect(strip_of(page)).to_be_visible()
    page.page.wait_for_function("() => document.querySelector('.gcs-cells').clientWidth < 440")
    card, strip = card_of(page).bounding_box(), canvas.bounding_box()
    assert strip["x"] + strip["width"] <= card["x"] + card["width"]
    shoot(page, "sweep-narrow.png")
    page.page.set_viewport_size({"width": 1280, "height": 900})
    page.page.wait_for_function("() => document.querySelector('.gcs-cells').clientWidth > 440")


def test_a_click_opens_the_cell_under_the_pointer(page):
    canvas = card_of(page).locator("canvas")
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] - 7, "y": 6})
    readout = card_of(page).locator(".gcs-readout")
    expect(readout).to_have_text(re.compile(r"^tasks \d+.\d+: done$"))
    which = readout.inner_text().partition(":")[0]
    canvas.click(position={"x": box["width"] - 7, "y": 6})
    expect(card_of(page).locator(".gcs-tasks strong").first).to_have_text(which)
    expect(card_of(page).locator("tbody tr")).to_have_count(3)


def test_failed_tasks_are_run_again_by_the_button_and_then_it_is_gone(page):
    card_of(page).get_by_role("button", name="Rerun failed").click()
    expect(card_of(page).get_by_role("button", name="Rerun failed")).to_be_hidden()
    expect(card_of(page).get_by_role("listitem")).to_have_text(["120 running", "2,880 queued", "7,000 done"])
    expect(strip_of(page)).to_be_focused()


def test_at_the_end_the_flags_for_next_time_are_there_to_copy(page):
    page.run_cell(4)
    expect(card_of(page)).to_have_attribute("data-state", "DONE")
    expect(card_of(page)).to_contain_text("95 of 100 tasks used less than 310 MiB")
    card_of(page).get_by_role("button", name="Copy the flags").click()
    expect(card_of(page)).to_contain_text(re.compile("copied|Ctrl"))
    shoot(page, "sweep-end.png")


@needs_axe
def test_the_job_card_says_why_it_waits_and_at_the_end_what_it_used(page):
    page.run_cell(2)
    card = card_of(page, 2)
    expect(card.get_by_role("listitem")).to_have_count(3)
    card.get_by_role("button", name="and 2 more").click()
    expect(card.get_by_role("listitem")).to_have_count(5)
    assert serious_faults(page) == []
    shoot(page, "job-waiting.png", cell=2)
    page.run_cell(3)
    expect(card).to_contain_text("asked for 4 GiB, used 310 MiB at the peak")
    expect(card.locator(".gcs-flags")).to_have_text("-l h_vmem=400M,h_rt=0:05:00")
    assert serious_faults(page) == []
    shoot(page, "job-end.png", cell=2)


def test_a_saved_notebook_tells_the_end_without_its_kernel(page):
    page.run_cell(4)
    page.run_cell(5)
    line = page.output(0).locator(".jp-RenderedHTMLCommon")
    expect(line).to_contain_text("10,000 done of 10,000")
    expect(line).to_contain_text("\u2713" * 60)
    line.screenshot(path=SHOTS / "sweep-static.png")
    assert set(page.save().cells[0].outputs[0].data) == {"text/html", "text/plain"}


def test_few_tasks_are_drawn_large_with_their_states_drawings(lab):
    with lab.open([SWEEP.format(tasks=60, per_cell=1).replace("7000, 120", "40, 8")]) as page:
        page.run_cell(0)
        strip_of(page).focus()
        page.page.keyboard.press("f")
        expect(strip_of(page)).to_have_attribute("aria-valuetext", "task 17: failed")
        page.page.keyboard.press(" ")
        expect(card_of(page).locator(".gcs-detail")).to_contain_text("x=17")
        expect(card_of(page).locator("table")).to_be_hidden()
        shoot(page, "sweep-few.png")
        page.set_theme(dark=True)
        expect(card_of(page)).to_have_attribute("data-ground", "dark")
        shoot(page, "sweep-few-dark.png")
