"""Many rotated files, one after the other, each deleted once it is stored: memory, and the answer over all of them.

Ten files of five times the records asked for: 50,000,000 with 1,000,000 asked for. Each file has the same records
behind another first line, so that only one is on the disk at a time; the store takes them for what they are, ten
files. ``GCS_LAB_BENCHMARK_YEARS`` says how many.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from accounting_sections._site import python, records, site_file, spent

if TYPE_CHECKING:
    from collections.abc import Iterator


def run() -> Iterator[tuple[str, float, str, str]]:
    """Yield the rows of the table."""
    made = site_file(5 * records())
    folder = Path(tempfile.mkdtemp(prefix="gcs-lab-benchmark-"))
    files = int(os.environ.get("GCS_LAB_BENCHMARK_YEARS", "10"))
    costs = []
    try:
        for number in range(files):
            path = folder / f"accounting-{number}"
            with path.open("wb") as file, made.open("rb") as source:
                file.write(b"# file %d\n" % number)
                shutil.copyfileobj(source, file, 1 << 24)
            costs.append(spent(python("_ways.py", "stored", path, folder / "store")))
            path.unlink()
        yield "records", 5.0 * records() * files, "", ""
        yield "to store them: wall", sum(cost.wall for cost in costs), "s", ""
        yield "to store them: CPU", sum(cost.cpu for cost in costs), "s", ""
        yield "to store them: peak memory", max(cost.memory for cost in costs), "MB", "<= 600"
        last = folder / "none"
        for way, title in (("never_asked", "sums by owner, never asked before"), ("asked_before", "asked before")):
            cost = spent(python("_warm_ways.py", way, last, folder / "store"))
            yield f"{title}: wall", cost.wall, "s", "<= 3"
            yield f"{title}: CPU", cost.cpu, "s", ""
            yield f"{title}: peak memory", cost.memory, "MB", "<= 600"
        size = sum(file.stat().st_size for file in (folder / "store").rglob("*.parquet"))
        yield "the store", size / 1e6, "MB", ""
    finally:
        shutil.rmtree(folder, ignore_errors=True)
