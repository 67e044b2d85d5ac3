"""Turn columns of text, as Grid Engine's commands print them, into numbers, times and words; a column at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

__all__ = ["INSTEAD", "MISSING", "NOT_AS_GIVEN", "as_given", "mapped", "numbers", "times", "words"]

#: How the commands write that there is no value.
MISSING = frozenset(("", "-", "-NA-", "N/A", "NONE"))
#: What :func:`as_given` mends.
NOT_AS_GIVEN = "%lt;|[\\x00-\\x08\\x0b-\\x1f]"
#: What stands for control characters.
INSTEAD = dict.fromkeys([*range(9), 11, 12, *range(14, 32)], "\ufffd") | {13: " "}


def as_given(text: str) -> str:
    """Return text as the user gave it: 8.1.9 prints ``<`` as ``%lt;``, and control characters, which no XML has."""
    return text.replace("%lt;", "<").translate(INSTEAD)


def words(column: pa.Array) -> pa.DictionaryArray:
    """Return a column of few different words, each kept once; what says that it is missing is null."""
    return mapped(column, lambda word: None if word in MISSING else as_given(word))


def mapped(column: pa.Array, function: Callable[[str], str | None]) -> pa.DictionaryArray:
    """Return what `function` makes of each word of a column, which it is asked once; nulls stay."""
    import numpy as np
    import pyarrow as pa

    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    made = [function(word) for word in coded.dictionary.to_pylist()]
    places: dict[str, int] = {}
    # Nulls point at the last place, which is null.
    codes = np.array([-1 if word is None else places.setdefault(word, len(places)) for word in made] + [-1], np.int32)
    indices = codes[np.asarray(coded.indices.fill_null(len(made)))]
    return pa.DictionaryArray.from_arrays(
        pa.array(indices, pa.int32(), mask=indices < 0), pa.array(list(places), pa.string())
    )


def numbers(column: pa.Array, kind: pa.DataType, factor: float = 1.0) -> pa.Array:
    """Return the numbers in a column of text, times `factor`; what is no such number is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = column.cast(kind)
    except pa.ArrowInvalid:
        found = pa.array([_number(text, kind) for text in column.to_pylist()], kind)
    return found if factor == 1.0 else pc.multiply(found, pa.scalar(factor, kind))


def times(column: pa.Array) -> pa.Array:
    """Return the times in a column of text (ISO; 9.x with microseconds) in UTC.

    What is none, or the first second of 1970, is null. The commands must have run with ``TZ=UTC``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.timestamp("us")
    try:
        found = column.cast(kind)
    except pa.ArrowInvalid:
        found = pa.array([_time(text) for text in column.to_pylist()], kind)
    seconds = found.cast(pa.int64())
    return pc.if_else(pc.equal(seconds, 0), None, seconds).cast(pa.timestamp("us", tz="UTC"))


def _number(text: str | None, kind: pa.DataType) -> Any:
    import pyarrow as pa

    try:
        return pa.scalar(text, pa.string()).cast(kind).as_py()
    except pa.ArrowInvalid:
        return None


def _time(text: str | None) -> Any:
    import pyarrow as pa

    try:
        return pa.scalar(text, pa.string()).cast(pa.timestamp("us")).as_py()
    except pa.ArrowInvalid:
        return None
