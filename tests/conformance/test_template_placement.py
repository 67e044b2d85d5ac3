"""Attributes of a template that say where a job runs, with how much, and before whom (GFD.231, 5.4)."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pytest

from conformance.statements import attribute, clause, together
from gcs_lab.vocabulary import CpuArchitecture, JobState, OperatingSystem

if TYPE_CHECKING:
    from conformance.site import Site

TEMPLATE = clause("GFD.231 5.4 JobTemplate")
ARCHITECTURES = {"x86_64": CpuArchitecture.X64, "aarch64": CpuArchitecture.ARM64, "i686": CpuArchitecture.X86}
TEBIBYTES_IN_KIB = 2**40


@together
@TEMPLATE
@attribute("queue_name", "all.q")
def test_queue_name_is_where_the_job_runs(site: Site) -> None:
    with site.narrow_free():
        assert site.shell("true", queue_name=site.narrow_queue).ended(JobState.DONE).queue_name == site.narrow_queue


@together
@TEMPLATE
@attribute("min_slots", 2)
def test_min_slots_alone_is_the_number_of_slots(site: Site) -> None:
    run = site.shell("echo $NSLOTS", min_slots=2, parallel_environment=site.parallel_environments["$pe_slots"])
    assert run.done() == "2\n"
    assert run.job.info().slots == 2


@TEMPLATE
@attribute("max_slots", 3)
def test_a_job_gets_up_to_max_slots_where_there_is_room(site: Site) -> None:
    pe = site.parallel_environments["$pe_slots"]
    run = site.shell("echo $NSLOTS", min_slots=2, max_slots=3, parallel_environment=pe)
    assert run.done() == "3\n"
    assert run.job.info().slots == 3


@TEMPLATE
@attribute("max_slots", 3)
def test_a_job_starts_with_fewer_than_max_slots_where_there_is_no_room_for_more(site: Site) -> None:
    pe = site.parallel_environments["$pe_slots"]
    run = site.shell("echo $NSLOTS", min_slots=2, max_slots=5000, parallel_environment=pe)
    assert 2 <= int(run.done()) < 5000


@TEMPLATE
@attribute("priority", -1)
def test_of_two_waiting_jobs_the_one_of_higher_priority_starts_first(site: Site) -> None:
    folder = site.folder()
    with site.narrow() as blocker:
        more = {"folder": folder, "queue_name": site.narrow_queue, "output_path": "/dev/null"}
        low = site.shell("echo low >> order", priority=-500, **more)
        high = site.shell("echo high >> order", priority=-10, **more)
        site.end(blocker)
        site.all_ended([low, high])
    assert high.read("order") == "high\nlow\n"


@together
@TEMPLATE
@attribute("candidate_machines", ["node"])
def test_candidate_machines_are_where_the_job_may_run(site: Site) -> None:
    runs = [(host, site.shell("true", candidate_machines=[host])) for host in site.hosts]
    for host, run in runs:
        assert [slot.machine_name for slot in run.ended(JobState.DONE).allocated_machines] == [host]


@together
@TEMPLATE
@attribute("candidate_machines", ["node"])
def test_a_job_does_not_run_on_other_machines_than_its_candidates(site: Site) -> None:
    site.never_starts(candidate_machines=["not-of-this-cluster"])


@together
@TEMPLATE
@attribute("min_phys_memory", 1)
def test_min_phys_memory_is_what_the_machine_has_at_least(site: Site) -> None:
    site.shell("true", min_phys_memory=1024).ended(JobState.DONE)
    site.never_starts(min_phys_memory=TEBIBYTES_IN_KIB)


@together
@TEMPLATE
@attribute("machine_os", OperatingSystem.LINUX)
def test_machine_os_is_that_of_the_machine(site: Site) -> None:
    site.shell("true", machine_os=OperatingSystem.LINUX).ended(JobState.DONE)
    site.never_starts(machine_os=OperatingSystem.SUNOS)


@together
@TEMPLATE
@attribute("machine_arch", CpuArchitecture.X64)
def test_machine_arch_is_that_of_the_machine(site: Site) -> None:
    mine = ARCHITECTURES[platform.machine()]
    site.shell("true", machine_arch=mine).ended(JobState.DONE)
    site.never_starts(machine_arch=CpuArchitecture.ARM64 if mine is CpuArchitecture.X64 else CpuArchitecture.X64)


@together
@clause("implementation-specific: qsub -pe")
@pytest.mark.parametrize("rule", ["$pe_slots", "$fill_up", "$round_robin", "2"])
@attribute("parallel_environment", "smp")
def test_parallel_environment_gives_slots_by_its_rule(site: Site, rule: str) -> None:
    run = site.shell("cat $PE_HOSTFILE", parallel_environment=site.parallel_environments[rule], min_slots=2)
    slots = {words[0]: int(words[1]) for words in map(str.split, run.done().splitlines())}
    info = run.job.info()
    assert {slot.machine_name: slot.slots for slot in info.allocated_machines} == slots
    assert (sum(slots.values()), info.slots) == (2, 2)
    if rule == "$round_robin":
        assert len(slots) == min(2, len(site.hosts))
    else:
        assert len(slots) == 1


@together
@clause("implementation-specific: qsub -pe")
@attribute("parallel_environment", "smp")
def test_slots_that_a_fixed_rule_cannot_give_are_never_given(site: Site) -> None:
    site.never_starts(parallel_environment=site.parallel_environments["2"], min_slots=3)


@together
@clause("implementation-specific: qsub -l")
@attribute("resource_requests", {"h_rt": "60"})
def test_resource_requests_of_a_consumable_limit_how_many_run_at_once(site: Site) -> None:
    host = site.hosts[0]
    more = {"resource_requests": {site.consumable: "1", "hostname": host}}
    first, second, third = (site.shell("exec sleep 600", **more) for _ in range(3))
    first.reached(JobState.RUNNING)
    second.reached(JobState.RUNNING)
    site.shell("true", resource_requests={"hostname": host}).done()
    assert third.state is JobState.QUEUED
    site.end(first)
    third.reached(JobState.RUNNING)
    site.end(second, third)


@together
@clause("implementation-specific: qsub -l")
@attribute("resource_requests", {"h_rt": "60"})
def test_resource_requests_are_told_as_they_were_made(site: Site) -> None:
    run = site.held(resource_requests={"h_rt": "100", "h_vmem": "2G"})
    assert run.job.info().resource_requests == {"h_rt": "100", "h_vmem": "2G"}
    site.end(run)
