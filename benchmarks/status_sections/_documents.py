"""Real documents of a big cluster: Grid Engine with 500 simulated hosts and 57,000 tasks."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from gcs_lab.backends.gridengine import demo
from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.qstat_tasks import QSTAT

HOSTS = 500
SLOTS = 16
TASKS = 57_000
#: So many array jobs, so that not all of them are alike; each may run 2,000 tasks (``max_aj_instances``).
ARRAYS = 30


def documents() -> tuple[Path, Path]:
    """Return the files with what ``qstat -g d`` and the status area's ``qstat`` print there; made once a machine."""
    folder = Path(tempfile.gettempdir()) / f"gcs-lab-benchmark-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    each_task, polled = folder / "qstat-gd.xml", folder / "qstat-poll.xml"
    if not (each_task.exists() and polled.exists()):
        _make(each_task, polled)
    return each_task, polled


def _make(each_task: Path, polled: Path) -> None:
    state = demo.start("parse-benchmark", simulated=HOSTS, slots=SLOTS)
    try:
        cell = state.cell()
        queue = ask(cell, ["qconf", "-sql"]).text.split()[0]
        for number in range(ARRAYS):
            asked = ["-pe", "smp", "2-4"] if number % 10 == 9 else ["-l", f"h_rt={3600 + number},mem_free=1M"]
            what = ["-N", f"sweep_{number}", "-t", f"1-{TASKS // ARRAYS}", "-q", queue, *asked]
            # A simulated job lasts as long as its first argument says.
            ask(cell, ["qsub", "-terse", "-b", "y", *what, "/bin/sleep", "100000"])
        deadline = time.monotonic() + 120
        while ask(cell, ["qstat", "-s", "r", "-u", "*"]).stdout.count(b"\n") < HOSTS * SLOTS // 2:
            if time.monotonic() > deadline:
                raise RuntimeError("the tasks do not start")
            time.sleep(1)
        for path, argv in ((polled, QSTAT), (each_task, ("qstat", "-u", "*", "-g", "d", "-xml"))):
            path.write_bytes(ask(cell, argv).stdout)
    finally:
        demo.stop("parse-benchmark")
