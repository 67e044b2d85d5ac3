"""Questions to a store that is there, one for each run of this script: ``_warm_ways.py WAY FILE FOLDER``.

It prints the seconds on the wall and of CPU, and the peak memory of the process in MB.
"""

import time

BEGIN = time.perf_counter(), time.process_time()

import re  # noqa: E402
import shutil  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import polars as pl  # noqa: E402

from gcs_lab.accounting.store import Store  # noqa: E402
from gcs_lab.accounting.store_grouped import Aggregation  # noqa: E402

SUMS = ("ru_wallclock", "ru_utime", "ru_stime", "cpu", "memory", "io", "io_wait")
FIGURES = {name: Aggregation("sum", pl.col(name)) for name in SUMS} | {"jobs": Aggregation("len", pl.col("owner"))}
APPENDED = 1000


def _first_lines(path: Path) -> bytes:
    with path.open("rb") as file:
        lines = [line for line in file.read(APPENDED * 600).splitlines(keepends=True) if not line.startswith(b"#")]
    return b"".join(lines[:APPENDED])


def main(way: str, path: Path, folder: Path) -> tuple[float, float]:
    if way == "never_asked":
        shutil.rmtree(folder / "grouped", ignore_errors=True)
    store = Store(folder, lambda: [path])
    begin = BEGIN if way == "imported" else (time.perf_counter(), time.process_time())
    store.grouped(["owner"], FIGURES)
    if way == "appended":
        lines = _first_lines(path)
        with path.open("ab") as file:
            file.write(lines)
        begin = time.perf_counter(), time.process_time()
        store.grouped(["owner"], FIGURES)
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


if __name__ == "__main__":
    spent = main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(f"{spent[0]:.4f} {spent[1]:.4f}", int(peak[1]) / 1024 if peak else 0)
