"""What arrays, frames and Arrow data hold, as small plain parts: their bytes are hashed where they lie."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import pandas as pd

__all__ = ["data_parts_of", "is_unchanging"]

#: Bytes of an array that is not in one piece that are copied at a time.
_BLOCK = 4 << 20
#: Attributes of pandas' arrays that change when an array is looked at.
_NOT_CONTENT = {"_cache", "_readonly"}


def data_parts_of(kind: type) -> Callable[[Any], tuple[Any, ...] | None] | None:
    """Return the function that gives the parts of objects of `kind`; None if they are nothing of this module's.

    The function returns None for an object that its own pickle tells best. Libraries that are not loaded are not
    loaded for it.
    """
    top = kind.__module__.partition(".")[0]
    if top == "numpy" and kind is sys.modules["numpy"].ndarray:
        return _array_parts
    if top == "pandas":
        pandas = sys.modules["pandas"]
        if kind is pandas.DataFrame:
            return _frame_parts
        if kind is pandas.Series:
            return _series_parts
        types = pandas.api.extensions
        own = (types.ExtensionArray, types.ExtensionDtype, pandas.Index)
        return _extension_parts if issubclass(kind, own) else None
    if top == "pyarrow":
        pyarrow = sys.modules["pyarrow"]
        if issubclass(kind, (pyarrow.Table, pyarrow.RecordBatch, pyarrow.Array, pyarrow.ChunkedArray)):
            return _arrow_parts
    return None


def is_unchanging(kind: type) -> bool:
    """Tell whether objects of `kind`, one of numpy's or pandas', never change: then sharing one means nothing."""
    top = kind.__module__.partition(".")[0]
    if top == "numpy":
        return issubclass(kind, (sys.modules["numpy"].generic, sys.modules["numpy"].dtype))
    if top == "pandas":
        pandas = sys.modules["pandas"]
        single = (pandas.Timestamp, pandas.Timedelta, pandas.Period, pandas.Interval, pandas.offsets.BaseOffset)
        return issubclass(kind, (pandas.Index, pandas.api.extensions.ExtensionDtype, *single))
    return False


# -- numpy -----------------------------------------------------------------------------------------------------------


def _array_parts(array: np.ndarray[Any, Any]) -> tuple[Any, ...] | None:
    """Return dtype, shape, order and digest of an array; None if it holds objects.

    As in a pickle, an array that is in no order of memory counts as one in C order, which it is in the job.
    """
    if array.dtype.hasobject or array.dtype.kind == "T":
        return None
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    hasher = xxh3_128()
    for block in _blocks(array.T if fortran else array):
        hasher.update(block)
    return "array", array.dtype, array.shape, "F" if fortran else "C", hasher.intdigest()


def _blocks(array: np.ndarray[Any, Any]) -> Iterator[Any]:
    """Yield the bytes of `array` in C order; an array that is in one piece is not copied."""
    import numpy as np

    if array.nbytes == 0:
        return
    if array.flags.c_contiguous or array.nbytes <= _BLOCK or array.ndim == 0:
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return
    row = array.nbytes // len(array)
    if row > _BLOCK:
        for part in array:
            yield from _blocks(part)
        return
    step = _BLOCK // row
    for start in range(0, len(array), step):
        yield np.ascontiguousarray(array[start : start + step]).reshape(-1).view(np.uint8)


# -- pandas ----------------------------------------------------------------------------------------------------------


def _frame_parts(frame: pd.DataFrame) -> tuple[Any, ...]:
    """Return a frame by columns, so that how pandas has laid them together does not count."""
    columns = [_values(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return "frame", frame.columns, frame.index, columns, frame.attrs, frame.flags.allows_duplicate_labels


def _series_parts(series: pd.Series[Any]) -> tuple[Any, ...]:
    flags = series.flags.allows_duplicate_labels
    return "series", series.index, series.name, _values(series), series.attrs, flags


def _values(series: pd.Series[Any]) -> Any:
    import numpy as np

    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array


def _extension_parts(array: Any) -> tuple[Any, ...]:
    """Return what an array, dtype or index of pandas pickles, without what it remembers of being looked at."""
    make, given, *state = array.__reduce_ex__(5)
    parts = state[0] if state and isinstance(state[0], tuple) else state[:1]
    kept = [
        {name: value for name, value in part.items() if name not in _NOT_CONTENT} if isinstance(part, dict) else part
        for part in parts
    ]
    return "extension", make, given, kept


# -- Arrow -----------------------------------------------------------------------------------------------------------


class _Sink:
    """A file that only hashes."""

    closed = False

    def __init__(self) -> None:
        self.hasher = xxh3_128()

    def write(self, data: Any) -> int:
        self.hasher.update(data)
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is open."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _arrow_parts(data: Any) -> tuple[Any, ...]:
    """Return type and digest of Arrow data, from its IPC stream: what a slice does not show does not count."""
    import pyarrow as pa

    kind = type(data).__name__
    table = data
    if isinstance(data, pa.RecordBatch):
        table = pa.Table.from_batches([data])
    elif isinstance(data, (pa.Array, pa.ChunkedArray)):
        kind, table = str(data.type), pa.table({"": data})
    if table.nbytes != table.get_total_buffer_size():
        # A slice's padding shows its neighbours; joined to an empty one it is copied without them.
        table = pa.concat_tables([table, table[:0]])
    sink, table = _Sink(), table.combine_chunks()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema) as stream:
        stream.write_table(table)
    return "arrow", kind, table.num_rows, sink.hasher.intdigest()
