"""How long jobs waited for their slots."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from gcs_lab.accounting.derived import derived
from gcs_lab.accounting.groupings import groups, sorted_by
from gcs_lab.accounting.truth import chosen, collected
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.store import Store

__all__ = ["EDGES", "distribution", "waits"]

#: Bounds of the bins of a distribution, in seconds.
EDGES = (0.0, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0, 259200.0, 604800.0)


def _waiting(store: Store, by: str | Sequence[str], choice: Choice) -> tuple[list[str], pl.LazyFrame]:
    """Return the groups' names, and the wait of each job that started with its groups."""
    import polars as pl

    wanted = groups(by, "submission_time")
    wait = derived()["wait"]
    started = (
        pl.col("pe_task").is_null() & pl.col("start_time").is_not_null() & pl.col("submission_time").is_not_null()
    )
    frame = chosen(store, [*(one.alias(name) for name, one in wanted.items()), wait], choice, only=started)
    return list(wanted), frame


def waits(store: Store, by: str | Sequence[str], quantiles: Sequence[float], choice: Choice) -> pl.DataFrame:
    """Return `by`, ``jobs``, ``mean``, ``max`` and a column for each of the `quantiles`, in seconds.

    Raises
    ------
    InvalidArgument
        If a quantile is not within 0 and 1; UnknownName: nothing is grouped by that.
    """
    import polars as pl

    if not isinstance(quantiles, Iterable):
        raise InvalidArgument(f"quantiles={quantiles!r}: expected shares from 0 to 1 in a list, such as [0.5, 0.95].")
    for share in quantiles:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise InvalidArgument(f"quantiles={quantiles!r}: {share!r} is no share from 0 to 1; the median is 0.5.")
    names, frame = _waiting(store, by, choice)
    wait = pl.col("wait")
    figures = [
        pl.len().cast(pl.Int64).alias("jobs"),
        wait.mean().alias("mean"),
        wait.max().alias("max"),
        *(wait.quantile(share, "linear").alias(f"q{share * 100:g}") for share in dict.fromkeys(quantiles)),
    ]
    # The streaming engine sorts a group once for each quantile, which is slower than holding one column.
    made = frame.group_by(names).agg(figures).collect() if names else frame.select(figures).collect()
    return sorted_by(made, names)


def distribution(
    store: Store, by: str | Sequence[str], edges: Sequence[float] | None, choice: Choice
) -> pl.DataFrame:
    """Return `by`, ``from``, ``to`` (seconds; the last is open: null), ``jobs`` and their ``share`` of the group.

    Raises
    ------
    InvalidArgument
        If the edges do not grow.
    """
    import polars as pl

    try:
        bounds = [float(one) for one in (EDGES if edges is None else edges)]
    except (TypeError, ValueError):
        bounds = []
    if not bounds or any(after <= before for before, after in pairwise(bounds)):
        raise InvalidArgument(f"edges={edges!r}: expected seconds that grow, such as [0, 60, 3600].")
    names, frame = _waiting(store, by, choice)
    place = pl.sum_horizontal([(pl.col("wait") >= bound).cast(pl.Int32) for bound in bounds]).alias("_place")
    counted = collected(
        frame.with_columns(place).group_by([*names, "_place"]).agg(pl.len().cast(pl.Int64).alias("jobs"))
    )
    places = pl.DataFrame(
        {"_place": range(len(bounds) + 1), "from": [None, *bounds], "to": [*bounds, None]},
        schema={"_place": pl.Int32, "from": pl.Float64, "to": pl.Float64},
    )
    # A wait below the first bound (clocks that differ) is a row of its own, where there is one.
    if not counted.height or counted["_place"].min() != 0:
        places = places.slice(1)
    every = counted.select(names).unique().join(places, how="cross") if names else places
    told = every.join(counted, on=[*names, "_place"], how="left", nulls_equal=True).with_columns(
        pl.col("jobs").fill_null(0)
    )
    total = pl.col("jobs").sum().over(names) if names else pl.col("jobs").sum()
    told = told.with_columns(share=pl.when(total > 0).then(pl.col("jobs") / total))
    return sorted_by(told, [*names, "_place"]).drop("_place")
