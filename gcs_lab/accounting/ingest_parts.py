"""Parts of a store on the disk: written once from what a reader made of a block, never changed."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import polars as pl

from gcs_lab.accounting.manifest import Part
from gcs_lab.accounting.tables import record_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gcs_lab.accounting.batch import Batch, Reject

__all__ = [
    "HIDDEN",
    "Stretch",
    "force_part",
    "offsets_of",
    "reject_frame",
    "reject_schema",
    "with_places",
    "write_part",
]

#: Columns of a part beside those of a record: which source it came from, and where in its text its line begins.
HIDDEN = {"_source": pl.Int32(), "_offset": pl.Int64()}
ROW_GROUP = 1 << 17
#: Against zstd: sums of eight columns take half the time, writing three quarters; the store is a quarter larger.
COMPRESSION: Literal["lz4"] = "lz4"
#: Rejects of one source that are kept; the rest is counted. A binary file would give millions.
MOST_REJECTS = 10_000

_NEWLINE, _RETURN, _HASH = b"\n\r#"


class Stretch(NamedTuple):
    """Which piece of which text a part is of."""

    source: int
    begin: int
    end: int
    torn: bool = False


def reject_schema() -> pl.Schema:
    """Return the columns of a part's file of rejects; ``line`` counts from the beginning of the part, from 0."""
    return pl.Schema({"line": pl.Int64(), "offset": pl.Int64(), "reason": pl.String(), "text": pl.String()})


def reject_frame(rejects: Sequence[Reject]) -> pl.DataFrame:
    """Return rejects as a frame."""
    rows = [(reject.line, reject.offset, reject.reason, reject.text) for reject in rejects]
    return pl.DataFrame(rows, schema=reject_schema(), orient="row")


def offsets_of(data: bytes, batch: Batch, begin: int) -> pl.Series:
    """Return where the line of each record begins; nulls where records and lines do not go together one by one."""
    count = len(batch.records)
    array = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(array == _NEWLINE)
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends + 1))
    starts = starts[starts < len(array)]
    if batch.rejects and len(starts) != count:
        bad = np.fromiter((reject.offset - begin for reject in batch.rejects), dtype=np.int64)
        starts = starts[~np.isin(starts, bad)]
    if len(starts) != count:
        starts = starts[~_is_no_record(array, starts)]
    if len(starts) != count:
        return pl.repeat(None, count, dtype=pl.Int64(), eager=True)
    return pl.Series(starts + begin, dtype=pl.Int64())


def _is_no_record(array: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which lines are comments or empty."""
    first = array[starts]
    second = array[np.minimum(starts + 1, len(array) - 1)]
    empty = (first == _NEWLINE) | ((first == _RETURN) & (second == _NEWLINE))
    return np.asarray((first == _HASH) | empty)


def with_places(records: pl.DataFrame, source: int, offsets: pl.Series) -> pl.DataFrame:
    """Return `records` with the hidden columns."""
    places = [pl.lit(source, dtype=pl.Int32()).alias("_source"), offsets.alias("_offset")]
    return records.select(record_schema().names()).with_columns(places)


def write_part(
    folder: Path,
    number: int,
    stretch: Stretch,
    frame: pl.DataFrame,
    rejects: pl.DataFrame,
    *,
    lines: int,
    found: int | None = None,
) -> Part:
    """Write a part; :func:`force_part` must follow before it is entered.

    `frame` has the hidden columns; `rejects` are those to keep, `found` counts all (None: as many).

    Raises
    ------
    OSError, polars.exceptions.PolarsError
        If it cannot be written.
    """
    name = f"{number:08d}-{secrets.token_hex(4)}"
    size, first, last = 0, None, None
    if len(frame):
        path = folder / f"{name}.parquet"
        frame.write_parquet(path, compression=COMPRESSION, row_group_size=ROW_GROUP)
        size = path.stat().st_size
        ends = frame["end_time"].dt.epoch("us")
        if len(ends) > ends.null_count():
            first, last = int(ends.min()) / 1e6, int(ends.max()) / 1e6  # type: ignore[arg-type]
    if len(rejects):
        rejects.write_parquet(folder / f"{name}.rejects.parquet", compression="zstd")
    return Part(
        name,
        stretch.source,
        stretch.begin,
        stretch.end,
        lines,
        len(frame),
        len(rejects) if found is None else found,
        len(rejects),
        first,
        last,
        size,
        stretch.torn,
    )


def force_part(folder: Path, part: Part) -> Part:
    """Force the files of a part to the disk, and return it: a power cut must leave none that is entered but empty.

    They hold what all users did, and are for their owner alone wherever they are moved.
    """
    names = [f"{part.name}.parquet"] * bool(part.size) + [f"{part.name}.rejects.parquet"] * bool(part.kept)
    for name in names:
        descriptor = os.open(folder / name, os.O_RDONLY)
        try:
            os.fchmod(descriptor, 0o600)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return part
