"""The language of filters (:mod:`gcs_lab.status.filter_language`) over the columns of a record, as an expression."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from gcs_lab.accounting.derived import column, has_failed
from gcs_lab.accounting.tables import DERIVED_COLUMNS, RECORD_COLUMNS
from gcs_lab.accounting.text_choice import compared, pattern_expression
from gcs_lab.errors import Internal
from gcs_lab.status import filter_tests as tests
from gcs_lab.status.filter_language import parse_filter

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from gcs_lab.status.filter_tests import RowTest

__all__ = ["WHERE_COLUMNS", "where_is"]

_TYPES = {"category": "dictionary"}
#: What a filter may name: every column of a record, and ``ok``; types as :func:`parse_filter` takes them.
WHERE_COLUMNS: Mapping[str, str] = {
    **{one.name: _TYPES.get(one.type, one.type) for one in (*RECORD_COLUMNS, *DERIVED_COLUMNS)},
    "ok": "bool",
}
#: Columns that are worked out from when something was: how long ago.
_AGO = {"age": "submission_time", "runtime": "start_time"}


def where_is(text: str, now: float) -> pl.Expr:
    """Return what a filter asks of a record, over RECORD_COLUMNS; what is not known is not so.

    Parameters
    ----------
    text
        ``"slots>4 wallclock>2h name~fit ok:no"``.
    now
        Seconds since the epoch that "ago" counts from.

    Raises
    ------
    FilterError
        If it cannot be read.
    """
    import polars as pl

    read = parse_filter(text, WHERE_COLUMNS)
    made = read.translated(lambda test: _told(test, now))
    return pl.lit(value=True) if made is None else made


def _told(test: RowTest, now: float) -> pl.Expr:
    if isinstance(test, tests.AnyTest):
        return reduce(or_, [_told(one, now) for one in test.tests])
    if isinstance(test, tests.TextTest):
        return _text(test)
    if isinstance(test, tests.IdTest):
        return _id(test)
    if isinstance(test, tests.NumberTest):
        values = _numbers(test.column, now)
        return reduce(or_, [compared(values, test.comparison, bound) for bound in test.bounds])
    if isinstance(test, tests.MomentTest):
        return _moment(test, now)
    if isinstance(test, tests.BooleanTest):
        return _ok(test)
    raise Internal(f"a filter of records has a test that no record can answer: {test!r}. Report it with the filter.")


def _text(test: tests.TextTest) -> pl.Expr:
    import polars as pl

    values = column(test.column)
    texts = values.cast(pl.String)
    told = []
    exact = [text for text in test.exact if text]
    if exact:
        told.append(values.is_in(exact))
    if "" in test.exact:
        told.append(values.is_null() | (texts == ""))
    # Here a bracket is a letter like others.
    told += [
        texts.str.contains(pattern_expression(pattern.replace("[", "[[]"), folded=test.folded))
        for pattern in test.patterns
    ]
    told += [texts.str.contains(f"(?i){re.escape(piece)}") for piece in test.pieces]
    return reduce(or_, [one.fill_null(value=False) for one in told])


def _id(test: tests.IdTest) -> pl.Expr:
    import polars as pl

    if test.comparison:
        return compared(pl.col("job_id").cast(pl.Int64, strict=False), test.comparison, test.bound)
    told = [(pl.col("job_id") == job) & (pl.col("task") == task).fill_null(value=False) for job, task in test.tasks]
    if test.ids or test.patterns or test.pieces:
        told.append(_text(tests.TextTest("job_id", test.ids, test.patterns, test.pieces)))
    return reduce(or_, told)


def _numbers(name: str, now: float) -> pl.Expr:
    return now - _moments(_AGO[name]) if name in _AGO else column(name)


def _moments(name: str) -> pl.Expr:
    import polars as pl

    return column(name).dt.timestamp("us").cast(pl.Float64) / 1e6


def _moment(test: tests.MomentTest, now: float) -> pl.Expr:
    import polars as pl

    def at(seconds: float) -> pl.Expr:
        return pl.lit(round(seconds * 1e6)).cast(pl.Datetime("us", "UTC"))

    values = column(test.column)
    told = []
    for read in test.read:
        begin, end = read(now)
        told.append(
            {
                ">": values >= at(end),
                "<=": values < at(end),
                ">=": values >= at(begin),
                "<": values < at(begin),
            }.get(test.comparison, (values >= at(begin)) & (values < at(end)))
        )
    return reduce(or_, [one.fill_null(value=False) for one in told])


def _ok(test: tests.BooleanTest) -> pl.Expr:
    import polars as pl

    if set(test.wanted) == {True, False}:
        return pl.lit(value=True)
    return ~has_failed() if test.wanted[0] else has_failed()
