"""What the runner costs: payloads in bytes a second, printed lines a second, and the start of a cell.

``python benchmarks/runner_payload.py``
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cloudpickle
import numpy as np

from gcs_lab.cells import runner
from gcs_lab.cells.job_folder import JobFolder

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTE = 1e6
ROUNDS = 5


def best(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of some rounds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def write_new(path: Path, values: dict[str, object]) -> None:
    """Write a cloudpickle to a new file; overwriting pages that are there would cost less than what is compared."""
    path.unlink(missing_ok=True)
    path.write_bytes(cloudpickle.dumps(values))


def payloads(folder: Path) -> None:
    """Print the speed of payloads beside a plain cloudpickle file."""
    path, plain = str(folder / "x.payload"), folder / "x.pickle"
    cases = {
        "one array of 100 MB": {"x": np.random.default_rng(0).random(12_500_000)},
        "1,000 arrays of 100 kB": {"x": [np.full(12_500, i) for i in range(1000)]},
        "bytes of 100 MB": {"x": bytes(100_000_000)},
    }
    for name, values in cases.items():
        write = best(lambda values=values: runner.write_payload(path, values, {}))
        read = best(lambda: runner.read_payload(path))
        by_cloudpickle = best(lambda values=values: write_new(plain, values))
        from_pickle = best(lambda: cloudpickle.loads(plain.read_bytes()))
        print(
            f"{name:24} write {100 / write:7,.0f} MB/s ({by_cloudpickle / write:4.1f} x cloudpickle)   "
            f"read {100 / read:7,.0f} MB/s ({from_pickle / read:4.1f} x cloudpickle)"
        )


def cell_seconds(folder: Path, source: str, inputs: dict[str, object], outputs: list[str]) -> float:
    """Return the wall time of one job of the runner."""
    (folder / "runner.pyz").unlink(missing_ok=True)
    JobFolder(folder).write_runner()
    runner.write_payload(str(folder / "inputs.payload"), inputs, {})
    spec = {
        "version": 1,
        "source": source,
        "filename": "/tmp/cell.py",
        "display_name": "Cell In[1]",
        "inputs": sorted(inputs),
        "outputs": outputs,
        "cwd": str(folder),
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    begun = time.perf_counter()
    subprocess.run([sys.executable, str(folder / "runner.pyz"), str(folder)], check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        payloads(folder)
        bare = best(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
        start = min(cell_seconds(folder, "x = a + 1", {"a": 1}, ["x"]) for _ in range(ROUNDS))
        print(f"{'x = a + 1':24} {start * 1e3:.0f} ms in all; `python -c pass` {bare * 1e3:.0f} ms")
        by_value = min(cell_seconds(folder, "f = lambda: 1", {"a": 1}, ["f"]) for _ in range(ROUNDS))
        print(f"{'f = lambda: 1':24} {by_value * 1e3:.0f} ms (cloudpickle is imported)")
        shown = min(cell_seconds(folder, "display(1)", {"a": 1}, []) for _ in range(ROUNDS))
        print(f"{'display(1)':24} {shown * 1e3:.0f} ms (IPython is imported, a shell is made)")
        lines = cell_seconds(folder, "for i in range(1_000_000): print(i)", {"a": 1}, [])
        print(f"{'a million lines':24} {1e6 / lines:,.0f} lines a second")


if __name__ == "__main__":
    main()
