"""Submitting: one job, many at once, again after a crash (GFD.231, 8.2 JobSession)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from conformance.statements import clause, subject, together
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs import Job
from gcs_lab.vocabulary import JobState, JobTemplate

if TYPE_CHECKING:
    from conformance.site import Site


@together
@clause("GFD.231 8.2.5 runJob")
@subject("Jobs.run", "Job.info")
def test_run_submits_a_command_with_its_arguments(site: Site) -> None:
    folder = site.folder()
    job = site.jobs.run("/bin/echo", "a", "b c", working_directory=str(folder), output_path=str(folder / "out"))
    assert isinstance(job, Job)
    assert job.wait_terminated(60) is JobState.DONE
    assert (folder / "out").read_text() == "a b c\n"
    info = job.info()
    assert (info.job_id, info.job_owner, info.exit_status) == (job.id, site.user, 0)


@together
@clause("GFD.231 8.2.5 runJob")
@subject("Jobs.submit", "Jobs.job")
def test_submit_returns_a_job_that_is_found_again_by_its_id(site: Site) -> None:
    job = site.held().job
    again = site.jobs.job(job.id)
    assert again == job
    assert again.state is JobState.QUEUED_HELD
    site.end(job)


@together
@clause("GFD.231 8.2.5 runJob")
@subject("Jobs.submit")
def test_the_template_is_not_changed_by_a_submission(site: Site) -> None:
    template = site.template("/bin/true", "a", submit_as_hold=True, resource_requests={"h_rt": "60"})
    before = template.to_json()
    jobs = [site.jobs.submit(template) for _ in range(2)]
    assert template.to_json() == before
    assert jobs[0].id != jobs[1].id
    site.end(*jobs)


@together
@clause("protocol: submit_many")
@subject("Jobs.submit_many")
def test_submit_many_returns_the_jobs_in_order(site: Site) -> None:
    folder = site.folder()
    templates = [
        site.template("/bin/sh", "-c", f"echo {number}", folder=folder, output_path=str(folder / f"{number}"))
        for number in range(5)
    ]
    jobs = site.jobs.submit_many(templates)
    assert len({job.id for job in jobs}) == 5
    site.jobs.wait_all_terminated(jobs, 60)
    assert [(folder / f"{number}").read_text() for number in range(5)] == [f"{number}\n" for number in range(5)]
    names = {job.id: job.info().job_id for job in jobs}
    assert list(names) == list(names.values())


@together
@clause("protocol: submit_many")
@subject("Jobs.submit_many")
def test_submit_many_of_nothing_is_no_job(site: Site) -> None:
    assert site.jobs.submit_many([]) == []


@together
@clause("protocol: submit_many takes all or none of what cannot work")
@subject("Jobs.submit_many")
def test_a_template_that_cannot_work_among_many_submits_none(site: Site) -> None:
    name = site.name_of_a_job()
    good = site.template("/bin/true", job_name=name)
    with pytest.raises(InvalidArgument):
        site.jobs.submit_many([good, JobTemplate(remote_command="/bin/true", job_name=name, args="no list")])  # type: ignore[arg-type]
    assert site.ids_with_name(name) == []


@together
@clause("protocol: find_submissions")
@subject("Jobs.submit")
def test_a_submission_is_found_by_its_token(site: Site) -> None:
    tokens = [secrets.token_hex(16) for _ in range(5)]
    single = site.jobs.submit(site.template("/bin/true", submit_as_hold=True), token=tokens[0])
    many = site.jobs.submit_many([site.template("/bin/true", submit_as_hold=True)] * 2, tokens=tokens[1:3])
    array = site.jobs.submit_array(site.template("/bin/true", submit_as_hold=True), 1, 3, token=tokens[3])
    found = site.jobs.backend.find_submissions(tokens)
    assert found == dict(zip(tokens, [single.id, many[0].id, many[1].id, array.id], strict=False))
    site.end(single, *many, site.jobs.job(array.id))


@together
@clause("protocol: job_ids")
@subject("Jobs.list")
def test_list_has_the_jobs_that_have_not_ended_oldest_first(site: Site) -> None:
    ended = site.shell("true")
    ended.ended()
    held = [site.held() for _ in range(3)]
    array = site.jobs.submit_array(site.template("/bin/true", submit_as_hold=True), 1, 1000)
    listed = [job.id for job in site.jobs.list()]
    ids = [*(run.id for run in held), array.id]
    assert [job_id for job_id in listed if job_id in ids] == ids
    assert ended.id not in listed
    site.end(*held, site.jobs.job(array.id))


@together
@clause("GFD.231 8.2.5 runJob: InvalidArgument")
@subject("Jobs.check", "Jobs.catalogue")
@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("queue_name", "no-such.q"),
        ("parallel_environment", "no-such-pe"),
        ("resource_requests", {"no_such_complex": "1"}),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_those_that_do(site: Site, attribute: str, value: object) -> None:
    name = site.name_of_a_job()
    template = site.template("/bin/true", job_name=name, **{attribute: value})
    catalogue = site.jobs.catalogue()
    with pytest.raises(UnknownName) as caught:
        site.jobs.check(template)
    assert set(caught.value.known) in (
        set(catalogue.queues),
        set(catalogue.parallel_environments),
        {known.name for known in catalogue.complexes if known.requestable},
    )
    with pytest.raises(UnknownName):
        site.jobs.submit(template)
    assert site.ids_with_name(name) == []


@together
@clause("GFD.231 8.2.5 runJob: InvalidArgument")
@subject("Jobs.submit")
@pytest.mark.parametrize("command", [None, ""])
def test_a_template_without_a_command_is_an_invalid_argument(site: Site, command: str | None) -> None:
    with pytest.raises(InvalidArgument, match="remote_command"):
        site.jobs.submit(JobTemplate(remote_command=command))


@together
@clause("protocol: catalogue")
@subject("Jobs.catalogue")
def test_the_catalogue_names_what_the_site_has(site: Site) -> None:
    catalogue = site.jobs.catalogue()
    assert {site.queue, site.narrow_queue} <= set(catalogue.queues)
    assert set(site.parallel_environments.values()) <= set(catalogue.parallel_environments)
    assert set(site.hosts) <= set(catalogue.hosts)
    assert site.category in catalogue.job_categories
    assert catalogue.by_name[site.consumable].consumable
    assert catalogue.by_name["h_rt"].type == "TIME"
