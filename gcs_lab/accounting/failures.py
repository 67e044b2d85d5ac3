"""What failed: causes in words, and where it failed more often than chance would have it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gcs_lab.accounting.derived import derived, has_failed, memory_request, time_request
from gcs_lab.accounting.endings import FAILED_CODES, signal_name
from gcs_lab.accounting.groupings import groups
from gcs_lab.accounting.store_grouped import Aggregation
from gcs_lab.accounting.truth import chosen, collected

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.store import Store

__all__ = ["failures", "reason", "tail"]

_LIMIT, _KILLED = 37, (37, 100, 17)
_FATAL, _LAST_SIGNAL = 128, 64
#: Terms of a tail below this share of its first ones do not change it.
_NEGLIGIBLE = 1e-17


def reason() -> pl.Expr:
    """Return why a record is one of a failure, in words by which many are one kind; null: it is none.

    The same rules as of :func:`gcs_lab.accounting.endings.annotation`, for whole columns.
    """
    import polars as pl

    failed, status = pl.col("failed").fill_null(0), pl.col("exit_status").fill_null(0)
    signals = {_FATAL + one: signal_name(_FATAL + one) or "" for one in range(1, _LAST_SIGNAL + 1)}
    signals = {one: f"ended by signal {name}" for one, name in signals.items() if name}
    signalled = status.replace_strict(signals, default=None, return_dtype=pl.String)
    killed = failed.is_in(_KILLED) | signalled.is_not_null()
    memory = pl.coalesce(memory_request("h_vmem"), memory_request("s_vmem")) * pl.col("slots").fill_null(1)
    time = pl.coalesce(time_request("h_rt"), time_request("s_rt"))
    cpu = pl.coalesce(time_request("h_cpu"), time_request("s_cpu"))
    words = {code: f"failed {text} (code {code})" for code, text in FAILED_CODES.items()}
    coded = failed.replace_strict(words, default=None, return_dtype=pl.String)
    return (
        pl.when(~has_failed())
        .then(None)
        .when(killed & (pl.col("max_vmem") >= memory))
        .then(pl.lit("killed: memory limit exceeded (h_vmem)"))
        .when(killed & (pl.col("wallclock") >= time))
        .then(pl.lit("killed: run time limit exceeded (h_rt)"))
        .when(killed & (pl.col("cpu") >= cpu))
        .then(pl.lit("killed: CPU time limit exceeded (h_cpu)"))
        .when(pl.col("deleted_by").is_not_null())
        .then(pl.lit("deleted"))
        .when(failed == _LIMIT)
        .then(pl.lit("killed: a limit of the job or of its queue was exceeded"))
        .when(signalled.is_not_null())
        .then(signalled)
        .when(failed != 0)
        .then(pl.coalesce(coded, pl.format("failed for an unknown reason (code {})", failed)))
        .otherwise(pl.format("exit status {}", status))
        .alias("reason")
    )


def failures(store: Store, by: str | Sequence[str], choice: Choice) -> pl.DataFrame:
    """Return what failed by its reason, or by group; the columns are those of ``Accounting.failures``.

    Raises
    ------
    UnknownName
        If nothing is grouped by that.
    """
    names = [by] if isinstance(by, str) else list(by)
    return _by_reason(store, choice) if names in (["reason"], []) else _by_group(store, names, choice)


def _by_reason(store: Store, choice: Choice) -> pl.DataFrame:
    """Return each reason with its records, share, owners, hosts, the slot seconds lost, and the last job."""
    import polars as pl

    wanted = [
        reason(),
        pl.col("owner"),
        pl.col("host"),
        derived()["slot_seconds"],
        pl.col("end_time"),
        pl.col("job_id"),
    ]
    last = pl.col("job_id").sort_by("end_time", nulls_last=False).last().alias("last_job")
    made = collected(
        chosen(store, wanted, choice, only=has_failed())
        .group_by("reason")
        .agg(
            pl.len().cast(pl.Int64).alias("records"),
            pl.col("owner").n_unique().cast(pl.Int64).alias("owners"),
            pl.col("host").drop_nulls().n_unique().cast(pl.Int64).alias("hosts"),
            pl.col("slot_seconds").sum(),
            pl.col("end_time").max().alias("last_end"),
            last,
        )
    )
    made = made.with_columns(share=pl.col("records") / pl.col("records").sum())
    order = ("reason", "records", "share", "owners", "hosts", "slot_seconds", "last_end", "last_job")
    return made.select(order).sort(["records", "reason"], descending=[True, False])


def _by_group(store: Store, names: list[str], choice: Choice) -> pl.DataFrame:
    import polars as pl

    wanted = groups(names)
    counted = store.grouped(
        wanted,
        {
            "records": Aggregation("len", pl.lit(1)),
            "failed": Aggregation("sum", has_failed().cast(pl.Int64)),
            "slot_seconds_lost": Aggregation("sum", pl.when(has_failed()).then(derived()["slot_seconds"])),
        },
        choice.expression(),
        ended=choice.ended(),
        keep=choice.lasting(),
    ).with_columns(pl.col("records", "failed").cast(pl.Int64))
    keys = [one.alias(name) for name, one in wanted.items()]
    reasons = (
        collected(chosen(store, [*keys, reason()], choice, only=has_failed()).group_by([*names, "reason"]).len())
        .sort(["len", "reason"], descending=[True, False])
        .group_by(names, maintain_order=True)
        .agg(pl.col("reason").first())
    )
    made = counted.join(reasons, on=names, how="left", nulls_equal=True)
    records, failed = made["records"].to_list(), made["failed"].to_list()
    all_records, all_failed = sum(records), sum(failed)
    others, unlikely = [], []
    for many, bad in zip(records, failed, strict=True):
        rest, rest_bad = all_records - many, all_failed - bad
        others.append(rest_bad / rest if rest else None)
        # Where no other one ever failed, half a failure stands for what was not seen yet.
        rate = (rest_bad + 0.5) / (rest + 1)
        unlikely.append(min(1.0, tail(bad, many, rate) * len(records)) if rest else None)
    made = made.with_columns(
        (pl.col("failed") / pl.col("records")).alias("rate"),
        pl.Series("others", others, pl.Float64),
        pl.Series("unlikely", unlikely, pl.Float64),
    )
    columns = (*names, "records", "failed", "rate", "others", "unlikely", "slot_seconds_lost", "reason")
    return made.select(columns).sort(["unlikely", "rate"], descending=[False, True], nulls_last=True)


def tail(failed: int, records: int, rate: float) -> float:
    """Return the probability that `failed` or more of `records` fail, each with the probability `rate` (binomial)."""
    import numpy as np

    if failed <= 0 or rate >= 1:
        return 1.0
    if failed > records or rate <= 0:
        return 0.0
    mean = records * rate
    upwards = failed > mean
    # From the bound away from the mean, where terms only fall; the other side is what is missing from 1.
    first = failed if upwards else failed - 1
    logarithm = (
        math.lgamma(records + 1)
        - math.lgamma(first + 1)
        - math.lgamma(records - first + 1)
        + first * math.log(rate)
        + (records - first) * math.log1p(-rate)
    )
    steps = min(records - first if upwards else first, int(60 * math.sqrt(mean * (1 - rate)) + 400))
    offsets = np.arange(steps, dtype=np.float64)
    if upwards:
        ratios = (records - first - offsets) / (first + 1 + offsets) * (rate / (1 - rate))
    else:
        ratios = (first - offsets) / (records - first + 1 + offsets) * ((1 - rate) / rate)
    terms = np.cumprod(ratios)
    total = math.exp(logarithm) * (1.0 + float(terms[terms > _NEGLIGIBLE].sum()))
    return min(1.0, total if upwards else max(0.0, 1.0 - total))
