"""Round trips of a cell, on the embedded cluster and on a private Grid Engine: medians beside goals and peers.

Run it with ``make benchmark`` or ``python benchmarks/roundtrip.py [--rounds 20] [--no-gridengine]``. Peers are
measured in the same run: ``qsub -sync y -b y true`` on the same Grid Engine, a plain write of the same bytes,
``subprocess.run``.
"""

from __future__ import annotations

import argparse
import contextlib
import operator
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
    from collections.abc import Callable, Iterator

RELATIONS = {"<=": operator.le, ">=": operator.ge}
TRUE_JOBS = 200


def median(action: Callable[[], float], rounds: int) -> float:
    """Return the median of what `action` returns."""
    return statistics.median(action() for _ in range(rounds))


def show(what: str, value: float, unit: str, goal: str = "") -> None:
    """Print one line of the table; `goal` is ``"<= 0.5"`` in the same unit, or empty for a peer."""
    verdict = ""
    if goal:
        relation, _, bound = goal.partition(" ")
        verdict = "reached" if RELATIONS[relation](value, float(bound)) else "MISSED"
    print(f"{what:<66} {value:>10,.3f} {unit:<6} {goal and 'goal ' + goal:<13} {verdict}".rstrip(), flush=True)


def import_time() -> float:
    """Return the milliseconds that ``import gcs_lab`` adds to an interpreter's start."""
    code = "import time; t = time.perf_counter(); import gcs_lab; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return 1e3 * float(done.stdout)


@contextlib.contextmanager
def kernel(cluster: str) -> Iterator[KernelSession]:
    """Start a kernel whose jobs go to `cluster`."""
    environment = {**os.environ, "GCS_LAB_CLUSTER": cluster}
    session = KernelSession(Path(os.environ["GCS_LAB_HOME"]), environment)
    try:
        yield session
    finally:
        session.close()


def load_time() -> float:
    """Return the milliseconds of ``%load_ext gcs_lab`` in a fresh kernel."""
    with kernel("embedded") as session:
        code = "import time; _t = time.perf_counter()\n%load_ext gcs_lab\nprint(time.perf_counter() - _t)"
        return 1e3 * float(session.run(code).text("stdout"))


def timed_cell(session: KernelSession, code: str) -> float:
    """Return the seconds from sending a cell to its reply and last output."""
    began = time.perf_counter()
    outputs = session.run(code, timeout=300)
    took = time.perf_counter() - began
    if outputs.error():
        raise SystemExit(outputs.traceback())
    return took


def round_trip(session: KernelSession, rounds: int) -> float:
    """Return the seconds of ``x = a + 1`` as a job, from sending the cell to its reply."""
    session.run("%load_ext gcs_lab\na = 1")
    timed_cell(session, "%%gcs run\nx = a + 1")
    return median(lambda: timed_cell(session, "%%gcs run\nx = a + 1"), rounds)


def print_delay(session: KernelSession) -> float:
    """Return the seconds from a print in the job to its message at the front end."""
    outputs = session.run("%%gcs run\nimport time\ntime.sleep(0.3)\nprint('at', time.time())\ntime.sleep(0.5)")
    ahead = time.time() - time.monotonic()
    return outputs.arrived("stream", "at ") + ahead - float(outputs.text("stdout").split("at ")[1].split()[0])


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
    return 100 / max(into - without, 1e-3), 100 / max(both - into, 1e-3)


def plain_write_speed(rounds: int) -> float:
    """Return MB/s of writing 100 MB to a file, without any of our code: the floor of sending an array."""
    block = memoryview(bytearray(os.urandom(1_000_000)) * 100)
    path = Path(os.environ["GCS_LAB_HOME"]) / "plain"

    def write() -> float:
        began = time.perf_counter()
        path.write_bytes(block)
        took = time.perf_counter() - began
        path.unlink()
        return took

    return 100 / median(write, rounds)


def million_lines(session: KernelSession) -> tuple[float, float, float]:
    """Return seconds until a job's million lines are told, the longest that a cell took meanwhile, and MB sent."""
    session.cells.clear()
    began = time.perf_counter()
    session.run("%%gcs submit -N chatty\nfor i in range(1_000_000):\n    print('line', i)")
    waits = [0.0]
    # Updates come with whatever cell runs as their parent.
    while "line 999999" not in (said := str(session.cells)) and time.perf_counter() - began < 300:
        waits.append(timed_cell(session, "1 + 1"))
        session.pump(lambda: False, 0.1)
    return time.perf_counter() - began, max(waits), len(said) / 1e6


def true_rate() -> float:
    """Return how many jobs of ``/bin/true`` a second the embedded cluster takes, runs and records."""
    import gcs_lab

    jobs = gcs_lab.connect("embedded").jobs
    began = time.perf_counter()
    submitted = [jobs.run("/bin/true", output_path="/dev/null", error_path="/dev/null") for _ in range(TRUE_JOBS)]
    for job in submitted:
        job.wait_terminated(60)
    took = time.perf_counter() - began
    if any(job.info().exit_status != 0 for job in submitted):
        raise SystemExit("a job of /bin/true did not end with 0")
    return TRUE_JOBS / took


def plain_true_rate() -> float:
    """Return how many times a second ``subprocess.run`` runs ``/bin/true``."""
    began = time.perf_counter()
    for _ in range(TRUE_JOBS):
        subprocess.run(["/bin/true"], check=True)
    return TRUE_JOBS / (time.perf_counter() - began)


def embedded(rounds: int) -> None:
    """Print the figures of the embedded cluster."""
    few = max(3, rounds // 4)
    with kernel("embedded") as session:
        show("%%gcs run of x = a + 1, embedded", round_trip(session, rounds), "s", "<= 0.5")
        show(
            "a print in the job, at the front end after", median(lambda: print_delay(session), rounds), "s", "<= 0.3"
        )
        into, out = array_speed(session, few)
        show("100 MB written to a file by write() (a peer)", plain_write_speed(rounds), "MB/s")
        show("100 MB of numpy array into a job", into, "MB/s", ">= 300")
        show("100 MB of numpy array out of a job", out, "MB/s", ">= 300")
        took, longest, sent = million_lines(session)
        show("1,000,000 printed lines, until all are in the log", took, "s")
        show("  the longest that a cell `1 + 1` took meanwhile", longest, "s", "<= 1")
        show("  sent to the front end of 11.9 MB printed", sent, "MB", "<= 1")
    show("subprocess.run of /bin/true (a peer)", median(plain_true_rate, few), "/s")
    show("/bin/true through the embedded scheduler, with its usage", median(true_rate, few), "/s", ">= 100")


def qsub_sync(environment: dict[str, str]) -> float:
    """Return the seconds of ``qsub -sync y -b y true``."""
    began = time.perf_counter()
    subprocess.run(
        ["qsub", "-sync", "y", "-b", "y", "-o", "/dev/null", "-e", "/dev/null", "true"],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    return time.perf_counter() - began


def gridengine(rounds: int) -> None:
    """Print the figures of a private Grid Engine beside qsub's own."""
    from gcs_lab.backends.gridengine import demo

    environment = demo.start("demo").cell().environment()
    try:
        with kernel("demo") as session:
            ours = round_trip(session, rounds)
        peer = median(lambda: qsub_sync(environment), rounds)
        show("qsub -sync y -b y true (the peer)", peer, "s")
        show(f"%%gcs run of x = a + 1, Grid Engine ({ours / peer:.2f} x the peer)", ours, "s", f"<= {peer + 0.5:.2f}")
    finally:
        demo.stop("demo")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--no-gridengine", action="store_true")
    flags = parser.parse_args()
    home = tempfile.mkdtemp(prefix="gb-", dir="/tmp")
    os.environ["GCS_LAB_HOME"] = home
    try:
        show("import gcs_lab", median(import_time, flags.rounds), "ms", "<= 100")
        show("%load_ext gcs_lab in a fresh kernel", median(load_time, max(3, flags.rounds // 4)), "ms", "<= 150")
        embedded(flags.rounds)
        if not flags.no_gridengine and shutil.which("qsub"):
            gridengine(flags.rounds)
    finally:
        from gcs_lab.backends.embedded import service

        service.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
