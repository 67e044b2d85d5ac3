"""What was used of what was kept from others: CPU by slots, memory and time by what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.accounting.derived import derived, is_last_run, memory_request, time_request
from gcs_lab.accounting.groupings import groups
from gcs_lab.accounting.store_grouped import Aggregation

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.store import Store

__all__ = ["asked_memory", "asked_memory_per_slot", "asked_time", "efficiency"]

#: What memory is asked for by, the strictest first; all are per slot (complex(5): consumable YES).
_MEMORY = ("h_vmem", "s_vmem", "mem_free")
_TIME = ("h_rt", "s_rt")


def asked_memory() -> pl.Expr:
    """Return the bytes that a job asked for, of all its slots; null: it did not, or for unlimited."""
    import polars as pl

    return asked_memory_per_slot() * pl.col("slots")


def asked_memory_per_slot() -> pl.Expr:
    """Return the bytes that a job asked for, for each slot, from its category alone; null as above."""
    import polars as pl

    return _finite(pl.coalesce([memory_request(name) for name in _MEMORY]))


def asked_time() -> pl.Expr:
    """Return the seconds that a job asked for, from its category; null: it did not, or for unlimited."""
    import polars as pl

    return _finite(pl.coalesce([time_request(name) for name in _TIME]))


def _finite(value: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.when(value.is_finite() & (value > 0)).then(value)


def _sums() -> dict[str, Aggregation]:
    """Return what is added up by category, so that each different one is read once."""
    import polars as pl

    kept, ran, used = derived()["slot_seconds"], pl.col("wallclock"), pl.col("max_vmem").cast(pl.Float64)
    main = pl.col("pe_task").is_null()
    return {
        "jobs": Aggregation("sum", is_last_run().cast(pl.Int64)),
        "cpu": Aggregation("sum", pl.col("cpu")),
        "slot_seconds": Aggregation("sum", kept),
        # Jobs whose memory was measured; and all that ran.
        "_measured": Aggregation("sum", pl.when(used.is_not_null()).then(kept)),
        "_memory_used": Aggregation("sum", pl.when(main).then(used * ran)),
        "_slots": Aggregation("sum", pl.when(main & ran.is_not_null()).then(pl.col("slots").cast(pl.Int64))),
    }


def efficiency(store: Store, by: str | Sequence[str], choice: Choice) -> pl.DataFrame:
    """Return `by`, ``jobs``, ``slot_seconds``, ``cpu``, ``cpu_efficiency``, ``slot_seconds_idle``, ``memory_used``,
    ``memory_idle`` (byte seconds) and ``time_used``; the group with most idle slot seconds first.

    Ratios are of sums, so that long and wide jobs weigh more; null where nothing of that kind is known.

    Raises
    ------
    UnknownName
        If nothing is grouped by that.
    """  # noqa: D205 - what the columns are takes two lines
    import polars as pl

    wanted = groups(by)
    names = list(wanted)
    sums = store.grouped(
        {**wanted, "category": pl.col("category")},
        _sums(),
        choice.expression(),
        ended=choice.ended(),
        keep=choice.lasting(),
    )
    categories = sums.select(pl.col("category").unique())
    read = categories.with_columns(_memory=asked_memory_per_slot(), _time=asked_time())
    memory, time = pl.col("_memory"), pl.col("_time")
    told = sums.join(read, on="category", how="left", nulls_equal=True).with_columns(
        _memory_asked=memory * pl.col("_measured"),
        _memory_used=pl.when(memory.is_not_null()).then(pl.col("_memory_used")),
        _time_asked=time * pl.col("_slots"),
        _time_used=pl.when(time.is_not_null()).then(pl.col("slot_seconds")),
    )
    columns = ("jobs", "cpu", "slot_seconds", "_memory_asked", "_memory_used", "_time_asked", "_time_used")
    added = [pl.col(column).sum() for column in columns]
    whole = told.group_by(names).agg(added) if names else told.select(added)

    def ratio(part: str, whole: str) -> pl.Expr:
        return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))

    made = whole.select(
        *names,
        pl.col("jobs").cast(pl.Int64),
        "slot_seconds",
        "cpu",
        cpu_efficiency=ratio("cpu", "slot_seconds"),
        slot_seconds_idle=pl.max_horizontal(pl.col("slot_seconds") - pl.col("cpu"), 0.0),
        memory_used=ratio("_memory_used", "_memory_asked"),
        memory_idle=pl.max_horizontal(pl.col("_memory_asked") - pl.col("_memory_used"), 0.0),
        time_used=ratio("_time_used", "_time_asked"),
    )
    return made.sort(["slot_seconds_idle", *names], descending=[True, *([False] * len(names))], nulls_last=True)
