"""Names in the order that people expect: node2 before node10, whatever their case; for 100,000 names at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["natural_keys"]

#: A run of digits begins with the number of them, in one byte; runs longer than that many share a byte.
_LONGEST = 255 - ord("0")


def natural_keys(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return keys (binary) that sort as the texts should: runs of digits by their value, letters whatever their case.

    Before each run of digits its length is put, and its leading zeros are left out: a longer number is larger, and
    numbers of one length compare digit by digit. Nulls stay null. Texts that differ in case or zeros alone are equal.

    Parameters
    ----------
    texts
        Strings.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    folded = pc.utf8_lower(texts)
    if isinstance(folded, pa.ChunkedArray):
        folded = folded.combine_chunks()
    if folded.type != pa.large_string():
        folded = folded.cast(pa.large_string())
    valid, raw_offsets, raw_data = folded.buffers()
    if raw_data is None or len(folded) == 0:
        return folded.cast(pa.large_binary())
    offsets = np.frombuffer(raw_offsets, np.int64)[folded.offset : folded.offset + len(folded) + 1]
    data = np.frombuffer(raw_data, np.uint8)[: offsets[-1]]
    digit = (data >= ord("0")) & (data <= ord("9"))
    # A text begins anew: its first digit is not of the run that ended the text before it.
    text_start = np.zeros(len(data) + 1, np.bool_)
    text_start[offsets] = True
    before = np.concatenate(([False], digit[:-1]))
    starts = np.flatnonzero(digit & (~before | text_start[:-1]))
    if not len(starts):
        return folded.cast(pa.large_binary())
    after = np.concatenate((digit[1:], [False]))
    ends = np.flatnonzero(digit & (~after | text_start[1:])) + 1
    # Of 007 the 7 counts; of 000 the last 0 does.
    telling = np.flatnonzero(digit & (data != ord("0")))
    telling = np.append(telling, len(data))
    first = np.minimum(telling[np.searchsorted(telling, starts)], ends - 1)
    lengths = np.minimum(ends - first, _LONGEST).astype(np.uint8) + np.uint8(ord("0"))
    # What each byte becomes: left out (a leading zero), itself, or itself with the length before it.
    width = np.ones(len(data), np.int64)
    width += np.bincount(first, minlength=len(data))
    zeros = first - starts
    if zeros.any():
        drop = np.repeat(starts, zeros) + _counting(zeros)
        width[drop] = 0
    places = np.concatenate(([0], np.cumsum(width)))
    made = np.empty(places[-1], np.uint8)
    kept = width > 0
    made[places[1:][kept] - 1] = data[kept]
    made[places[first]] = lengths
    buffers = [valid if folded.offset == 0 else None, pa.py_buffer(places[offsets]), pa.py_buffer(made)]
    keys = pa.Array.from_buffers(pa.large_binary(), len(folded), buffers)
    if folded.offset and folded.null_count:
        keys = pc.if_else(folded.is_valid(), keys, pa.scalar(None, pa.large_binary()))
    return keys


def _counting(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0, 1, 2 … up to each of `lengths`, one after the other."""
    import numpy as np

    ends = np.cumsum(lengths)
    return np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
