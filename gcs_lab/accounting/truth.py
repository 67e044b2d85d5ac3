"""The records that a question is about, lazily: refreshed, chosen, with what is derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.accounting.derived import column
from gcs_lab.accounting.groupings import names_of
from gcs_lab.accounting.tables import DERIVED_COLUMNS, RECORD_COLUMNS
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import polars as pl

    from gcs_lab.accounting.choice import Choice
    from gcs_lab.accounting.store import Store

__all__ = ["ALL_COLUMNS", "chosen", "collected", "in_order", "lazy_records"]

ALL_COLUMNS = tuple(one.name for one in (*RECORD_COLUMNS, *DERIVED_COLUMNS))


def chosen(
    store: Store, expressions: Iterable[pl.Expr], choice: Choice, *, only: pl.Expr | None = None
) -> pl.LazyFrame:
    """Return some expressions over the records that are meant (and for which `only` is true)."""
    wanted = list(expressions)
    needed = {name for one in wanted for name in one.meta.root_names()} | choice.columns()
    if only is not None:
        needed |= set(only.meta.root_names())
    # In the order of the schema, so that the same question reads in the same way.
    names = [one.name for one in RECORD_COLUMNS if one.name in needed]
    frame = store.scan(names or ["end_time"], ended=choice.ended())
    test = choice.expression()
    if test is not None:
        frame = frame.filter(test)
    if only is not None:
        frame = frame.filter(only)
    return frame.select(wanted)


def collected(frame: pl.LazyFrame) -> pl.DataFrame:
    """Return a lazy frame's rows, worked out in pieces that need little memory."""
    return frame.collect(engine="streaming")


def lazy_records(store: Store, columns: Collection[str] | None, choice: Choice) -> pl.LazyFrame:
    """Return the columns (None: all) of the records that are meant.

    Raises
    ------
    UnknownName
        If there is no such column; InvalidArgument: it is asked for twice, or none is.
    """
    return chosen(store, [column(name) for name in _names(columns)], choice)


def in_order(store: Store, columns: Collection[str] | None, choice: Choice) -> pl.LazyFrame:
    """Return the same, the earliest end first; records that end at once in the order of their files."""
    names = _names(columns)
    helper = "end_time" not in names
    frame = chosen(store, [column(name) for name in ([*names, "end_time"] if helper else names)], choice)
    frame = frame.sort("end_time", maintain_order=True)
    return frame.drop("end_time") if helper else frame


def _names(columns: Collection[str] | None) -> list[str]:
    if columns is None:
        return list(ALL_COLUMNS)
    names = names_of("columns", columns)
    if not names or len(set(names)) != len(names):
        raise InvalidArgument(
            f"columns={columns!r}: expected names of columns, each once; accounting.columns() has them."
        )
    return names
