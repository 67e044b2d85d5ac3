"""Charts as small SVG drawings, for pages on which no program runs: they read well on light and dark ground."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["bars_svg", "lines_svg"]

_WIDTH, _HEIGHT = 420, 120
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 6, 18
#: Points that a line is drawn with: more than there are pixels for is waste.
_MOST_POINTS = 140
_BAR_HEIGHT, _BAR_GAP, _NAME_WIDTH = 14, 4, 110


def lines_svg(title: str, times: Sequence[float], lines: Sequence[tuple[str, Sequence[float], str, str]]) -> str:
    """Return counts over time as an ``<svg>`` element; empty if there are fewer than two moments.

    Parameters
    ----------
    title
        What it shows, for those who do not see it.
    times
        Seconds since the epoch, ascending.
    lines
        Name, values, colour and dashes (``stroke-dasharray``) of each.
    """
    if len(times) < 2 or times[-1] <= times[0]:  # noqa: PLR2004
        return ""
    step = max(1, -(-len(times) // _MOST_POINTS))
    places = [*range(0, len(times) - 1, step), len(times) - 1]
    most = max((max(values) for _, values, _, _ in lines), default=0) or 1
    across = (_WIDTH - _LEFT - _RIGHT) / (times[-1] - times[0])
    up = (_HEIGHT - _TOP - _BOTTOM) / most
    drawn = []
    for at, (name, values, colour, dashes) in enumerate(lines):
        points = " ".join(
            f"{_LEFT + (times[i] - times[0]) * across:.1f},{_HEIGHT - _BOTTOM - values[i] * up:.1f}" for i in places
        )
        drawn.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dashes}" '
            f'points="{points}"/>'
            f'<text x="{_LEFT + 4 + at * 76}" y="{_TOP + 8}" fill="currentColor">'
            f'<tspan fill="{colour}">{"┅" if dashes else "━"}</tspan> {escape(name)}</text>'
        )
    low, floor = _HEIGHT - 4, _HEIGHT - _BOTTOM
    return (
        f'<svg role="img" aria-label="{escape(title)}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="11" font-family="sans-serif">'
        f'<line x1="{_LEFT}" y1="{floor}" x2="{_WIDTH - _RIGHT}" y2="{floor}" stroke="currentColor" opacity="0.4"/>'
        f'<text x="{_LEFT - 4}" y="{_TOP + 8}" text-anchor="end" fill="currentColor">{most:,.0f}</text>'
        f'<text x="{_LEFT - 4}" y="{floor}" text-anchor="end" fill="currentColor">0</text>'
        f'<text x="{_LEFT}" y="{low}" fill="currentColor">{_clock(times[0])}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{low}" text-anchor="end" fill="currentColor">{_clock(times[-1])}</text>'
        f"{''.join(drawn)}</svg>"
    )


def bars_svg(title: str, bars: Sequence[tuple[str, int, int]]) -> str:
    """Return counts by name as bars, each with a paler one for what waits; empty if there is none.

    Parameters
    ----------
    title
        What it shows, for those who do not see it.
    bars
        Name, count, and what waits.
    """
    if not bars:
        return ""
    most = max(count + waits for _, count, waits in bars) or 1
    scale = (_WIDTH - _NAME_WIDTH - 90) / most
    drawn = []
    for place, (name, count, waits) in enumerate(bars):
        top = place * (_BAR_HEIGHT + _BAR_GAP)
        middle = top + _BAR_HEIGHT - 3
        end = _NAME_WIDTH + (count + waits) * scale
        told = f"{count:,}" + (f" (+{waits:,} wait)" if waits else "")
        drawn.append(
            f'<text x="{_NAME_WIDTH - 6}" y="{middle}" text-anchor="end" fill="currentColor">'
            f"{escape(name[:18])}</text>"
            f'<rect x="{_NAME_WIDTH}" y="{top}" width="{count * scale:.1f}" height="{_BAR_HEIGHT}" fill="#388bfd"/>'
            f'<rect x="{_NAME_WIDTH + count * scale:.1f}" y="{top}" width="{waits * scale:.1f}" '
            f'height="{_BAR_HEIGHT}" fill="#8b949e" opacity="0.55"/>'
            f'<text x="{end + 5:.1f}" y="{middle}" fill="currentColor">{told}</text>'
        )
    height = len(bars) * (_BAR_HEIGHT + _BAR_GAP)
    return (
        f'<svg role="img" aria-label="{escape(title)}" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-size="11" font-family="sans-serif">{"".join(drawn)}</svg>'
    )


def _clock(time: float) -> str:
    return f"{datetime.fromtimestamp(time).astimezone():%m-%d %H:%M}"
