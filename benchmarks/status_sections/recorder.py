"""The recorder on a cluster of 500 hosts and 50,000 tasks: its bytes, and what a moment costs the poller."""

from __future__ import annotations

import statistics
import time

from status_sections._queue_tables import cluster_poll, with_changes

from gcs_lab.status.difference import changes_between
from gcs_lab.status.recorder import Recorder
from gcs_lab.status.taking import snapshot_of

Row = tuple[str, float, str, str]

TASKS = 50_000
#: Seconds between two recorded polls, and tasks that end (a quarter), start (a quarter) or change meanwhile.
EVERY = 60.0
CHANGES = 120
HOURS = 6
BEGIN = 1_790_000_000.0


def run() -> list[Row]:
    """Return the rows of the table: hours of polls, one a minute, are recorded in one go."""
    poll = cluster_poll(TASKS)
    tables = {"tasks": poll.tasks, "queue_instances": poll.queue_instances, "hosts": poll.hosts}
    recorder = Recorder("benchmark", "made up")
    before, taken = None, []
    for step in range(int(HOURS * 3600 / EVERY)):
        snapshot = snapshot_of(tables, cluster="benchmark", sequence=step, time=BEGIN + EVERY * step, seconds=0.5)
        changes = changes_between(before, snapshot) if before is not None else None
        began = time.process_time()
        recorder.add(snapshot, before, changes)
        taken.append(time.process_time() - began)
        before = snapshot
        other_hosts = cluster_poll(10, seed=step)
        tables = {
            "tasks": with_changes(tables["tasks"], CHANGES, step),
            "queue_instances": other_hosts.queue_instances,
            "hosts": other_hosts.hosts,
        }
    if recorder.trouble:
        raise RuntimeError(recorder.trouble)
    moments = recorder._parts[0].moments() if recorder._parts else []
    bases = [path.stat().st_size for path in moments[0].path.parent.glob("base-*")] if moments else []
    sizes = [one.size for one in moments]
    began = time.perf_counter()
    shown = recorder.at(BEGIN + HOURS * 1800)
    seconds = time.perf_counter() - began
    if shown is None or not shown.tasks.num_rows:
        raise RuntimeError("the recorded moment is not there")
    megabytes = 1 / (1 << 20)
    history = sum(path.stat().st_size for path in moments[0].path.parents[1].glob("history*"))
    # 10 minutes of polls (one in 12 s), then one a minute to 3 h, one in ten to 12 h, one in thirty to 48 h.
    all_moments = 50 + 170 + 54 + 72
    whole = all_moments * statistics.mean(sizes) + 48 * statistics.mean(bases) * len(bases) / HOURS
    return [
        ("recorder: a base (50,000 tasks, whole)", statistics.mean(bases) * megabytes, "MB", ""),
        ("recorder: a moment beside it", statistics.mean(sizes) * megabytes, "MB", ""),
        (f"recorder: {HOURS} hours of this, as they were kept", (sum(sizes) + sum(bases)) * megabytes, "MB", ""),
        ("recorder: counts and timelines of them", history * megabytes, "MB", ""),
        ("recorder: 48 hours thinned, if there were no limit", whole * megabytes, "MB", ""),
        ("recorder: the limit for them", recorder.limit * 5 / 6 * megabytes, "MB", "<= 64"),
        ("recorder: CPU for a moment, median", 1000 * statistics.median(taken), "ms", ""),
        ("recorder: CPU for a moment, most (a new base)", 1000 * max(taken), "ms", ""),
        ("recorder: a moment read again", 1000 * seconds, "ms", "<= 500"),
    ]
