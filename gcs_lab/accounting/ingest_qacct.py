"""Records where no file can be read: out of what ``qacct -j`` prints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.ingest_match import stored_records
from gcs_lab.accounting.ingest_parts import Stretch, force_part, reject_frame, with_places, write_part
from gcs_lab.accounting.ingest_text import tail_hash
from gcs_lab.accounting.manifest import HEAD, Source
from gcs_lab.accounting.tables import record_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gcs_lab.accounting.ingest_report import Report
    from gcs_lab.accounting.manifest import Manifest
    from gcs_lab.accounting.progress import Ingested

__all__ = ["NAME", "ingest_qacct", "qacct_source"]

#: What stands for the file in a table of rejects.
NAME = "qacct -j"
#: Seconds before the last known end that are asked for again: records come late when a host was away.
OVERLAP = 86_400.0


def qacct_source(manifest: Manifest) -> Source | None:
    """Return the source whose records came from qacct."""
    return next((source for source in manifest.sources.values() if source.path == NAME), None)


def ingest_qacct(
    folder: Path, manifest: Manifest, ask: Callable[[float | None], bytes | None], report: Report
) -> Ingested:
    """Ask for what ended since, and store what is not there yet. What comes later than OVERLAP is not seen."""
    last = manifest.totals().last_end
    since = None if last is None else last - OVERLAP
    report.wait("asking qacct -j")
    text = ask(since)
    if not text:
        return report.ingested(complete=True, notes=())
    from gcs_lab.accounting.qacct_text import QacctTextReader

    batch = QacctTextReader().read(text, 0)
    source = qacct_source(manifest) or Source(manifest.number(), NAME)
    parts = manifest.parts_of(source.id)
    known = stored_records(folder, [part for part in parts if since is None or (part.last_end or since) >= since], 0)
    new = _not_in(batch.records, known)
    known_bad = {
        bad
        for part in parts
        if part.kept
        for bad in pl.read_parquet(folder / f"{part.name}.rejects.parquet")["text"].to_list()
    }
    rejects = [reject for reject in batch.rejects if reject.text not in known_bad]
    if not len(new) and not rejects:
        return report.ingested(complete=True, notes=())
    begin, end = source.offset, source.offset + len(text)
    frame = with_places(new, source.id, pl.repeat(None, len(new), dtype=pl.Int64(), eager=True))
    part = write_part(
        folder,
        manifest.number(),
        Stretch(source.id, begin, end),
        frame,
        reject_frame(rejects),
        lines=batch.lines,
    )
    manifest.parts.append(force_part(folder, part))
    manifest.sources[source.id] = replace(source.reached(end, source.lines + batch.lines, tail_hash(text[-HEAD:])))
    manifest.commit(folder)
    report.found(part.records, part.rejects)
    return report.ingested(complete=True, notes=())


def _not_in(records: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the records that are not known; of several that are alike in everything, those beyond the known ones."""
    names = record_schema().names()

    def numbered(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.select(names).with_columns(pl.int_range(pl.len()).over(names).alias("_copy"))

    fresh = numbered(records).join(
        numbered(known), on=[*names, "_copy"], how="anti", nulls_equal=True, maintain_order="left"
    )
    return fresh.drop("_copy")
