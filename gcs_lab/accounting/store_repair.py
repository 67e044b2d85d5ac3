"""Take out of a list of contents what is not on the disk any more, so that it is read again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.accounting.manifest import Manifest, Part

__all__ = ["broken_parts", "repair"]


def broken_parts(manifest: Manifest, sizes: Mapping[str, int]) -> list[Part]:
    """Return the parts whose files are missing or of another size: after a power cut, or if someone removed them."""
    return [part for part in manifest.parts if part.size and sizes.get(f"{part.name}.parquet") != part.size]


def repair(manifest: Manifest, broken: list[Part]) -> str:
    """Let each source end before its first broken part, and return a sentence on it.

    Where the place cannot be found again in its file, all of the source is read again. What comes from a file that is
    gone is lost then: nobody else had it.
    """
    for number in {part.source for part in broken}:
        parts = manifest.parts_of(number)
        source = manifest.sources[number]
        at = min(part.begin for part in broken if part.source == number)
        known = [point for point in source.checkpoints if point[0] <= at]
        findable = bool(known) and known[-1][0] == at
        gone = [part for part in parts if not findable or part.end > at]
        manifest.replace_parts(gone, [])
        if findable:
            lines = source.lines - sum(part.lines for part in gone if not part.torn)
            manifest.sources[number] = replace(
                source,
                offset=at,
                head=source.head[:at],
                lines=lines,
                checkpoints=tuple(known),
                epoch=source.epoch + 1,
                torn=None,
            )
        else:
            del manifest.sources[number]
        manifest.seen = {path: seen for path, seen in manifest.seen.items() if seen.source != number}
    return f"{len(broken)} part(s) of the store were damaged or missing; their files are read again."
