"""What follows from a record, as expressions over its columns: waits, slot seconds, efficiency, requests."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from gcs_lab.accounting.endings import ENDS_THE_JOB
from gcs_lab.accounting.tables import DERIVED_COLUMNS, RECORD_COLUMNS
from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import parse_memory, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

__all__ = [
    "column",
    "derived",
    "hard_requests",
    "has_failed",
    "is_last_run",
    "memory_request",
    "request",
    "time_request",
]

#: As long as any category. Soft requests (category.c of 8.1.9: ``-l … -soft -l …``; 9.x: ``-scope global -hard -l …
#: -soft -l …``) are what it would have liked.
_WHOLE = 1 << 30
_RECORDED = frozenset(one.name for one in RECORD_COLUMNS)


def _seconds(span: pl.Expr) -> pl.Expr:
    import polars as pl

    return span.dt.total_microseconds().cast(pl.Float64) / 1e6


@cache
def derived() -> dict[str, pl.Expr]:
    """Return the expression of each of DERIVED_COLUMNS over RECORD_COLUMNS.

    The single processes of a parallel job (``pe_task``) kept nothing from others: their records tell the slots of
    the whole job once more (qacct(1)).
    """
    import polars as pl

    kept = pl.when(pl.col("pe_task").is_null()).then(pl.col("slots").cast(pl.Float64) * pl.col("wallclock"))
    made = {
        "wait": _seconds(pl.col("start_time") - pl.col("submission_time")),
        "slot_seconds": kept,
        "cpu_efficiency": pl.when(kept > 0).then(pl.col("cpu") / kept),
        "requests": hard_requests(),
    }
    return {one.name: made[one.name].alias(one.name) for one in DERIVED_COLUMNS}


def column(name: str) -> pl.Expr:
    """Return a column of a record by its name, worked out where it is derived.

    Raises
    ------
    UnknownName
        If there is none.
    """
    import polars as pl

    if name in _RECORDED:
        return pl.col(name)
    made = derived()
    if name not in made:
        from gcs_lab.errors import UnknownName

        raise UnknownName("column", name, [*_RECORDED, *made], where="records", relation="of")
    return made[name]


def has_failed() -> pl.Expr:
    """Return whether a record is one of a failure: a code of ``failed``, or an exit status other than 0."""
    import polars as pl

    return (pl.col("failed").fill_null(0) != 0) | (pl.col("exit_status").fill_null(0) != 0)


def is_last_run() -> pl.Expr:
    """Return whether a job or task was over with a record, and it is the job's own: to count jobs, not runs."""
    import polars as pl

    return pl.col("pe_task").is_null() & pl.col("failed").fill_null(0).is_in(sorted(ENDS_THE_JOB))


def _hard() -> pl.Expr:
    """Return the category as far as its soft requests, which both of Grid Engine's forms have after the hard ones."""
    import polars as pl

    category = pl.col("category")
    # A slice of a text is a view of it; nothing is copied.
    return category.str.slice(0, category.str.find(" -soft", literal=True).fill_null(_WHOLE))


def hard_requests() -> pl.Expr:
    """Return the hard requests as ``-l`` takes them, from the category; null: none."""
    import polars as pl

    hard = pl.concat_str(pl.lit(" "), _hard())
    parts = hard.str.extract_all(r" -l [^ ]+").list.eval(pl.element().str.strip_prefix(" -l "))
    return pl.when(parts.list.len() > 0).then(parts.list.join(","))


def request(name: str) -> pl.Expr:
    """Return the value of one hard request as text (``gpu=TRUE`` of ``-l gpu``); null: not asked for."""
    # Only -l has names with values.
    return _hard().str.extract(rf"[ ,]{re.escape(name)}=([^, ]+)", 1)


def memory_request(name: str) -> pl.Expr:
    """Return a request of memory in bytes (``4G`` is 4 * 1024**3, ``4g`` 4 * 1000**3); null where it says none."""
    import polars as pl

    return request(name).map_batches(_bytes, return_dtype=pl.Float64(), is_elementwise=True)


def time_request(name: str) -> pl.Expr:
    """Return a request of time in seconds (``1:30:00`` is 5400); null where it says none."""
    import polars as pl

    return request(name).map_batches(_durations, return_dtype=pl.Float64(), is_elementwise=True)


# By name, not as lambdas: an expression with them is the same in the next process, which remembers answers by it.
def _bytes(texts: pl.Series) -> pl.Series:
    return _read(texts, parse_memory)


def _durations(texts: pl.Series) -> pl.Series:
    return _read(texts, parse_time)


def _read(texts: pl.Series, read: Callable[[str], float]) -> pl.Series:
    """Return the numbers that texts say; each different one is read once, and one that says none is null."""
    import polars as pl

    # Plain numbers mean the same to every reader.
    plain = (
        texts.alias("text")
        .to_frame()
        .select(
            pl.when(pl.col("text").str.contains(r"^[0-9]{1,15}$")).then(pl.col("text")).cast(pl.Float64, strict=False)
        )
        .to_series()
    )
    others = texts.filter(plain.is_null()).unique().drop_nulls()
    if not len(others):
        return plain
    numbers: list[float | None] = []
    for text in others:
        try:
            numbers.append(read(text))
        except InvalidArgument:
            numbers.append(None)
    known = pl.Series(numbers, dtype=pl.Float64)
    rest = texts.replace_strict(others, known, default=None, return_dtype=pl.Float64)
    return plain.fill_null(rest)
