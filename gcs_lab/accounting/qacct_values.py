"""The values in what ``qacct -j`` prints, as expressions over columns of text.

SGE 8.1.9 writes figures with a unit (``677.875MBs``), 6.2 and OCS 9.x without; both round to three digits. In the
files ``mem`` and ``io`` are GiB s and GiB, ``maxvmem`` is bytes, ``ru_maxrss`` is KiB, which 8.1.9 labels ``B`` too.
Sources: SGE ``source/clients/qacct/qacct.c``, OCS ``source/clients/qacct/ocs_qacct.cc``, and recordings of both.
"""

from __future__ import annotations

import polars as pl

from gcs_lab.accounting.local_times import from_local

__all__ = ["first_number", "integral", "scaled", "time_of"]

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_FIGURE = r"^(-?[\d.]+(?:[eE][+-]?\d+)?)([KMGTP]?)(GBs|GB|Bs|B|s|)$"
_GIB = 2.0**30
#: 8.1.9 (as ctime(3)); the same in other builds; OCS 9.x.
_FORMATS = ("%a %b %d %H:%M:%S %Y", "%m/%d/%Y %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")


def first_number(name: str) -> pl.Expr:
    """Return the whole number that a value begins with: ``37  : qmaster enforced h_rt limit``, ``137 (Killed)``."""
    return pl.col(name).str.extract(r"^(-?\d+)").cast(pl.Int64, strict=False).alias(name)


def scaled(name: str) -> pl.Expr:
    """Return a figure with K, M, G … (of 1024) applied, without its unit."""
    number, power, _ = _parts(name)
    return (number * power).alias(name)


def integral(name: str) -> pl.Expr:
    """Return ``mem`` as byte s and ``io`` as bytes: what has no ``B`` of its own is GiB."""
    number, power, unit = _parts(name)
    return (number * power * pl.when(unit.is_in(["B", "Bs"])).then(1.0).otherwise(_GIB)).alias(name)


def _parts(name: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    parts = pl.col(name).str.extract_groups(_FIGURE).struct
    power = parts.field("2").replace_strict(_POWERS, default=None, return_dtype=pl.Float64)
    return parts.field("1").cast(pl.Float64, strict=False), pl.lit(1024.0).pow(power), parts.field("3")


def time_of(text: pl.Series) -> pl.Series:
    """Return local times as UTC (see :func:`from_local`); null for ``-/-`` and for the beginning of the epoch."""
    plain = text.str.replace_all(r"\s+", " ")
    found = pl.Series(text.name, [None] * len(text), dtype=pl.Datetime("us"))
    for form in _FORMATS:
        found = found.zip_with(found.is_not_null(), plain.str.to_datetime(form, time_unit="us", strict=False))
    times = from_local(found)
    return times.set(times.dt.epoch("us") <= 0, None)
