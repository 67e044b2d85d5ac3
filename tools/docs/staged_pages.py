"""The pages of the site: copied from the repository into one folder, with links that hold there.

In the repository a page links to files where they are (``../notebooks/0-tour.ipynb``), so that a git host follows
them. In the site a lesson is a page beside the others. Nothing else is changed, and lines keep their numbers.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat.reader import NotJSONError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["append_navigation", "page_places", "rewritten", "stage"]

#: Pages that stand outside of docs/ in the repository.
_ELSEWHERE = {
    "README.md": "index.md",  # its own words are for the git host; who follows a link to it comes to the front page
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "notebooks/README.md": "lessons/index.md",
    "notebooks/data/README.md": "lessons/data.md",
}
_NOT_COPIED = {"README.md"}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)((?:\s+\"[^\"]*\")?)\)")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|#|/", re.IGNORECASE)
_WIDGET = "application/vnd.jupyter.widget-view+json"
_LANGUAGE = re.compile(r"%%gcs\s.*--lang\s+(\w+)")
_FENCE = re.compile(r"\s*(```+|~~~+)")


def page_places(root: Path) -> dict[str, str]:
    """Return for each file that becomes a page (by its path in the repository) its path in the site.

    Parameters
    ----------
    root
        The repository.
    """
    docs = root / "docs"
    pages = [page.relative_to(docs) for page in docs.rglob("*.md")]
    places = {f"docs/{page}": str(page) for page in pages if not page.parts[0].startswith("_")}
    places |= {
        f"notebooks/{path.name}": f"lessons/{path.name}" for path in (root / "notebooks").glob("[0-9]-*.ipynb")
    }
    places |= {name: place for name, place in _ELSEWHERE.items() if (root / name).is_file()}
    return dict(sorted(places.items()))


def stage(root: Path, target: Path, lessons: Path | None) -> list[str]:
    """Copy all pages and pictures, and return what cannot be read, a line each.

    Parameters
    ----------
    root
        The repository.
    target
        Takes the pages; what is there is removed first.
    lessons
        Folder of executed lessons; None takes them as they are in the repository, without outputs.
    """
    shutil.rmtree(target, ignore_errors=True)
    places = page_places(root)
    unreadable = []
    for name, place in places.items():
        if name in _NOT_COPIED:
            continue
        source, page = root / name, target / place
        page.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".ipynb":
            text = ((lessons / source.name) if lessons else source).read_text()
            try:
                page.write_text(_notebook(text, name, place, root=root, target=target, places=places))
            except NotJSONError:
                unreadable.append(f"{name}: this is no notebook; expected JSON as Jupyter writes it")
        else:
            page.write_text(rewritten(source.read_text(), name, place, root=root, target=target, places=places))
    shutil.copytree(root / "docs" / "images", target / "images")
    return unreadable


def rewritten(text: str, name: str, place: str, *, root: Path, target: Path, places: Mapping[str, str]) -> str:
    """Return a page's text with the links that hold in the site.

    Parameters
    ----------
    text
        The page, in markdown.
    name, place
        Its path in the repository and in the site.
    root, target
        The repository, and the folder of the site's pages.
    places
        As :func:`page_places` returned them.
    """
    here = target / place

    def link(found: re.Match[str]) -> str:
        mark, words, address, title = found.groups()
        words = _LINK.sub(link, words)  # a picture that is a link
        if _ABSOLUTE.match(address):
            return f"{mark}[{words}]({address}{title})"
        file, sharp, anchor = address.partition("#")
        meant = os.path.normpath(Path(name).parent / file)
        if (root / meant).is_dir() or (meant not in places and file.endswith(".ipynb") and (root / meant).is_file()):
            return words  # neither a page nor a file to download
        if meant in places:
            goal = target / places[meant]
        elif meant.startswith("docs/"):
            goal = target / meant.removeprefix("docs/")
        else:
            goal = root / meant  # a file of the repository, which the site offers for download
        if not goal.exists() and meant not in places and not (root / meant).exists():
            return f"{mark}[{words}]({address}{title})"  # Sphinx tells that it leads nowhere
        return f"{mark}[{words}]({os.path.relpath(goal, here.parent)}{sharp}{anchor}{title})"

    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        if (mark := _FENCE.match(line)) and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif fence and lines[-1].endswith("```python") and (language := _LANGUAGE.match(line)):
            # It is no Python that could be coloured as such.
            lines[-1] = lines[-1].replace("python", "bash" if language[1] == "bash" else "text")
        lines.append(line if fence else _LINK.sub(link, line))
    return "\n".join(lines)


def _notebook(text: str, name: str, place: str, *, root: Path, target: Path, places: Mapping[str, str]) -> str:
    notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            if "text/vnd.mermaid" in data:
                data.pop("image/svg+xml", None)  # the same text as a picture, for pages that nbconvert makes
        if cell.cell_type == "markdown":
            cell.source = rewritten(cell.source, name, place, root=root, target=target, places=places)
        elif any("text/html" in output.get("data", {}) for output in cell.get("outputs", [])):
            # A widget that a static page follows: without a kernel there is nothing of it but its name.
            cell.outputs = [output for output in cell.outputs if not _is_bare_widget(output.get("data", {}))]
    written: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return written


def _is_bare_widget(data: Mapping[str, object]) -> bool:
    return _WIDGET in data and "text/html" not in data


def append_navigation(navigation: Path, target: Path) -> None:
    """Append the hidden tables of contents to the front page, and to the pages that have parts of their own.

    A git host would show them as code: they are not in the pages themselves.

    Parameters
    ----------
    navigation
        ``docs/_navigation.toml``: a list of parts, each of a page (``on``) with a caption and its pages.
    target
        The folder of the site's pages.

    Raises
    ------
    ValueError
        If a name with a star means no page.
    """
    for part in tomllib.loads(navigation.read_text())["part"]:
        on = target / part.get("on", "index.md")
        names: list[str] = []
        for entry in part["pages"]:
            found = sorted(str(path.relative_to(target)) for path in target.glob(entry)) if "*" in entry else [entry]
            if not found:
                raise ValueError(f"{navigation.name}: {entry!r} means no page; expected at least one. Mend the name.")
            names += [name for name in found if name not in names and target / name != on]
        lines = ["", "```{toctree}", ":hidden:", *([f":caption: {part['caption']}"] if "caption" in part else []), ""]
        inside = [os.path.relpath(target / name, on.parent) for name in names]
        with on.open("a") as page:
            page.write("\n".join([*lines, *inside, "```", ""]))
