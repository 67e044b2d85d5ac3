"""What differs between two snapshots, by key: rows that came, that changed, that went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.status.snapshot import Changes, TableChanges
from gcs_lab.status.state_kinds import codes_and_values
from gcs_lab.status.tables import FIGURES

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.status.snapshot import Snapshot

__all__ = ["TABLES", "changes_between", "table_changes"]

#: The tables of a snapshot.
TABLES = ("tasks", "jobs", "queue_instances", "queues", "hosts")


def changes_between(old: Snapshot, new: Snapshot) -> Changes:
    """Return what differs between two snapshots; tables that are alike are left out."""
    tables = {name: table_changes(old.table(name), new.table(name)) for name in TABLES}
    return Changes({name: changes for name, changes in tables.items() if changes})


def table_changes(old: pa.Table, new: pa.Table) -> TableChanges:
    """Return what differs between two tables of the same columns whose ``key`` is unique in each.

    All columns are compared; a null is equal to a null, and a NaN to a NaN. Texts in dictionaries are compared as
    texts, whatever the dictionaries are. The order of the rows does not count.
    """
    import numpy as np

    old_keys, new_keys = old["key"].to_numpy(), new["key"].to_numpy()
    if np.array_equal(old_keys, new_keys):
        changed, figures = _unequal_rows(old, new, None, None)
        none = np.empty(0, np.uint64)
        return TableChanges(none, np.sort(new_keys[changed]), none, np.sort(new_keys[figures]))
    old_order, new_order = np.argsort(old_keys), np.argsort(new_keys)
    old_keys, new_keys = old_keys[old_order], new_keys[new_order]
    places = np.searchsorted(old_keys, new_keys)
    stayed = np.zeros(len(new_keys), np.bool_)
    inside = places < len(old_keys)
    stayed[inside] = old_keys[places[inside]] == new_keys[inside]
    gone = np.ones(len(old_keys), np.bool_)
    gone[places[stayed]] = False
    common = new_keys[stayed]
    changed, figures = _unequal_rows(old, new, old_order[places[stayed]], new_order[stayed])
    return TableChanges(new_keys[~stayed], common[changed], old_keys[gone], common[figures])


def _unequal_rows(
    old: pa.Table, new: pa.Table, old_places: NDArray[np.intp] | None, new_places: NDArray[np.intp] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell of each pair of rows whether they differ, and whether in figures only; None: all rows, as they stand."""
    import numpy as np

    count = new.num_rows if new_places is None else len(new_places)
    changed, figures = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for name in new.column_names:
        before, after = old[name], new[name]
        if name == "key" or (new_places is None and before.equals(after)):
            continue
        unequal = _unequal(_Places(before, old_places), _Places(after, new_places))
        (figures if name in FIGURES else changed)[unequal] = True
    return changed, figures & ~changed


class _Places:
    """The values of a column at some places (None: all)."""

    def __init__(self, column: pa.ChunkedArray, places: NDArray[np.intp] | None) -> None:
        self.column, self.places = column, places

    def at(self, values: NDArray[Any]) -> NDArray[Any]:
        return values if self.places is None else values[self.places]

    def taken(self) -> pa.ChunkedArray:
        return self.column if self.places is None else self.column.take(self.places)

    def missing(self) -> NDArray[np.bool_]:
        """Tell which are null, or not a number."""
        import numpy as np
        import pyarrow.compute as pc

        return self.at(np.asarray(pc.is_null(self.column, nan_is_null=True)))

    def numbers(self) -> NDArray[Any]:
        """Return the numbers; those that are missing are 0 or NaN."""
        import numpy as np
        import pyarrow as pa

        column = self.column.cast(pa.int64()) if pa.types.is_timestamp(self.column.type) else self.column
        zero = pa.scalar(value=False) if pa.types.is_boolean(column.type) else pa.scalar(0, column.type)
        return self.at(np.asarray(column.fill_null(zero)))


def _unequal(old: _Places, new: _Places) -> NDArray[np.bool_]:
    """Tell of each pair of values whether they differ."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(new.column.type):
        old_codes, new_codes = _common_codes(old.column, new.column)
        return np.asarray(old.at(old_codes) != new.at(new_codes))
    if pa.types.is_string(new.column.type):
        unequal = np.asarray(pc.not_equal(old.taken(), new.taken()).fill_null(False))
        if not old.column.null_count and not new.column.null_count:
            return unequal
    else:
        unequal = old.numbers() != new.numbers()
    old_missing, new_missing = old.missing(), new.missing()
    answer: NDArray[np.bool_] = (unequal & ~(old_missing & new_missing)) | (old_missing != new_missing)
    return answer


def _common_codes(old: pa.ChunkedArray, new: pa.ChunkedArray) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the codes of two dictionary columns, those of `old` in terms of `new`'s dictionary; a null is -1."""
    import numpy as np

    old_codes, old_values = codes_and_values(old)
    new_codes, new_values = codes_and_values(new)
    if old_values == new_values and len(set(new_values)) == len(new_values):
        return old_codes, new_codes
    numbers = {value: number for number, value in enumerate(dict.fromkeys(new_values))}
    for value in old_values:
        numbers.setdefault(value, len(numbers))
    # The last place is that of code -1.
    of_old = np.array([numbers[value] for value in old_values] + [-1], np.int32)
    of_new = np.array([numbers[value] for value in new_values] + [-1], np.int32)
    return of_old[old_codes], of_new[new_codes]
