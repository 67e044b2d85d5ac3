"""Why jobs wait on the embedded cluster, as its own scheduler knows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from patience import wait_for

from gcs_lab.jobs import JobAction
from gcs_lab.vocabulary import PendingReason, ReasonKind, ReservationTemplate, TaskRange

TWO_HOSTS = """
[[complexes]]
name = "scratch"
shortcut = "sc"
type = "MEMORY"
consumable = "YES"

[[complexes]]
name = "gpu"
shortcut = "gpu"
type = "INT"
consumable = "YES"

[[hosts]]
name = "node1"
mem_total = "8G"
complex_values = { gpu = 2, scratch = "10G" }

[[hosts]]
name = "node2"
mem_total = "4G"
complex_values = { scratch = "20G" }

[[queues]]
name = "all.q"
slots = 2

[[queues]]
name = "short.q"
slots = 1
hosts = ["node2"]
h_rt = "0:10:00"

[[parallel_environments]]
name = "smp"
slots = 3
allocation_rule = "$pe_slots"
"""
SLOTS, POSITION, REQUEST = ReasonKind.SLOTS, ReasonKind.POSITION, ReasonKind.REQUEST


@pytest.fixture
def two_hosts(lab):
    lab.configure(TWO_HOSTS)
    return lab


def reasons(lab, job) -> list[PendingReason]:
    return lab.system.jobs.pending_reasons([job.id])[job.id]


def fill(lab, number: int = 4, **attributes: object) -> list:
    jobs = [lab.submit("sleep", "60", **attributes) for _ in range(number)]
    for job in jobs:
        lab.wait_letters(job, "r")
    return jobs


def test_slots_in_use_are_told_with_the_jobs_before(two_hosts):
    fill(two_hosts)
    impossible = two_hosts.submit("true", resource_requests={"gpu": "9"})
    first, second = two_hosts.submit("true"), two_hosts.submit("true")
    full = PendingReason(SLOTS, "all 4 slots of all.q are in use", "all.q")
    assert reasons(two_hosts, first) == [
        full,
        PendingReason(POSITION, "first in line for the next slots that suit it"),
    ]
    # What can never start is before nobody.
    assert reasons(two_hosts, second)[1].text == "1 job of yours is before it in the queue"
    assert reasons(two_hosts, impossible)[0].kind is REQUEST


@pytest.mark.parametrize(
    ("attributes", "subject", "text"),
    [
        ({"gpu": "3"}, "gpu", "no host offers gpu=3; the largest offer is 2 on node1"),
        ({"scratch": "1T"}, "scratch", "no host offers scratch=1T; the largest offer is 20.0 GiB on node2"),
        ({"mem_total": "9G"}, "mem_total", "no host offers mem_total=9G; the largest offer is 8.0 GiB on node1"),
        ({"hostname": "node9*"}, "hostname", "no host offers hostname=node9*; the hosts have node1, node2"),
    ],
)
def test_a_request_that_fits_nowhere_is_told_with_the_largest_offer(two_hosts, attributes, subject, text):
    job = two_hosts.submit("true", resource_requests=attributes)
    assert reasons(two_hosts, job) == [PendingReason(REQUEST, text, subject, lasting=True)]


def test_what_fits_nowhere_is_told_of_a_held_job_too(two_hosts):
    job = two_hosts.submit("true", submit_as_hold=True, resource_requests={"gpu": "3"})
    assert [reason.kind for reason in reasons(two_hosts, job)] == [ReasonKind.HOLD, REQUEST]


def test_slots_of_a_parallel_environment_and_of_one_host_are_told(two_hosts):
    fill(two_hosts, 1)
    wide = two_hosts.submit("sleep", "60", parallel_environment="smp", min_slots=2)
    two_hosts.wait_letters(wide, "r")
    too_few = two_hosts.submit("true", parallel_environment="smp", min_slots=2)
    assert reasons(two_hosts, too_few)[0] == PendingReason(
        SLOTS, "it asks for 2 slots of parallel environment smp, and 1 of 3 are free", "smp"
    )
    two_hosts.act(JobAction.TERMINATE, wide.id)
    two_hosts.ended(two_hosts.jobs.job(too_few.id))
    fill(two_hosts, 1, queue_name="all.q@node2")
    spread = two_hosts.submit("true", parallel_environment="smp", min_slots=2, queue_name="all.q")
    assert reasons(two_hosts, spread)[0].text == (
        "it asks for 2 slots; 2 of 4 are free, at most 1 on one host (all.q@node1)"
    )


def test_a_consumable_in_use_is_told(two_hosts):
    fill(two_hosts, 1, resource_requests={"gpu": "2"})
    job = two_hosts.submit("true", resource_requests={"gpu": "1"})
    assert reasons(two_hosts, job)[0] == PendingReason(
        SLOTS, "it asks for gpu=1, and 0 is left on node1: running jobs have the rest", "gpu"
    )


def test_queue_states_are_told(two_hosts):
    two_hosts.system.queue_control("disable", ["all.q@node1"])
    fill(two_hosts, 2)
    job = two_hosts.submit("true")
    closed, full, _ = reasons(two_hosts, job)
    assert closed == PendingReason(ReasonKind.QUEUE_STATE, "all.q@node1 is disabled", "all.q")
    assert full.text == "all 2 slots of all.q are in use"
    two_hosts.system.queue_control("load-alarm", ["all.q@node2"])
    two_hosts.system.queue_control("enable", ["all.q@node1"])
    two_hosts.system.queue_control("load-alarm", ["all.q@node1"])
    (alarm,) = reasons(two_hosts, two_hosts.submit("true"))
    assert alarm == PendingReason(ReasonKind.QUEUE_STATE, "all.q is in load alarm", "all.q", lasting=False)
    two_hosts.system.queue_control("disable", ["all.q"])
    assert reasons(two_hosts, two_hosts.submit("true"))[0].lasting


def test_a_reservation_that_has_not_begun_is_told(two_hosts):
    begins = datetime.now(UTC) + timedelta(hours=1)
    reservation = two_hosts.jobs.reservations.request(
        ReservationTemplate(start_time=begins, duration=600, queue_name="all.q")
    )
    job = two_hosts.submit("true", reservation_id=reservation.id)
    (reason,) = [r for r in reasons(two_hosts, job) if r.kind is ReasonKind.RESERVATION]
    assert reason.subject == reservation.id
    assert f"{begins.astimezone():%H:%M}" in reason.text


def test_a_job_in_error_says_why_and_that_it_lasts(two_hosts):
    job = two_hosts.submit("true", working_directory="/nonexistent")
    two_hosts.wait_letters(job, "Eqw")
    (reason,) = reasons(two_hosts, job)
    assert (reason.kind, reason.lasting) == (ReasonKind.ERROR, True)
    assert reason.text.startswith("it is in error state: ")
    assert "/nonexistent" in reason.text


def test_an_array_says_how_many_of_its_tasks_are_held(two_hosts):
    array = two_hosts.array("true", TaskRange(1, 5), submit_as_hold=True)
    told = two_hosts.system.jobs.pending_reasons
    assert told([array])[array] == [
        PendingReason(ReasonKind.HOLD, "all of its tasks that wait are held by their user", "user", lasting=True)
    ]
    fill(two_hosts)
    two_hosts.act(JobAction.RELEASE, f"{array}.2", f"{array}.3")
    assert [(reason.kind, reason.text) for reason in told([array])[array]] == [
        (ReasonKind.HOLD, "3 of its tasks are held by their user"),
        (SLOTS, "all 4 slots of all.q are in use"),
        (POSITION, "first in line for the next slots that suit it"),
    ]


def test_tasks_that_wait_for_those_of_another_array_name_it(two_hosts):
    first = two_hosts.array("true", TaskRange(1, 3), submit_as_hold=True, job_name="first")
    second = two_hosts.array("true", TaskRange(1, 3), hold_jid_ad=[first])
    (reason,) = two_hosts.system.jobs.pending_reasons([second])[second]
    assert reason == PendingReason(
        ReasonKind.DEPENDENCY,
        f"waits for the same task of job {first} (first), which has 3 of 3 tasks to go, all of them held",
        first,
        lasting=True,
    )


def test_many_predecessors_are_counted(two_hosts):
    held = [two_hosts.submit("true", submit_as_hold=True) for _ in range(7)]
    job = two_hosts.submit("true", hold_jid=[each.id for each in held])
    found = reasons(two_hosts, job)
    assert [reason.kind for reason in found] == [ReasonKind.DEPENDENCY] * 6
    assert found[-1].text == "waits for 2 more jobs"


def test_every_job_that_waits_has_a_reason_and_no_other(two_hosts):
    fill(two_hosts)
    ids = [
        two_hosts.submit("true").id,
        two_hosts.submit("true", submit_as_hold=True).id,
        two_hosts.array("true", TaskRange(1, 100_000), 7),
        two_hosts.submit("true", start_time=datetime.now(UTC) + timedelta(days=9)).id,
    ]
    told = two_hosts.system.jobs.pending_reasons(ids)
    assert all(told[job_id] for job_id in ids)
    assert "(in 9 days)" in told[ids[3]][0].text
    two_hosts.act(JobAction.TERMINATE, *ids)
    wait_for(lambda: not any(two_hosts.system.jobs.pending_reasons(ids).values()), "no reason of what has ended")
