"""Which room of gcs_lab imports which, found in the code by grimp (what import-linter uses)."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RoomImports", "read_imports", "rooms_page"]

PACKAGE = "gcs_lab"


@dataclass(frozen=True)
class RoomImports:
    """The rooms of the package, and how many import statements' targets lead from one to another.

    Parameters
    ----------
    rooms
        Names, without that of the package.
    counts
        By importing and imported room.
    """

    rooms: tuple[str, ...]
    counts: dict[tuple[str, str], int]

    @cached_property
    def imported(self) -> dict[str, set[str]]:
        """What each room imports from."""
        found: dict[str, set[str]] = {room: set() for room in self.rooms}
        for importer, imported in self.counts:
            found[importer].add(imported)
        return found

    @cached_property
    def floors(self) -> dict[str, int]:
        """The floor of each room: 1 if it imports from no other, else one above the highest that it imports from."""
        floors: dict[str, int] = {}

        def floor(room: str, above: tuple[str, ...] = ()) -> int:
            if room in above:
                raise ValueError(
                    f"these rooms import each other: {' → '.join([*above, room])}; floors are not possible."
                )
            if room not in floors:
                floors[room] = 1 + max((floor(low, (*above, room)) for low in sorted(self.imported[room])), default=0)
            return floors[room]

        for room in self.rooms:
            floor(room)
        return floors

    @cached_property
    def arrows(self) -> list[tuple[str, str]]:
        """The imports that no way through other rooms implies: drawn, they tell all that lies above what."""
        below: dict[str, set[str]] = {}
        for room in sorted(self.rooms, key=lambda name: self.floors[name]):
            below[room] = self.imported[room].union(*(below[low] for low in self.imported[room]))
        return sorted(
            (room, low) for room, low in self.counts if not any(low in below[other] for other in self.imported[room])
        )


def read_imports() -> RoomImports:
    """Return the imports of the package as it is now."""
    import grimp

    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    counts: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            pair = _room(module), _room(imported)
            if pair[0] and pair[1] and pair[0] != pair[1]:
                counts[pair] += 1
    rooms = {_room(module) for module in graph.modules} - {""}
    return RoomImports(tuple(sorted(rooms)), dict(sorted(counts.items())))


def _room(module: str) -> str:
    """Return the room of a module; "" for the package itself, which only gives names of others."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def rooms_page(imports: RoomImports, package: Path) -> str:
    """Return the page that lists all rooms with all their imports, in markdown.

    Parameters
    ----------
    imports
        As :func:`read_imports` returned them.
    package
        The package's folder.
    """
    by_floor = defaultdict(list)
    for room, floor in imports.floors.items():
        by_floor[floor].append(room)
    lines = [
        "# Rooms and their imports",
        "",
        "Made from the code, as the picture in [architecture](../architecture.md). The number behind a room is how",
        "many of its modules are imported, each counted once for every module that does.",
        "",
        "| floor | room | what it is | imports from |",
        "|---|---|---|---|",
    ]
    for floor in sorted(by_floor, reverse=True):
        for room in sorted(by_floor[floor]):
            pairs = sorted(
                ((low, count) for (high, low), count in imports.counts.items() if high == room),
                key=lambda pair: (-imports.floors[pair[0]], pair[0]),
            )
            told = ", ".join(f"`{low}` {count}" for low, count in pairs) or "nothing"
            lines.append(f"| {floor} | `{room}` | {_told(package, room)} | {told} |")
    return "\n".join(lines) + "\n"


def _told(package: Path, room: str) -> str:
    folder = package / room / "__init__.py"
    tree = ast.parse((folder if folder.is_file() else package / f"{room}.py").read_text())
    first = (ast.get_docstring(tree) or "").split("\n\n")[0]
    words = " ".join(first.replace("``", "`").split()).partition("; floor ")[0]
    return words.replace("|", "\\|").replace("*", "\\*") or "the version, in one place"
