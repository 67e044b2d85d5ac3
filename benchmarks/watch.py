"""Ten minutes of watching a simulated cluster of 500 hosts and 50,000 tasks: CPU and memory of our process.

Run it by hand: ``python benchmarks/watch.py [--hosts N] [--tasks N] [--minutes N]``. It starts a private Grid Engine
in a home of its own (Debian's packages; ``gcs-lab demo start --simulated``), fills it with array jobs, follows it as
a dashboard does, and prints what our process used beside what the commands (``qstat``, ``qhost``) did.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cells import show

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.status import Update

#: Tasks of one array job, and how long they last on average (seconds).
ARRAY = 500
LASTS = 900
#: Seconds until libraries are loaded and the first tables are there: what comes then counts.
WARM = 30.0


def fill(cell: SgeCell, tasks: int) -> None:
    """Submit `tasks` in arrays; how long they "run" differs, so that some start and end all the time."""
    from gcs_lab.backends.gridengine.commands import ask

    for number in range(max(1, tasks // ARRAY)):
        seconds = LASTS // 2 + (37 * number) % LASTS
        words = ["-t", f"1-{ARRAY}", "-N", f"fit{number}", "-o", "/dev/null", "-e", "/dev/null"]
        ask(cell, ["qsub", "-terse", "-b", "y", "-shell", "n", *words, "sleep", str(seconds)])


def resident() -> float:
    """Return this process's memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def watch(seconds: float) -> None:
    """Follow the demo cell, and print the table."""
    import gcs_lab

    cluster = gcs_lab.connect("demo")
    told: list[tuple[float, int]] = []

    def listen(update: Update) -> None:
        if update.snapshot is not None and update.changes is not None:
            told.append((update.snapshot.seconds, sum(len(one.changed) for one in update.changes.tables.values())))

    poller = cluster.status.poller
    poller.follow(listen)
    time.sleep(WARM)
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    began, polls, memory = time.monotonic(), poller.health.polls, [resident()]
    while time.monotonic() - began < seconds:
        time.sleep(min(5.0, seconds))
        memory.append(resident())
    lasted = time.monotonic() - began
    health, snapshot = poller.health, poller.latest()
    own_after, after = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    used = own_after.ru_utime + own_after.ru_stime - own.ru_utime - own.ru_stime
    commands = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    half = len(memory) // 2
    if snapshot is None or health.error:
        raise RuntimeError(f"the cluster did not answer: {health.error}")
    show("hosts", snapshot.hosts.num_rows, "", "")
    show("rows of qstat", snapshot.tasks.num_rows, "", "")
    show("tasks that have not ended", sum(cluster.status.overview(snapshot=snapshot).tasks.values()), "", "")
    show("time watched", lasted, "s", "")
    show("polls", health.polls - polls, "", "")
    show("last poll", snapshot.seconds, "s", "")
    show("CPU of our process", 100 * used / lasted, "%", "<= 5")
    show("CPU of the commands", 100 * commands / lasted, "%", "")
    show("memory at first", memory[0], "MB", "")
    show("memory in the first half, most", max(memory[:half]), "MB", "")
    show("memory in the second half, most", max(memory[half:]), "MB", "")
    print(poller.recorder.kept())
    cluster.close()


def main() -> None:
    """Start the cell, watch it, and end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--tasks", type=int, default=50_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    home = tempfile.mkdtemp(prefix="gw-", dir="/tmp")
    os.environ["GCS_LAB_HOME"] = home
    from gcs_lab.backends.gridengine import demo

    try:
        fill(demo.start(simulated=options.hosts).cell(), options.tasks)
        watch(60 * options.minutes)
    finally:
        demo.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
