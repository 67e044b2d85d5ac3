"""Rows of a table as text to copy: columns in line, CSV, or a command that names the jobs."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.requests import format_memory, format_time
from gcs_lab.models.columns import columns_of
from gcs_lab.models.row_cells import cells_of
from gcs_lab.status.state_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from gcs_lab.cockpit.picture import Picture

__all__ = ["cell_for_people", "cell_for_programs", "copied_rows", "in_line"]

#: Rows that are copied at once.
MOST_ROWS = 100_000


def copied_rows(picture: Picture, message: Mapping[str, Any], system: str) -> tuple[str, int]:
    """Return the text that a message ``copy`` asks for, and how many rows are in it.

    Parameters
    ----------
    picture
        What is shown.
    message
        With ``view``, ``format``, ``keys`` and ``columns``.
    system
        What runs the cluster: the embedded cluster has no ``qdel``.

    Raises
    ------
    InvalidArgument
        If there are too many rows, or jobs are to be named by rows of another table.
    """
    view, columns = message["view"], message["columns"]
    if message["format"] == "qdel" and view != "jobs":
        raise InvalidArgument("a line that ends jobs can be made of jobs alone.")
    parts = _chosen(picture, view, message["keys"])
    number = sum(len(rows) for _, rows in parts)
    if number > MOST_ROWS:
        raise InvalidArgument(f"{number:,} rows are meant; {MOST_ROWS:,} can be copied at once. Narrow the filter.")
    if message["format"] == "qdel":
        return _command(parts, system), number
    known = {column["name"]: column for column in columns_of(view)}
    if unknown := [name for name in columns if name not in known]:
        raise InvalidArgument(f"{view} has no column {unknown[0]!r}; it has {', '.join(known)}.")
    cells = [row for table, rows in parts for row in cells_of(table, rows, columns, picture.now)]
    kinds = [known[name]["type"] for name in columns]
    if message["format"] == "csv":
        # Programs read it: numbers and times as they are.
        lines = [[cell_for_programs(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in cells]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([columns, *lines])
        return text.getvalue(), number
    shown = [[cell_for_people(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in cells]
    return in_line([[known[name]["label"] for name in columns], *shown]), number


def _chosen(picture: Picture, view: str, keys: Sequence[str] | str) -> list[tuple[pa.Table, NDArray[np.int64]]]:
    """Return tables and the places of the chosen rows in them: those of jobs, then those of their tasks."""
    table = picture.snapshot.table(view)
    if keys == "matching":
        mask = picture.mask(view)
        return [(table, np.arange(table.num_rows) if mask is None else np.flatnonzero(mask))]
    wanted = np.array([int(key) for key in keys if int(key) < 2**64], np.uint64)
    tables = [table, picture.snapshot.tasks] if view == "jobs" else [table]
    parts = []
    for one in tables:
        rows = np.flatnonzero(np.isin(one["key"].to_numpy(), wanted))
        wanted = np.setdiff1d(wanted, one["key"].to_numpy()[rows])
        parts.append((one, rows))
    return parts


def _command(parts: Sequence[tuple[pa.Table, NDArray[np.int64]]], system: str) -> str:
    import pyarrow as pa

    names = []
    for table, rows in parts:
        few = table.select([name for name in ("job_id", "tasks") if name in table.column_names]).take(pa.array(rows))
        for row in few.to_pylist():
            # In the table of jobs `tasks` is a number.
            tasks = row["tasks"] if isinstance(row["tasks"], str) else ""
            names += [f"{row['job_id']}.{piece}" for piece in tasks.split(",")] if tasks else [row["job_id"]]
    command = "%gcs cancel" if "embedded" in system else "qdel"
    return " ".join([command, *names]) + "\n" if names else ""


def cell_for_programs(cell: Any, kind: str) -> Any:
    """Return a cell of a column of that type (``ColumnType``) as programs read it from CSV."""
    if kind == "tasks" and isinstance(cell, list):
        return sum(cell)
    if kind == "slots" and isinstance(cell, list):
        return f"{cell[0]}/{cell[1]}"
    if kind == "time" and cell is not None:
        return datetime.fromtimestamp(cell).astimezone().isoformat(timespec="seconds")
    return "" if cell is None else cell


def cell_for_people(cell: Any, kind: str) -> str:
    """Return a cell of a column of that type (``ColumnType``) as text."""
    if cell is None:
        return ""
    if kind == "tasks" and isinstance(cell, list):
        return " ".join(f"{count} {word}" for count, word in zip(cell, KINDS, strict=True) if count)
    if kind == "time":
        return f"{datetime.fromtimestamp(cell).astimezone():%Y-%m-%d %H:%M:%S}"
    if kind == "duration":
        return format_time(cell)
    if kind == "bytes":
        return format_memory(cell)
    return str(cell_for_programs(cell, kind))


def in_line(rows: list[list[str]]) -> str:
    """Return rows with each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"
