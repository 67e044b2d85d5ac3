"""The groups with most of something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.accounting.groupings import groups
from gcs_lab.accounting.summary import MEASURES, aggregations, summarise
from gcs_lab.accounting.truth import chosen, collected
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    import polars as pl

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.store import Store

__all__ = ["top"]

#: What there are nearly as many of as records: all figures of each would be as large as all records.
_MANY = ("job_id",)


def top(store: Store, n: int, by: str, measure: str, choice: Choice) -> pl.DataFrame:
    """Return `by`, `measure`, its ``share`` of all, and the other figures of a summary; most first, `n` rows.

    Raises
    ------
    UnknownName
        If there is no such measure or grouping; InvalidArgument: `n` is no number of rows.
    """
    import polars as pl

    if measure not in MEASURES:
        raise UnknownName("measure", str(measure), MEASURES, where="summary", relation="in")
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n < 2**63:
        raise InvalidArgument(f"n={n!r}: expected a number of rows, 1 or more.")
    if list(groups(by)) == list(_MANY) and measure != "wait_mean":
        made = summarise(store, by, choice, only=pl.col(*_MANY).is_in(_first(store, n, measure, choice)))
        total = summarise(store, (), choice)[measure].item()
    else:
        made = summarise(store, by, choice)
        total = made[measure].sum()
    if measure != "wait_mean":
        made = made.with_columns(share=pl.col(measure) / total if total else pl.lit(None, pl.Float64))
    names = [name for name in made.columns if name not in {*MEASURES, "share"}]
    first = [*names, measure, *(["share"] if "share" in made.columns else [])]
    rest = [name for name in MEASURES if name != measure]
    # Stable: equal ones stay in the order of their names.
    return made.select(*first, *rest).sort(measure, descending=True, nulls_last=True, maintain_order=True).head(n)


def _first(store: Store, n: int, measure: str, choice: Choice) -> list[str]:
    """Return the `n` of _MANY with most of one measure, found by that one alone; the first by name of equal ones."""
    import polars as pl

    kind, of = aggregations()[measure]
    figures = [] if kind == "len" else [of.alias("figure")]
    added = pl.len().alias("figure") if kind == "len" else pl.col("figure").sum()
    frame = chosen(store, [pl.col(*_MANY).alias("group"), *figures], choice).group_by("group").agg(added)
    most = collected(frame.sort(["figure", "group"], descending=[True, False]).head(n))
    return most["group"].drop_nulls().to_list()
