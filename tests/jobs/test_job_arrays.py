"""Array jobs through the jobs area: submitted, listed, controlled and watched without an object a task."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from in_memory_backend import InMemoryJobs

from gcs_lab.errors import InvalidArgument, InvalidState, UnknownName, UnsupportedAttribute
from gcs_lab.jobs import JobAction, JobArray, Jobs, JobsBackend, ReservationsBackend
from gcs_lab.vocabulary import Capability, JobState, JobTemplate, TaskRange

TRUE = JobTemplate(remote_command="true")


@pytest.fixture
def backend() -> InMemoryJobs:
    return InMemoryJobs()


@pytest.fixture
def jobs(backend: InMemoryJobs) -> Jobs:
    return Jobs(backend)


def test_the_fakes_follow_the_protocol(backend: InMemoryJobs) -> None:
    from in_memory_backend import InMemoryReservations

    assert isinstance(backend, JobsBackend)
    assert isinstance(InMemoryReservations(), ReservationsBackend)


def test_an_array_is_submitted_with_its_indices_and_limit(jobs: Jobs, backend: InMemoryJobs) -> None:
    array = jobs.submit_array(TRUE, 2, 9, 3, 2, token="ab" * 16)
    assert (array.id, array.tasks) == ("1", TaskRange(2, 9, 3))
    assert [job.id for job in array.jobs] == ["1.2", "1.5", "1.8"]
    assert backend.max_parallel == {"1": 2}
    assert backend.find_submissions(["ab" * 16]) == {"ab" * 16: "1"}


@pytest.mark.parametrize("indices", [(0, 3), (3, 2), (1, 3, 0), (True, 3), (1, "3"), (1.0, 2)])
def test_indices_that_make_no_array_are_refused(jobs: Jobs, backend: InMemoryJobs, indices: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidArgument):
        jobs.submit_array(TRUE, *indices)
    assert not backend.templates


@pytest.mark.parametrize("max_parallel", [0, -1, True, "2", 1.5])
def test_a_limit_that_is_none_is_refused(jobs: Jobs, backend: InMemoryJobs, max_parallel: Any) -> None:
    with pytest.raises(InvalidArgument, match="max_parallel is"):
        jobs.submit_array(TRUE, 1, 2, max_parallel=max_parallel)
    assert not backend.templates


def test_a_limit_is_refused_where_the_system_has_none(jobs: Jobs, backend: InMemoryJobs) -> None:
    backend.capabilities.remove(Capability.BULK_JOBS_MAXPARALLEL)
    with pytest.raises(UnsupportedAttribute, match="in-memory system does not honour max_parallel"):
        jobs.submit_array(TRUE, 1, 2, max_parallel=1)
    assert jobs.submit_array(TRUE, 1, 2).id == "1"


def test_the_tasks_are_a_sequence_whose_jobs_are_made_when_taken(jobs: Jobs) -> None:
    array = jobs.submit_array(TRUE, 1, 1000)
    assert len(array.jobs) == 1000
    assert array.jobs[-1] == array.job(1000) == jobs.job("1.1000")
    assert [job.id for job in array.jobs[10:16:2]] == ["1.11", "1.13", "1.15"]
    assert array.job(7) in array.jobs
    assert array.jobs.index(array.job(7)) == 6
    assert jobs.job("1") not in array.jobs
    assert jobs.job("2.7") not in array.jobs
    assert array.job(7).task_index == 7
    with pytest.raises(InvalidArgument, match=r"has no task 1001; its tasks are 1-1000:1"):
        array.job(1001)
    with pytest.raises(IndexError):
        array.jobs[1000]


def test_states_of_a_hundred_thousand_tasks_are_no_object_a_task(jobs: Jobs, backend: InMemoryJobs) -> None:
    array = jobs.submit_array(TRUE, 1, 100_000)
    backend.task_states[array.id].update(dict.fromkeys(range(1, 11), JobState.RUNNING))
    tracemalloc.start()
    counts = array.counts()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counts == {JobState.RUNNING: 10, JobState.QUEUED: 99_990}
    assert held < 1_000_000
    assert backend.asked == []
    assert backend.arrays_asked == [{"1"}]
    assert array.status().at(10) == (JobState.RUNNING, "")


def test_an_array_found_again_has_the_indices_that_the_system_tells(jobs: Jobs, backend: InMemoryJobs) -> None:
    jobs.submit_array(TRUE, 5, 11, 2)
    found = Jobs(backend).array("1")
    assert found.tasks == TaskRange(5, 11, 2)
    assert jobs.array("1", TaskRange(5, 11, 2)) == jobs.array("1")
    with pytest.raises(UnknownName, match="no array job is called '99'"):
        jobs.array("99")


def test_an_array_that_the_system_says_nothing_of_is_undetermined(jobs: Jobs) -> None:
    assert jobs.array("99", TaskRange(1, 3)).counts() == {JobState.UNDETERMINED: 3}
    with pytest.raises(UnknownName, match="no array job is called '99'"):
        jobs.array("99", TaskRange(1, 3)).info()


def test_info_of_an_array_and_of_a_task(jobs: Jobs, backend: InMemoryJobs) -> None:
    array = jobs.submit_array(TRUE, 1, 3)
    backend.task_states["1"][2] = JobState.DONE
    assert array.info().job_id == "1"
    assert array.job(2).info().job_state is JobState.DONE


@pytest.mark.parametrize("action", list(JobAction))
def test_an_action_reaches_the_whole_array_or_the_tasks_that_are_named(
    jobs: Jobs, backend: InMemoryJobs, action: JobAction
) -> None:
    array = jobs.submit_array(TRUE, 1, 9)
    getattr(array, action.name.lower())([5, 3, 3])
    getattr(array, action.name.lower())(iter(range(7, 9)))
    getattr(array, action.name.lower())([])
    getattr(array, action.name.lower())()
    assert backend.controlled == [(action, ["1.3", "1.5"]), (action, ["1.7", "1.8"]), (action, ["1"])]


@pytest.mark.parametrize("indices", [[0], [10], ["3"], [True], "3", 3, [1.0]])
def test_indices_that_the_array_does_not_have_are_refused_before_anything_is_done(
    jobs: Jobs, backend: InMemoryJobs, indices: Any
) -> None:
    array = jobs.submit_array(TRUE, 1, 9)
    with pytest.raises(InvalidArgument, match="array job 1"):
        array.hold(indices)
    assert backend.controlled == []


def test_what_went_wrong_with_some_tasks_is_one_error(jobs: Jobs, backend: InMemoryJobs) -> None:
    array = jobs.submit_array(TRUE, 1, 5)
    backend.task_states["1"].update({2: JobState.DONE, 4: JobState.DONE})
    with pytest.raises(
        InvalidState, match=r"terminate: 2 of 5 tasks could not.*other 3.*first is 1\.2: job 1\.2 has e"
    ):
        array.terminate(range(1, 6))
    assert backend.task_states["1"][5] is JobState.FAILED
    with pytest.raises(InvalidState, match=r"^job 1\.2 has ended$"):
        array.terminate([2])


def test_a_state_asked_for_after_an_action_is_from_after_it(backend: InMemoryJobs) -> None:
    backend.poll_floor = 60
    jobs = Jobs(backend)
    job, array = jobs.run("true"), jobs.submit_array(TRUE, 1, 3)
    assert (job.state, array.counts()) == (JobState.QUEUED, {JobState.QUEUED: 3})
    job.terminate()
    array.terminate([2])
    assert (job.state, array.counts()) == (JobState.FAILED, {JobState.QUEUED: 2, JobState.FAILED: 1})


def test_one_action_on_jobs_tasks_and_arrays_is_one_question(jobs: Jobs, backend: InMemoryJobs) -> None:
    jobs.run("true")
    jobs.submit_array(TRUE, 1, 3)
    failures = jobs.control(JobAction.TERMINATE, ["1", "2.3", "2.9", "8"])
    assert backend.actions.total() == 1
    assert failures.keys() == {"2.9", "8"}
    assert jobs.control(JobAction.TERMINATE, []) == {}
    assert backend.actions.total() == 1


def test_many_are_submitted_with_one_question_and_all_are_checked_before(jobs: Jobs, backend: InMemoryJobs) -> None:
    templates = [JobTemplate(remote_command="true", args=[str(number)]) for number in range(5)]
    tokens = [f"{number:032x}" for number in range(5)]
    assert [job.id for job in jobs.submit_many(iter(templates), tokens=tokens)] == ["1", "2", "3", "4", "5"]
    assert backend.find_submissions(tokens[3:]) == {tokens[3]: "4", tokens[4]: "5"}
    with pytest.raises(InvalidArgument, match=r"template 3 of 3: job_name is ''"):
        jobs.submit_many([TRUE, TRUE, JobTemplate(remote_command="true", job_name="")])
    assert len(backend.templates) == 5
    assert jobs.submit_many([]) == []


@pytest.mark.parametrize("tokens", [[], ["a" * 32, "b" * 32], ["A" * 32], ["a" * 31], [7]])
def test_tokens_that_are_none_are_refused(jobs: Jobs, backend: InMemoryJobs, tokens: Any) -> None:
    with pytest.raises(InvalidArgument, match="token"):
        jobs.submit_many([TRUE], tokens=tokens)
    assert not backend.templates


@pytest.mark.parametrize("job_id", ["", None, 7])
def test_an_id_is_text(jobs: Jobs, job_id: Any) -> None:
    with pytest.raises(InvalidArgument, match="id of a job as text"):
        jobs.job(job_id)
    with pytest.raises(InvalidArgument, match="id of a job as text"):
        jobs.array(job_id)


def test_handles_on_one_array_are_equal(jobs: Jobs, backend: InMemoryJobs) -> None:
    tasks = TaskRange(1, 2)
    assert JobArray(jobs, "1", tasks) == JobArray(jobs, "1", tasks)
    assert len({JobArray(jobs, "1", tasks), JobArray(jobs, "1", tasks), JobArray(jobs, "2", tasks)}) == 2
    assert JobArray(jobs, "1", tasks) != JobArray(Jobs(backend), "1", tasks)
    assert JobArray(jobs, "1", tasks) != jobs.job("1")
