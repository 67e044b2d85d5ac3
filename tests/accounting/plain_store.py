"""The store's questions answered from one frame in memory: what the area's tests ask where the store is not the matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from accounting.odd_site import HEAD

from gcs_lab.accounting.area import Accounting
from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.progress import Ingested, Totals


class PlainStore:
    """Records of a frame, or of one classic file."""

    def __init__(self, source: pl.DataFrame | Path) -> None:
        self.path = source if isinstance(source, Path) else None
        batch = ClassicReader().read(source.read_bytes(), 0) if isinstance(source, Path) else None
        self.records = source if batch is None else batch.records
        self.bad = [] if batch is None else batch.rejects

    def refresh(self, progress=None, stop=None) -> Ingested:
        return Ingested()

    def scan(self, columns=None, *, ended=(None, None), refresh=True) -> pl.LazyFrame:
        frame = self.records.lazy()
        return frame if columns is None else frame.select(list(columns))

    def grouped(self, by, aggregations, where=None, *, ended=(None, None), keep=True, refresh=True) -> pl.DataFrame:
        groups = {name: pl.col(name) for name in by} if not hasattr(by, "items") else dict(by)
        figures = []
        for name, (kind, of) in aggregations.items():
            figures.append((pl.len() if kind == "len" else getattr(of, kind)()).alias(name))
        frame = self.records.lazy()
        if where is not None:
            frame = frame.filter(where)
        if not groups:
            return frame.select(figures).collect()
        return frame.group_by([one.alias(name) for name, one in groups.items()]).agg(figures).collect()

    def rejects(self) -> pl.DataFrame:
        return pl.DataFrame(self.bad, orient="row")

    def raw(self, job_id, task=None) -> list[str]:
        assert self.path is not None
        lines = self.path.read_text().splitlines()
        return [line for line in lines if line.split(":")[5:6] == [job_id]]

    def totals(self) -> Totals:
        return Totals(self.records.height, len(self.bad), 0, 1, None, None)

    def close(self) -> None:
        pass


def area_of(source: pl.DataFrame | Path) -> Accounting:
    """Return the area of a frame of records, or of one classic file."""
    from gcs_lab.accounting.opening import RecordFiles

    path = source if isinstance(source, Path) else Path("/nowhere")
    area = Accounting(RecordFiles([path]), cluster="plain", system="a file")
    area._opened = PlainStore(source)
    return area


def site(folder: Path, *lines: str) -> Accounting:
    """Return the area of a file with some records."""
    path = folder / "accounting"
    path.write_text(HEAD + "".join(lines))
    return area_of(path)


def ids(area: Accounting, **choice: Any) -> list[str]:
    """Return the ids of the jobs of the records that are chosen, in order."""
    return sorted(area.frame(["job_id"], **choice)["job_id"])
