"""The five kinds of tasks that people count: running, suspended, pending, held, in error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["KINDS", "codes_and_values", "kinds_of"]

#: The one first that a job with several is known by: what runs is further than what waits.
KINDS = ("running", "suspended", "pending", "held", "error")
_OF_STATE = {
    "RUNNING": 0,
    "SUSPENDED": 1,
    "QUEUED": 2,
    "REQUEUED": 2,
    "UNDETERMINED": 2,
    "QUEUED_HELD": 3,
    "REQUEUED_HELD": 3,
    "FAILED": 4,
}


def kinds_of(tasks: pa.Table) -> NDArray[np.int8]:
    """Return the place in :data:`KINDS` of each row of a table with ``letters`` and ``state``.

    A letter ``E`` is an error whatever the state; a state that says nothing (UNDETERMINED, null) counts as pending.
    """
    import numpy as np

    codes, states = codes_and_values(tasks["state"])
    by_code = np.array([_OF_STATE.get(state, 2) for state in states] + [2], np.int8)
    kinds = by_code[codes]
    codes, letters = codes_and_values(tasks["letters"])
    in_error = np.array(["E" in text for text in letters] + [False])
    kinds[in_error[codes]] = KINDS.index("error")
    return kinds


def codes_and_values(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str]]:
    """Return the codes and the values of a dictionary column; the code of a null is -1, the last place of a list."""
    import numpy as np

    one = _one_array(column)
    codes: NDArray[np.int32] = np.asarray(one.indices.fill_null(-1), np.int32)
    return codes, one.dictionary.to_pylist()


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    if column.num_chunks == 1:
        return column.chunk(0)
    if column.num_chunks == 0:
        return pa.array([], column.type)
    return column.unify_dictionaries().combine_chunks()
