"""The job layer: arrays, submissions and states, on the embedded cluster and on a private Grid Engine, beside goals.

Run it with ``make benchmark`` or ``python benchmarks/jobs.py [--rounds 5] [--no-gridengine]``. The peers are measured
in the same run: libdrmaa called in a bare loop for submissions and arrays, the ``qstat`` command alone for states.
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
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcs_lab.cluster import Cluster
    from gcs_lab.jobs import JobArray

RELATIONS = {"<=": operator.le, ">=": operator.ge}
TASKS = 100_000
TASKS_OF_GRID_ENGINE = 50_000
MANY = 10_000
ONE_BY_ONE = 500
PLAIN = {"output_path": "/dev/null", "error_path": "/dev/null", "working_directory": "/tmp", "submit_as_hold": True}

#: A loop over libdrmaa and nothing else, in a process started as the library needs it.
BARE_DRMAA = """
import sys, time, drmaa
session = drmaa.Session(); session.initialize()
template = session.createJobTemplate()
template.remoteCommand = "/bin/true"
template.jobSubmissionState = drmaa.JobSubmissionState.HOLD_STATE
template.workingDirectory = "/tmp"
template.outputPath = template.errorPath = ":/dev/null"
session.runJob(template)
began = time.perf_counter()
for _ in range(int(sys.argv[1])):
    session.runJob(template)
print(int(sys.argv[1]) / (time.perf_counter() - began))
began = time.perf_counter()
session.runBulkJobs(template, 1, int(sys.argv[2]), 1)
print(time.perf_counter() - began)
session.exit()
"""


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that `action` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def show(what: str, value: float, unit: str, goal: str = "") -> None:
    """Print one line of the table; `goal` is ``"<= 0.5"`` in the same unit, or empty for a peer or a ratio."""
    verdict = ""
    if goal:
        relation, _, bound = goal.partition(" ")
        verdict = "reached" if RELATIONS[relation](value, float(bound)) else "MISSED"
    print(f"{what:<66} {value:>10,.3f} {unit:<6} {goal and 'goal ' + goal:<13} {verdict}".rstrip(), flush=True)


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def held_array(cluster: Cluster, tasks: int) -> JobArray:
    """Submit an array of held tasks."""
    from gcs_lab.vocabulary import JobTemplate

    return cluster.jobs.submit_array(JobTemplate(remote_command="/bin/true", **PLAIN), 1, tasks)


def forget(cluster: Cluster, ids: list[str]) -> None:
    """Delete what was submitted, so that rounds are alike, and wait until it is gone."""
    from gcs_lab.jobs import JobAction

    cluster.jobs.control(JobAction.TERMINATE, ids)
    while set(ids) & set(cluster.jobs.backend.job_ids()):
        time.sleep(0.05)


def passes(cluster: Cluster, running: Callable[[], list[str]]) -> list[float]:
    """Return the milliseconds of ten decisions on who starts, each made because a running job was ended.

    The scheduler itself takes the time, around its decision and nothing else.
    """
    from gcs_lab.backends.embedded import service
    from gcs_lab.jobs import JobAction

    found = []
    for _ in range(10):
        before = running()
        cluster.jobs.control(JobAction.TERMINATE, before[:1])
        while running() == before:
            time.sleep(0.01)
        found.append(1e3 * service.status().last_pass_seconds)
    return found


def embedded(rounds: int) -> None:
    """Measure the embedded cluster."""
    import gcs_lab
    from gcs_lab.backends.embedded import service
    from gcs_lab.vocabulary import JobTemplate

    cluster = gcs_lab.connect("embedded")
    template = JobTemplate(remote_command="/bin/true", **PLAIN)
    arrays, calls, singles, states = [], [], [], []
    for _ in range(rounds):
        began = time.perf_counter()
        array = held_array(cluster, TASKS)
        arrays.append(time.perf_counter() - began)
        # A mixture: some tasks have ended, some are free to run and wait, most are held.
        array.terminate(range(1, TASKS // 2, 2))
        states.append(timed(lambda array=array: array.status(max_age=0)))
        forget(cluster, [array.id])

        began = time.perf_counter()
        many = cluster.jobs.submit_many([template] * MANY)
        calls.append(MANY / (time.perf_counter() - began))
        forget(cluster, [job.id for job in many])

        began = time.perf_counter()
        some = [cluster.jobs.submit(template) for _ in range(ONE_BY_ONE)]
        singles.append(ONE_BY_ONE / (time.perf_counter() - began))
        forget(cluster, [job.id for job in some])
    show(f"embedded: array of {TASKS:,} tasks accepted", median(arrays), "s", "<= 1")
    show(f"embedded: {MANY:,} single jobs submitted in one call", median(calls), "/s", ">= 2000")
    show("embedded: single jobs submitted one by one, each durable", median(singles), "/s", ">= 300")
    show(f"embedded: state of {TASKS:,} tasks, a quarter ended", median(states), "s", "<= 0.2")

    crowded(cluster)
    service.stop()


def crowded(cluster: Cluster) -> None:
    """Measure the scheduler while 100,000 tasks, and then 100,000 jobs, wait for a slot."""
    from gcs_lab.backends.embedded import service
    from gcs_lab.vocabulary import JobState, JobTemplate

    pid = service.status().pid
    assert pid is not None
    template = JobTemplate(remote_command="/bin/sleep", args=["600"], **{**PLAIN, "submit_as_hold": False})

    def memory() -> float:
        return psutil.Process(pid).memory_info().rss / 1e6

    array = cluster.jobs.submit_array(template, 1, TASKS)

    def running_tasks() -> list[str]:
        return [f"{array.id}.{index}" for index in array.status(max_age=0).indices(JobState.RUNNING)]

    while not running_tasks():
        time.sleep(0.05)
    show(f"embedded: scheduling pass, {TASKS:,} tasks waiting", median(passes(cluster, running_tasks)), "ms", "<= 50")
    show(f"embedded: scheduler's memory, {TASKS:,} tasks waiting", memory(), "MB", "<= 200")
    forget(cluster, [array.id])

    jobs = [job.id for _ in range(TASKS // MANY) for job in cluster.jobs.submit_many([template] * MANY)]

    def running_jobs() -> list[str]:
        return [info.job_id for info in cluster.jobs.find() if info.job_state is JobState.RUNNING]

    show(f"embedded: scheduling pass, {TASKS:,} jobs waiting", median(passes(cluster, running_jobs)), "ms", "<= 50")
    show(f"embedded: scheduler's memory, {TASKS:,} jobs waiting", memory(), "MB", "<= 200")
    forget(cluster, jobs)


@contextlib.contextmanager
def grid_engine() -> Iterator[Cluster]:
    """Give a private Grid Engine of this run's own."""
    import gcs_lab
    from gcs_lab.backends.gridengine import demo

    demo.start()
    try:
        cluster = gcs_lab.connect("demo")
        yield cluster
        cluster.close()
    finally:
        demo.stop()


def bare_drmaa(cluster: Cluster) -> tuple[float, float]:
    """Return submissions a second of libdrmaa alone, and the seconds of one array of 50,000 tasks."""
    cell = cluster._backend.cell
    environment = cell.environment() | {
        "DRMAA_LIBRARY_PATH": str(cell.drmaa_library()),
        "GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=4096",
    }
    done = subprocess.run(
        [sys.executable, "-c", BARE_DRMAA, str(ONE_BY_ONE), str(TASKS_OF_GRID_ENGINE)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    rate, bulk = done.stdout.split()
    subprocess.run([cell.command("qdel"), "-u", "*"], env=environment, check=False, capture_output=True)
    while cluster.jobs.backend.job_ids():
        time.sleep(0.2)
    return float(rate), float(bulk)


def qstat(cluster: Cluster) -> None:
    """Ask for all jobs with the command that ours uses, and throw the answer away."""
    cell = cluster._backend.cell
    argv = [cell.command("qstat"), "-u", "*", "-xml"]
    subprocess.run(argv, env=cell.environment(), check=True, capture_output=True)


def on_grid_engine(rounds: int) -> None:
    """Measure Grid Engine through the same interface, and the peers beside it."""
    from gcs_lab.vocabulary import JobTemplate

    template = JobTemplate(remote_command="/bin/true", **PLAIN)
    ours, bare, arrays, bare_arrays, states, commands = [], [], [], [], [], []
    with grid_engine() as cluster:
        forget(cluster, [cluster.jobs.submit(template).id])
        for _ in range(rounds):
            rate, bulk = bare_drmaa(cluster)
            bare.append(rate)
            bare_arrays.append(bulk)
            began = time.perf_counter()
            some = [cluster.jobs.submit(template) for _ in range(ONE_BY_ONE)]
            ours.append(ONE_BY_ONE / (time.perf_counter() - began))
            forget(cluster, [job.id for job in some])

            began = time.perf_counter()
            array = held_array(cluster, TASKS_OF_GRID_ENGINE)
            arrays.append(time.perf_counter() - began)
            # Every second task of a part is free to run, and has a row of its own in what qstat prints.
            array.release(range(1, 2_000, 2))
            commands.append(timed(lambda: qstat(cluster)))
            states.append(timed(lambda array=array: array.status(max_age=0)))
            forget(cluster, [array.id])
    show("Grid Engine: single jobs submitted one by one", median(ours), "/s")
    show("  libdrmaa alone, in a bare loop", median(bare), "/s")
    show("  ratio", median(ours) / median(bare), "x", ">= 0.9")
    show(f"Grid Engine: array of {TASKS_OF_GRID_ENGINE:,} tasks accepted", median(arrays), "s")
    show("  libdrmaa's runBulkJobs alone", median(bare_arrays), "s")
    show(f"Grid Engine: state of {TASKS_OF_GRID_ENGINE:,} tasks", median(states), "s")
    show("  the qstat command alone", median(commands), "s")
    show("  what ours adds", median(states) - median(commands), "s", "<= 0.5")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-gridengine", action="store_true")
    options = parser.parse_args()
    home = tempfile.mkdtemp(prefix="gb-", dir="/tmp")
    os.environ["GCS_LAB_HOME"] = home
    os.environ.pop("GCS_LAB_CLUSTER", None)
    try:
        embedded(options.rounds)
        if not options.no_gridengine:
            on_grid_engine(options.rounds)
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
