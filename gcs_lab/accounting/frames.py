"""Polars' frames as pandas DataFrames and Arrow tables, with the types that the other areas give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.status.frames import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["LARGE", "as_pandas", "frame_from", "reader_from", "table_from"]

#: From so many rows on, columns are left Arrow's: half the memory, and no time to convert.
LARGE = 1_000_000
#: Rows of a batch of a reader.
_BATCH = 100_000


def as_pandas(made: Any) -> pd.DataFrame:
    """Return what a module of this room made (polars' frame, lazy or not, or pandas') as a DataFrame."""
    import polars as pl

    if isinstance(made, pl.LazyFrame):
        made = made.collect()
    return frame_from(made) if isinstance(made, pl.DataFrame) else made


def frame_from(frame: pl.DataFrame) -> pd.DataFrame:
    """Return `frame` with pandas' types as in ``gcs_lab.status``; a large one with Arrow's (``ArrowDtype``)."""
    import pandas as pd

    table = table_from(frame)
    if frame.height < LARGE:
        return frame_of(table)
    large: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return large


def table_from(frame: pl.DataFrame) -> pa.Table:
    """Return `frame` as an Arrow table: text is ``string``, few different texts ``dictionary``."""
    import polars as pl

    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(_plain(table.schema)).unify_dictionaries()


def reader_from(frame: pl.LazyFrame) -> pa.RecordBatchReader:
    """Return a lazy frame's rows batch by batch; dictionaries are plain text, as each batch would have its own."""
    import polars as pl
    import pyarrow as pa

    texts = frame.with_columns(pl.selectors.categorical().cast(pl.String))
    schema = _plain(pl.DataFrame(schema=texts.collect_schema()).to_arrow(compat_level=pl.CompatLevel.oldest()).schema)

    def batches() -> Iterator[pa.RecordBatch]:
        for part in texts.collect_batches(chunk_size=_BATCH, maintain_order=False):
            yield from part.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema).to_batches()

    return pa.RecordBatchReader.from_batches(schema, batches())


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return the schema with the types that every reader of Arrow knows."""
    import pyarrow as pa

    def plain(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(kind):
            return pa.dictionary(pa.int32(), pa.string())
        return (
            pa.string()
            if pa.types.is_large_string(kind)
            else pa.int64()
            if pa.types.is_unsigned_integer(kind)
            else kind
        )

    return pa.schema([pa.field(one.name, plain(one.type)) for one in schema])
