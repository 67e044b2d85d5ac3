"""``make docs``: stage the pages, execute the lessons, make what is generated, build the site, and check it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from command_pages import command_line_page, magics_page
from executed_lessons import execute_lessons
from layered_picture import picture, standalone
from reference_pages import REFERENCES, reference_page, settings_page
from rest_page import rest_page
from room_imports import read_imports, rooms_page
from site_checks import external_links, faults
from staged_pages import append_navigation, stage

__all__ = ["build", "main", "make_pages"]

ROOT = Path(__file__).resolve().parents[2]
#: Where the picture stands in the page; a git host shows the file, the site draws it into the page.
_PICTURE = "docs/images/architecture.svg"
_TIMEOUT = 1800


def main() -> int:
    """Build the site; return 0 if nothing is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "_build", help="default: docs/_build")
    parser.add_argument("--lessons", choices=["changed", "again", "plain"], default="changed",
                        help="execute those that changed, or all, or show them without outputs")  # fmt: skip
    parser.add_argument("--external", action="store_true", help="ask for the pages of others that are linked, too")
    flags = parser.parse_args()
    lessons = None if flags.lessons == "plain" else ROOT / "docs" / "lessons"
    failed = execute_lessons(ROOT, lessons, again=flags.lessons == "again") if lessons else []
    if failed:
        print(f"These lessons failed: {', '.join(failed)}. Nothing was built.", file=sys.stderr)
        return 1
    (ROOT / _PICTURE).write_text(standalone(picture(read_imports())))
    found = build(flags.output, lessons, external=flags.external)
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print(f"{len(found)} things to mend in the documentation", file=sys.stderr)
        return 1
    print(f"The documentation: {flags.output / 'html' / 'index.html'}")
    return 0


def build(output: Path, lessons: Path | None, *, external: bool = False) -> list[str]:
    """Build the site below `output` (``source``, ``html``, ``doctrees``); return what is wrong with it, a line each.

    Parameters
    ----------
    output
        A folder.
    lessons
        Folder of executed lessons; None shows them without outputs.
    external
        Whether to ask for the linked pages of others; it needs a network.
    """
    source = output / "source"
    unreadable = stage(ROOT, source, lessons)
    make_pages(source)
    warnings = _sphinx(output, "html")
    found = [*unreadable, *warnings, *faults(output / "html", source)]
    if external:
        found += _sphinx(output, "linkcheck")
    return found


def make_pages(source: Path) -> None:
    """Write the pages that are made from the code.

    Parameters
    ----------
    source
        The folder of the staged pages.
    """
    imports = read_imports()
    reference = source / "reference"
    reference.mkdir(parents=True, exist_ok=True)
    for one in REFERENCES:
        (reference / f"{one.page}.rst").write_text(reference_page(one))
    pages = {
        "command-line": command_line_page(),
        "magics": magics_page(),
        "settings": settings_page(),
        "rest": rest_page(ROOT / "gcs_lab" / "server" / "openapi.json"),
        "rooms": rooms_page(imports, ROOT / "gcs_lab"),
    }
    for name, text in pages.items():
        (reference / f"{name}.md").write_text(text)
    (source / "external-links.txt").write_text("\n".join(external_links(source)) + "\n")
    drawn = f"```{{raw}} html\n{picture(imports)}```"
    page = source / "architecture.md"
    lines = [drawn if line.endswith("](images/architecture.svg)") else line for line in page.read_text().split("\n")]
    page.write_text("\n".join(lines))
    append_navigation(ROOT / "docs" / "_navigation.toml", source)


def _sphinx(output: Path, builder: str) -> list[str]:
    """Run Sphinx, and return its warnings, which name the pages where they are in the repository."""
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "sphinx",
        "-b",
        builder,
        "-c",
        ROOT / "docs",
        "-d",
        output / "doctrees",
    ]
    command += ["--nitpicky", "--keep-going", "--quiet", "-j", "2", output / "source", output / builder]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONHASHSEED": "0", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
        cwd=ROOT,
    )
    told = (done.stderr + (done.stdout if builder == "linkcheck" else "")).replace(f"{output / 'source'}/", "docs/")
    lines = [line for line in told.splitlines() if line.strip()]
    if builder == "linkcheck":
        lines = [line for line in lines if "broken" in line or "WARNING" in line or "ERROR" in line]
    if done.returncode and not lines:
        lines = [f"sphinx ended with exit status {done.returncode} and said nothing"]
    return lines


if __name__ == "__main__":
    sys.exit(main())
