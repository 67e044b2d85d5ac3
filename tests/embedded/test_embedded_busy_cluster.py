"""The developer's tool that fills a simulated cluster with work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from embedded_lab import wait_for

from gcs_lab.backends.embedded import service
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from embedded_lab import Lab

TOOL = Path(__file__).parents[2] / "tools" / "busy_cluster.py"


def fill(*options: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(TOOL), "embedded", *options]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_a_simulated_cluster_is_filled_with_work_of_many_kinds(lab: Lab) -> None:
    service.start(simulated=10)
    done = fill("--tasks", "400", "--jobs", "40", "--errors", "2", "--seconds", "600")
    assert (done.returncode, done.stderr) == (0, "")
    assert "400 tasks and 40 jobs were submitted" in done.stdout
    wait_for(
        lambda: [info.job_state for info in lab.jobs.find()].count(JobState.FAILED) == 2, "the jobs in error state"
    )
    found = lab.jobs.find()
    assert {info.job_state for info in found} >= {
        JobState.RUNNING,
        JobState.QUEUED,
        JobState.QUEUED_HELD,
        JobState.FAILED,
    }
    assert len({info.job_name for info in found}) > 5
    for job in lab.jobs.list():
        job.terminate()


def test_a_cluster_on_which_jobs_really_run_is_left_alone(lab: Lab) -> None:
    service.start()
    done = fill("--jobs", "1")
    assert done.returncode == 1
    assert "jobs would really run" in done.stderr
    assert lab.jobs.list() == []
