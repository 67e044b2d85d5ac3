"""What differs between two tables, against a naive comparison; jobs and queues made of their rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gcs_lab.status.difference import table_changes
from gcs_lab.status.tables import FIGURES, schema

if TYPE_CHECKING:
    from gcs_lab.status.snapshot import TableChanges

COLUMNS = ("key", "job_id", "owner", "priority", "slots", "submission_time", "cpu", "state")
SCHEMA = pa.schema([schema("tasks").field(name) for name in COLUMNS])
WORDS = st.sampled_from(["", "ann", "bob", "7", None])
ROW = st.fixed_dictionaries(
    {
        "job_id": WORDS,
        "owner": WORDS,
        "state": WORDS,
        "priority": st.sampled_from([None, 0.0, -0.0, 0.5, math.nan]),
        "slots": st.sampled_from([None, 0, 1]),
        "submission_time": st.sampled_from([None, 0, 1]),
        "cpu": st.sampled_from([None, 0.0, 2.5]),
    }
)
ROWS = st.dictionaries(st.integers(0, 2**64 - 1) | st.integers(0, 6), ROW, max_size=8)


def _table(rows: dict[int, dict[str, Any]], order: list[int]) -> pa.Table:
    listed = [{"key": key, **rows[key]} for key in order]
    if not listed:
        return pa.table([pa.array([], field.type) for field in SCHEMA], schema=SCHEMA)
    return pa.Table.from_pylist(listed, schema=SCHEMA).combine_chunks()


def _same(one: Any, other: Any) -> bool:
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    if one is None or other is None:
        # pandas knows one kind of missing only, and so do the tables: null and NaN are alike.
        missing = [value is None or (isinstance(value, float) and math.isnan(value)) for value in (one, other)]
        return all(missing)
    return both_nan or one == other


def _naive(old: dict[int, dict[str, Any]], new: dict[int, dict[str, Any]]) -> dict[str, list[int]]:
    changed, figures = [], []
    for key in sorted(set(old) & set(new)):
        names = {name for name in new[key] if not _same(old[key][name], new[key][name])}
        if names - FIGURES:
            changed.append(key)
        elif names:
            figures.append(key)
    return {
        "added": sorted(set(new) - set(old)),
        "changed": changed,
        "removed": sorted(set(old) - set(new)),
        "figures": figures,
    }


def _told(changes: TableChanges) -> dict[str, list[int]]:
    return {name: getattr(changes, name).tolist() for name in ("added", "changed", "removed", "figures")}


@settings(max_examples=300, deadline=None)
@given(data=st.data(), old=ROWS, new=ROWS, mixed=st.booleans())
def test_the_difference_is_what_a_naive_comparison_says(
    data: st.DataObject, old: dict[int, dict[str, Any]], new: dict[int, dict[str, Any]], mixed: bool
) -> None:
    if mixed:  # some rows stay as they are
        new = {**old, **new}
    old_order = data.draw(st.permutations(list(old)))
    new_order = data.draw(st.permutations(list(new)))
    changes = table_changes(_table(old, old_order), _table(new, new_order))
    assert _told(changes) == _naive(old, new)
    assert bool(changes) == any(_naive(old, new).values())
    assert all(getattr(changes, name).dtype == np.uint64 for name in ("added", "changed", "removed", "figures"))


def test_dictionaries_that_differ_say_the_same_texts() -> None:
    rows = {1: {"owner": "ann"}, 2: {"owner": "bob"}, 3: {"owner": None}}
    old = _table({key: dict.fromkeys(COLUMNS[1:]) | row for key, row in rows.items()}, [1, 2, 3])
    other = pa.DictionaryArray.from_arrays(pa.array([3, 0, None], pa.int32()), pa.array(["bob", "x", "y", "ann"]))
    new = old.set_column(old.column_names.index("owner"), SCHEMA.field("owner"), other)
    assert not table_changes(old, new)
    # A dictionary may hold a text twice.
    twice = pa.DictionaryArray.from_arrays(pa.array([2, 1, None], pa.int32()), pa.array(["ann", "bob", "ann"]))
    assert not table_changes(new, old.set_column(old.column_names.index("owner"), SCHEMA.field("owner"), twice))
