"""Telling those who show jobs why they wait, apart from the states."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from in_memory_backend import InMemoryJobs
from patience import wait_for

from gcs_lab.errors import DrmCommunication
from gcs_lab.jobs import Jobs, pending
from gcs_lab.models import waiting_watch
from gcs_lab.models.errands import Errands
from gcs_lab.models.waiting_watch import WaitingWatch
from gcs_lab.vocabulary import JobTemplate, PendingReason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Collection

FULL = PendingReason(ReasonKind.SLOTS, "all 8 slots of all.q are in use", "all.q")


class WaitingJob:
    """A job that waits until it is told to start."""

    def __init__(self, cluster: SimpleNamespace) -> None:
        self.cluster = cluster
        self.concluded = threading.Event()
        self.id = cluster.jobs.submit(JobTemplate(remote_command="true")).id
        self.started = False
        self.told: list[list[str]] = []

    def waits(self) -> bool:
        return not self.started

    def tell(self, reasons: list[str]) -> None:
        self.told.append(reasons)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let seconds be parts of them."""
    monkeypatch.setattr(waiting_watch, "FIRST_SECONDS", 0.1)
    monkeypatch.setattr(waiting_watch, "_TOGETHER_SECONDS", 1.0)
    monkeypatch.setattr(waiting_watch, "_PACES", ((float("inf"), 0.05),))
    monkeypatch.setattr(pending, "REASON_SECONDS", 0.01)


@pytest.fixture
def backend() -> InMemoryJobs:
    return InMemoryJobs()


@pytest.fixture
def cluster(backend: InMemoryJobs) -> SimpleNamespace:
    return SimpleNamespace(jobs=Jobs(backend))


@pytest.mark.usefixtures("quick")
def test_an_answer_that_cannot_be_read_is_not_the_last(
    backend: InMemoryJobs, cluster: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = WaitingJob(cluster)
    backend.reasons[job.id] = [FULL]
    faults = iter([KeyError("queue"), ValueError("no XML")])
    answer = backend.pending_reasons

    def answers(job_ids: Collection[str]) -> dict[str, list[PendingReason]]:
        for fault in faults:
            raise fault
        return answer(job_ids)

    monkeypatch.setattr(backend, "pending_reasons", answers)
    watch = WaitingWatch()
    watch.watch(job, job.tell)
    wait_for(lambda: job.told)
    job.started = True
    wait_for(lambda: not watch._watched)
    assert [record.message for record in caplog.records] == ["asking why jobs wait failed; it is asked again"] * 2


@pytest.mark.usefixtures("quick")
def test_a_job_is_told_why_it_waits_until_it_starts(backend: InMemoryJobs, cluster: SimpleNamespace) -> None:
    job = WaitingJob(cluster)
    backend.reasons[job.id] = [FULL]
    watch = WaitingWatch()
    watch.watch(job, job.tell)
    wait_for(lambda: job.told)
    assert job.told[0] == ["all 8 slots of all.q are in use"]
    job.started = True
    wait_for(lambda: not watch._watched)
    number = len(backend.reasons_asked)
    time.sleep(0.1)
    assert len(backend.reasons_asked) == number


@pytest.mark.usefixtures("quick")
def test_jobs_of_a_cluster_are_asked_for_together(backend: InMemoryJobs, cluster: SimpleNamespace) -> None:
    some = [WaitingJob(cluster) for _ in range(20)]
    backend.reasons = {job.id: [FULL] for job in some}
    watch = WaitingWatch()
    for job in some:
        watch.watch(job, job.tell)
        watch.watch(job, job.tell)
    wait_for(lambda: all(job.told for job in some))
    assert backend.reasons_asked[0] == {job.id for job in some}
    for job in some:
        job.concluded.set()
    wait_for(lambda: not watch._watched)


@pytest.mark.usefixtures("quick")
def test_a_cluster_that_does_not_answer_is_asked_again_later(backend: InMemoryJobs, cluster: SimpleNamespace) -> None:
    job = WaitingJob(cluster)
    backend.reasons[job.id] = [FULL]
    backend.reasons_fault = DrmCommunication("no answer")
    watch = WaitingWatch()
    watch.watch(job, job.tell)
    wait_for(lambda: len(backend.reasons_asked) > 1)
    assert job.told == []
    backend.reasons_fault = None
    wait_for(lambda: job.told)
    job.started = True


@pytest.mark.usefixtures("quick")
def test_one_who_cannot_be_told_does_not_keep_the_others_from_it(
    backend: InMemoryJobs, cluster: SimpleNamespace
) -> None:
    broken, fine = WaitingJob(cluster), WaitingJob(cluster)
    backend.reasons = {broken.id: [FULL], fine.id: [FULL]}

    def fail(reasons: list[str]) -> None:
        raise ValueError(reasons)

    watch = WaitingWatch()
    watch.watch(broken, fail)
    watch.watch(fine, fine.tell)
    wait_for(lambda: fine.told)
    broken.started = fine.started = True


def test_the_first_question_comes_after_two_seconds_and_later_ones_get_seldom() -> None:
    assert waiting_watch.FIRST_SECONDS == 2
    paces = [next(pace for below, pace in waiting_watch._PACES if waited < below) for waited in (3, 299, 301, 1e9)]
    assert paces == [10, 10, 30, 120]


def test_errands_are_done_in_their_order_and_again_if_they_ask_for_it() -> None:
    errands, done = Errands(), []
    finished = threading.Event()

    def again() -> float | None:
        done.append("again")
        return 0.01 if done.count("again") < 3 else finished.set()

    def broken() -> None:
        done.append("broken")
        raise ValueError

    errands.after(0.03, again)
    errands.after(0.0, broken)
    assert finished.wait(10)
    assert done == ["broken", "again", "again", "again"]
    wait_for(lambda: errands._thread is None)
    # The thread has ended; the next errand starts one.
    errands.after(0.0, lambda: done.append("late"))
    wait_for(lambda: done[-1] == "late")
