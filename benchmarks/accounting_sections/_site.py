"""What the sections share: the records of a synthetic site, and what a fresh process needs to read them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["Cost", "folder", "interleaved", "python", "records", "rounds", "rows_of", "site_file", "spent"]

_MILLION = 1_000_000
_MAKE = (
    "import sys; from gcs_lab.accounting.synthetic import write_site as w; w(sys.argv[1], records=int(sys.argv[2]))"
)


class Cost(NamedTuple):
    """Seconds on the wall and of CPU, and the peak memory of the process in MB."""

    wall: float
    cpu: float
    memory: float


def records() -> int:
    """Return how many records are asked for."""
    return int(os.environ.get("GCS_LAB_BENCHMARK_RECORDS", _MILLION))


def rounds() -> int:
    """Return how many rounds are asked for."""
    return int(os.environ.get("GCS_LAB_BENCHMARK_ROUNDS", "5"))


def folder() -> Path:
    """Return where files of records are kept from one run to the next."""
    path = Path(tempfile.gettempdir()) / f"gcs-lab-benchmark-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def site_file(count: int | None = None) -> Path:
    """Return a classic file of so many records (those that were asked for); made once a machine."""
    count = count or records()
    path = folder() / f"accounting-{count}"
    if not path.exists():
        part = path.with_suffix(".part")
        # In another process: what is measured later would inherit this one's peak memory.
        subprocess.run([sys.executable, "-c", _MAKE, str(part), str(count)], check=True)
        part.rename(path)
    return path


def spent(argv: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """Return what a command needs. If its last line of output is ``wall cpu memory`` (s, s, MB), these are taken.

    What the system tells of a process's peak memory is no less than what this process has when it starts it.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        begin = time.perf_counter()
        with subprocess.Popen(argv, stdout=said, stderr=complained, env=environment) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        said.seek(0)
        complained.seek(0)
        if process.returncode:
            raise RuntimeError(f"{argv}: {complained.read().decode(errors='replace')[-2000:]}")
        last = said.read().rstrip().rpartition(b"\n")[2].split()
    cost = Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    try:
        return Cost(*map(float, last))
    except (TypeError, ValueError):
        return cost


def interleaved(
    ways: dict[str, tuple[Callable[[], Sequence[str]], dict[str, str] | None]], times: int
) -> dict[str, Cost]:
    """Return the medians of so many rounds; in each round every way has its turn, so that a slow minute hits all.

    A way is what makes its command, once a round, and the environment (None: this one).
    """
    found: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(times):
        for name, (argv, environment) in ways.items():
            found[name].append(spent(argv(), environment))
    return {name: Cost(*map(statistics.median, zip(*costs, strict=True))) for name, costs in found.items()}


def python(script: str, *arguments: object) -> list[str]:
    """Return the command of a script beside this one."""
    return [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]


def rows_of(title: str, cost: Cost, goals: Iterable[str] = ("", "", "")) -> Iterator[tuple[str, float, str, str]]:
    """Yield the rows of a table: wall, CPU and memory."""
    units = (("wall", "s"), ("CPU", "s"), ("peak memory", "MB"))
    for (what, unit), value, goal in zip(units, cost, goals, strict=True):
        yield f"{title}: {what}", value, unit, goal
