"""What failed: causes in words, and where it failed more often than chance would have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.accounting.chance import Chance, chances
from gcs_lab.accounting.derived import derived, has_failed, memory_request, time_request
from gcs_lab.accounting.endings import FAILED_CODES, signal_name
from gcs_lab.accounting.groupings import groups, names_of
from gcs_lab.accounting.store_grouped import Aggregation
from gcs_lab.accounting.truth import chosen, collected

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.store import Store

__all__ = ["failures", "hosts_against_others", "reason"]

_LIMIT, _KILLED = 37, (37, 100, 17)
_FATAL, _LAST_SIGNAL = 128, 64


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
        .then(pl.coalesce(coded, _told("failed for an unknown reason (code ", failed, ")")))
        .otherwise(_told("exit status ", status))
        .alias("reason")
    )


def _told(*parts: str | pl.Expr) -> pl.Expr:
    """Return texts and numbers, one after the other."""
    import polars as pl

    # Not pl.format, which panics (polars 2.1, streaming) on a piece of which a filter left no row.

    return pl.concat_str(pl.lit(part) if isinstance(part, str) else part for part in parts)


def failures(store: Store, by: str | Sequence[str], choice: Choice) -> pl.DataFrame:
    """Return what failed by its reason, or by group; the columns are those of ``Accounting.failures``.

    Raises
    ------
    UnknownName
        If nothing is grouped by that.
    """
    names = names_of("by", by)
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
    counted = _counted(store, wanted, choice)
    keys = [one.alias(name) for name, one in wanted.items()]
    reasons = (
        collected(chosen(store, [*keys, reason()], choice, only=has_failed()).group_by([*names, "reason"]).len())
        .sort(["len", "reason"], descending=[True, False])
        .group_by(names, maintain_order=True)
        .agg(pl.col("reason").first())
    )
    made = counted.join(reasons, on=names, how="left", nulls_equal=True)
    if names == ["host"]:
        by_queue = _counted(store, groups(["host", "queue"]), choice)
        against = hosts_against_others(by_queue.drop("slot_seconds_lost"))
        found = [against[host] for host in made["host"].cast(pl.String)]
    else:
        found = chances(made["records"], made["failed"])
    unlikely = [None if one.others is None else 10.0**one.log10 for one in found]
    made = made.with_columns(
        (pl.col("failed") / pl.col("records")).alias("rate"),
        pl.Series("others", [one.others for one in found], pl.Float64),
        pl.Series("unlikely", unlikely, pl.Float64),
    )
    columns = (*names, "records", "failed", "rate", "others", "unlikely", "slot_seconds_lost", "reason")
    return made.select(columns).sort(["unlikely", "rate"], descending=[False, True], nulls_last=True)


def _counted(store: Store, wanted: dict[str, pl.Expr], choice: Choice) -> pl.DataFrame:
    import polars as pl

    return store.grouped(
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


def hosts_against_others(counted: pl.DataFrame) -> dict[str | None, Chance]:
    """Return what each host has against it, compared with the others in the queues that it serves.

    `counted` has the columns ``host queue records failed``.
    """
    import polars as pl

    texts = counted.with_columns(pl.col("host", "queue").cast(pl.String)).with_columns(pl.col("queue").fill_null(""))
    records, failed = (
        texts.pivot("queue", index="host", values=name, aggregate_function="sum", sort_columns=True)
        .fill_null(0)
        .sort("host")
        for name in ("records", "failed")
    )
    hosts = records["host"].to_list()
    return dict(zip(hosts, chances(records.drop("host").to_numpy(), failed.drop("host").to_numpy()), strict=True))
