"""The values in what ``sacct -P`` prints, as expressions over its columns of text (sacct(1))."""

from __future__ import annotations

import polars as pl

from gcs_lab.accounting.local_times import from_local

__all__ = ["bytes_of", "exit_status_of", "failed_of", "first_host", "more_of", "seconds_of", "time_of"]

_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50}
#: Grid Engine's code of failure (sge_status(5)) for a state of Slurm's; a job that ran and failed by itself has 0.
_FAILED = {
    "TIMEOUT": 37, "DEADLINE": 37, "PREEMPTED": 25, "REQUEUED": 25, "NODE_FAIL": 21, "BOOT_FAIL": 1, "REVOKED": 22,
    "OUT_OF_MEMORY": 100, "LAUNCH_FAILED": 11, "RECONFIG_FAIL": 11,
}  # fmt: skip
_OUT_OF_MEMORY = 125
_KILLED = 9


def seconds_of(name: str) -> pl.Expr:
    """Return ``[DD-[HH:]]MM:SS[.mmm]`` as seconds; null for ``UNLIMITED``, ``Partition_Limit`` and nothing."""
    parts = pl.col(name).str.extract_groups(r"^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)$").struct
    fields = [parts.field(str(i)).cast(pl.Float64, strict=False) for i in (1, 2, 3, 4)]
    days, hours, minutes, seconds = fields
    return (days.fill_null(0) * 86400 + hours.fill_null(0) * 3600 + minutes * 60 + seconds).alias(name)


def bytes_of(name: str) -> pl.Expr:
    """Return a size with K, M, G, T or P (of 1024) as bytes; null for nothing and for 0, which was not measured."""
    parts = pl.col(name).str.extract_groups(r"^(\d+(?:\.\d+)?)([KMGTP]?)$").struct
    power = parts.field("2").replace_strict(_UNITS, default=None, return_dtype=pl.Float64)
    value = parts.field("1").cast(pl.Float64, strict=False) * pl.lit(2.0).pow(power)
    return pl.when(value > 0).then(value).alias(name)


def time_of(text: pl.Series) -> pl.Series:
    """Return local ISO times (or, with ``SLURM_TIME_FORMAT=%s``, seconds since the epoch) as UTC; else null."""
    epoch = text.str.extract(r"^(\d{9,12})$").cast(pl.Int64, strict=False) * 1_000_000
    local = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    return from_local(local).zip_with(local.is_not_null(), epoch.cast(pl.Datetime("us", "UTC")))


def exit_status_of(name: str) -> pl.Expr:
    """Return ``code:signal`` as a shell says it: 128 + signal. Slurm's 125 for "out of memory" was a SIGKILL."""
    parts = pl.col(name).str.extract_groups(r"^(\d+):(\d+)$").struct
    code, signal = (parts.field(str(i)).cast(pl.Int64, strict=False) for i in (1, 2))
    signal = pl.when(signal == _OUT_OF_MEMORY).then(_KILLED).otherwise(signal)
    return pl.when(signal > 0).then(128 + signal).otherwise(code).alias(name)


def failed_of(state: pl.Expr, ran: pl.Expr) -> pl.Expr:
    """Return Grid Engine's code of failure for the first word of a state."""
    cancelled = pl.when(ran).then(100).otherwise(22)
    return (
        pl.when(state == "CANCELLED")
        .then(cancelled)
        .otherwise(state.replace_strict(_FAILED, default=0))
        .cast(pl.Int64)
    )


def first_host(name: str) -> pl.Expr:
    """Return the first of ``node[03-07,12],gpu1``, where the batch script ran; null for ``None assigned``."""
    parts = pl.col(name).str.extract_groups(r"^([^,\[\s]+)(?:\[([^\],-]+))?").struct
    host = pl.concat_str(parts.field("1"), parts.field("2").fill_null(""))
    return (
        pl.when(~pl.col(name).str.to_lowercase().is_in(["", "none assigned", "none", "unknown"]))
        .then(host)
        .alias(name)
    )


def more_of(names: list[str]) -> pl.Expr:
    """Return the columns `names`, under the names that Slurm gives them, as the text of a JSON object."""
    members = [
        pl.when(pl.col(name) != "").then(pl.concat_str(pl.lit(f'"{name}":"'), _escaped(name), pl.lit('"')))
        for name in names
    ]
    if not members:
        return pl.lit(None, dtype=pl.String)
    text = pl.concat_str(*members, separator=",", ignore_nulls=True)
    return pl.when(text != "").then(pl.concat_str(pl.lit("{"), text, pl.lit("}")))


def _escaped(name: str) -> pl.Expr:
    text = pl.col(name).str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return text.str.replace_all("\t", "\\t", literal=True).str.replace_all(r"[\x00-\x1f]", " ")
