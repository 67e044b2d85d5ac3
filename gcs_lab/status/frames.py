"""Arrow tables as DataFrames with the types that pandas' users expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["frame_of"]


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return `table` without its keys.

    Text is ``string``, few different texts ``category``, whole numbers ``Int64`` (missing is ``<NA>``),
    other numbers ``float64``, times ``datetime64[us, UTC]``.
    """
    import pandas as pd
    import pyarrow as pa

    types = {
        pa.int32(): pd.Int64Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.string(): pd.StringDtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    if "key" in table.column_names:
        table = table.drop_columns(["key"])
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(types_mapper=types.get)
    return frame
