"""A small accounting file with all that is odd: parallel processes, reruns, arrays, failures, jobs that never started."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "# Version: 8.1.9\n# \n# DO NOT MODIFY THIS FILE MANUALLY! \n# \n"
#: A moment that stands at the borders of the times that tests ask for.
NOON = 1_790_000_000
HOUR = 3600


def line(
    *,
    job: int,
    queue: str = "all.q",
    host: str = "node1",
    owner: str = "alice",
    group: str = "users",
    name: str = "fit",
    account: str = "sge",
    submitted: int = NOON,
    start: int = NOON,
    end: int = NOON + HOUR,
    failed: int = 0,
    status: int = 0,
    wallclock: str | None = None,
    utime: float = 1.0,
    stime: float = 0.5,
    project: str = "NONE",
    department: str = "defaultdepartment",
    pe: str = "NONE",
    slots: int = 1,
    task: int = 0,
    cpu: float = 1.5,
    mem: float = 0.25,
    io: float = 0.125,
    category: str = "NONE",
    iow: float = 0.0,
    pe_task: str = "NONE",
    max_vmem: float = 0.0,
    ar: int = 0,
) -> str:
    """Return one record as Grid Engine 8.1.9 writes it."""
    ran = str(max(0, end - start) if start else 0) if wallclock is None else wallclock
    fields = [
        queue, host, group, owner, name, job, account, 0, submitted, start, end, failed, status, ran,
        f"{utime:.6f}", f"{stime:.6f}", "4508.000000", 0, 0, 0, 0, 537, 0, 0, "24.000000", 16, 0, 0, 0, 11, 3,
        project, department, pe, slots, task, f"{cpu:.6f}", f"{mem:.6f}", f"{io:.6f}", category, f"{iow:.6f}",
        pe_task, f"{max_vmem:.6f}", ar, 0,
    ]  # fmt: skip
    return ":".join(str(field) for field in fields) + "\n"


def write_odd_site(path: Path, now: float, seed: int = 3) -> None:
    """Write some 700 records; of them a few are within the last three days before `now`."""
    dice = random.Random(seed)
    lines = []
    for number in range(1, 501):
        start = NOON + dice.choice([-1, 0, 1, dice.randrange(-40, 40) * HOUR])
        length = dice.choice([0, 1, HOUR, dice.randrange(1, 90_000)])
        common = {
            "job": number,
            "queue": dice.choice(["all.q", "all.q", "long.q", "gpu.q"]),
            "host": dice.choice(["node1", "node2", "node10", "gpu1"]),
            "owner": dice.choice(["alice", "bob", "carol"]),
            "group": dice.choice(["users", "staff"]),
            "name": dice.choice(["fit", "fit_2", "align", "sleep"]),
            "account": dice.choice(["sge", "grant1"]),
            "project": dice.choice(["NONE", "alpha", "beta"]),
            "department": dice.choice(["defaultdepartment", "physics"]),
            "submitted": start - dice.randrange(0, 5000),
            "category": f"-U dl -l h_rt={length + 600},h_vmem={dice.choice([2, 4, 8])}G",
            "ar": dice.choice([0, 0, 0, 7, 12]),
        }

        def usage() -> dict[str, float]:
            cpu = dice.random() * 1e4
            return {
                "utime": cpu * 0.9, "stime": cpu * 0.1, "cpu": cpu * 1.01, "mem": cpu * dice.random() * 8,
                "io": dice.random(), "iow": dice.random(), "max_vmem": dice.random() * 1e10,
            }  # fmt: skip

        ran = {**common, "start": start, "end": start + length}
        kind = number % 10
        if kind == 0:  # never started
            lines.append(line(**common, start=0, end=0, failed=dice.choice([26, 21, 8]), slots=0))
        elif kind == 1:  # a parallel job with a record for each process
            shape = {"pe": "mpi", "slots": 8}
            lines.append(line(**ran, **shape, **usage()))
            lines += [line(**ran, **shape, **usage(), pe_task=f"{one}.node{one}") for one in (1, 2)]
        elif kind == 2:  # an array
            lines += [line(**ran, **usage(), task=task) for task in range(1, 4)]
        elif kind == 3:  # run again
            lines.append(line(**ran, **usage(), failed=25))
            lines.append(line(**{**ran, "host": "node2"}, **usage()))
        elif kind == 4:
            lines.append(line(**ran, **usage(), failed=100, status=137))
        elif kind == 5:
            lines.append(line(**ran, **usage(), pe="smp", slots=dice.choice([2, 4])))
        else:
            lines.append(line(**ran, **usage(), status=dice.choice([0, 0, 0, 1])))
    for number in range(501, 521):
        start = int(now) - dice.choice([1, 2, 4]) * 86400 - 5 * HOUR
        lines.append(line(job=number, submitted=start, start=start, end=start + 2 * HOUR))
    path.write_text(HEAD + "".join(lines))
