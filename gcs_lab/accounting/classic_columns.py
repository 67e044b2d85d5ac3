"""From the raw fields of classic records to the columns of a record, as polars expressions."""

from __future__ import annotations

from functools import cache

import polars as pl

from gcs_lab.accounting.classic_fields import (
    ALL_FIELDS,
    BESIDE,
    LARGEST_MEMORY,
    LATEST_SECOND,
    LEAST_MILLISECOND,
    MEMORY,
    TIMES,
)
from gcs_lab.accounting.tables import RECORD_COLUMNS, record_schema

__all__ = ["COLON_BYTE", "all_plain", "fields_for", "is_plain", "record_columns"]

#: What stands in a parsed field for the byte 0xFF, Univa's sign for a colon.
COLON_BYTE = "\x1f"

_GIB = 2**30
#: Fields of Univa's that have no column of their own.
_MORE = ("job_class", "maxpss", "submit_host", "cwd", "ioops", "bound_cores")
_FREE_TEXT = ("cwd", "submit_cmd")
#: What a plain number is at least, and below.
_LIMITS: dict[str, tuple[int | None, float | None]] = {
    **dict.fromkeys(TIMES, (0, 1000 * LATEST_SECOND + 1)),
    **dict.fromkeys(MEMORY, (None, LARGEST_MEMORY)),
    **dict.fromkeys(("job_number", "slots", "task_number"), (0, None)),
}
_COLUMN_OF = {column.source: column.name for column in RECORD_COLUMNS if column.source in ALL_FIELDS}


def record_columns(
    width: int, *, milliseconds: bool, from_python: bool = False, columns: tuple[str, ...] | None = None
) -> list[pl.Expr]:
    """Return RECORD_COLUMNS, or the `columns` among them, as expressions over the raw fields of a record.

    `width`: how many fields the records have, one of WIDTHS. `milliseconds`: some of the times are milliseconds.
    `from_python`: the frame has the values that Python made of single lines, with the column BESIDE.
    """
    made = _record_columns(width, milliseconds=milliseconds, from_python=from_python)
    return list(made.values()) if columns is None else [made[name] for name in columns]


@cache
def fields_for(columns: tuple[str, ...], width: int) -> tuple[str, ...]:
    """Return the raw fields that the record `columns` come from, in the order of the file.

    ``more`` comes from all of them: what a column cannot hold is told there.
    """
    if "more" in columns:
        return ALL_FIELDS[:width]
    made = _record_columns(width, milliseconds=True, from_python=False)
    needed = {name for column in columns for name in made[column].meta.root_names()}
    return tuple(name for name in ALL_FIELDS[:width] if name in needed)


def all_plain(raw: pl.DataFrame) -> bool:
    """Tell whether all rows of raw fields are plain, or False if it takes :func:`is_plain` to tell.

    This is by sums and extremes, several times faster than looking at each row.
    """
    schema = raw.schema
    numbers = [name for name, type_ in schema.items() if type_.is_numeric()]
    if any(raw[name].null_count() for name in numbers):
        return False
    tests = [pl.col(name).sum().is_finite() for name in numbers if schema[name].is_float()]
    for name in numbers:
        low, high = _LIMITS.get(name, (None, None))
        if low is not None:
            tests.append(pl.col(name).min() >= low)
        if high is not None:
            tests.append(pl.col(name).max() < high)
    return bool(raw.select(pl.all_horizontal(tests)).item())


def is_plain(schema: pl.Schema) -> pl.Expr:
    """Return whether each row is one that needs no second look: all numbers there, finite, and of this era."""
    tests = []
    for name, type_ in schema.items():
        value = pl.col(name)
        low, high = _LIMITS.get(name, (None, None))
        if type_.is_numeric():
            tests.append(value.is_not_null())
        if type_.is_float():
            tests.append(value.is_finite())
        if low is not None:
            tests.append(value >= low)
        if high is not None:
            tests.append(value < high)
    return pl.all_horizontal(tests)


@cache
def _record_columns(width: int, *, milliseconds: bool, from_python: bool) -> dict[str, pl.Expr]:
    fields = ALL_FIELDS[:width]
    schema = record_schema()
    made = {_COLUMN_OF[name]: pl.col(name) for name in fields if name in _COLUMN_OF}
    made |= _words() | _times(fields, milliseconds=milliseconds) | _usage(fields, milliseconds=milliseconds)
    if "arid" in fields:
        made["reservation_id"] = pl.when(pl.col("arid") > 0).then("arid")
    if "submit_cmd" in fields:
        made["command"] = _with_colons("submit_cmd")
        made["deleted_by"] = pl.col("qdel_info")
    more = [_more(fields)] if "job_class" in fields else []
    if from_python:
        more.append(pl.col(BESIDE))
    if more:
        made["more"] = _joined(more)
    columns = {}
    for column in RECORD_COLUMNS:
        value = made.get(column.name, pl.lit(None))
        columns[column.name] = value.cast(schema[column.name], strict=False).alias(column.name)
    return columns


def _words() -> dict[str, pl.Expr]:
    priority = pl.col("priority")
    return {
        "task": pl.when(pl.col("task_number") > 0).then("task_number"),
        # Of a job that never started; not all versions say so.
        "queue": pl.when(pl.col("qname") != "UNKNOWN").then("qname"),
        "host": pl.when(pl.col("hostname") != "UNKNOWN").then("hostname"),
        # A negative nice value is written without its sign.
        "nice": pl.when(priority >= 1 << 31).then(priority - (1 << 32)).otherwise(priority),
        # "-" is what OCS writes where nothing was requested.
        "category": pl.when(pl.col("category") != "-").then("category"),
    }


def _times(fields: tuple[str, ...], *, milliseconds: bool) -> dict[str, pl.Expr]:
    names = {name: name for name in TIMES}
    if "ar_submission_time" in fields:
        names["ar_submission_time"] = "reservation_submission_time"
    made = {}
    for name, column in names.items():
        value = pl.col(name)
        unit: pl.Expr | int = 1_000_000
        if milliseconds:
            unit = pl.when(value >= LEAST_MILLISECOND).then(1000).otherwise(1_000_000)
        known = (value > 0) & (value <= 1000 * LATEST_SECOND)
        made[column] = pl.when(known).then(value * unit).cast(pl.Datetime("us", "UTC"))
    return made


def _usage(fields: tuple[str, ...], *, milliseconds: bool) -> dict[str, pl.Expr]:
    ran = pl.col("ru_wallclock")
    if milliseconds:
        span = pl.col("end_time") - pl.col("start_time")
        in_milliseconds = (pl.col("end_time") >= LEAST_MILLISECOND) & ((ran - span).abs() < (ran * 1000 - span).abs())
        ran = pl.when(in_milliseconds).then(ran / 1000).otherwise(ran)
    resident = _measured(pl.col("ru_maxrss") * 1024)
    if "maxrss" in fields:
        resident = pl.coalesce(_measured(pl.col("maxrss")), resident)
    return {
        "ru_wallclock": ran,
        "wallclock": pl.coalesce("wallclock", ran) if "wallclock" in fields else ran,
        "memory": pl.col("mem") * _GIB,
        "io": pl.col("io") * _GIB,
        "max_vmem": _measured(pl.col("maxvmem")),
        "max_rss": resident,
    }


def _measured(value: pl.Expr) -> pl.Expr:
    return pl.when(value > 0).then(value)


def _with_colons(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all(COLON_BYTE, ":", literal=True)


def _more(fields: tuple[str, ...]) -> pl.Expr:
    """Return a JSON object of Univa's other fields, without those that have no value."""
    values = [_with_colons(name) if name in _FREE_TEXT else pl.col(name) for name in _MORE if name in fields]
    # Within a text, a quotation mark has a backslash before it, so that no text looks like a member that is null.
    whole = pl.struct(values).struct.json_encode()
    return whole.str.replace_all(r',"[a-z_]+":null', "").str.replace_all(r'"[a-z_]+":null,?', "")


def _joined(objects: list[pl.Expr]) -> pl.Expr:
    """Return the members of several JSON objects in one; null where there are none."""
    members = [text.str.strip_prefix("{").str.strip_suffix("}") for text in objects]
    inner = pl.concat_str(*(pl.when(text != "").then(text) for text in members), separator=",", ignore_nulls=True)
    return pl.when(inner != "").then(pl.concat_str(pl.lit("{"), inner, pl.lit("}")))
