"""What is checked in the built site: links within, anchors, pictures, and that reading it needs no network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Page", "external_links", "faults", "read_pages"]

#: What a browser fetches by itself when it shows a page.
_FETCHED = {
    "script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "video": ("src", "poster"), "audio": ("src",),
    "source": ("src", "srcset"), "embed": ("src",), "object": ("data",),
}  # fmt: skip
_FETCHED_RELATIONS = {"stylesheet", "icon", "shortcut icon", "preload", "modulepreload", "prefetch", "manifest"}
_STYLE_ADDRESS = re.compile(r"(?:@import\s+|url\()\s*['\"]?((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
_EXTERNAL = re.compile(r"https?://[^\s<>\"'`)\]}|\\]+")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", re.IGNORECASE)
#: Names in examples: they are of nobody, and no links.
_EXAMPLES = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\]|[\w.-]*\bexample\b|[A-Z_]+\b)")


class Page(HTMLParser):
    """A page's links, anchors, and what it fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.unnamed_pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        told = {name: value or "" for name, value in attrs}
        self.anchors |= {told[name] for name in ("id", "name") if told.get(name)}
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag == "link" and told.get("rel", "").lower() in _FETCHED_RELATIONS:
            self.fetched.append(told.get("href", ""))
        for name in _FETCHED.get(tag, ()):
            if told.get(name):
                self.fetched.append(told[name].split()[0])
        if tag == "img" and "alt" not in told:
            self.unnamed_pictures.append(told.get("src", "")[:80])


def read_pages(site: Path) -> dict[Path, Page]:
    """Return all pages of a built site."""
    pages = {}
    for path in sorted(site.rglob("*.html")):
        if "_static" in path.relative_to(site).parts:
            continue
        pages[path] = page = Page()
        page.feed(path.read_text())
    return pages


def faults(site: Path, source: Path) -> list[str]:
    """Return what is wrong with a built site, a line each.

    Parameters
    ----------
    site
        The folder of HTML files.
    source
        The folder of the pages that it was made from.
    """
    pages = read_pages(site)
    found = [line for path, page in pages.items() for line in _faults_of(site, path, page, pages)]
    found += [
        f"{path.relative_to(site)}: {address} is fetched from the network when it is shown"
        for path in sorted(site.rglob("*.css"))
        for address in _STYLE_ADDRESS.findall(path.read_text())
    ]
    found += [f"the link {link} is not well formed" for link in external_links(source) if not _is_sound(link)]
    return found


def _faults_of(site: Path, path: Path, page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    name = path.relative_to(site)
    for address in page.fetched:
        if address.startswith(("http:", "https:", "//")):
            yield f"{name}: {address} is fetched from the network when it is shown"
        elif not address.startswith("data:") and not _file(path, address).is_file():
            yield f"{name}: there is no {address}"
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        goal = _file(path, parts.path) if parts.path else path
        if not goal.is_file():
            yield f"{name}: the link {link} leads nowhere"
        elif parts.fragment and goal in pages and unquote(parts.fragment) not in pages[goal].anchors:
            yield f"{name}: the link {link} names a place that its page does not have"


def _file(path: Path, address: str) -> Path:
    return (path.parent / unquote(urlsplit(address).path)).resolve()


def external_links(source: Path) -> list[str]:
    """Return the addresses of other sites that the pages name, sorted; those of examples are left out."""
    found: set[str] = set()
    for path in source.rglob("*.md"):
        found |= {link.rstrip(".,;:*_") for link in _EXTERNAL.findall(path.read_text())}
    return sorted(link for link in found if not _EXAMPLES.match(link))


def _is_sound(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return bool(parts.hostname and _HOST.fullmatch(parts.hostname))
