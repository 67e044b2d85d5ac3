"""What a job's model says of its usage at the end, and when accounting comes later than the end."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from patience import wait_for

from gcs_lab.errors import DrmCommunication
from gcs_lab.models import JobFeed, job_feed
from gcs_lab.vocabulary import JobInfo, JobState, JobStatus

GIB = 1 << 30


class EndedJob:
    """A job whose log told its end, and of which accounting tells only when it is asked for the third time."""

    def __init__(self, info: JobInfo | None, requested: dict[str, str]) -> None:
        self.accounting = info
        self.asked = 0
        self.cluster = SimpleNamespace(name="c", system="s", jobs=None)
        self.id, self.name, self.requested = "1", "fit", requested
        self.state, self.status = JobState.DONE, JobStatus(JobState.DONE, slots=None)
        self.entry = SimpleNamespace(submitted=1.0)
        self.folder = SimpleNamespace(path="/f")
        self.finished: dict[str, Any] = {"wall": 3000.0, "cpu": 2900.0, "max_rss": GIB, "max_vmem": 2 * GIB}
        self.error = self.info = None
        self.message, self.abandoned = "", False
        self.concluded = threading.Event()
        self.job = SimpleNamespace(info=self.ask)

    def listen(self, listener: JobFeed) -> None:
        self.listener = listener

    def waits(self) -> bool:
        return False

    def ask(self) -> JobInfo | None:
        self.asked += 1
        if self.asked == 1:
            raise DrmCommunication("no answer")
        return self.accounting if self.asked > 2 else JobInfo(job_state=JobState.RUNNING)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_feed, "_AMENDED_AFTER", (0.01,) * 6)


def test_what_the_log_told_is_amended_when_accounting_comes() -> None:
    info = JobInfo(
        job_id="1",
        job_state=JobState.DONE,
        exit_status=0,
        wallclock_time=3000,
        cpu_time=2900.0,
        max_vmem=3 * GIB,
        slots=1,
    )
    job = EndedJob(info, {"h_vmem": "64G"})
    feed = JobFeed(job)
    feed.on_concluded(job)
    assert feed.model.ended
    assert feed.model.usage[0] == "memory: 2.0 GiB of 64.0 GiB used (3 %)"
    assert feed.model.advice == "-l h_vmem=3G"
    wait_for(lambda: feed.model.max_vmem == 3 * GIB)
    wait_for(lambda: feed.model.advice == "-l h_vmem=4G")
    assert feed.model.usage[0] == "memory: 3.0 GiB of 64.0 GiB used (5 %)"
    assert job.asked == 3


def test_accounting_is_not_asked_for_ever() -> None:
    job = EndedJob(None, {"h_vmem": "64G"})
    feed = JobFeed(job)
    feed.on_concluded(job)
    wait_for(lambda: job.asked == 6)
    time.sleep(0.05)
    assert job.asked == 6
    assert feed.model.advice == "-l h_vmem=3G"


def test_a_job_that_asked_for_nothing_asks_accounting_for_nothing() -> None:
    job = EndedJob(None, {})
    job.status = JobStatus(JobState.DONE, slots=1)
    feed = JobFeed(job)
    feed.on_concluded(job)
    assert (feed.model.usage, feed.model.advice) == ([], "")
    time.sleep(0.05)
    assert job.asked == 0
