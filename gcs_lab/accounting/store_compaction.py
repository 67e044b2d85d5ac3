"""Put many small parts of one source together, so that years of small appends stay quick to read."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.ingest_parts import Stretch, force_part, reject_frame, write_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.accounting.manifest import Manifest, Part

__all__ = ["compact"]

#: So many neighbours of one size are put together; each record is so written again twice at the most.
FAN = 16
#: Records of a part up to which it counts as of a size. What a whole block gave is above: it stays as it is, and what
#: is put together fits into little memory.
_SIZES = (1_500, 12_000)


def compact(folder: Path, manifest: Manifest) -> None:
    """Replace runs of small neighbouring parts by one part each; the caller commits.

    Records, rejects, and their order stay. What is remembered of sums (see ``store_grouped``) stays right, because it
    is kept by how far a source was read and not by the names of parts.
    """
    for parts in manifest.parts_by_source().values():
        for run in list(_runs(parts)):
            manifest.replace_parts(run, [_merged(folder, manifest, run)])


def _runs(parts: list[Part]) -> Iterator[list[Part]]:
    """Yield neighbours to put together."""
    for size, neighbours in groupby((part for part in parts if not part.torn), key=_size):
        run = list(neighbours)
        if size is not None and len(run) >= FAN:
            yield from (run[i : i + FAN] for i in range(0, len(run) - FAN + 1, FAN))


def _size(part: Part) -> int | None:
    return next((i for i, most in enumerate(_SIZES) if part.records <= most), None)


def _merged(folder: Path, manifest: Manifest, run: list[Part]) -> Part:
    first, last = run[0], run[-1]
    files = [folder / f"{part.name}.parquet" for part in run if part.size]
    frame = pl.concat([pl.read_parquet(file) for file in files]) if files else pl.DataFrame()
    rejects, lines = [reject_frame(())], 0
    for part in run:
        if part.kept:
            one = pl.read_parquet(folder / f"{part.name}.rejects.parquet")
            rejects.append(one.with_columns(pl.col("line") + lines))
        lines += part.lines
    part = write_part(
        folder,
        manifest.number(),
        Stretch(first.source, first.begin, last.end),
        frame,
        pl.concat(rejects),
        lines=lines,
        found=sum(part.rejects for part in run),
    )
    return force_part(folder, part)
