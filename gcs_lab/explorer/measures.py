"""What usage is counted in: slot hours, CPU hours, GiB hours, jobs, or money by a table of rates."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gcs_lab.accounting.derived import is_last_run
from gcs_lab.explorer.state import MEASURES, Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["cost_of", "figure_text", "measure_of", "rate_place", "unit_of"]

_GIB = 2.0**30
_HOUR = 3600.0
_UNITS = {"slot_hours": "slot h", "cpu_hours": "CPU h", "memory": "GiB h", "jobs": "jobs", "cost": ""}


def measure_of(measure: str, rates: Sequence[Rate] = ()) -> pl.Expr:
    """Return what a record adds to a measure (one of MEASURES); rows are records of jobs and tasks."""
    import polars as pl

    if measure == "jobs":
        return is_last_run().cast(pl.Float64)
    if measure == "cost":
        return cost_of(rates)
    return {
        "slot_hours": pl.col("slot_seconds") / _HOUR,
        "cpu_hours": pl.col("cpu") / _HOUR,
        "memory": pl.col("memory") / (_GIB * _HOUR),
    }[measure].fill_null(0.0)


def rate_place(rates: Sequence[Rate]) -> pl.Expr:
    """Return which of the rates counts for a record: the first that lets it through; -1: none.

    Raises
    ------
    FilterError
        If the filter of a rate cannot be read.
    """
    import polars as pl

    place = pl.lit(-1, pl.Int16)
    for number, rate in reversed(list(enumerate(rates))):
        place = pl.when(_lets_through(rate)).then(pl.lit(number, pl.Int16)).otherwise(place)
    return place


def cost_of(rates: Sequence[Rate]) -> pl.Expr:
    """Return what a record costs; 0 where no rate is for it. Raises FilterError as :func:`rate_place`."""
    import polars as pl

    slot_hours = (pl.col("slot_seconds") / _HOUR).fill_null(0.0)
    gib_hours = (pl.col("memory") / (_GIB * _HOUR)).fill_null(0.0)
    cost = pl.lit(0.0)
    for rate in reversed(rates):
        price = slot_hours * rate.per_slot_hour + gib_hours * rate.per_gib_hour
        cost = price if not rate.filter.strip() else pl.when(_lets_through(rate)).then(price).otherwise(cost)
    return cost


def _lets_through(rate: Rate) -> pl.Expr:
    import polars as pl

    if not rate.filter.strip():
        return pl.lit(value=True)
    from gcs_lab.accounting.where_filter import where_is

    return where_is(rate.filter, time.time())


def unit_of(measure: str, currency: str) -> str:
    """Return the unit of a measure; of cost the currency."""
    return currency if measure == "cost" else _UNITS[measure]


def figure_text(value: float, measure: str, currency: str) -> str:
    """Return an amount of a measure with its unit, for people."""
    digits = 2 if measure == "cost" and abs(value) < 100 else 0 if abs(value) >= 100 or measure == "jobs" else 1  # noqa: PLR2004
    return f"{value:,.{digits}f} {unit_of(measure, currency)}".strip()


def label_of(measure: str, currency: str) -> str:
    """Return the label of an axis."""
    return f"Cost, {currency}" if measure == "cost" and currency else MEASURES[measure]
