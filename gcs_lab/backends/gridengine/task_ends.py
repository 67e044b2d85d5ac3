"""How the tasks of one array job ended, as accounting says, in little memory."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["TaskEnds"]

#: From here on a table of all is quicker than a search for each.
_MANY = 20
_EXIT_BITS = 16


class TaskEnds:
    """The accounting records of one array job, in the order of the file: 16 bytes each, and no object.

    A task that ran several times has several; the last one counts. Once others can see it, it is never changed.
    """

    __slots__ = ("_ends", "_indices", "_offsets")

    def __init__(self) -> None:
        self._indices, self._offsets, self._ends = array("I"), array("q"), array("i")

    def __len__(self) -> int:
        return len(self._indices)

    def add(self, index: int, offset: int, failed: int, exit_status: int) -> None:
        """Append the record at `offset` of the file."""
        self._indices.append(index)
        self._offsets.append(offset)
        self._ends.append(failed << _EXIT_BITS | exit_status)

    def followed_by(self, newer: TaskEnds) -> TaskEnds:
        """Return these records and, behind them, `newer` ones."""
        both = TaskEnds()
        both._indices = self._indices + newer._indices
        both._offsets = self._offsets + newer._offsets
        both._ends = self._ends + newer._ends
        return both

    def indices(self) -> set[int]:
        """Return the indices of the tasks that have a record."""
        return set(self._indices)

    def last_offsets(self, indices: Collection[int] | None = None) -> dict[int, int]:
        """Return where the last record of each of `indices` (None: of all) begins, of those that have one."""
        if indices is None:
            return dict(zip(self._indices, self._offsets, strict=True))
        if len(indices) >= _MANY:
            table = self.last_offsets()
            return {index: table[index] for index in indices if index in table}
        found = {}
        for index in indices:
            at = -1
            while True:
                try:
                    at = self._indices.index(index, at + 1)
                except ValueError:
                    break
                found[index] = self._offsets[at]
        return found

    def packed(self) -> Iterator[tuple[int, int]]:
        """Yield index and end of each record; equal ends are equal numbers, see :meth:`unpacked`."""
        return zip(self._indices, self._ends, strict=True)

    @staticmethod
    def unpacked(end: int) -> tuple[int, int]:
        """Return failure code and exit status of an end."""
        return end >> _EXIT_BITS, end & ((1 << _EXIT_BITS) - 1)
