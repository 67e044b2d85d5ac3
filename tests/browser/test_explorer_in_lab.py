"""The explorer of accounting in a real JupyterLab, over a year in which three things were hidden."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING

import pytest
from axe import needs_axe, serious_faults
from nbconvert import HTMLExporter
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_lab import LabPage, LiveLab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

SITE = """
import gcs_lab
from pathlib import Path
from gcs_lab.accounting.synthetic import write_site
hidden = write_site(Path("site"), records=60_000, hosts=12, users=60)
site = gcs_lab.open_accounting("site")
print(hidden.failing_node, hidden.memory_waster)
"""
EXPLORE = "site.explore(since=hidden.begin, height=1400)"
CLOSE = "site.close()"
DRAWN = ".gcs-plot .main-svg"


@pytest.fixture(scope="module")
def page(lab: LiveLab) -> Iterator[LabPage]:
    """One notebook for all tests; the last one ends its kernel."""
    with lab.open([SITE, EXPLORE, "", CLOSE], viewport=(1400, 1600)) as opened:
        opened.run_cell(0)
        opened.run_cell(1)
        opened.output(1).locator(DRAWN).first.wait_for()
        yield opened
        assert opened.refused == []


@pytest.fixture(scope="module")
def hidden(page: LabPage) -> tuple[str, str]:
    node, waster = page.output(0).inner_text().split()[-2:]
    return node, waster


@pytest.fixture(autouse=True)
def _as_at_first(request: pytest.FixtureRequest, page: LabPage) -> Iterator[None]:
    yield
    reset = page.output(1).get_by_role("button", name="Reset")
    if reset.count():
        reset.click()


def explorer(page: LabPage) -> Locator:
    return page.output(1).locator(".gcs-explorer")


def open_tab(page: LabPage, name: str) -> None:
    explorer(page).get_by_role("tab", name=name).click()
    settled(page)


def settled(page: LabPage) -> None:
    expect(explorer(page).locator(".gcs-tab-panel")).to_have_attribute("aria-busy", "false")


def matching(page: LabPage) -> int:
    """Return how many records are shown."""
    settled(page)
    text = explorer(page).locator(".gcs-matching").inner_text()
    return int(re.sub(r"\D", "", text.split(" ")[0]))


def plot(page: LabPage, title: str) -> Locator:
    """Return where a figure's axes are."""
    card = explorer(page).locator(".gcs-figure-card").filter(has_text=title).first
    area = card.locator(".draglayer .nsewdrag").first
    area.scroll_into_view_if_needed()
    return area


def drag(page: LabPage, area: Locator, *places: tuple[float, float]) -> None:
    """Drag over places of a figure, in parts of its width and height."""
    box = area.bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.page.mouse.move(*at[0])
    page.page.mouse.down()
    for place in at[1:]:
        page.page.mouse.move(*place, steps=5)
    page.page.mouse.up()


def test_each_tab_draws_its_figures(page: LabPage) -> None:
    tabs = explorer(page).get_by_role("tab")
    assert tabs.all_inner_texts() == ["Usage", "Waiting", "Efficiency", "Failures", "Utilisation", "Cost", "Jobs"]
    for name in tabs.all_inner_texts():
        open_tab(page, name)
        cards = explorer(page).locator(".gcs-figure-card")
        expect(cards.locator(DRAWN).first).to_be_visible()
        expect(explorer(page).get_by_role("alert")).to_have_count(0)
        assert cards.count() >= 1


def test_what_is_hidden_in_the_year_stands_out(page: LabPage, hidden: tuple[str, str]) -> None:
    node, waster = hidden
    found = explorer(page).locator(".gcs-findings")
    if found.get_by_role("button", name=re.compile("more$")).count():
        found.get_by_role("button", name=re.compile("more$")).click()
    expect(found).to_contain_text(re.compile(rf"{node}: \d+% of its [\d,]+ jobs failed"))
    expect(found).to_contain_text(re.compile(rf"{waster} asks for 64\.0 GiB a job and uses [\d.]+ GiB"))
    expect(found).to_contain_text(re.compile(r"From 2026-0[56]-\d\d to 2026-0[67]-\d\d jobs waited"))


def test_a_press_on_what_stands_out_leads_there_and_back(page: LabPage, hidden: tuple[str, str]) -> None:
    node, _ = hidden
    everything = matching(page)
    explorer(page).get_by_role("button", name=re.compile(f"^{node}: ")).click()
    expect(explorer(page).get_by_role("combobox").first).to_have_value(re.compile(f"host:{node}"))
    expect(explorer(page).get_by_role("tab", name="Failures")).to_have_attribute("aria-selected", "true")
    assert 0 < matching(page) < everything
    expect(explorer(page).locator(".gcs-row-line").first).to_contain_text(node)
    explorer(page).get_by_role("button", name="Back", exact=True).click()
    expect(explorer(page).locator(".gcs-matching")).to_contain_text(f"{everything:,} in the period")


def test_a_filter_narrows_figures_and_table_alike(page: LabPage, hidden: tuple[str, str]) -> None:
    _, waster = hidden
    field = explorer(page).get_by_role("combobox").first
    field.fill(f"owner:{waster} slots=1")
    page.page.keyboard.press("Enter")
    expect(explorer(page).locator(".gcs-matching")).to_contain_text(" of ")
    expect(explorer(page).locator(".gcs-row-line").first).to_contain_text(waster)
    field.fill("owner:")
    page.page.keyboard.press("Enter")
    field.fill("slots=lots")
    page.page.keyboard.press("Enter")
    expect(explorer(page)).to_contain_text("lots")
    field.fill("")
    page.page.keyboard.press("Enter")
    expect(explorer(page).locator(".gcs-matching")).not_to_contain_text(" of ")


def test_a_range_of_a_time_axis_becomes_the_period(page: LabPage) -> None:
    open_tab(page, "Utilisation")
    everything = matching(page)
    drag(page, plot(page, "Slots in use"), (0.5, 0.5), (0.7, 0.5))
    expect(explorer(page).locator(".gcs-explorer-chips .gcs-chip")).to_have_count(1)
    assert 0 < matching(page) < everything


def test_jobs_that_are_drawn_around_stand_in_the_table(page: LabPage) -> None:
    open_tab(page, "Efficiency")
    everything = matching(page)
    expect(explorer(page).locator(".gcs-row-line").first).to_be_visible()
    area = plot(page, "Memory: asked for, and used")
    drag(page, area, (0.3, 0.1), (0.55, 0.1), (0.55, 0.9), (0.3, 0.9), (0.3, 0.12))
    chip = explorer(page).get_by_role("button", name="Take away jobs drawn around")
    expect(chip).to_be_visible()
    count = explorer(page).get_by_role("heading", name=re.compile("^Jobs"))
    expect(count).to_have_text(re.compile(rf"^Jobs\s*[\d,]+ of {everything:,} drawn around"))
    chip.click()
    expect(chip).to_have_count(0)


def test_what_is_shown_is_saved_as_a_file(page: LabPage, hidden: tuple[str, str]) -> None:
    node, _ = hidden
    field = explorer(page).get_by_role("combobox").first
    field.fill(f"host:{node} failed>0")
    page.page.keyboard.press("Enter")
    expect(explorer(page).locator(".gcs-matching")).to_contain_text(" of ")
    shown = matching(page)
    with page.page.expect_download() as download:
        explorer(page).get_by_role("button", name="Export").click()
        page.page.get_by_role("menuitem", name="Records as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert len(rows) == shown
    assert {row["host"] for row in rows} == {node}
    with page.page.expect_download() as download:
        explorer(page).get_by_role("button", name="Export").click()
        page.page.get_by_role("menuitem", name="This view as an HTML page").click()
    assert node in download.value.path().read_text()


def test_a_figure_is_saved_as_a_picture(page: LabPage) -> None:
    open_tab(page, "Failures")
    expect(explorer(page).locator(DRAWN).first).to_be_visible()
    for format_, sign in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.page.expect_download() as download:
            explorer(page).get_by_role("button", name="Failures by host: save the picture").click()
            page.page.get_by_role("menuitem", name=f"Save as {format_}").click()
        assert sign in download.value.path().read_bytes()[:200]


def test_the_code_of_the_view_makes_it_again(page: LabPage, hidden: tuple[str, str]) -> None:
    node, _ = hidden
    field = explorer(page).get_by_role("combobox").first
    field.fill(f"host:{node}")
    page.page.keyboard.press("Enter")
    expect(explorer(page).locator(".gcs-matching")).to_contain_text(" of ")
    explorer(page).get_by_role("button", name="Code").click()
    dialog = page.page.get_by_role("dialog")
    text = dialog.locator("pre code")
    expect(text).to_contain_text(f"host:{node}")
    code = text.inner_text()
    dialog.get_by_role("button", name="Close").click()
    compile(code, "cell", "exec")
    page.page.evaluate(
        "text => window.jupyterapp.shell.currentWidget.content.widgets[2].model.sharedModel.setSource(text)", code
    )
    page.run_cell(2)
    expect(page.output(2).locator(".jp-RenderedText[data-mime-type*=stderr]")).to_have_count(0)


@needs_axe
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: LabPage, theme: str) -> None:
    page.set_theme(dark=theme == "dark")
    expect(explorer(page)).to_have_attribute("data-ground", theme)
    open_tab(page, "Failures")
    expect(explorer(page).locator(DRAWN).first).to_be_visible()
    assert serious_faults(page, ".gcs-explorer") == []
    page.set_theme(dark=False)


def test_loaded_again_it_shows_what_it_showed(page: LabPage, hidden: tuple[str, str]) -> None:
    node, _ = hidden
    field = explorer(page).get_by_role("combobox").first
    field.fill(f"host:{node}")
    page.page.keyboard.press("Enter")
    expect(explorer(page).locator(".gcs-matching")).to_contain_text(" of ")
    shown = matching(page)
    page.save()
    page.load()
    expect(explorer(page).get_by_role("combobox").first).to_have_value(f"host:{node}")
    expect(explorer(page).locator(".gcs-matching")).to_contain_text(f"{shown:,} of ")
    expect(explorer(page).locator(DRAWN).first).to_be_visible()


def test_without_its_kernel_and_exported_it_is_a_page(page: LabPage, lab: LiveLab, hidden: tuple[str, str]) -> None:
    node, _ = hidden
    page.save()
    page.run_cell(3)
    for kernel in json.loads(lab._request("/api/kernels")):
        lab._request(f"/api/kernels/{kernel['id']}", method="DELETE")
    exported = page.path.with_suffix(".html")
    exported.write_text(HTMLExporter().from_filename(str(page.path))[0])
    with lab.open_path(page.path) as again:
        again.page.goto(exported.as_uri())
        expect(again.page.locator("[id^=gcs-static-]").first).to_contain_text(node)
