"""Columns of a snapshot's tables as numpy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcs_lab.status.state_kinds import codes_and_values

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["numbers_of", "rows_in_states"]


def numbers_of(table: pa.Table, column: str, missing: float = 0) -> NDArray[np.float64]:
    """Return a column of numbers; null is `missing`."""
    return np.asarray(table[column].fill_null(missing).to_numpy(), np.float64)


def rows_in_states(tasks: pa.Table, *states: str) -> NDArray[np.bool_]:
    """Return which rows are in one of the DRMAA2 states of these names."""
    codes, names = codes_and_values(tasks["state"])
    wanted: NDArray[np.bool_] = np.array([name in states for name in names] + [False])[codes]
    return wanted
