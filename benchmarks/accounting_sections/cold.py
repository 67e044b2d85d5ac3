"""Nothing is stored yet: the whole file typed and stored, and one grouped answer, beside what others need for it."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from accounting_sections._site import Cost, interleaved, python, records, rounds, rows_of, site_file

from gcs_lab.backends.gridengine import demo
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.backends.gridengine.sge_cell import SgeCell

WHOLE = {
    "stored": "ours: all columns typed and stored",
    "reader": "ours: all columns typed, not stored",
    "polars_read": "polars read_csv, typed",
    "duckdb_table": "DuckDB, into a table",
    "pandas_read": "pandas read_csv, typed",
    "pyarrow_read": "pyarrow.csv, typed",
    "qacct": "qacct -f, the totals",
}
GROUPED = {
    "store_grouped": "ours: sums by owner through an empty store",
    "scan_grouped": "ours: sums by owner straight from the file",
    "polars_scan": "polars scan_csv, sums by owner",
    "duckdb_grouped": "DuckDB, sums by owner",
    "pyarrow_grouped": "pyarrow.csv, sums by owner",
    "qacct -o": "qacct -o -f",
}
#: Seconds of 1,000,000 records on two cores.
MOST_WALL, MOST_CPU, MOST_MEMORY = 2.5, 4.5, 600
MOST_RATIO = 1.5
_MILLION = 1_000_000


@contextlib.contextmanager
def grid_engine() -> Iterator[SgeCell | None]:
    """Have a private cell, whose ``qacct`` is asked; None where there is no Grid Engine."""
    try:
        state = demo.start("accounting-benchmark")
    except GcsError as error:
        print(f"without qacct: {error}", file=sys.stderr)
        yield None
        return
    try:
        yield state.cell()
    finally:
        demo.stop("accounting-benchmark")


def run() -> Iterator[tuple[str, float, str, str]]:
    """Yield the rows of both tables."""
    path = site_file()
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass  # from now on it is in the page cache
    scale = records() / _MILLION
    yield "records", float(records()), "", ""
    yield "the file", path.stat().st_size / 1e6, "MB", ""
    with grid_engine() as cell:
        costs = _measured(path, list(WHOLE), cell)
        for name, cost in costs.items():
            goals = (f"<= {MOST_WALL * scale:g}", f"<= {MOST_CPU * scale:g}", f"<= {MOST_MEMORY}")
            yield from rows_of(WHOLE[name], cost, goals if name == "stored" else ("", "", ""))
        yield from _ratios(costs, "stored")
        costs = _measured(path, list(GROUPED), cell)
        for name, cost in costs.items():
            yield from rows_of(GROUPED[name], cost)
        for name in ("store_grouped", "scan_grouped"):
            ratio = costs[name].wall / costs["polars_scan"].wall
            yield f"{GROUPED[name]}, in times of polars' scan", ratio, "x", f"<= {MOST_RATIO}"
        yield from _ratios(costs, "store_grouped")


def _measured(path: Path, names: list[str], cell: SgeCell | None) -> dict[str, Cost]:
    folders = Path(tempfile.mkdtemp(prefix="gcs-lab-benchmark-"))
    ways = {}
    for name in names:
        if name.startswith("qacct"):
            if cell is not None:
                argv = [cell.command("qacct"), *name.split()[1:], "-f", str(path)]
                ways[name] = (lambda argv=argv: argv, cell.environment())
        elif not name.startswith("duckdb") or importlib.util.find_spec("duckdb"):
            # Each round has an empty folder.
            ways[name] = (lambda name=name: python("_ways.py", name, path, tempfile.mkdtemp(dir=folders)), None)
    try:
        return interleaved(ways, rounds())
    finally:
        shutil.rmtree(folders, ignore_errors=True)


def _ratios(costs: dict[str, Cost], ours: str) -> Iterator[tuple[str, float, str, str]]:
    for name, cost in costs.items():
        if name.startswith(("polars", "duckdb", "pandas", "qacct")):
            yield f"{name} takes so many times as long", cost.wall / costs[ours].wall, "x", ""
