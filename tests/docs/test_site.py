"""The documentation as a site: built once, without executing lessons, and looked at."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import site_build
from axe import needs_axe, serious_faults
from layered_picture import picture, standalone
from reference_pages import REFERENCES
from room_imports import read_imports
from site_checks import Page, read_pages

import gcs_lab

pytestmark = pytest.mark.timeout(600)  # the build takes half a minute where nothing else runs

ROOT = Path(__file__).resolve().parents[2]
LOOKED_AT = ["index.html", "accounting.html", "reference/status.html", "architecture.html", "lessons/0-tour.html"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    output = tmp_path_factory.mktemp("docs")
    faults = site_build.build(output, None)
    site = output / "html"
    return SimpleNamespace(site=site, source=output / "source", faults=faults, pages=read_pages(site))


def _page(built: SimpleNamespace, name: str) -> Page:
    page: Page = built.pages[built.site / name]
    return page


def _words(built: SimpleNamespace, name: str) -> str:
    return re.sub(r"<[^>]+>", "", (built.site / name).read_text())


def test_the_site_builds_without_a_warning_and_every_link_within_leads_somewhere(built: SimpleNamespace) -> None:
    assert built.faults == []


def test_every_page_of_docs_and_every_lesson_is_in_the_site(built: SimpleNamespace) -> None:
    docs = {page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts}
    lessons = {Path("lessons") / path.name for path in (ROOT / "notebooks").glob("[0-9]-*.ipynb")}
    there = {path.relative_to(built.site).with_suffix("") for path in built.pages}
    assert {path.with_suffix("") for path in docs | lessons} <= there


@pytest.mark.parametrize("place", sorted({place for one in REFERENCES for place in one.modules}))
def test_every_public_name_is_in_the_reference(built: SimpleNamespace, place: str) -> None:
    module, _, chosen = place.partition(":")
    anchors = set().union(*(page.anchors for page in built.pages.values()))
    names = chosen.split(",") if chosen else importlib.import_module(module).__all__
    assert {f"{module}.{name}" for name in names if not name.startswith("__")} <= anchors


def test_what_the_package_offers_at_its_top_is_in_the_reference(built: SimpleNamespace) -> None:
    last_words = {anchor.rpartition(".")[2] for page in built.pages.values() for anchor in page.anchors}
    assert {name for name in gcs_lab.__all__ if not name.startswith(("_", "load_"))} <= last_words


def test_every_magic_and_every_operation_of_the_server_has_its_place(built: SimpleNamespace) -> None:
    from gcs_lab.magics.commands import COMMANDS

    text = _words(built, "reference/magics.html")
    assert [word for word in COMMANDS if f"%gcs {word}" not in text] == []
    api = json.loads((ROOT / "gcs_lab" / "server" / "openapi.json").read_text())
    operations = [
        told["operationId"] for item in api["paths"].values() for told in item.values() if "operationId" in told
    ]
    assert operations
    assert {name.replace("_", "-") for name in operations} <= _page(built, "reference/rest.html").anchors


def test_the_command_line_page_has_every_flag(built: SimpleNamespace) -> None:
    text = _words(built, "reference/command-line.html")
    for words in ("gcs-lab demo start", "gcs-lab embedded stop", "gcs-lab accounting summary", "gcs-lab doctor"):
        assert words in text
    assert "--nodes" in text


def test_the_picture_in_the_site_shows_the_imports_of_the_code(built: SimpleNamespace) -> None:
    imports = read_imports()
    text = (built.site / "architecture.html").read_text()
    drawn = set(re.findall(r'data-from="(\w+)" data-to="(\w+)"', text))
    rooms = {room: int(floor) for room, floor in re.findall(r'data-room="(\w+)" data-floor="(\d+)"', text)}
    assert drawn == set(imports.arrows)
    assert rooms == imports.floors
    # What is drawn tells all: following arrows, one comes from each room to all that it imports.
    below: dict[str, set[str]] = {}
    for room in sorted(rooms, key=rooms.__getitem__):
        reached = {low for high, low in drawn if high == room}
        below[room] = reached.union(*(below[low] for low in reached))
    assert all(low in below[high] for high, low in imports.counts)


def test_the_picture_for_git_hosts_is_up_to_date() -> None:
    committed = (ROOT / "docs" / "images" / "architecture.svg").read_text()
    assert committed == standalone(picture(read_imports())), "run `make docs LESSONS=plain`, and commit the picture"


def test_the_search_knows_the_words_of_pages_and_docstrings(built: SimpleNamespace) -> None:
    index = (built.site / "searchindex.js").read_text()
    assert '"sweeps"' in index
    assert '"wait_terminated"' in index


@pytest.mark.browser
@needs_axe
@pytest.mark.parametrize("name", LOOKED_AT)
def test_axe_finds_nothing_serious_and_the_page_fits_a_phone(
    built: SimpleNamespace, chromium: Any, name: str
) -> None:
    page = chromium.new_page(viewport=DESK, color_scheme="light")
    page.goto((built.site / name).as_uri())
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert serious_faults(SimpleNamespace(page=page), "body") == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("light => getComputedStyle(document.body).backgroundColor !== light", arg=light)
    # Only colours differ.
    assert serious_faults(SimpleNamespace(page=page), "body", only="color-contrast") == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.close()


@pytest.mark.browser
def test_the_search_finds_a_page_without_a_network(built: SimpleNamespace, chromium: Any) -> None:
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto((built.site / "search.html").as_uri() + "?q=sweep")
    page.wait_for_selector("#search-results ul.search li a")
    assert "sweeps.html" in page.inner_html("#search-results")
    context.close()
