"""Bytes on the wire: of a refresh of 50 rows, beside what sends the whole table."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pyarrow as pa
from wire_sections._views import COUNTS, ViewOfJobs

from gcs_lab.models.columns import default_columns

Row = tuple[str, float, str, str]

#: Peers that send tables of their own making; measured elsewhere (100,000 rows of 12 columns, MB).
ELSEWHERE = {"ipydatagrid": 9.7, "itables": 19.2}


def _kilobytes(message: Any) -> float:
    # As ipykernel sends a custom message of a comm.
    return len(json.dumps(message, separators=(",", ":")).encode()) / 1000


def _whole_table(view: ViewOfJobs) -> list[tuple[str, float]]:
    names = [name for name in default_columns("jobs") if name in view.jobs.column_names]
    frame = view.jobs.select(names).to_pandas()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, view.jobs.select(names).schema) as stream:
        stream.write_table(view.jobs.select(names))
    return [
        ("the whole table as JSON records (pandas)", len(frame.to_json(orient="records")) / 1000),
        ("the whole table as JSON columns (pandas)", len(frame.to_json(orient="split", index=False)) / 1000),
        ("the whole table as Arrow", sink.getvalue().size / 1000),
    ]


def run() -> list[Row]:
    """Return the rows of the table."""
    rows: list[Row] = []
    for count in COUNTS:
        view = ViewOfJobs(count)
        jobs = f"{count:,} jobs"
        goal = "<= 25"
        first = _kilobytes(view.request([["name", "ascending"]]))
        rows.append((f"{jobs}: the first 50 rows", first, "kB", goal))
        for what, sort, place in (
            ("sorted by CPU time, all figures new", [["cpu", "descending"]], 0),
            ("sorted by priority, in the middle", [["priority", "descending"]], count // 2),
            ("of what waits, not sorted", [], count // 2),
        ):
            view.request(sort, first=place)
            pushes = [view.tick() for _ in range(6)]
            most = max(0.0 if push is None else _kilobytes(push) for push in pushes)
            rows.append((f"{jobs}: a refresh, 1,000 changed, {what}", most, "kB", goal))
        rows.append(
            (f"{jobs}: a refresh, nothing changed", 0.0 if view.viewport.push() is None else 1.0, "kB", "<= 0")
        )
    view = ViewOfJobs(COUNTS[0])
    rows += [(f"{COUNTS[0]:,} jobs: {what}", size, "kB", "") for what, size in _whole_table(view)]
    for peer, megabytes in ELSEWHERE.items():
        if importlib.util.find_spec(peer) is None:
            rows.append(
                (f"{peer} (not installed here: the figure was measured elsewhere)", megabytes * 1000, "kB", "")
            )
        else:
            rows.append((f"{peer}: {COUNTS[0]:,} jobs", _sent_by(peer, view), "kB", ""))
    return rows


def _sent_by(peer: str, view: ViewOfJobs) -> float:
    """Return what a peer that is installed sends of the same table."""
    names = [name for name in default_columns("jobs") if name in view.jobs.column_names]
    frame = view.jobs.select(names).to_pandas().astype({"submission_time": str, "start_time": str})
    if peer == "itables":
        itables = importlib.import_module("itables")
        return len(itables.to_html_datatable(frame, maxBytes=0).encode()) / 1000
    grid = importlib.import_module("ipydatagrid").DataGrid(frame)
    return len(json.dumps(grid.get_state(), default=str)) / 1000
