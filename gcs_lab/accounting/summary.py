"""What was used, by group: the figures of qacct with qacct's arithmetic, and our own beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.accounting.derived import derived, has_failed, is_last_run
from gcs_lab.accounting.groupings import groups, sorted_by
from gcs_lab.accounting.store_grouped import Aggregation
from gcs_lab.accounting.truth import chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.store import Store

__all__ = ["MEASURES", "QACCT_COLUMNS", "aggregations", "finished", "summarise"]

#: Our names of what qacct prints under WALLCLOCK UTIME STIME CPU MEMORY IO IOW.
QACCT_COLUMNS = ("wallclock", "utime", "stime", "cpu", "memory", "io", "io_wait")
#: All figures of a summary, in order.
MEASURES = ("records", "jobs", "failed", "slot_seconds", "wait_mean", *QACCT_COLUMNS)
#: qacct prints the raw figures, in GiB.
_GIB = 1 / 2.0**30


def aggregations() -> dict[str, Aggregation]:
    """Return what is added up for a summary, over RECORD_COLUMNS."""
    import polars as pl

    wait = derived()["wait"].alias("wait_sum")
    main_wait = pl.when(pl.col("pe_task").is_null()).then(wait)
    return {
        "records": Aggregation("len", pl.lit(1)),
        "jobs": Aggregation("sum", is_last_run().cast(pl.Int64)),
        "failed": Aggregation("sum", has_failed().cast(pl.Int64)),
        "slot_seconds": Aggregation("sum", derived()["slot_seconds"]),
        "wait_sum": Aggregation("sum", main_wait),
        "wait_count": Aggregation("count", main_wait),
        # atol(3): qacct leaves out what stands behind the point.
        "wallclock": Aggregation("sum", pl.col("ru_wallclock").truncate()),
        "utime": Aggregation("sum", pl.col("ru_utime")),
        "stime": Aggregation("sum", pl.col("ru_stime")),
        "cpu": Aggregation("sum", pl.col("cpu")),
        "memory": Aggregation("sum", pl.col("memory") * _GIB),
        "io": Aggregation("sum", pl.col("io") * _GIB),
        "io_wait": Aggregation("sum", pl.col("io_wait")),
    }


def finished(sums: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return the groups' names and MEASURES, made of what was added up."""
    import polars as pl

    mean = pl.when(pl.col("wait_count") > 0).then(pl.col("wait_sum") / pl.col("wait_count"))
    counts = [pl.col(name).cast(pl.Int64) for name in ("records", "jobs", "failed")]
    return sums.with_columns(*counts, wait_mean=mean).select(*by, *MEASURES)


def summarise(
    store: Store,
    by: str | Sequence[str],
    choice: Choice,
    *,
    in_turn: bool = False,
    only: pl.Expr | None = None,
) -> pl.DataFrame:
    """Return `by` and MEASURES, one row a group; without `by` one row of totals.

    Nothing is multiplied by slots but ``slot_seconds`` (``qacct.c`` of 8.1.9: plain sums of ru_wallclock, ru_utime,
    ru_stime, cpu, mem, io and iow over all records, those of a parallel job's processes with them).

    Parameters
    ----------
    store, by, choice
        Where from, by what, which.
    in_turn
        Whether one record after the other is added, in the order of the files, as qacct does: its rounding errors are
        then ours. Nothing is remembered for it.
    only
        What else must be true of a record; not with `in_turn`. Nothing is remembered for it.

    Raises
    ------
    UnknownName
        If nothing is grouped by that.
    """
    wanted = groups(by)
    if in_turn:
        sums = _in_turn(store, wanted, choice)
    else:
        test = choice.expression()
        if only is not None:
            test = only if test is None else test & only
        keep = only is None and choice.lasting()
        sums = store.grouped(wanted, aggregations(), test, ended=choice.ended(), keep=keep)
    return sorted_by(finished(sums, list(wanted)), list(wanted))


def _in_turn(store: Store, wanted: dict[str, pl.Expr], choice: Choice) -> pl.DataFrame:
    import polars as pl

    figures = []
    for name, (kind, of) in aggregations().items():
        # A column for each row, where a literal would be one value.
        value = pl.col("failed").is_null() | True if kind == "len" else of.is_not_null() if kind == "count" else of
        figures.append(value.cast(pl.Float64).fill_null(0.0).alias(name))
    names = list(wanted)
    frame = chosen(store, [*(one.alias(name) for name, one in wanted.items()), *figures], choice).collect()
    added = [pl.col(one.meta.output_name()).cum_sum().last() for one in figures]
    if names:
        return frame.group_by(names, maintain_order=True).agg(added)
    return frame.select(one.fill_null(0.0) for one in added)
