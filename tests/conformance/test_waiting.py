"""Waiting for starts and ends, with little asked of the system (GFD.231, 8.2.7 and 8.3)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from patience import PATIENCE_SECONDS

from conformance.statements import clause, subject, together
from gcs_lab.errors import InvalidArgument, Timeout
from gcs_lab.jobs import Jobs
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from conformance.site import Site

WAITERS = 2000


@together
@clause("GFD.231 8.3 waitStarted")
@subject("Job.wait_started")
def test_wait_started_returns_when_the_job_runs(site: Site) -> None:
    run = site.held("exec sleep 600")
    with pytest.raises(Timeout, match=run.id):
        run.job.wait_started(0)
    run.job.release()
    assert run.job.wait_started(None) is JobState.RUNNING
    assert run.job.wait_started(0) is JobState.RUNNING
    site.end(run)


@together
@clause("GFD.231 8.3 waitStarted")
@subject("Job.wait_started")
def test_wait_started_returns_for_a_job_that_has_ended(site: Site) -> None:
    run = site.held()
    site.end(run)
    assert run.job.wait_started(PATIENCE_SECONDS) is JobState.FAILED


@together
@clause("GFD.231 8.3 waitTerminated")
@subject("Job.wait_terminated")
def test_wait_terminated_returns_when_the_job_has_ended(site: Site) -> None:
    run = site.running("while [ ! -e go ]; do sleep 0.1; done")
    with pytest.raises(Timeout):
        run.job.wait_terminated(0)
    begun = time.monotonic()
    with pytest.raises(Timeout, match=run.id):
        run.job.wait_terminated(0.5)
    assert time.monotonic() - begun >= 0.5
    (run.folder / "go").touch()
    assert run.job.wait_terminated(None) is JobState.DONE
    assert run.job.wait_terminated(0) is JobState.DONE


@together
@clause("GFD.231 8.2.7 waitAnyTerminated")
@subject("Jobs.wait_any_terminated")
def test_wait_any_terminated_returns_the_one_that_ended(site: Site) -> None:
    runs = [site.running() for _ in range(3)]
    jobs = [run.job for run in runs]
    with pytest.raises(Timeout):
        site.jobs.wait_any_terminated(jobs, 0)
    site.end(runs[1])
    assert site.jobs.wait_any_terminated(jobs, PATIENCE_SECONDS) == jobs[1]
    site.end(runs[0])
    runs[0].ended()
    assert site.jobs.wait_any_terminated(jobs) in jobs[:2]
    assert site.jobs.wait_any_terminated([jobs[2], jobs[0]], PATIENCE_SECONDS) == jobs[0]
    site.end(runs[2])


@together
@clause("GFD.231 8.2.7 waitAnyStarted")
@subject("Jobs.wait_any_started")
def test_wait_any_started_returns_the_one_that_started(site: Site) -> None:
    runs = [site.held("exec sleep 600") for _ in range(3)]
    jobs = [run.job for run in runs]
    with pytest.raises(Timeout):
        site.jobs.wait_any_started(jobs, 0.2)
    jobs[2].release()
    assert site.jobs.wait_any_started(jobs, PATIENCE_SECONDS) == jobs[2]
    site.end(*runs)


@together
@clause("issue 3, 6: wait_all")
@subject("Jobs.wait_all_started", "Jobs.wait_all_terminated")
def test_wait_all_waits_for_each_of_them(site: Site) -> None:
    runs = [site.held("exec sleep 600") for _ in range(2)]
    jobs = [run.job for run in runs]
    jobs[0].release()
    jobs[0].wait_started(PATIENCE_SECONDS)
    with pytest.raises(Timeout):
        site.jobs.wait_all_started(jobs, 0)
    jobs[1].release()
    assert site.jobs.wait_all_started(jobs, PATIENCE_SECONDS) is None
    site.end(runs[0])
    runs[0].ended()
    with pytest.raises(Timeout):
        site.jobs.wait_all_terminated(jobs, 0)
    site.end(runs[1])
    assert site.jobs.wait_all_terminated(jobs, PATIENCE_SECONDS) is None


@together
@clause("issue 3, 6: arrays among the jobs")
@subject("Jobs.wait_any_terminated", "Jobs.wait_all_terminated")
def test_an_array_stands_for_its_tasks_in_a_wait(site: Site) -> None:
    single = site.held("exec sleep 600")
    array = site.jobs.submit_array(
        site.template("/bin/true", submit_as_hold=True, output_path="/dev/null", error_path="/dev/null"), 1, 3
    )
    array.release([2])
    assert site.jobs.wait_any_terminated([single.job, array], PATIENCE_SECONDS).id == f"{array.id}.2"
    with pytest.raises(Timeout):
        site.jobs.wait_all_terminated(iter([array]), 0)
    array.release([1, 3])
    site.jobs.wait_all_terminated(iter([array]), PATIENCE_SECONDS)
    site.end(single)


@together
@clause("GFD.231 8.2.7 waitAny of nothing")
@subject("Jobs.wait_any_started", "Jobs.wait_any_terminated")
def test_waiting_for_any_of_no_jobs_is_an_invalid_argument(site: Site) -> None:
    for wait in (site.jobs.wait_any_started, site.jobs.wait_any_terminated):
        with pytest.raises(InvalidArgument):
            wait([], 0)


class _Counting:
    """A backend that counts the questions about states."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.questions = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def status(self, job_ids: Any) -> Any:
        self.questions += 1
        return self._backend.status(job_ids)

    def array_status(self, array_ids: Any) -> Any:
        self.questions += 1
        return self._backend.array_status(array_ids)


@clause("issue 3, 6: waiting without polling storms")
@subject("Job.wait_terminated")
def test_thousands_of_waiters_cost_one_question_an_interval(site: Site) -> None:
    backend = _Counting(site.jobs.backend)
    jobs = Jobs(backend)  # type: ignore[arg-type]
    singles = [jobs.submit(site.template("/bin/true", submit_as_hold=True)) for _ in range(5)]
    array = jobs.submit_array(site.template("/bin/true", submit_as_hold=True, output_path="/dev/null"), 1, WAITERS)
    waited_for = [*singles, *array.jobs[: WAITERS - len(singles)]]
    assert len(waited_for) == WAITERS
    outcomes: list[JobState] = []
    before = threading.stack_size(256 * 1024)
    backend.questions = 0
    begun = time.monotonic()
    try:
        threads = [
            threading.Thread(target=lambda job=job: outcomes.append(job.wait_terminated(2 * PATIENCE_SECONDS)))
            for job in waited_for
        ]
        for thread in threads:
            thread.start()
    finally:
        threading.stack_size(before)
    time.sleep(max(1.0, 2 * backend.poll_floor))
    site.end(*singles, site.jobs.job(array.id))
    for thread in threads:
        thread.join()
    took = time.monotonic() - begun
    assert outcomes == [JobState.FAILED] * WAITERS
    # One about single jobs and one about arrays an interval, and a few at the begin and the end.
    assert backend.questions <= 2 * (took / backend.poll_floor) + 10
