"""Records asked in SQL, by polars."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gcs_lab.accounting.choice import Choice
from gcs_lab.accounting.derived import column
from gcs_lab.accounting.frames import frame_from
from gcs_lab.accounting.truth import ALL_COLUMNS, chosen
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from gcs_lab.accounting.area import Accounting

__all__ = ["answer"]

_ASKS = re.compile(r"\s*(?:--[^\n]*\n\s*)*\(*\s*(select|with)\b", re.IGNORECASE)
_MISSING = re.compile(r"unable to find column \"([^\"]*)\"|column '([^']*)' not found|(?:^|\n)(\w+)\s*$")
_HELP = (
    'An example: select owner, sum(cpu) as cpu from records group by owner. The table is records; "group" and other '
    "words of SQL stand in double quotes, texts in single ones."
)


def answer(area: Accounting, query: str, words: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of a ``select`` over ``records``.

    Raises
    ------
    InvalidArgument
        If it cannot be read or worked out, or is no question; UnknownName: there is no such column.
    """
    import polars as pl
    from polars.exceptions import ColumnNotFoundError, PolarsError, SQLInterfaceError, SQLSyntaxError

    if not isinstance(query, str) or not _ASKS.match(query):
        raise InvalidArgument(f"{query!r} is no question; expected one that begins with select or with. {_HELP}")
    records = chosen(area.store, [column(name).alias(name) for name in ALL_COLUMNS], Choice.of(words))
    # Of texts, SQL's functions know only the plain kind.
    records = records.with_columns(pl.selectors.categorical().cast(pl.String))
    try:
        made = pl.SQLContext({"records": records}).execute(query, eager=False)
        return frame_from(made.collect(engine="streaming"))
    except ColumnNotFoundError as error:
        match = _MISSING.search(str(error).split("\n\n")[0])
        name = next((one for one in match.groups() if one), "") if match else ""
        if name:
            raise UnknownName("column", name, ALL_COLUMNS, where="records", relation="in") from None
        raise InvalidArgument(f"there is no such column: {_first_line(error)} {_HELP}") from None
    except SQLSyntaxError as error:
        raise InvalidArgument(f"the query cannot be read: {_first_line(error)} {_HELP}") from None
    except SQLInterfaceError as error:
        raise InvalidArgument(
            f"polars' SQL does not have that: {_first_line(error)} It has select, where, group by, having, order by, "
            "limit, distinct, union, joins, with, case and window functions; accounting.arrow() and "
            f"accounting.records() go on from there. {_HELP}"
        ) from None
    except PolarsError as error:
        raise InvalidArgument(f"the query cannot be worked out: {_first_line(error)} {_HELP}") from None


def _first_line(error: Exception) -> str:
    line = str(error).strip().split("\n")[0].strip()
    return line if line.endswith((".", "?", "!")) else f"{line}."
