"""Sweeps: submission of 10,000 points, metadata a task, the live table, and what a card sends to the browser.

The peers in the same run are a bare ``qsub -t 1-10000`` of a shell script, and the same points as single cell jobs,
a folder each, of which 200 are submitted and the time is scaled up.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.cells.plan import CellPlan
    from gcs_lab.cells.sweep import Sweep
    from gcs_lab.cluster import Cluster
    from gcs_lab.models.sweep_feed import SweepFeed

Row = tuple[str, float, str, str]

POINTS = 10_000
SINGLES = 200
#: Tasks that really run, each a trivial cell.
RUN = 1_000
ROUNDS = 5
NEW_ENDS = 100
SOURCE = "score = x * 0.5\nlabel = model.upper()"


def median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median of the seconds that `work` takes."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def planned(count: int, *, hold: bool) -> CellPlan:
    """Return the plan of a sweep, from its flags on, as ``%%gcs submit`` makes it."""
    from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
    from gcs_lab.cells.sweep_points import asked_points
    from gcs_lab.cells.sweep_submission import add_points

    options = CellOptions(over=[f"x=range({count // 2})", "model=['a', 'b']"], hold=hold, name="sweep")
    points = asked_points(options, {})
    assert points is not None
    request = CellRequest(
        source=SOURCE,
        filename="/tmp/cell.py",
        display_name="Cell In[1]",
        display_source=SOURCE,
        namespace={},
        options=options,
        parameters=points.names,
    )
    plan = plan_cell(request)
    add_points(plan, points)
    return plan


def submitted(cluster: Cluster, count: int, *, hold: bool) -> Sweep:
    """Plan and submit a sweep."""
    from gcs_lab.cells.sweep_submission import submit_sweep

    return submit_sweep(planned(count, hold=hold), cluster)


def single_cells(cluster: Cluster) -> float:
    """Return the seconds that 10,000 single cells would take, from 200."""
    from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
    from gcs_lab.cells.submission import submit_cell
    from gcs_lab.jobs import JobAction

    options = CellOptions(hold=True, name="single")
    namespace = {"x": 1, "model": "a"}
    began = time.perf_counter()
    jobs = []
    for _ in range(SINGLES):
        request = CellRequest(
            source=SOURCE,
            filename="/tmp/cell.py",
            display_name="Cell In[1]",
            display_source=SOURCE,
            namespace=namespace,
            options=options,
        )
        jobs.append(submit_cell(plan_cell(request), cluster))
    taken = time.perf_counter() - began
    cluster.jobs.control(JobAction.TERMINATE, [job.id for job in jobs])
    return taken * POINTS / SINGLES


def submission(cluster: Cluster, name: str) -> list[Row]:
    """Measure the submission of 10,000 points."""

    def submit() -> None:
        sweeps.append(submitted(cluster, POINTS, hold=True))

    sweeps: list[Sweep] = []
    seconds = median(submit)
    for sweep in sweeps:
        sweep.cancel()
    return [
        (f"{name}: sweep of {POINTS:,} points submitted", seconds, "s", "<= 3"),
        (f"  {POINTS:,} single cells, scaled up from {SINGLES}", single_cells(cluster), "s", ""),
    ]


def bare_qsub(cluster: Cluster) -> float:
    """Return the seconds of ``qsub -t 1-10000`` alone."""
    cell = cluster._backend.cell
    argv = [
        cell.command("qsub"),
        "-terse",
        "-h",
        "-o",
        "/dev/null",
        "-j",
        "y",
        "-b",
        "y",
        "-t",
        f"1-{POINTS}",
        "/bin/true",
    ]
    ids = []

    def submit() -> None:
        done = subprocess.run(argv, env=cell.environment(), check=True, capture_output=True, text=True)
        ids.append(done.stdout.partition(".")[0])

    seconds = median(submit)
    subprocess.run([cell.command("qdel"), *ids], env=cell.environment(), check=True, capture_output=True)
    return seconds


def really_run(cluster: Cluster) -> list[Row]:
    """Run a sweep of trivial cells to its end; count what it leaves in its folder."""
    sweep = submitted(cluster, RUN, hold=True)
    before = sweep.folder.size()
    began = time.perf_counter()
    sweep.release()
    if sweep.wait(900).name != "DONE":
        raise RuntimeError(sweep.message)
    seconds = time.perf_counter() - began
    outputs = sum(task.folder.outputs.stat().st_size for task in sweep)
    files = sum(len(list(task.folder.path.iterdir())) for task in sweep)
    metadata = (sweep.folder.size() - before - outputs) / RUN
    return [
        (f"embedded: {RUN:,} trivial tasks run", RUN / seconds, "/s", ""),
        ("metadata of a task in the folder, beside its own outputs", metadata, "B", "<= 1000"),
        ("files of a task", files / RUN, "", "<= 2"),
        (f"table of {RUN:,} ended tasks from the files, new handle", 1e3 * reopened(sweep), "ms", ""),
    ]


def reopened(sweep: Sweep) -> float:
    """Return the seconds that a new handle, as after a restart, takes to the table."""
    from gcs_lab.cells.journal import Journal
    from gcs_lab.cells.sweep import Sweep

    return median(lambda: Sweep(sweep.cluster, sweep.entry, Journal()).frame)


def live_table(cluster: Cluster) -> list[Row]:
    """Measure the table, and what the card sends, of 10,000 tasks that are ending."""
    import pandas as pd  # noqa: F401  (a notebook has it long since)

    from gcs_lab.models.sweep_feed import SweepFeed

    sweep = submitted(cluster, POINTS, hold=True)
    path = sweep.folder.path / "ends-node17.jsonl"
    ended = 0

    def end(count: int) -> None:
        nonlocal ended
        lines = []
        line: dict[str, object]
        for task in range(ended + 1, ended + count + 1):
            failed = task % 97 == 0
            line = {
                "task": task,
                "round": 1,
                "try": 1,
                "exit_status": int(failed),
                "reason": "done",
                "host": "node17",
            }
            line |= {"wall": 1.25, "cpu": 0.9, "max_rss": 12_345_678, "max_vmem": 23_456_789, "started": 1.76e9}
            line |= {"error": "ValueError: no" if failed else "", "results": {"score": task * 0.5, "label": "A"}}
            line |= {"types": {"model_": "sklearn.RandomForestClassifier"}}
            lines.append(f"\n{json.dumps(line)}\n")
        with path.open("a") as file:
            file.writelines(lines)
        ended += count

    def refresh() -> float:
        end(NEW_ENDS)
        began = time.perf_counter()
        frame = sweep.frame
        taken = time.perf_counter() - began
        if frame["score"].notna().sum() != ended:
            raise RuntimeError("the table is not up to date")
        return taken

    feed = SweepFeed(sweep)
    end(POINTS // 2)
    began = time.perf_counter()
    _ = sweep.frame
    first = time.perf_counter() - began
    refreshes = [refresh() for _ in range(20)]
    fed = median(feed.feed, rounds=20)
    rows = [
        (f"table of {POINTS:,} points, first look at {POINTS // 2:,} ends", 1e3 * first, "ms", ""),
        (f"table of {POINTS:,} points, {NEW_ENDS} new ends", 1e3 * statistics.median(refreshes), "ms", "<= 100"),
        ("  the longest of 20", 1e3 * max(refreshes), "ms", ""),
        ("card's model brought up to date", 1e3 * fed, "ms", ""),
        ("bytes to the browser a refresh", browser_bytes(sweep, feed), "B", "<= 20000"),
    ]
    sweep.cancel()
    return rows


def browser_bytes(sweep: Sweep, feed: SweepFeed) -> float:
    """Return the bytes of the card's state that a refresh sends."""
    from gcs_lab.magics.sweep_view import SweepActions
    from gcs_lab.widgets import SweepCard

    card = SweepCard(feed.model, SweepActions(sweep, feed))
    state = card.get_state(["sweep", "strip"])
    strip = bytes(state.pop("strip"))
    return float(len(json.dumps(state)) + len(strip))


def run() -> list[Row]:
    """Return rows of what was measured."""
    import gcs_lab
    from gcs_lab.backends.embedded import service
    from gcs_lab.backends.gridengine import demo

    cluster = gcs_lab.connect("embedded")
    try:
        rows = submission(cluster, "embedded")
        rows += live_table(cluster)
        rows += really_run(cluster)
    finally:
        service.stop()
    demo.start()
    try:
        cluster = gcs_lab.connect("demo")
        rows += submission(cluster, "Grid Engine")
        rows.append((f"  a bare qsub -t 1-{POINTS}", bare_qsub(cluster), "s", ""))
        cluster.close()
    finally:
        demo.stop()
    return rows
