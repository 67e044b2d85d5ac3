"""The raw lines of records, out of the files that they came from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.ingest_match import continued
from gcs_lab.accounting.ingest_text import Changed, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gcs_lab.accounting.manifest import Manifest

__all__ = ["raw_lines"]

#: Bytes read for one line, at first.
_PIECE = 4096


def raw_lines(folder: Path, manifest: Manifest, paths: Sequence[Path], job_id: str, task: int | None) -> list[str]:
    """Return the lines of a job's records, in the order of the files, where those are still there.

    Parameters
    ----------
    task
        None: all tasks, and a job that is no array.
    """
    files = [folder / f"{part.name}.parquet" for part in manifest.parts if part.size]
    if not files:
        return []
    wanted = pl.col("job_id") == job_id
    if task is not None:
        wanted &= pl.col("task") == task
    found = pl.scan_parquet(files).filter(wanted).select("_source", "_offset").collect().drop_nulls()
    lines: list[str] = []
    for (number,), places in found.group_by("_source", maintain_order=True):
        text = _text_of(manifest, int(str(number)), paths)
        if text is not None:
            with text, suppress(Changed):
                lines += _lines(text, sorted(places["_offset"].to_list()))
    return [line for line in lines if job_id in line]


def _text_of(manifest: Manifest, number: int, paths: Sequence[Path]) -> Text | None:
    """Open the file that holds the text of a source now."""
    source = manifest.sources[number]
    first = [Path(path) for path, seen in manifest.seen.items() if seen.source == number] + [Path(source.path)]
    for path in dict.fromkeys([*first, *paths]):
        try:
            text = Text(path)
        except OSError:
            continue
        if continued(text, [source]) is not None:
            return text
        text.close()
    return None


def _lines(text: Text, offsets: Iterable[int]) -> list[str]:
    lines = []
    for offset in offsets:
        data, length = b"", _PIECE
        while b"\n" not in data and len(data) < length:
            before = len(data)
            data += text.read_at(offset + before, length - before)
            if len(data) < length:
                break
            length *= 2
        lines.append(data.partition(b"\n")[0].decode(errors="replace").rstrip("\r"))
    return lines
