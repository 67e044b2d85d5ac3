"""The cache of ``--cache``: the whole check of a cell with 1 GB of numpy, and digests of values.

The peer in the same run is ``joblib.hash`` of the same value (MD5; joblib comes with scikit-learn).
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd

from gcs_lab.cells.cell_cache import CacheEntry, CellCache
from gcs_lab.cells.cell_key import cell_key
from gcs_lab.cells.content_digest import content_digest
from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = tuple[str, float, str, str]

ROUNDS = 5
ROWS = 2_000_000
GIGABYTE = 125_000_000  # numbers of 8 bytes


def median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median of the seconds that `work` takes."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def whole_check(data: object) -> list[Row]:
    """Measure what ``--cache`` does before it knows: plan read, key made, database looked up."""
    request = CellRequest(
        source="total = data.sum()",
        filename="/tmp/cell.py",
        display_name="Cell In[1]",
        display_source="",
        namespace={"data": data},
        options=CellOptions(cache=True),
    )
    with tempfile.TemporaryDirectory() as home:
        cache = CellCache(Path(home) / "cache.sqlite")
        plan = plan_cell(request)
        began = time.perf_counter()
        key = cell_key(plan, cache.key_of)
        first = time.perf_counter() - began
        for number in range(1000):
            parts = key.to_json()
            cache.add(
                CacheEntry(folder=f"/{number}", key=str(number), parts=parts, cluster="c", job_id="1", name="n")
            )
        cache.add(CacheEntry(folder="/hit", key=key.digest, parts=key.to_json(), cluster="c", job_id="1", name="n"))

        def check() -> None:
            if cache.equal_to(cell_key(plan, cache.key_of))[0].folder != "/hit":
                raise RuntimeError("the equal cell was not found")

        rows: list[Row] = [
            ("check of a cell with 1 GB of numpy, first in a kernel", first, "s", "<= 1"),
            ("check of a cell with 1 GB of numpy, 1,000 results kept", median(check), "s", "<= 1"),
        ]
    return rows


def gigabytes() -> Iterator[tuple[str, object]]:
    """Yield one array of 1 GB after the other, in different layouts."""
    flat = np.random.default_rng(0).random(GIGABYTE)
    yield "1 GB of numpy in C order", flat
    yield "1 GB of numpy in Fortran order", flat.reshape(12_500, 10_000).T
    yield "1 GB of numpy backwards", flat[::-1]
    yield "frame of 1 GB, 10 columns", pd.DataFrame(flat.reshape(-1, 10))
    del flat
    twice = np.ones((25_000, 10_000))
    yield "1 GB of numpy, every second row", twice[::2]
    del twice
    twice = np.ones((12_500, 20_000))
    yield "1 GB of numpy, every second column, transposed", twice[:, ::2].T


def small_values() -> Iterator[tuple[str, object]]:
    """Yield values of many small parts."""
    frame = pd.DataFrame({"text": [f"row {n}" for n in range(ROWS)], "kind": ["a", "b"] * (ROWS // 2)})
    yield f"frame of {2 * ROWS:,} strings", frame
    yield f"frame of {2 * ROWS:,} strings as Python objects", frame.astype(object)
    yield "dict of 1,000,000 numbers by text", {str(n): n * 0.5 for n in range(1_000_000)}


def run() -> list[Row]:
    """Return rows of what was measured: what it is, its value, the unit, the goal (empty for a peer)."""
    rows = whole_check(np.random.default_rng(1).random(GIGABYTE))
    for name, value in itertools.chain(gigabytes(), small_values()):
        goal = "<= 1" if "1 GB" in name else ""
        rows.append((f"digest: {name}", median(lambda value=value: content_digest(value)), "s", goal))
        rows.append((f"  joblib.hash: {name}", median(lambda value=value: joblib.hash(value), rounds=1), "s", ""))
    return rows


if __name__ == "__main__":
    for what, value, unit, goal in run():
        print(f"{what:<66} {value:>10,.3f} {unit:<6} {goal and 'goal ' + goal}")
