"""The tools that make the site: links that hold there, short names, faults that are found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from executed_lessons import execute_lessons
from room_imports import RoomImports
from short_names import meant
from site_checks import faults
from staged_pages import append_navigation, rewritten, stage

if TYPE_CHECKING:
    from pathlib import Path

PLACES = {"docs/sweeps.md": "sweeps.md", "notebooks/0-tour.ipynb": "lessons/0-tour.ipynb"}


class Entry(NamedTuple):
    """As Sphinx describes a name."""

    objtype: str
    aliased: bool = False


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for name in (
        "docs/sweeps.md",
        "docs/images/lab.png",
        "notebooks/0-tour.ipynb",
        "notebooks/report.ipynb",
        "LICENSE",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("name", "link", "there"),
    [
        ("docs/index.md", "[a](sweeps.md#the-table)", "[a](sweeps.md#the-table)"),
        ("docs/index.md", "[a](../notebooks/0-tour.ipynb)", "[a](lessons/0-tour.ipynb)"),
        ("notebooks/0-tour.ipynb", "[a](../docs/sweeps.md)", "[a](../sweeps.md)"),
        ("notebooks/0-tour.ipynb", "![a](../docs/images/lab.png)", "![a](../images/lab.png)"),
        ("docs/index.md", "[a](../LICENSE)", "[a](../repository/LICENSE)"),
        ("docs/index.md", "[a](../notebooks)", "a"),
        ("docs/index.md", "[a](../notebooks/report.ipynb)", "a"),
        (
            "docs/index.md",
            "[a](nowhere.md) [b](https://sphinx-doc.org)",
            "[a](nowhere.md) [b](https://sphinx-doc.org)",
        ),
        ("docs/index.md", "[![p](images/lab.png)](sweeps.md)", "[![p](images/lab.png)](sweeps.md)"),
        (
            "docs/index.md",
            "```\n[a](../LICENSE)\n```\n[a](../LICENSE)",
            "```\n[a](../LICENSE)\n```\n[a](../repository/LICENSE)",
        ),
    ],
)
def test_a_link_holds_in_the_site(repository: Path, tmp_path: Path, name: str, link: str, there: str) -> None:
    place = PLACES.get(name, "index.md")
    target = tmp_path / "site"
    (target / "images").mkdir(parents=True)
    for page in ("images/lab.png", "sweeps.md"):
        (target / page).touch()
    assert rewritten(link, name, place, root=repository, target=target, places=PLACES) == there


def test_a_file_that_is_no_notebook_is_said(repository: Path, tmp_path: Path) -> None:
    assert stage(repository, tmp_path / "site", None) == [
        "notebooks/0-tour.ipynb: this is no notebook; expected JSON as Jupyter writes it"
    ]


def test_a_star_in_the_navigation_that_means_no_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("# Front\n")
    (tmp_path / "navigation.toml").write_text('[[part]]\npages = ["recipes/*.md"]\n')
    with pytest.raises(ValueError, match=r"recipes/\*\.md.* means no page"):
        append_navigation(tmp_path / "navigation.toml", tmp_path)


@pytest.mark.parametrize(
    ("name", "module", "owner", "full"),
    [
        ("JobInfo", "gcs_lab.jobs", "Job", "gcs_lab.vocabulary.JobInfo"),
        ("JobInfo", "gcs_lab.drmaa2", "Job", "gcs_lab.drmaa2.JobInfo"),
        ("wait", "gcs_lab.jobs", "Job", "gcs_lab.jobs.Job.wait"),
        ("gcs_lab.connect", "gcs_lab.jobs", "", "gcs_lab.cluster.connect"),
        ("Nothing", "gcs_lab.jobs", "", None),
    ],
)
def test_a_short_name_means_what_is_near(name: str, module: str, owner: str, full: str | None) -> None:
    described = {
        "gcs_lab.vocabulary.JobInfo": Entry("class"),
        "gcs_lab.drmaa2.JobInfo": Entry("class"),
        "gcs_lab.drmaa2.job_info.JobInfo": Entry("class", aliased=True),
        "gcs_lab.jobs.Job.wait": Entry("method"),
        "gcs_lab.cluster.connect": Entry("function"),
    }
    assert meant(name, described, module, owner) == full


def test_a_type_is_no_method_of_the_same_name() -> None:
    assert meant("list", {"gcs_lab.jobs.Jobs.list": Entry("method")}, "gcs_lab.jobs", "Jobs", typed=True) is None


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<script src="https://cdn.example.org/a.js"></script>', "a.js is fetched from the network"),
        ('<link rel="stylesheet" href="//cdn.example.org/a.css">', "a.css is fetched from the network"),
        ('<img src="gone.png" alt="">', "there is no gone.png"),
        ('<a href="gone.html">x</a>', "the link gone.html leads nowhere"),
        ('<a href="#gone">x</a>', "the link #gone names a place"),
    ],
)
def test_a_fault_of_a_page_is_found(tmp_path: Path, html: str, fault: str) -> None:
    (tmp_path / "index.html").write_text(f'<p id="here"><a href="#here">x</a><a href="index.html">y</a></p>{html}')
    (told,) = faults(tmp_path, tmp_path)
    assert fault in told


def test_a_style_that_fetches_from_the_network_and_a_broken_address_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@import url('https://fonts.example.org/a.css'); a{background:url(data:x)}")
    (tmp_path / "a.md").write_text("[x](https://sphinx) [y](https://www.sphinx-doc.org/en/master/)")
    assert [line.partition(" ")[0] for line in faults(tmp_path, tmp_path)] == ["a.css:", "the"]


def test_rooms_that_import_each_other_are_refused() -> None:
    imports = RoomImports(("a", "b"), {("a", "b"): 1, ("b", "a"): 1})
    with pytest.raises(ValueError, match="a → b → a"):
        _ = imports.floors


def test_an_arrow_that_others_imply_is_left_out() -> None:
    imports = RoomImports(("a", "b", "c"), {("a", "b"): 1, ("b", "c"): 1, ("a", "c"): 7})
    assert imports.arrows == [("a", "b"), ("b", "c")]
    assert imports.floors == {"a": 3, "b": 2, "c": 1}


def test_a_lesson_is_executed_only_when_it_changed(tmp_path: Path) -> None:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    for folder in ("notebooks/data", "tools", "gcs_lab", "made"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "gcs_lab" / "_version.py").touch()
    runner = "import shutil, sys\nshutil.copy(sys.argv[4], sys.argv[6])\nopen(sys.argv[6] + '.log', 'a').write('x')\n"
    (tmp_path / "tools" / "run_tour.py").write_text(runner)
    lesson = tmp_path / "notebooks" / "1-first.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), lesson)
    log = tmp_path / "made" / "1-first.ipynb.log"
    for _ in range(2):
        assert execute_lessons(tmp_path, tmp_path / "made") == []
    assert log.read_text() == "x"
    nbformat.write(new_notebook(cells=[new_code_cell("2")]), lesson)
    assert execute_lessons(tmp_path, tmp_path / "made") == []
    assert log.read_text() == "xx"
    (tmp_path / "tools" / "run_tour.py").write_text("raise SystemExit('it broke')")
    assert execute_lessons(tmp_path, tmp_path / "made") == ["1-first.ipynb"]
