"""What records are grouped by: their columns, their queue instance, and the time they were submitted or ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.derived import column
from gcs_lab.accounting.tables import RECORD_COLUMNS
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["TIMES", "groups", "sorted_by"]

#: Words for times, and the width of each.
TIMES = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo", "year": "1y"}
_CLOCKS = ("hour_of_day", "weekday", "hour_of_week")
_COLUMNS = tuple(one.name for one in RECORD_COLUMNS if one.type not in {"double", "timestamp"})


def groups(by: str | Sequence[str], time: str = "end_time") -> dict[str, pl.Expr]:
    """Return what is grouped by, as expressions over RECORD_COLUMNS by their names.

    Parameters
    ----------
    by
        Columns, ``"queue_instance"``, ``"hour"`` to ``"year"``, ``"hour_of_day"`` (0 to 23), ``"weekday"`` (1 is
        Monday), ``"hour_of_week"`` (0 is Monday 0:00). Times are UTC.
    time
        The column that times are of.

    Raises
    ------
    UnknownName
        If nothing is grouped by that; InvalidArgument: twice.
    """
    names = names_of("by", by)
    if len(set(names)) != len(names):
        raise InvalidArgument(f"by={by!r} names something twice; name each once.")
    return {name: _one(name, time) for name in names}


def names_of(word: str, value: Any) -> list[str]:
    """Return the names that a parameter has: one, several in a list, or none.

    Raises
    ------
    InvalidArgument
        If it is something else.
    """
    if isinstance(value, str):
        return [value]
    names = list(value) if isinstance(value, Iterable) else [value]
    if not all(isinstance(name, str) for name in names):
        raise InvalidArgument(f"{word}={value!r}: expected a name, or several in a list, as text.")
    return names


def _one(name: str, time: str) -> pl.Expr:
    import polars as pl

    if name in _COLUMNS:
        return pl.col(name)
    if name == "requests":
        return column(name)
    if name in TIMES:
        return pl.col(time).dt.truncate(TIMES[name]).alias(name)
    hour, day = pl.col(time).dt.hour().cast(pl.Int32), pl.col(time).dt.weekday().cast(pl.Int32)
    made = {
        "queue_instance": pl.concat_str(pl.col("queue").cast(pl.String), pl.lit("@"), pl.col("host").cast(pl.String)),
        "hour_of_day": hour,
        "weekday": day,
        "hour_of_week": (day - 1) * 24 + hour,
    }
    if name not in made:
        raise UnknownName("grouping", name, [*_COLUMNS, *TIMES, *made, "requests"], where="accounting", relation="in")
    return made[name].alias(name)


def sorted_by(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return the rows in the order of some columns, text by its letters as qacct sorts it, missing last."""
    import polars as pl

    if not names:
        return frame
    keys = [
        pl.col(name).cast(pl.String) if isinstance(frame.schema[name], pl.Categorical) else pl.col(name)
        for name in names
    ]
    return frame.sort(keys, nulls_last=True)
