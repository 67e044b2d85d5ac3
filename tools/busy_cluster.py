"""Fill a cluster of simulated hosts with a lively workload: many arrays and jobs, held, dependent, parallel, failing.

    gcs-lab demo start --name big --simulated 500
    python tools/busy_cluster.py demo-big --tasks 50000 --jobs 300

    gcs-lab embedded start --nodes 4 --simulated 500
    python tools/busy_cluster.py embedded --tasks 50000 --jobs 300 --keep 600

The same seed gives the same workload. A private cluster has one user, so groups of people are told apart by the
names of their jobs and by their accounts (``-A``), on Grid Engine by projects (``-P``), too.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from typing import TYPE_CHECKING

from gcs_lab.cluster import connect
from gcs_lab.errors import DrmCommunication, GcsError
from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.jobs import Job, Jobs

GROUPS = {
    "physics": ("lattice", "detector", "calibrate", "unfold"),
    "biology": ("align", "fold", "variants", "dock"),
    "climate": ("ocean", "downscale", "ensemble", "regrid"),
    "teaching": ("exercise", "demo", "notebook"),
}
#: Sent in one message.
BATCH = 200
#: Of the single jobs, in parts of 100.
PARALLEL, DEPENDENT, HELD, SHORT = 15, 10, 5, 20
#: Between two looks while the cluster is kept busy, in seconds.
LOOK_SECONDS = 5.0


class Workload:
    """What is submitted to one cluster.

    Parameters
    ----------
    jobs
        The cluster's jobs.
    seconds
        Mean of what a task seems to run.
    seed
        Where chance begins.
    """

    def __init__(self, jobs: Jobs, seconds: float, seed: int) -> None:
        self.jobs = jobs
        self.seconds = seconds
        # Not for secrets: the same seed is to give the same workload.
        self.chance = random.Random(seed)  # noqa: S311
        names = jobs.catalogue().queues
        if "sim.q" not in names:
            raise SystemExit(
                "busy_cluster: this cluster has no sim.q, and its jobs would really run. Start one with simulated "
                "hosts: gcs-lab demo start --name big --simulated 500, or gcs-lab embedded start --simulated 500."
            )
        self.on_grid_engine = "simshort.q" in names
        self.can_fail = "all.q" in names
        self.slots = sum(queue.slots or 0 for queue in jobs.queues({"sim.q"}))
        self.done: list[Job] = []

    def template(self, **more: object) -> JobTemplate:
        """Return one job of a group by chance; most are short, a few very long (a log-normal distribution)."""
        group = self.chance.choice(list(GROUPS))
        values: dict[str, object] = {
            "remote_command": "/bin/sleep",
            "args": [str(max(1, round(self.chance.lognormvariate(0, 0.8) * self.seconds)))],
            "job_name": self.chance.choice(GROUPS[group]),
            "accounting_id": group,
            "queue_name": "sim.q",
            "priority": -self.chance.choice((0, 0, 0, 0, 10, 100)),
            "output_path": "/dev/null",
            "join_files": True,
        }
        if self.on_grid_engine:
            values["native_specification"] = f"-P {group}"
        return JobTemplate(**(values | more))  # type: ignore[arg-type]

    def arrays(self, tasks: int) -> None:
        """Submit `tasks` tasks: a big array, which leaves room for others, and smaller ones."""
        left = tasks
        while left > 0:
            count = max(1, left * 7 // 10) if left > BATCH else left
            big = left == tasks
            limit = self.slots * 6 // 10 if big else count // 100 if self.chance.random() < 1 / 3 else 0
            self.jobs.submit_array(self.template(), 1, count, max_parallel=limit or None)
            left -= count

    def singles(self, count: int) -> None:
        """Submit `count` jobs, in batches."""
        for first in range(0, count, BATCH):
            number = min(BATCH, count - first)
            self.done += self.jobs.submit_many([self.single() for _ in range(number)])

    def single(self) -> JobTemplate:
        """Return a single job of some kind."""
        kind = self.chance.randrange(100)
        if kind < PARALLEL:
            slots = self.chance.choice((2, 4, 8, 16, 32, 64))
            environment = "smp" if slots <= 8 else "mpi"  # noqa: PLR2004  (of the 16 slots of a host)
            return self.template(parallel_environment=environment, min_slots=slots, max_slots=slots)
        if kind < PARALLEL + DEPENDENT and self.done:
            return self.template(hold_jid=[self.chance.choice(self.done).id])
        if kind < PARALLEL + DEPENDENT + HELD:
            return self.template(submit_as_hold=True)
        if kind < PARALLEL + DEPENDENT + HELD + SHORT and self.on_grid_engine:
            return self.template(queue_name="simshort.q", resource_requests={"h_rt": "600"})
        return self.template()

    def failing(self, count: int) -> None:
        """Submit jobs that end in error state (exit status 100): real ones, for simulated ones always end well."""
        if not self.can_fail:
            print("no jobs in error state: on this cluster nothing runs that could fail")
            return
        script = {"remote_command": "/bin/sh", "args": ["-c", "exit 100"], "queue_name": "all.q"}
        self.jobs.submit_many([self.template(**script) for _ in range(count)])

    def stir(self, wanted: int) -> None:
        """Let a few jobs be held, released and deleted, and come back to as many single jobs as were `wanted`."""
        states = {job.id: job for job in self.jobs.list()}
        self.done = [job for job in self.done if job.id in states]
        some = self.chance.sample(self.done, min(len(self.done), 6))
        for action, part in (
            (JobAction.HOLD, some[:2]),
            (JobAction.RELEASE, some[2:4]),
            (JobAction.TERMINATE, some[4:]),
        ):
            # What has just ended can be neither held nor deleted.
            self.jobs.control(action, [job.id for job in part])
        self.singles(max(0, wanted - len(self.done)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cluster", help="as gcs_lab.connect calls it: demo-big, embedded …")
    parser.add_argument("--tasks", type=int, default=50_000, help="tasks of arrays (default: 50,000)")
    parser.add_argument("--jobs", type=int, default=300, help="single jobs (default: 300)")
    parser.add_argument("--seconds", type=float, default=120.0, help="mean of what each seems to run (default: 120)")
    parser.add_argument("--errors", type=int, default=5, help="jobs in error state, on embedded (default: 5)")
    parser.add_argument("--keep", type=float, default=0.0, metavar="SECONDS", help="go on so long: jobs come and go")
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args(arguments)
    try:
        fill(flags)
    except GcsError as error:
        print(f"busy_cluster: {error}", file=sys.stderr)
        return 1
    return 0


def fill(flags: argparse.Namespace) -> None:
    """Do what the command's flags say. Raises GcsError."""
    cluster = connect(flags.cluster)
    try:
        work = Workload(cluster.jobs, flags.seconds, flags.seed)
        began = time.monotonic()
        work.singles(flags.jobs)
        work.arrays(flags.tasks)
        work.failing(flags.errors)
        print(f"{flags.tasks:,} tasks and {flags.jobs:,} jobs were submitted in {time.monotonic() - began:.1f} s")
        until = time.monotonic() + flags.keep
        while time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            try:
                work.stir(flags.jobs)
            except DrmCommunication as error:
                # A master that starts thousands of tasks may keep silent for a minute.
                print(f"busy_cluster: {error}", file=sys.stderr)
    finally:
        cluster.close()


if __name__ == "__main__":
    sys.exit(main())
