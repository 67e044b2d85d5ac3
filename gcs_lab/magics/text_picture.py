"""Lines of text as a picture, for pages that would otherwise show nothing."""

from __future__ import annotations

import unicodedata
from html import escape

__all__ = ["text_svg"]

_SIZE, _LINE, _MARGIN = 13, 18, 10
#: How wide a letter of a fixed-width font is, as a part of its size; rather too much than too little.
_LETTER = 0.62


def text_svg(text: str) -> str:
    """Return lines of text as an SVG: dark on white, so that it can be read on a page of any colour.

    Parameters
    ----------
    text
        Lines; what stands in columns stays there. Signs that XML does not have must not be in it.
    """
    lines = text.split("\n")
    width = round(max(map(_columns, lines)) * _SIZE * _LETTER) + 2 * _MARGIN
    height = len(lines) * _LINE + 2 * _MARGIN
    rows = "".join(
        f'<text x="{_MARGIN}" y="{_MARGIN + _LINE * place + _SIZE}" xml:space="preserve">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{_SIZE}" fill="#212121">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{rows}</svg>'
    )


def _columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)
