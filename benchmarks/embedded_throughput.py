"""Throughput and latency of the embedded cluster, in a cluster of its own that is removed afterwards.

Run with the Python that has gcs_lab: ``python benchmarks/embedded_throughput.py [ROUNDS]``. Printed are medians.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS = 300
SUBMISSIONS = 1000


def timed(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def plain_processes(count: int) -> None:
    """Start as many processes with the standard library, for proportion."""
    for _ in range(count):
        subprocess.run(["/bin/true"], check=True)


def wait_until_empty(jobs: object) -> None:
    while jobs.job_ids():  # type: ignore[attr-defined]
        time.sleep(0.002)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    home = tempfile.mkdtemp(prefix="gcs-bench-")
    os.environ["GCS_LAB_HOME"] = home
    from gcs_lab.backends.embedded import service
    from gcs_lab.backends.embedded.system import EmbeddedSystem
    from gcs_lab.jobs import JobAction
    from gcs_lab.vocabulary import JobTemplate

    def template(command: str, *args: str, **more: object) -> JobTemplate:
        files = {"output_path": "/dev/null", "error_path": "/dev/null", "working_directory": home}
        return JobTemplate(remote_command=command, args=list(args), **{**files, **more})  # type: ignore[arg-type]

    starts, true_rates, plain_rates, submit_rates, start_latency, round_trip = [], [], [], [], [], []
    try:
        for _ in range(rounds):
            service.stop()
            starts.append(timed(service.start))
            system = EmbeddedSystem.connect()
            jobs = system.jobs

            begin = time.perf_counter()
            for _ in range(JOBS):
                jobs.submit(template("/bin/true"))
            wait_until_empty(jobs)
            true_rates.append(JOBS / (time.perf_counter() - begin))
            plain_rates.append(JOBS / timed(lambda: plain_processes(JOBS)))

            begin = time.perf_counter()
            held = [jobs.submit(template("/bin/true", submit_as_hold=True)) for _ in range(SUBMISSIONS)]
            submit_rates.append(SUBMISSIONS / (time.perf_counter() - begin))
            jobs.control(JobAction.TERMINATE, held)

            stamp = Path(home) / "stamp"
            for _ in range(20):
                stamp.unlink(missing_ok=True)
                begin_wall = time.time()
                begin = time.perf_counter()
                jobs.submit(template("/usr/bin/touch", str(stamp)))
                wait_until_empty(jobs)
                round_trip.append(time.perf_counter() - begin)
                start_latency.append(stamp.stat().st_mtime - begin_wall)
            system.close()
    finally:
        service.stop()
        shutil.rmtree(home)

    median = statistics.median
    print(f"start of the scheduler                    {median(starts) * 1e3:8.0f} ms")
    print(f"submissions one by one, durable           {median(submit_rates):8.0f} /s")
    print(f"/bin/true submitted, run and accounted    {median(true_rates):8.0f} /s")
    print(f"  subprocess.run of the same beside it    {median(plain_rates):8.0f} /s")
    print(f"submit to the job's first act             {median(start_latency) * 1e3:8.1f} ms")
    print(f"submit to known end                       {median(round_trip) * 1e3:8.1f} ms")


if __name__ == "__main__":
    main()
