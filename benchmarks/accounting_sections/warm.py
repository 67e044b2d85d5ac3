"""Everything is stored: sums by owner of five times as many records, and again after 1,000 more, beside the peers."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from accounting_sections._site import interleaved, python, records, rounds, site_file, spent
from accounting_sections.cold import grid_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = {
    "never_asked": "warm, sums by owner, never asked before",
    "asked_before": "warm, sums by owner, asked before by another process",
    "imported": "from import to that answer",
    "appended": "the same again after 1,000 appended records",
}
GOALS = {"never_asked": "<= 0.25", "asked_before": "<= 0.25", "imported": "<= 1.5", "appended": "<= 0.05"}
PEERS = {
    "polars_scan": "polars scan_csv of the raw file, sums by owner",
    "duckdb_grouped": "DuckDB on the raw file, sums by owner",
    "qacct": "qacct -o -f",
}
#: How many times as fast as a peer the warm answer is to be.
LEAST = {"polars_scan": 10, "qacct": 50}


def run() -> Iterator[tuple[str, float, str, str]]:
    """Yield the rows of the table."""
    count = 5 * records()
    made = site_file(count)
    folder = Path(tempfile.mkdtemp(prefix="gcs-lab-benchmark-"))
    try:
        path = folder / "accounting"
        shutil.copy(made, path)
        yield "records", float(count), "", ""
        cost = spent(python("_ways.py", "stored", path, folder / "store"))
        yield "to store them: wall", cost.wall, "s", ""
        yield "to store them: CPU", cost.cpu, "s", ""
        yield "to store them: peak memory", cost.memory, "MB", "<= 600"
        ways = {name: (_command("_warm_ways.py", name, path, folder / "store"), None) for name in OURS}
        for name in PEERS:
            if name == "polars_scan" or (name == "duckdb_grouped" and importlib.util.find_spec("duckdb")):
                ways[name] = (_command("_ways.py", name, path, folder), None)
        with grid_engine() as cell:
            if cell is not None:
                argv = [cell.command("qacct"), "-o", "-f", str(path)]
                ways["qacct"] = (lambda: argv, cell.environment())  # type: ignore[assignment]
            costs = interleaved(ways, rounds())
        for name, title in (OURS | PEERS).items():
            if name in costs:
                yield title, costs[name].wall, "s", GOALS.get(name, "")
        for name, least in LEAST.items():
            if name in costs:
                ratio = costs[name].wall / costs["never_asked"].wall
                yield f"{name} takes so many times as long as the first question", ratio, "x", f">= {least}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _command(script: str, *arguments: object):  # noqa: ANN202
    return lambda: python(script, *arguments)
