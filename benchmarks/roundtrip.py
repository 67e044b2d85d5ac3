"""Round trips of a cell, on the embedded cluster and on a private Grid Engine; prints medians beside their goals.

Run it with ``make benchmark`` or ``python benchmarks/roundtrip.py [--rounds 20] [--no-gridengine]``.
Peers of the same run: ``qsub -sync y -b y true`` on the same Grid Engine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from kernel_session import KernelSession

if TYPE_CHECKING:
    from collections.abc import Callable


def median(action: Callable[[], float], rounds: int) -> float:
    """Return the median of what `action` returns."""
    return statistics.median(action() for _ in range(rounds))


def show(what: str, value: float, unit: str, goal: str, *, good: bool) -> None:
    """Print one line of the table."""
    print(f"{what:<66} {value:>9.3f} {unit:<7} goal {goal:<14} {'reached' if good else 'MISSED'}", flush=True)


def import_time() -> float:
    """Return the seconds that ``import gcs_lab`` adds to an interpreter's start."""
    code = "import time; t = time.perf_counter(); import gcs_lab; print(time.perf_counter() - t)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def load_time(env: dict[str, str]) -> float:
    """Return the seconds of ``%load_ext gcs_lab`` in a fresh kernel."""
    session = KernelSession(Path(env["GCS_LAB_HOME"]), env)
    try:
        code = "import time; _t = time.perf_counter()\n%load_ext gcs_lab\nprint(time.perf_counter() - _t)"
        return float(session.run(code).text("stdout"))
    finally:
        session.close()


def timed_cell(session: KernelSession, code: str) -> float:
    """Return the seconds from sending a cell to its reply and last output."""
    began = time.perf_counter()
    outputs = session.run(code, timeout=300)
    took = time.perf_counter() - began
    if outputs.error():
        raise SystemExit(outputs.traceback())
    return took


def print_delay(session: KernelSession) -> float:
    """Return the seconds from a print in the job to its message at the front end."""
    session.run("%%gcs run\nimport time\ntime.sleep(0.3)\nprint('at', time.time())\ntime.sleep(0.3)")
    outputs = session.run("%%gcs run\nimport time\ntime.sleep(0.3)\nprint('at', time.time())\ntime.sleep(0.5)")
    arrived = outputs.arrived("stream", "at ")
    now_monotonic, now = time.monotonic(), time.time()
    return arrived - now_monotonic + now - float(outputs.text("stdout").split("at ")[1].split()[0])


def array_speed(session: KernelSession, rounds: int) -> tuple[float, float]:
    """Return MB/s of a 100 MB array into a job and out of one: what it adds to a round trip."""
    session.run("import numpy as np\nbig = np.random.default_rng(0).random(12_500_000)")

    def cell(code: str) -> float:
        # A folder that is gone gives its memory back: a machine's first use of a page is not what is measured.
        session.run("%gcs clean --older 0s --yes")
        return timed_cell(session, f"%%gcs run\n{code}")

    # In turn, so that what else the machine does meets all three alike; the first round only warms up.
    codes = ("import numpy\nn = 1", "n = len(big)", "back = big")
    times = [[cell(code) for code in codes] for _ in range(rounds + 1)][1:]
    without, into, both = (statistics.median(column) for column in zip(*times, strict=True))
    return 100 / (into - without), 100 / (both - into)


def plain_write_speed(folder: Path, rounds: int) -> float:
    """Return MB/s of writing 100 MB to a file, without any of our code: the floor of sending an array."""
    block = memoryview(bytearray(os.urandom(1_000_000)) * 100)
    path = folder / "plain"

    def write() -> float:
        began = time.perf_counter()
        path.write_bytes(block)
        took = time.perf_counter() - began
        path.unlink()
        return took

    return 100 / median(write, rounds)


def on_cluster(cluster: str, env: dict[str, str], rounds: int) -> dict[str, float]:
    """Return the figures of one cluster."""
    session = KernelSession(Path(env["GCS_LAB_HOME"]), {**env, "GCS_LAB_CLUSTER": cluster})
    try:
        session.run("%load_ext gcs_lab\na = 1")
        timed_cell(session, "%%gcs run\nx = a + 1")
        figures = {"roundtrip": median(lambda: timed_cell(session, "%%gcs run\nx = a + 1"), rounds)}
        if cluster == "embedded":
            figures["print"] = median(lambda: print_delay(session), rounds)
            figures["into"], figures["out"] = array_speed(session, max(5, rounds // 4))
            lines = "%%gcs run\nfor i in range(1_000_000):\n    print('line', i)"
            figures["lines"] = timed_cell(session, lines)
        return figures
    finally:
        session.close()


def qsub_sync(environment: dict[str, str]) -> float:
    """Return the seconds of ``qsub -sync y -b y true``."""
    began = time.perf_counter()
    subprocess.run(
        ["qsub", "-sync", "y", "-b", "y", "-o", "/dev/null", "-e", "/dev/null", "true"],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--no-gridengine", action="store_true")
    flags = parser.parse_args()
    home = tempfile.mkdtemp(prefix="gb-", dir="/tmp")
    os.environ["GCS_LAB_HOME"] = home
    env = dict(os.environ)
    try:
        show("import gcs_lab", 1e3 * median(import_time, flags.rounds), "ms", "<= 100 ms",
             good=median(import_time, 5) <= 0.1)  # fmt: skip
        loaded = 1e3 * median(lambda: load_time(env), min(flags.rounds, 5))
        show("%load_ext gcs_lab in a kernel", loaded, "ms", "<= 150 ms", good=loaded <= 150)
        embedded = on_cluster("embedded", env, flags.rounds)
        show(
            "%%gcs run of x = a + 1, embedded",
            embedded["roundtrip"],
            "s",
            "<= 0.5 s",
            good=embedded["roundtrip"] <= 0.5,
        )
        show("print in the job to the front end", embedded["print"], "s", "<= 0.3 s", good=embedded["print"] <= 0.3)
        plain = plain_write_speed(Path(home), flags.rounds)
        show("100 MB written to a file, without gcs_lab (the peer)", plain, "MB/s", "-", good=True)
        show("100 MB numpy array in", embedded["into"], "MB/s", ">= 300 MB/s", good=embedded["into"] >= 300)
        show("100 MB numpy array out", embedded["out"], "MB/s", ">= 300 MB/s", good=embedded["out"] >= 300)
        show("1,000,000 printed lines, whole cell", embedded["lines"], "s", "(no goal)", good=True)
        if not flags.no_gridengine and shutil.which("qsub"):
            gridengine(env, flags.rounds)
    finally:
        from gcs_lab.backends.embedded import service

        service.stop()
        shutil.rmtree(home, ignore_errors=True)


def gridengine(env: dict[str, str], rounds: int) -> None:
    """Print the figures of a private Grid Engine beside qsub's own."""
    from gcs_lab.backends.gridengine import demo

    environment = demo.start("demo").cell().environment()
    try:
        peer = median(lambda: qsub_sync(environment), rounds)
        ours = on_cluster("demo", env, rounds)["roundtrip"]
        show("qsub -sync y -b y true (the peer)", peer, "s", "-", good=True)
        show(f"%%gcs run of x = a + 1, Grid Engine ({ours / peer:.2f} x the peer)", ours, "s",
             f"<= {peer + 0.5:.2f} s", good=ours <= peer + 0.5)  # fmt: skip
    finally:
        demo.stop("demo")


if __name__ == "__main__":
    main()
