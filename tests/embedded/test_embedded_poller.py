"""The poller on a real embedded cluster: changes, timelines, and another process that shares the questions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from patience import wait_for
from status.status_followers import followers

from gcs_lab.backends.embedded.system import EmbeddedSystem
from gcs_lab.cluster import Cluster

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.status import Update


def test_a_job_comes_runs_and_goes_in_the_eyes_of_all_processes(home: Path) -> None:
    threads = set(threading.enumerate())
    cluster = Cluster(EmbeddedSystem.connect())
    told: list[Update] = []
    try:
        with followers(2, "embedded", "--floor", "0.2") as others:
            wait_for(lambda: all(one.last("polls") for one in others), "a first poll in each")
            poller = cluster.status.poller
            poller.follow(told.append)
            wait_for(lambda: told, "what the others know already")
            assert sum(bool(one.last("asks")) for one in others) == 1
            assert not poller.health.asks
            job = cluster.jobs.run("/bin/sleep", "600", job_name="long", output_path="/dev/null")

            def changed(kind: str) -> bool:
                key = np.uint64(int(job.id) << 32)
                return any(
                    key in getattr(update.changes.tables["jobs"], kind)
                    for update in told
                    if update.changes and "jobs" in update.changes.tables
                )

            wait_for(lambda: changed("added"), "the new job")
            row = wait_for(
                lambda: cluster.status.jobs(state="running", where="name:long").to_dict("records"), "its start"
            )[0]
            assert (row["job_id"], row["slots"], row["running"]) == (job.id, 1, 1)
            assert cluster.status.overview().slots_used == 1
            assert cluster.status.details(job).name == "long"
            assert cluster.status.why(job) == []
            job.terminate()
            wait_for(lambda: changed("removed"), "its end")
            assert len(cluster.status.jobs()) == 0
            recorder = poller.recorder
            wait_for(
                lambda: recorder.timeline(job.id)[-1:] and recorder.timeline(job.id)[-1][1] == "left the queue",
                "its timeline",
            )
            assert not poller.health.asks, "all of it was asked and recorded by another process"
    finally:
        cluster.close()
    assert set(threading.enumerate()) <= threads
