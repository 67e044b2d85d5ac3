"""All jobs, queues and machines, with the standard's filters (GFD.231, 10 MonitoringSession)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from patience import wait_for

from conformance.statements import clause, subject, together
from gcs_lab.errors import InvalidArgument
from gcs_lab.vocabulary import CpuArchitecture, JobInfo, JobState, OperatingSystem, SlotInfo

if TYPE_CHECKING:
    from conformance.site import Run, Site

JOBS = clause("GFD.231 10.2 getAllJobs")


def _found(site: Site, **wanted: Any) -> set[str]:
    """Return the ids of the jobs that match; ``job_id`` is not set unless it is given."""
    return {info.job_id for info in site.jobs.find(JobInfo(**({"job_id": ""} | wanted)))}


@together
@JOBS
@subject("Jobs.find")
def test_all_jobs_are_those_that_have_not_ended_oldest_first(site: Site) -> None:
    ended, held, running = site.shell("true"), site.held(), site.running()
    ended.ended()
    ids = [info.job_id for info in site.jobs.find()]
    assert [job_id for job_id in ids if job_id in {held.id, running.id}] == [held.id, running.id]
    assert ended.id not in ids
    assert site.jobs.find(None)
    site.end(held, running)


@together
@JOBS
@subject("Jobs.find")
def test_waiting_tasks_of_an_array_stand_together_and_running_ones_alone(site: Site) -> None:
    array = site.jobs.submit_array(
        site.template("/bin/sleep", "600", submit_as_hold=True, output_path="/dev/null", error_path="/dev/null"),
        1,
        50,
    )
    array.release([7])
    site.reached(f"{array.id}.7", JobState.RUNNING)
    ids = [info.job_id for info in site.jobs.find() if info.job_id.partition(".")[0] == array.id]
    assert sorted(ids) == [array.id, f"{array.id}.7"]
    site.end(site.jobs.job(array.id))


def _subject(site: Site, name: str) -> Run:
    """Return the job that filters look for: it runs with two slots."""
    return site.running(
        job_name=name,
        queue_name=site.queue,
        min_slots=2,
        parallel_environment=site.parallel_environments["$pe_slots"],
    )


@together
@clause("GFD.231 10.2 getAllJobs: filter")
@subject("Jobs.find")
def test_each_attribute_of_a_filter_that_is_set_must_match(site: Site) -> None:
    name = site.name_of_a_job()
    before = datetime.now(UTC) - timedelta(seconds=3)
    run = _subject(site, name)
    other = site.held(job_name=f"{name}_other")
    # Not "t": Grid Engine shows that for a moment.
    info = wait_for(
        lambda: next((f for f in site.jobs.find() if (f.job_id, f.job_sub_state) == (run.id, "r")), None), "r"
    )
    (machine,) = [slot.machine_name for slot in info.allocated_machines]
    later = datetime.now(UTC) + timedelta(hours=1)
    matching: list[dict[str, Any]] = [
        {"job_id": run.id},
        {"job_name": name},
        {"job_owner": site.user},
        {"job_state": JobState.RUNNING},
        {"job_sub_state": info.job_sub_state},
        {"queue_name": site.queue},
        {"slots": 2},
        {"submission_time": before},
        {"dispatch_time": before},
        {"allocated_machines": [SlotInfo(machine, 2)]},
        {"job_state": JobState.UNDETERMINED},
        {},
    ]
    failing: list[dict[str, Any]] = [
        {"job_id": other.id},
        {"job_name": name[:-1]},
        {"job_owner": "nobody-else"},
        {"job_state": JobState.SUSPENDED},
        {"job_sub_state": "hqw"},
        {"queue_name": "no-such.q"},
        {"slots": 3},
        {"submission_time": later},
        {"dispatch_time": later},
        {"finish_time": before},
        {"exit_status": 0},
        {"terminating_signal": "SIGKILL"},
        {"annotation": "no such words"},
        {"submission_machine": "not-of-this-cluster"},
        {"wallclock_time": 1_000_000.0},
        {"cpu_time": 1_000_000.0},
        {"allocated_machines": [SlotInfo("not-of-this-cluster", 1)]},
    ]
    for wanted in matching:
        assert run.id in _found(site, **wanted), wanted
    for wanted in failing:
        assert run.id not in _found(site, **wanted), wanted
    assert _found(site, job_name=name, slots=2) == {run.id}
    assert _found(site, job_name=name, slots=3) == set()
    if info.submission_machine is not None:
        assert run.id in _found(site, submission_machine=info.submission_machine)
    site.end(run, other)


@together
@clause("GFD.231 10.3 getAllQueues")
@subject("Jobs.queues")
def test_all_queues_are_told_and_names_choose_among_them(site: Site) -> None:
    names = {queue.name for queue in site.jobs.queues()}
    assert {site.queue, site.narrow_queue} <= names
    (narrow,) = site.jobs.queues([site.narrow_queue])
    assert (narrow.name, narrow.slots) == (site.narrow_queue, 1)
    assert set(narrow.machines) <= set(site.hosts)
    assert site.jobs.queues(["no-such.q"]) == []


@together
@clause("GFD.231 10.4 getAllMachines")
@subject("Jobs.machines")
def test_all_machines_are_told_and_names_choose_among_them(site: Site) -> None:
    machines = {machine.name: machine for machine in site.jobs.machines()}
    assert set(site.hosts) <= machines.keys()
    for name in site.hosts:
        machine = machines[name]
        assert machine.available
        assert (machine.machine_os, machine.machine_arch) == (OperatingSystem.LINUX, _architecture())
        for number in (machine.sockets, machine.cores_per_socket, machine.threads_per_core):
            assert number is not None
            assert number >= 1
        assert machine.phys_memory is not None
        assert 2**18 < machine.phys_memory < 2**36, "KiB"
        assert machine.virt_memory is not None
        assert machine.virt_memory >= machine.phys_memory * 0.99
        assert machine.load is not None
        assert machine.load >= 0
    (one,) = site.jobs.machines([site.hosts[0]])
    assert one.name == site.hosts[0]
    assert site.jobs.machines(["not-of-this-cluster"]) == []


def _architecture() -> CpuArchitecture:
    import platform

    return {"x86_64": CpuArchitecture.X64, "aarch64": CpuArchitecture.ARM64}[platform.machine()]


@together
@clause("GFD.231 10.2 getAllJobs: filter")
@subject("Jobs.find")
@pytest.mark.parametrize("bad", ["5", 5, {"job_id": "5"}])
def test_a_filter_that_is_no_job_info_is_an_invalid_argument(site: Site, bad: Any) -> None:
    with pytest.raises(InvalidArgument):
        site.jobs.find(bad)
