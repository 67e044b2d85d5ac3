"""From the values of another format to a frame of records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from gcs_lab.accounting.tables import RECORD_COLUMNS, record_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TEXT_COLUMNS", "as_more", "no_records", "record_frame"]

#: Names of the columns that hold words.
TEXT_COLUMNS = frozenset(column.name for column in RECORD_COLUMNS if column.type in {"string", "category"})
#: Microseconds since the epoch at the end of the year 9999: what is later is damage, and Python cannot say it.
_LATEST = 253_402_300_799_000_000
#: What the systems write for "there is none".
_ABSENT = ("", "NONE", "none", "UNKNOWN")
#: A user may name a job or an account like this; of these columns only the empty word is none.
_FREE = frozenset({"name", "command", "more"})
_INT32 = 2**31


def no_records() -> pl.DataFrame:
    """Return a frame of records without a row."""
    return pl.DataFrame(schema=record_schema())


def record_frame(frame: pl.DataFrame, *, first_task: int = 1) -> pl.DataFrame:
    """Return `frame` as a frame of records: all columns, in their order and types.

    Times may come as microseconds since the epoch; 0, and what no calendar has, becomes null. The words for nothing
    become null, and so does a task below `first_task` (Grid Engine counts from 1, and writes 0 for a job that is no
    array). A column that is missing is null throughout, one too many is left out.
    """
    present = set(frame.columns)
    schema = record_schema()
    wanted = []
    for column in RECORD_COLUMNS:
        if column.name not in present:
            wanted.append(pl.lit(None, dtype=schema[column.name]).alias(column.name))
            continue
        value = pl.col(column.name)
        if column.name in TEXT_COLUMNS:
            value = value.cast(pl.String)
            absent = value.is_in([""] if column.name in _FREE else _ABSENT)
            value = pl.when(~absent).then(value)
        elif column.type == "timestamp" and frame.schema[column.name].is_integer():
            value = pl.when((value > 0) & (value <= _LATEST)).then(value).cast(pl.Datetime("us", "UTC"))
        elif column.type == "int32":
            low = first_task if column.name == "task" else -_INT32
            value = pl.when((value >= low) & (value < _INT32)).then(value)
        wanted.append(value.cast(schema[column.name], strict=False).alias(column.name))
    return frame.select(wanted)


def as_more(values: Mapping[str, object]) -> str | None:
    """Return the text of column ``more``: a JSON object; None where there is nothing more."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False) if values else None
    # A lone surrogate (\\ud800 in JSON) has no UTF-8.
    return None if text is None else text.encode("utf-8", "replace").decode()
