"""Times that a command printed without a zone: in the local time of the host that it ran on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from datetime import datetime, timedelta

__all__ = ["from_local"]

#: Clocks are changed at full quarters of an hour, everywhere.
_QUARTER = "15m"


def from_local(times: pl.Series) -> pl.Series:
    """Return naive local `times` as ``Datetime("us", "UTC")``.

    The zone is that of this process (``TZ``, else ``/etc/localtime``): nothing in the text tells another. The hour
    that comes twice when summer time ends is taken as its first pass, so such a time may be an hour early; a time in
    the hour that is left out when it begins is read as if the clock had not been changed yet. What cannot be said in
    UTC is null.
    """
    quarters = times.cast(pl.Datetime("us")).dt.truncate(_QUARTER).rename("quarter")
    known = quarters.unique().drop_nulls()
    offsets = pl.DataFrame(
        {"quarter": known, "offset": pl.Series([_offset(q) for q in known], dtype=pl.Duration("us"))}
    )
    frame = pl.DataFrame({"time": times.cast(pl.Datetime("us")), "quarter": quarters})
    joined = frame.join(offsets, on="quarter", how="left", maintain_order="left")
    return (joined["time"] - joined["offset"]).dt.replace_time_zone("UTC").alias(times.name)


def _offset(quarter: datetime) -> timedelta | None:
    try:
        return quarter.astimezone().utcoffset()
    except (ValueError, OverflowError, OSError):
        return None
