"""What a term of a filter asks of the rows of a table, told for all rows at once."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.status.state_kinds import KINDS, codes_and_values, kinds_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status.filter_states import StateTest

__all__ = [
    "AnyTest",
    "BooleanTest",
    "IdTest",
    "JobStateTest",
    "LettersTest",
    "MomentTest",
    "NumberTest",
    "RowTest",
    "TextTest",
    "values_of",
]

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ":": operator.eq,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
#: Keys whose upper half is a number of a job: see `gcs_lab.status.keys`.
_HASHED = 1 << 31


class RowTest(Protocol):
    """One question about each row."""

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:
        """Return the rows for which it is so; what is not known is not so."""
        ...


def values_of(table: pa.Table, column: str, now: float) -> NDArray[np.float64]:
    """Return the numbers of a column; NaN is null, times are seconds since the epoch.

    ``waiting``, ``age``, ``runtime`` and ``slots_free`` are worked out (``now``: seconds since the epoch).
    """
    import numpy as np
    import pyarrow as pa

    if column == "slots_free":
        free: NDArray[np.float64] = values_of(table, "slots_total", now) - values_of(table, "slots_used", now)
        return np.maximum(free, 0)
    if column == "runtime":
        return now - values_of(table, "start_time", now)
    if column == "age":
        return now - values_of(table, "submission_time", now)
    if column == "waiting":
        return np.where(_of_kinds(table, ("pending", "held", "error")), values_of(table, "age", now), np.nan)
    values = table[column]
    if pa.types.is_timestamp(values.type):
        ticks = np.asarray(values.cast(pa.int64()).cast(pa.float64(), safe=False).fill_null(np.nan))
        return ticks / {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[values.type.unit]
    return np.asarray(values.cast(pa.float64(), safe=False).fill_null(np.nan), np.float64)


def _of_kinds(table: pa.Table, kinds: tuple[str, ...]) -> NDArray[np.bool_]:
    """Tell of each row whether a task of it is of one of some kinds."""
    import numpy as np

    if all(kind in table.column_names for kind in kinds):
        counts = [np.asarray(table[kind].fill_null(0)) for kind in kinds]
        counted: NDArray[np.bool_] = np.logical_or.reduce([count > 0 for count in counts])
        return counted
    return np.isin(kinds_of(table), [KINDS.index(kind) for kind in kinds])


def _by_value(column: pa.ChunkedArray, test: Callable[[pa.Array], pa.Array]) -> NDArray[np.bool_]:
    """Return what `test` says of the texts of a column; of a dictionary's each is tested once. Null: no."""
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return np.asarray(test(column).fill_null(False), np.bool_)
    codes, values = codes_and_values(column)
    told = np.asarray(test(pa.array(values, pa.string())).fill_null(False), np.bool_)
    found: NDArray[np.bool_] = np.append(told, False)[codes]
    return found


def _missing(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return where there is nothing: null, or an empty text."""
    import numpy as np
    import pyarrow.compute as pc

    return np.asarray(column.is_null()) | _by_value(column, lambda texts: pc.equal(texts, ""))


@dataclass(frozen=True)
class TextTest:
    """One of some texts, patterns or pieces.

    ``exact`` are whole texts, the empty one being what is missing; ``patterns`` have ``*`` and ``?``; ``pieces`` are
    contained, whatever their case.
    """

    column: str
    exact: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    folded: bool = False

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:  # noqa: ARG002
        """Return the rows for which it is so."""
        import numpy as np

        found = _by_value(table[self.column], self._told) if self._asks() else np.zeros(table.num_rows, np.bool_)
        return found | _missing(table[self.column]) if "" in self.exact else found

    def _asks(self) -> bool:
        return any(self.exact) or bool(self.patterns) or bool(self.pieces)

    def _told(self, texts: pa.Array) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        told = pc.is_in(texts, value_set=pa.array([text for text in self.exact if text], pa.string()))
        for pattern in self.patterns:
            told = pc.or_(told, pc.match_substring_regex(texts, _expression(pattern), ignore_case=self.folded))
        for piece in self.pieces:
            told = pc.or_(told, pc.match_substring(texts, piece, ignore_case=True))
        return told


def _expression(pattern: str) -> str:
    """Return a pattern with ``*`` and ``?`` as a regular expression of RE2."""
    parts = (
        ".*" if part.startswith("*") else "." if part == "?" else re.escape(part)
        for part in re.split(r"(\*+|\?)", pattern)
    )
    return rf"(?s)\A{''.join(parts)}\z"


@dataclass(frozen=True)
class IdTest:
    """Jobs by number: their ids, those of tasks (``4711.3``), patterns, or more or less than a number."""

    ids: tuple[str, ...] = ()
    tasks: tuple[tuple[str, int], ...] = ()
    patterns: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    comparison: str = ""
    bound: float = 0.0

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:
        """Return the rows for which it is so."""
        import numpy as np

        if self.comparison:
            numbers = table["key"].to_numpy() >> np.uint64(32)
            told: NDArray[np.bool_] = _COMPARISONS[self.comparison](numbers, self.bound) & (numbers < _HASHED)
            return told
        jobs = self.ids
        if "task" not in table.column_names:
            jobs = (*jobs, *(job_id for job_id, _ in self.tasks))
        found = TextTest("job_id", jobs, self.patterns, self.pieces).rows(table, now)
        if "task" in table.column_names:
            for job_id, task in self.tasks:
                found |= TextTest("job_id", (job_id,)).rows(table, now) & (values_of(table, "task", now) == task)
        return found


@dataclass(frozen=True)
class NumberTest:
    """A number (bytes, seconds) that is as much as, more or less than others."""

    column: str
    comparison: str
    bounds: tuple[float, ...]

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:
        """Return the rows for which it is so."""
        import numpy as np

        values = values_of(table, self.column, now)
        compare = _COMPARISONS[self.comparison]
        told: NDArray[np.bool_] = np.logical_or.reduce([compare(values, bound) for bound in self.bounds])
        return told


@dataclass(frozen=True)
class MomentTest:
    """A time before, within or after some moments: what `read` says when now is."""

    column: str
    comparison: str
    read: tuple[Callable[[float], tuple[float, float]], ...]

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:
        """Return the rows for which it is so."""
        import numpy as np

        values = values_of(table, self.column, now)
        told: NDArray[np.bool_] = np.logical_or.reduce([self._one(values, *read(now)) for read in self.read])
        return told

    def _one(self, values: NDArray[np.float64], begin: float, end: float) -> NDArray[np.bool_]:
        if self.comparison in {":", "="}:
            return (values >= begin) & (values < end)
        if self.comparison in {">", "<="}:
            told: NDArray[np.bool_] = values >= end if self.comparison == ">" else values < end
            return told
        return values >= begin if self.comparison == ">=" else values < begin


@dataclass(frozen=True)
class BooleanTest:
    """Yes or no."""

    column: str
    wanted: tuple[bool, ...]

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:  # noqa: ARG002
        """Return the rows for which it is so."""
        import numpy as np
        import pyarrow as pa

        values = np.asarray(table[self.column].cast(pa.int8()).fill_null(2))
        return np.isin(values, [int(one) for one in self.wanted])


@dataclass(frozen=True)
class JobStateTest:
    """Jobs or tasks in one of some states."""

    states: tuple[StateTest, ...]

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:
        """Return the rows for which it is so; an array job is in all states that its tasks are in."""
        import numpy as np

        found = np.zeros(table.num_rows, np.bool_)
        for one in self.states:
            if one.kinds and not one.letters and not one.state:
                found |= _of_kinds(table, one.kinds)
                continue
            if one.state:
                found |= TextTest("state", (one.state,)).rows(table, now)
            if one.letters:
                found |= TextTest("letters", patterns=(one.letters,)).rows(table, now)
            if one.letter:
                found |= TextTest("letters", patterns=(f"*{one.letter}*",)).rows(table, now)
            if one.kinds and "array" in table.column_names:
                found |= BooleanTest("array", (True,)).rows(table, now) & _of_kinds(table, one.kinds)
        return found


@dataclass(frozen=True)
class LettersTest:
    """Queues or hosts whose letters have all of some, or one of some; without any: those that are open."""

    column: str
    all_of: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    is_open: tuple[bool, ...] = ()

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:  # noqa: ARG002
        """Return the rows for which it is so."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = (
            table[self.column].fill_null("") if pa.types.is_string(table[self.column].type) else table[self.column]
        )
        if not pa.types.is_dictionary(column.type):
            column = pc.dictionary_encode(column)
        return _by_value(column, lambda texts: pa.array([self._told(text) for text in texts.to_pylist()], pa.bool_()))

    def _told(self, letters: str) -> bool:
        return (
            any(set(some) <= set(letters) for some in self.all_of)
            or any(set(some) & set(letters) for some in self.one_of)
            or any(bool(letters) is not is_open for is_open in self.is_open)
        )


@dataclass(frozen=True)
class AnyTest:
    """One of several tests: a bare word is looked for in several columns."""

    tests: tuple[RowTest, ...] = field(default=())

    def rows(self, table: pa.Table, now: float) -> NDArray[np.bool_]:
        """Return the rows for which one of them is so."""
        import numpy as np

        found = np.zeros(table.num_rows, np.bool_)
        for test in self.tests:
            found |= test.rows(table, now)
        return found
