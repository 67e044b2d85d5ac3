"""The table of a sweep as a DataFrame."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.cells.runner.sweep_results import free_name
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from gcs_lab.cells.sweep_points import Points
    from gcs_lab.cells.sweep_table import SweepTable

__all__ = ["expected_results", "parameter_arrays", "sweep_frame"]

_STATE_NAMES = np.array([state.name for state in JobState], object)


def parameter_arrays(points: Points) -> dict[str, Any]:
    """Return the parameters over all points, each as an array of the narrowest type; objects stay as they are."""
    return {name: _array(values) for name, values in points.columns().items()}


def _array(values: list[Any]) -> np.ndarray[Any, Any]:
    if {type(value) for value in values} in ({bool}, {int}, {float}, {int, float}):
        found = np.array(values)
        if found.dtype != object:
            return found
    objects = np.empty(len(values), object)
    for place, value in enumerate(values):
        # Assigned one by one: numpy would take lists apart.
        objects[place] = value
    return objects


def expected_results(spec: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns that a sweep's results will have, as far as its cell tells beforehand.

    Those are the names that it assigns; what it imports or defines (modules, functions, classes) is no result.
    """
    if spec.get("lang"):
        return list(spec["outputs"])
    defined: set[str] = set()
    for node in ast.walk(ast.parse(spec["source"])):
        if isinstance(node, ast.Import | ast.ImportFrom):
            defined.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
    return [name for name in spec["outputs"] if name not in defined]


def sweep_frame(table: SweepTable, parameters: dict[str, Any], expected: Sequence[str] = ()) -> pd.DataFrame:
    """Return the table (:attr:`Sweep.frame <gcs_lab.cells.sweep.Sweep.frame>` says its columns); all of it is a copy.

    Where names clash, a parameter keeps its name, and the others are called ``task_memory`` or ``result_x``.

    Parameters
    ----------
    table
        What is known of the tasks; nobody may change it meanwhile.
    parameters
        :func:`parameter_arrays` of the points.
    expected
        Results that have a column before the first task has left one.
    """
    import pandas as pd

    errors = np.full(table.length, "", object)
    for place, text in table.errors.items():
        errors[place] = text
    known: dict[str, Any] = {
        "state": _STATE_NAMES[table.states],
        "host": np.array(table.hosts, object)[table.host],
        "wall": table.wall,
        "memory": pd.arrays.IntegerArray(table.max_rss.copy(), table.max_rss == 0),
        "exit": pd.arrays.IntegerArray(table.exit.copy(), table.exit < 0),
        "error": errors,
    }
    columns = dict(parameters)
    columns |= {free_name(name, "task_", parameters): values for name, values in known.items()}
    for name in dict.fromkeys([*expected, *table.results]):
        values = table.results[name].array() if name in table.results else np.full(table.length, np.nan)
        columns[free_name(name, "result_", columns)] = values
    return pd.DataFrame(columns, index=pd.RangeIndex(1, table.length + 1, name="task"))
