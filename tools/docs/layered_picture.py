"""A picture of floors, rooms and arrows, as SVG: readable in the light and in the dark, and on a narrow screen."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from room_imports import RoomImports

__all__ = ["picture", "standalone"]

_WIDTH, _ROW, _BOX, _LEFT, _TOP = 480.0, 58.0, 28.0, 30.0, 8.0
#: Of a room's box: room for each letter and beside them; of the place where an arrow passes by.
_LETTER, _MARGIN, _LANE, _GAP = 7.6, 18.0, 12.0, 12.0
_SWEEPS = 12
_ARROW_HEAD = (
    '<defs><marker id="gcs-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 .8 7.2 4 0 7.2z"/></marker></defs>'
)
#: A file of its own knows only what the reader's system prefers; in a page, the text's colour is taken.
_OWN_STYLE = (
    "<style>:root{color:#1f2328;background:#fff}"
    "@media(prefers-color-scheme:dark){:root{color:#e6edf3;background:#0d1117}}</style>"
)


class _Spot(NamedTuple):
    """A room on its floor, or the place where an arrow passes a floor."""

    name: str
    floor: int
    arrow: tuple[str, str] | None = None


def picture(imports: RoomImports) -> str:
    """Return the ``svg`` element. Arrows lead from a room to one that it imports from.

    Parameters
    ----------
    imports
        Rooms, floors and arrows.
    """
    chains = _chains(imports)
    floors = _ordered(imports, chains)
    x = _across(floors)
    top = max(imports.floors.values())

    def y(floor: int) -> float:
        return _TOP + (top - floor) * _ROW

    height = y(1) + _BOX + _TOP
    words = f"{len(imports.rooms)} rooms on {top} floors; each arrow leads down, to a room that is imported"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {height:g}" role="img" '
        f'aria-label="{escape(words)}" class="gcs-architecture" font-family="ui-monospace, monospace" '
        'font-size="12.5" fill="currentColor">'
    )
    parts = [head, _ARROW_HEAD]
    for floor in sorted(floors):
        parts.append(f'<text x="4" y="{y(floor) + _BOX / 2 + 4:g}" font-size="10.5" opacity="0.75">{floor}</text>')
        if floor > 1:
            line = y(floor) + _BOX + (_ROW - _BOX) / 2
            parts.append(f'<path d="M0 {line:g}H{_WIDTH:g}" stroke="currentColor" opacity="0.12"/>')
    for (high, low), chain in chains.items():
        path = _path([(x[spot], y(spot.floor)) for spot in chain])
        title = f"{high} imports from {low}: {imports.counts[high, low]}"
        parts.append(
            f'<path class="arrow" data-from="{high}" data-to="{low}" d="{path}" fill="none" stroke="currentColor" '
            f'stroke-opacity="0.65" stroke-width="1.2" marker-end="url(#gcs-arrow)"><title>{title}</title></path>'
        )
    for spots in floors.values():
        for spot in spots:
            if spot.arrow is None:
                parts += _box(spot, x[spot], y(spot.floor))
    return "\n".join([*parts, "</svg>", ""])


def standalone(svg: str) -> str:
    """Return the picture as a file of its own, with colours for light and dark."""
    head, mark, rest = svg.partition(">\n")
    return f"{head}{mark}{_OWN_STYLE}\n{rest}"


def _box(spot: _Spot, x: float, y: float) -> list[str]:
    wide = _wide(spot)
    rect = (
        f'<rect x="{x - wide / 2:g}" y="{y:g}" width="{wide:g}" height="{_BOX:g}" rx="5" fill-opacity="0.07" '
        'stroke="currentColor" stroke-opacity="0.8"/>'
    )
    return [
        f'<g class="room" data-room="{spot.name}" data-floor="{spot.floor}">',
        rect,
        f'<text x="{x:g}" y="{y + _BOX / 2 + 4:g}" text-anchor="middle">{escape(spot.name)}</text>',
        "</g>",
    ]


def _path(points: list[tuple[float, float]]) -> str:
    """Return a curve from the foot of the first box, past the spots between, to the head of the last."""
    (x0, y0), *between = points
    path = f"M{x0:.1f} {y0 + _BOX:.1f}"
    here_x, here_y = x0, y0 + _BOX
    for at, (x, y) in enumerate(between):
        bend = (y - here_y) / 2
        path += f"C{here_x:.1f} {here_y + bend:.1f} {x:.1f} {y - bend:.1f} {x:.1f} {y:.1f}"
        here_x, here_y = x, y
        if at < len(between) - 1:
            path += f"V{y + _BOX:.1f}"
            here_y = y + _BOX
    return path


def _chains(imports: RoomImports) -> dict[tuple[str, str], list[_Spot]]:
    """Return each arrow as the spots that it goes through, from its upper room to its lower one."""
    chains = {}
    for arrow in imports.arrows:
        high, low = arrow
        upper, lower = imports.floors[high], imports.floors[low]
        between = [_Spot(f"{high}>{low}", floor, arrow) for floor in range(upper - 1, lower, -1)]
        chains[arrow] = [_Spot(high, upper), *between, _Spot(low, lower)]
    return chains


def _ordered(imports: RoomImports, chains: dict[tuple[str, str], list[_Spot]]) -> dict[int, list[_Spot]]:
    """Return the spots of each floor from left to right, so that few arrows cross (the barycentre method)."""
    floors: dict[int, list[_Spot]] = defaultdict(list)
    for room in imports.rooms:
        floors[imports.floors[room]].append(_Spot(room, imports.floors[room]))
    neighbours: dict[_Spot, list[_Spot]] = defaultdict(list)
    for chain in chains.values():
        for spot in chain[1:-1]:
            floors[spot.floor].append(spot)
        for one, other in pairwise(chain):
            neighbours[one].append(other)
            neighbours[other].append(one)
    best, fewest = {floor: list(spots) for floor, spots in floors.items()}, _crossings(floors, chains)
    for sweep in range(_SWEEPS):
        order = sorted(floors, reverse=sweep % 2 == 0)
        for before, floor in pairwise(order):
            place = {spot: at / len(floors[before]) for at, spot in enumerate(floors[before])}
            own = {spot: at / len(floors[floor]) for at, spot in enumerate(floors[floor])}
            floors[floor].sort(key=lambda spot: _mean([place[n] for n in neighbours[spot] if n in place], own[spot]))
        if (now := _crossings(floors, chains)) < fewest:
            best, fewest = {floor: list(spots) for floor, spots in floors.items()}, now
    return best


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(floors: dict[int, list[_Spot]], chains: dict[tuple[str, str], list[_Spot]]) -> int:
    place = {spot: at for spots in floors.values() for at, spot in enumerate(spots)}
    steps: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for chain in chains.values():
        for one, other in pairwise(chain):
            steps[one.floor].append((place[one], place[other]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for pairs in steps.values()
        for at, a in enumerate(pairs)
        for b in pairs[:at]
    )


def _wide(spot: _Spot) -> float:
    return _LANE if spot.arrow else len(spot.name) * _LETTER + _MARGIN


def _across(floors: dict[int, list[_Spot]]) -> dict[_Spot, float]:
    """Return the middle of each spot, in the picture's units."""
    x = {}
    for floor, spots in floors.items():
        widths = [_wide(spot) for spot in spots]
        free = _WIDTH - _LEFT - sum(widths)
        if free < 0:
            raise ValueError(f"floor {floor} has {len(spots)} rooms and arrows, more than fit the picture's width.")
        gap = max(min(free / len(spots), 4 * _GAP), 0.0)
        at = _LEFT + (free - gap * (len(spots) - 1)) / 2
        for spot, wide in zip(spots, widths, strict=True):
            x[spot] = at + wide / 2
            at += wide + gap
    return x
