"""What became of a table from one snapshot to the next, for those who want to know of single rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gcs_lab.models.row_cells import cells_of, keys_as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status.snapshot import TableChanges

__all__ = ["TableEvent", "events_of"]


@dataclass(frozen=True)
class TableEvent:
    """Rows that came (``added``), are other than before (``changed``), or went (``removed``).

    ``keys`` (uint64) tell which; :meth:`rows` makes them readable. Rows of which only figures differ that are other
    at nearly every look (CPU time, load, priority) make no event.
    """

    kind: Literal["added", "changed", "removed"]
    keys: NDArray[np.uint64]
    time: float
    _table: pa.Table = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, columns: list[str] | None = None, most: int = 1_000) -> list[dict[str, Any]]:
        """Return at most so many of the rows as dictionaries: those that went as they last were.

        Times are seconds since the epoch, keys decimal text.

        Parameters
        ----------
        columns
            Names as in the table; None: all.
        most
            How many rows.
        """
        import numpy as np

        places = np.flatnonzero(np.isin(self._table["key"].to_numpy(), self.keys))[:most]
        names = self._table.column_names if columns is None else columns
        return [dict(zip(names, row, strict=True)) for row in cells_of(self._table, places, list(names), self.time)]

    def keys_as_text(self) -> list[str]:
        """Return the keys as decimal text."""
        return keys_as_text(self.keys)


def events_of(
    before: pa.Table | None, after: pa.Table, changes: TableChanges | None, time: float
) -> Iterator[TableEvent]:
    """Yield what became of a table; nothing where it is the first.

    Parameters
    ----------
    before, after
        The table as it was and as it is.
    changes
        What differs; None: not known, then all rows that stayed count as changed.
    time
        When it was looked at.
    """
    import numpy as np

    if before is None:
        return
    if changes is None:
        old, new = before["key"].to_numpy(), after["key"].to_numpy()
        added, removed = np.setdiff1d(new, old), np.setdiff1d(old, new)
        changed = np.intersect1d(new, old)
    else:
        added, changed, removed = changes.added, changes.changed, changes.removed
    if len(added):
        yield TableEvent("added", added, time, after)
    if len(changed):
        yield TableEvent("changed", changed, time, after)
    if len(removed):
        yield TableEvent("removed", removed, time, before)
