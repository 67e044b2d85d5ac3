"""What jobs asked for, as columns: memory of the whole job and run time, out of the few different categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ASKED_COLUMNS", "with_asked"]

#: Columns that are added: bytes for the whole job, and seconds; null: it asked for none.
ASKED_COLUMNS = ("asked_memory", "asked_time")


def with_asked(records: pl.LazyFrame, categories: pl.Series) -> pl.LazyFrame:
    """Return records (with ``category`` and ``slots``) with ASKED_COLUMNS.

    Parameters
    ----------
    records
        Lazily.
    categories
        Every different one among them: what they ask for is read once each, not once a record.
    """
    import polars as pl

    from gcs_lab.accounting.efficiency import asked_memory, asked_time

    few = (
        pl.DataFrame({"category": categories.cast(pl.String).drop_nulls()})
        .lazy()
        # Of one slot; the records have theirs.
        .with_columns(slots=pl.lit(1))
        .select("category", asked_memory=asked_memory(), asked_time=asked_time())
    )
    return records.join(few, on="category", how="left", maintain_order="left").with_columns(
        pl.col("asked_memory") * pl.col("slots")
    )
