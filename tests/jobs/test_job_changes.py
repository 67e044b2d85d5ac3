"""What is checked of an alteration before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from in_memory_backend import InMemoryJobs

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs import JobChanges, Jobs
from gcs_lab.jobs.job_changes import merged_requests


@pytest.fixture
def backend() -> InMemoryJobs:
    return InMemoryJobs()


@pytest.fixture
def jobs(backend: InMemoryJobs) -> Jobs:
    return Jobs(backend)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "nothing is to be changed"),
        ({"requests": {}}, "nothing is to be changed"),
        ({"name": "5th"}, "job_name"),
        ({"name": ""}, "job_name"),
        ({"priority": 1025}, "priority"),
        ({"priority": -1024}, "priority"),
        ({"priority": True}, "priority"),
        ({"requests": {"h_rt": "soon"}}, "-l h_rt=soon"),
        ({"requests": {"h_vmem": "4"}}, "without a unit"),
        ({"requests": {"a b": None}}, "resource_requests"),
        ({"requests": {"num_proc": "1", "p": None}}, "changed twice"),
        ({"requests": ["h_rt=1"]}, "values by complex"),
        ({"requests": {"slots": "4"}}, "may not request slots"),
        ({"queues": "all.q"}, "list of names"),
        ({"queues": [""]}, "list of names"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(
    jobs: Jobs, backend: InMemoryJobs, changes: dict[str, Any], said: str
) -> None:
    job = jobs.run("true")
    with pytest.raises(InvalidArgument, match=said):
        job.alter(**changes)
    assert backend.altered == []


def test_names_that_do_not_exist_come_with_the_nearest(jobs: Jobs, backend: InMemoryJobs) -> None:
    job = jobs.run("true")
    with pytest.raises(UnknownName, match=r"h_vmme.*Did you mean h_vmem"):
        job.alter(requests={"h_vmme": "4G"})
    with pytest.raises(UnknownName, match=r"shrt\.q.*Did you mean short\.q"):
        job.alter(queues=["all.q", "shrt.q"])
    assert backend.altered == []


def test_complexes_are_sent_by_their_full_names_and_one_question_is_for_all(
    jobs: Jobs, backend: InMemoryJobs
) -> None:
    ids = [jobs.run("true").id for _ in range(3)]
    failures = jobs.alter(JobChanges(requests={"p": "2", "a": None}, queues=[]), [*ids, "99"])
    assert list(failures) == ["99"]
    assert backend.altered == [(JobChanges(requests={"num_proc": "2", "arch": None}, queues=[]), [*ids, "99"])]
    assert jobs.alter(JobChanges(name="other"), []) == {}
    assert len(backend.altered) == 1


def test_what_the_system_says_of_a_job_is_raised(jobs: Jobs) -> None:
    with pytest.raises(InvalidArgument, match="no job 7"):
        jobs.job("7").alter(name="other")


def test_requests_are_added_to_those_that_are_there() -> None:
    present = {"h_rt": "600", "h_vmem": "1G"}
    changes = JobChanges(requests={"h_vmem": "2G", "h_rt": None, "arch": "lx-*"})
    assert merged_requests("5", present, changes) == {"h_vmem": "2G", "arch": "lx-*"}
    assert present == {"h_rt": "600", "h_vmem": "1G"}
    with pytest.raises(InvalidArgument, match=r"job 5 does not ask for arch.*it asks for h_rt=600,h_vmem=1G"):
        merged_requests("5", present, JobChanges(requests={"arch": None}))
