"""Sums by group: the largest by name, the rest together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcs_lab.explorer.drawing import NO_NAME, OTHERS, term_of
from gcs_lab.explorer.local_time import shown_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from gcs_lab.explorer.local_time import Step

__all__ = ["Groups", "OverTime", "over_time", "totals_by"]

#: Groups that are drawn by name.
MOST_NAMES = 10


class Groups(NamedTuple):
    """Names (None: without one) and their sums, the largest first."""

    names: list[str | None]
    sums: NDArray[np.float64]

    def shown(self, most: int = MOST_NAMES) -> list[str]:
        """Return the names as people see them."""
        return [NO_NAME if name is None else name for name in self.names[:most]]

    def terms(self, column: str, most: int = MOST_NAMES) -> dict[str, str]:
        """Return the names as people see them, each with the term of a filter that means it."""
        return {NO_NAME if name is None else name: term_of(column, name) for name in self.names[:most]}


class OverTime(NamedTuple):
    """Sums by period (its beginning in microseconds of the local clock, ascending) and name: a row a name."""

    begins: NDArray[np.int64]
    names: list[str]
    sums: NDArray[np.float64]


def totals_by(records: pl.LazyFrame, by: str, amount: pl.Expr) -> Groups:
    """Return the sums of `amount` by the values of the column `by`."""
    import polars as pl

    found = (
        records.group_by(pl.col(by).cast(pl.String) if by == "name" else by)
        .agg(amount.sum().alias("amount"))
        .collect()
        .with_columns(pl.col(by).cast(pl.String))
        # Equal ones in the order of their names: the same each time.
        .sort(["amount", by], descending=[True, False])
    )
    return Groups(found[by].to_list(), found["amount"].to_numpy())


def over_time(
    records: pl.LazyFrame,
    by: str,
    amount: pl.Expr,
    groups: Groups,
    *,
    begin: pl.Expr,
    step: Step,
    most: int = MOST_NAMES,
) -> OverTime:
    """Return sums of `amount` by period and group: the first `most` of `groups` by name, the rest as one.

    Parameters
    ----------
    records
        With the column `by`, and what `amount` and `begin` need.
    by
        Column of names.
    amount
        What a record adds.
    groups
        Of the same records and amount.
    begin
        When a record's period began, microseconds of the local clock.
    step
        Length of the periods: there is one for each step between the first and the last.
    most
        Names that are told.
    """
    import polars as pl

    named = groups.names[:most]
    table = pl.DataFrame(
        {"name": named, "place": list(range(len(named)))}, schema={"name": pl.String, "place": pl.Int16}
    )
    found = (
        records.select(begin.alias("begin"), pl.col(by).alias("name"), amount.alias("amount"))
        .group_by("begin", "name")
        .agg(pl.col("amount").sum())
        .collect()
        .with_columns(pl.col("name").cast(pl.String))
        .join(table, on="name", how="left", nulls_equal=True)
        .with_columns(pl.col("place").fill_null(len(named)))
        .drop_nulls("begin")
    )
    begins = periods(found["begin"].to_numpy(), step)
    sums = np.zeros((len(named) + 1, len(begins)))
    if len(begins):
        np.add.at(
            sums,
            (found["place"].to_numpy(), np.searchsorted(begins, found["begin"].to_numpy())),
            found["amount"].to_numpy(),
        )
    names = [NO_NAME if name is None else name for name in named]
    if len(groups.names) > most:
        return OverTime(begins, [*names, OTHERS], sums)
    return OverTime(begins, names, sums[:-1])


def periods(begins: NDArray[np.int64], step: Step) -> NDArray[np.int64]:
    """Return the beginnings of all periods from the first to the last, those between with nothing in them, too."""
    if not len(begins):
        return np.zeros(0, np.int64)
    first, last = int(begins.min()), int(begins.max())
    if step.seconds:
        return np.arange(first, last + 1, int(step.seconds * 1e6), dtype=np.int64)
    months = np.arange(
        np.datetime64(first, "us").astype("datetime64[M]"), np.datetime64(last, "us").astype("datetime64[M]") + 1
    )
    return months.astype("datetime64[us]").astype(np.int64)


def widths(begins: NDArray[np.int64], step: Step) -> NDArray[np.float64]:
    """Return the lengths of periods in milliseconds, as plotly's bars have them."""
    if step.seconds:
        return np.full(len(begins), step.seconds * 1000.0)
    following = begins.astype("datetime64[us]").astype("datetime64[M]") + 1
    spans: NDArray[np.float64] = (following.astype("datetime64[us]").astype(np.int64) - begins) / 1000.0
    return spans


def stacked_bars(told: OverTime, step: Step, unit: str, colour: dict[str, str]) -> list[dict[str, object]]:
    """Return plotly's bars over time, one trace a name."""
    x = shown_times(told.begins)
    if step.seconds:
        width: object = step.seconds * 1000.0
    else:
        width = widths(told.begins, step)
    return [
        {
            "type": "bar",
            "name": name,
            "x": x,
            "y": _few_digits(told.sums[place]),
            "width": width,
            "offset": 0,
            "marker": {"color": colour.get(name, colour[OTHERS]), "line": {"width": 0}},
            "hovertemplate": "%{y:,.4~g} " + unit + "<extra>%{fullData.name}</extra>",
        }
        for place, name in enumerate(told.names)
    ]


def _few_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values, np.float64).round(4)


def horizontal_bars(
    names: Sequence[str], values: NDArray[np.float64], colour: Sequence[str], unit: str
) -> dict[str, object]:
    """Return plotly's bars by name, the first one on top."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(names),
        "x": _few_digits(values),
        "marker": {"color": list(colour)},
        "hovertemplate": "%{y}: %{x:,.4~g} " + unit + "<extra></extra>",
    }
