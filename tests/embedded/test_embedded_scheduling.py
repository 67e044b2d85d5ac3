from __future__ import annotations

import pytest

from gcs_lab.errors import InvalidArgument, UnknownName, UnsupportedAttribute
from gcs_lab.vocabulary import JobState

TWO_HOSTS = """
[[hosts]]
name = "node1"
num_proc = 8
consumables = { gpu = 2 }
[[hosts]]
name = "node2"
num_proc = 16
mem_total = "4G"
[[queues]]
name = "all.q"
slots = 3
[[queues]]
name = "big.q"
slots = 1
hosts = ["node2"]
[[parallel_environments]]
name = "smp"
slots = 99
allocation_rule = "$pe_slots"
[[parallel_environments]]
name = "make"
slots = 5
allocation_rule = "$round_robin"
[[parallel_environments]]
name = "mpi"
slots = 99
allocation_rule = "$fill_up"
"""


def test_with_one_slot_jobs_run_by_priority_and_then_in_order(lab):
    lab.one_slot()
    blocker = lab.shell("while [ ! -e go ]; do sleep 0.01; done")
    lab.wait_letters(blocker, "r")
    jobs = [lab.shell(f"echo {name} >> order", priority=p) for name, p in [("a", 0), ("b", -5), ("c", 10), ("d", 0)]]
    (lab.work / "go").touch()
    for job in jobs:
        lab.ended(job)
    assert lab.read("order").split() == ["c", "a", "d", "b"]


def test_slots_are_never_exceeded(lab):
    lab.configure('[[hosts]]\nname="n"\n[[queues]]\nname="all.q"\nslots=3\n')
    script = "mkdir running.$JOB_ID; ls -d running.* | wc -l >> seen; sleep 0.03; rmdir running.$JOB_ID"
    jobs = [lab.shell(script, output_path="/dev/null", error_path="/dev/null") for _ in range(20)]
    for job in jobs:
        lab.ended(job)
    seen = [int(line) for line in lab.read("seen").split()]
    assert len(seen) == 20
    assert max(seen) <= 3


@pytest.mark.parametrize(
    ("environment", "slots", "expected"),
    [
        ("smp", 3, [("node1", 3)]),
        ("make", 4, [("node1", 2), ("node2", 2)]),
        ("mpi", 5, [("node1", 3), ("node2", 2)]),
    ],
)
def test_parallel_environments_spread_slots_by_their_rule(lab, environment, slots, expected):
    lab.configure(TWO_HOSTS)
    script = "echo $PE $NSLOTS $NHOSTS; cat $PE_HOSTFILE"
    job = lab.shell(script, parallel_environment=environment, min_slots=slots, queue_name="all.q", output_path="o")
    info = lab.ended(job)
    assert [(m.machine_name, m.slots) for m in info.allocated_machines] == expected
    assert info.slots == slots
    head, *lines = lab.read("o").splitlines()
    assert head == f"{environment} {slots} {len(expected)}"
    assert lines == [f"{host} {count} all.q@{host} UNDEFINED" for host, count in expected]


def test_a_range_of_slots_takes_what_there_is(lab):
    lab.configure(TWO_HOSTS)
    job = lab.submit("sleep", "60", parallel_environment="mpi", min_slots=2, max_slots=50)
    lab.wait_letters(job, "r")
    assert lab.status(job).slots == 7


def test_a_big_job_that_waits_does_not_stop_smaller_ones(lab):
    lab.configure(TWO_HOSTS)
    small = lab.submit("sleep", "60")
    lab.wait_letters(small, "r")
    big = lab.submit("true", parallel_environment="mpi", min_slots=7, priority=100)
    assert lab.ended(lab.submit("true")).job_state is JobState.DONE
    assert lab.letters(big) == "qw"
    small.terminate()
    assert lab.ended(big).slots == 7


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        (
            {"resource_requests": {"num_proc": "9999"}},
            "-l num_proc=9999 fits nowhere: the hosts have node1: 8, node2: 16",
        ),
        ({"resource_requests": {"h": "nowhere*"}}, "-l hostname=nowhere* fits nowhere: the hosts have node1, node2"),
        ({"resource_requests": {"gpu": "3"}}, "-l gpu=3 fits nowhere: the hosts have node1: 2, node2: none"),
        ({"parallel_environment": "smp", "min_slots": 64}, "-pe smp 64 fits nowhere"),
        ({"queue_name": "big.q@node1"}, "-q big.q@node1 fits no queue instance"),
        ({"resource_requests": {"arch": "vax"}}, "-l arch=vax fits nowhere"),
    ],
)
def test_a_request_that_fits_nowhere_waits_and_says_which_it_is(lab, attributes, why):
    lab.configure(TWO_HOSTS)
    job = lab.submit("true", **attributes)
    status = lab.status(job)
    assert (status.state, status.sub_state) == (JobState.QUEUED, "qw")
    assert status.annotation.startswith(why)


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        ({"resource_requests": {"num_proc": "16"}}, ("all.q", "node2")),
        ({"resource_requests": {"hostname": "NODE2"}}, ("all.q", "node2")),
        ({"resource_requests": {"q": "big*"}}, ("big.q", "node2")),
        ({"resource_requests": {"mem_total": "5G", "arch": "lx-*"}}, ("all.q", "node1")),
        ({"queue_name": "all.q@node2"}, ("all.q", "node2")),
        ({"queue_name": "big.q,all.q@node2"}, ("all.q", "node2")),
        ({"native_specification": "-q big.q"}, ("big.q", "node2")),
        ({"resource_requests": {"gpu": "1"}}, ("all.q", "node1")),
    ],
)
def test_requests_choose_the_place(lab, attributes, place):
    lab.configure(TWO_HOSTS)
    info = lab.ended(lab.shell("echo $QUEUE $HOSTNAME", output_path="o", **attributes))
    assert (info.queue_name, info.allocated_machines[0].machine_name) == place
    assert tuple(lab.read("o").split()) == place


def test_consumables_are_shared_by_the_jobs_of_a_host(lab):
    lab.configure(TWO_HOSTS)
    jobs = [lab.submit("sleep", "60", resource_requests={"gpu": "1"}) for _ in range(3)]
    lab.wait_letters(jobs[1], "r")
    assert [lab.letters(job) for job in jobs] == ["r", "r", "qw"]
    jobs[0].terminate()
    lab.wait_letters(jobs[2], "r")


@pytest.mark.parametrize(
    ("attributes", "error", "match"),
    [
        ({"queue_name": "al.q"}, UnknownName, "all.q"),
        ({"native_specification": "-q al.q"}, UnknownName, "Did you mean all.q"),
        ({"native_specification": "-pe nope 2"}, UnknownName, "parallel environment"),
        ({"native_specification": "-l nope=2"}, UnknownName, "complex"),
        ({"native_specification": "-l h_rt=soon"}, InvalidArgument, "h_rt=soon"),
        ({"native_specification": "-l h_vmem=0"}, InvalidArgument, "more than 0 bytes"),
        ({"native_specification": "-t 1-10"}, UnsupportedAttribute, "'-t'"),
        ({"queue_name": "all.q@@group"}, InvalidArgument, "no host groups"),
        ({"min_slots": 2}, InvalidArgument, "parallel environment"),
        ({"resource_requests": {"slots": "2"}}, InvalidArgument, "slots"),
        ({"priority": 2000}, InvalidArgument, "-1023 to 1024"),
        ({"email": ["a@b"]}, UnsupportedAttribute, "email"),
    ],
)
def test_what_cannot_work_is_refused_and_makes_no_job(lab, attributes, error, match):
    with pytest.raises(error, match=match):
        lab.submit("true", **attributes)
    assert lab.jobs.list() == []
