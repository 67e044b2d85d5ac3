"""From the fields of a reporting record, as text or out of JSON, to typed columns."""

from __future__ import annotations

import polars as pl

from gcs_lab.accounting.qacct_values import scaled
from gcs_lab.accounting.reporting_kinds import KINDS, kind_schema

__all__ = ["RAW", "is_whole", "typed"]

#: Where Grid Engine's priorities begin: it writes 1024 for qsub -p 0.
_PRIORITY_0 = 1024
_LATEST = 253_402_300_799_000_000
_MOST_SECONDS = 10**12
_GIB = 2.0**30
#: Columns of a raw frame beside a kind's fields (``f0``, ``f1`` …), all of them text.
RAW = ("index", "time", "list")


def is_whole(name: str, raw: pl.DataFrame) -> pl.Series:
    """Say which rows of a raw frame hold what they must: a time, and numbers where numbers belong."""
    last = "list" if KINDS[name].lists else f"f{len(KINDS[name].fields) - 1}"
    checks = [pl.col("time").cast(pl.Int64, strict=False).is_not_null(), pl.col(last).is_not_null()]
    for i, field in enumerate(KINDS[name].fields):
        text = pl.col(f"f{i}")
        if not field.column or (field.source == "" and field.type == "time"):
            continue
        if field.type in {"time", "count", "task", "priority"}:
            checks.append(text.cast(pl.Int64, strict=False).is_not_null())
        elif field.type == "id":
            checks.append(text.str.contains(r"^\d+$").fill_null(value=False))
        elif field.type in {"double", "gib"}:
            checks.append(text.cast(pl.Float64, strict=False).is_not_null())
    return raw.select(pl.all_horizontal(checks).alias("whole")).to_series()


def typed(name: str, raw: pl.DataFrame, micros: int) -> pl.DataFrame:
    """Return a raw frame with the columns of :func:`kind_schema`; `micros` are the microseconds in a unit of time."""
    kind = KINDS[name]
    columns = [_time(pl.col("time"), micros).alias("time")]
    for i, field in enumerate(kind.fields):
        if field.column:
            columns.append(_value(pl.col(f"f{i}"), field.type, micros).alias(field.column))
    if kind.lists:
        count = 3 if kind.lists == "consumables" else 2
        raw = raw.with_columns(pl.col("list").str.split(",")).explode("list").filter(pl.col("list") != "")
        parts = pl.col("list").str.splitn("=", count).struct
        raw = raw.with_columns(parts.field(f"field_{i}").alias(f"part{i}") for i in range(count))
        columns.append(pl.col("part0").alias("variable"))
        if kind.lists == "consumables":
            columns += [scaled("part1").alias("used"), scaled("part2").alias("capacity")]
        else:
            columns += [pl.col("part1").alias("value"), scaled("part1").alias("number")]
    return raw.select(columns).cast(kind_schema(name))


def _time(text: pl.Expr, micros: int) -> pl.Expr:
    value = text.cast(pl.Int64, strict=False)
    # The share tree's times are microseconds in 9.x, in the text too: seconds never have as many digits.
    value = pl.when(value <= _MOST_SECONDS).then(value * micros).otherwise(value)
    return pl.when((value > 0) & (value <= _LATEST)).then(value).cast(pl.Datetime("us", "UTC"))


def _value(text: pl.Expr, kind: str, micros: int) -> pl.Expr:
    if kind == "time":
        return _time(text, micros)
    if kind in {"double", "gib"}:
        return text.cast(pl.Float64, strict=False) * (_GIB if kind == "gib" else 1.0)
    if kind == "priority":
        return (text.cast(pl.Int64, strict=False) - _PRIORITY_0).cast(pl.Int32, strict=False)
    if kind == "task":
        number = text.cast(pl.Int32, strict=False)
        return pl.when(number > 0).then(number)
    if kind == "count":
        return text.cast(pl.Int64, strict=False)
    absent = [""] if kind in {"free", "id"} else ["", "NONE", "none"]
    return pl.when(~text.is_in(absent)).then(text)
