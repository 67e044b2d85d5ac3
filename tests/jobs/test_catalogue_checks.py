"""Names and values of a template against the catalogue: what is refused, and what the refusal offers instead."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_memory_backend import CATALOGUE

from gcs_lab.errors import InvalidArgument, SeveralProblems, UnknownName, nearest
from gcs_lab.jobs.catalogue_checks import check_names
from gcs_lab.jobs.protocol import Complex
from gcs_lab.vocabulary import JobTemplate, ReservationTemplate

THERE = replace(
    CATALOGUE,
    complexes=(
        *CATALOGUE.complexes,
        Complex("virtual_free", "vf", "MEMORY"),
        Complex("mem_free", "mf", "MEMORY"),
        Complex("hostname", "h", "HOST"),
        Complex("qname", "q", "RESTRING"),
        Complex("licence", "lic", "INT", consumable=True),
    ),
    projects=("physics", "Biology"),
    hosts=("node1.cluster", "node2.cluster"),
    pe_slots={"smp": 8},
)


def check(catalogue=THERE, **attributes):
    check_names(JobTemplate(**attributes), lambda: catalogue, "the test", must_fit=True)


def refusal(**attributes) -> str:
    with pytest.raises(InvalidArgument) as caught:
        check(**attributes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("h_vmem=4GB", "Did you mean 4G?"),
        ("h_vmem=4gib", "Did you mean 4G?"),
        ("h_vmem=-4G", "Did you mean 4G?"),
        ("h_vmem=1e9", "'1e9' is not a memory value"),
        ("h_vmem=4", "without a unit these are bytes, and no program runs in 4. Add the unit. Did you mean 4G?"),
        ("h_rt=1h", "Did you mean 1:00:00?"),
        ("h_rt=1h30m", "Did you mean 1:30:00?"),
        ("h_rt=1-12:00:00", "Did you mean 36:00:00?"),
        ("h_rt=-5", "Did you mean 5?"),
        ("num_proc=4G", "a whole number without a unit. Did you mean 4?"),
        ("num_proc=1_000", "'1_000' is not a number"),
        ("la=nan", "'nan' is not a number"),
        ("licence=-1", "licence is used up by jobs; expected how many of it, 0 or more. Did you mean 1?"),
        ("excl=yes", "Did you mean TRUE?"),
        ("excl=off", "Did you mean FALSE?"),
        ("slots=2", "jobs may not request slots on the test. Ask for slots with -pe NAME N."),
        ("H_VMEM=4G", "Did you mean h_vmem?"),
        ("vfree=4G", "Did you mean"),
        ("hostname=nod1", "no host is called 'nod1'"),
        ("h=node3", "no host is called 'node3'"),
        ("qname=al.q", "Did you mean all.q?"),
    ],
)
def test_a_request_that_cannot_work_is_refused_with_what_was_meant(request_, said):
    name, _, value = request_.partition("=")
    assert said in refusal(resource_requests={name: value})


@pytest.mark.parametrize(
    "request_",
    ["h_vmem=4G", "h_vmem=INFINITY", "h_vmem=2000000000", "h_rt=90", "num_proc=-1", "la=1e3", "la=.5", "licence=0", "vf=1G",
     "h=node1", "h=node1.cluster", "h=node[12]*", "h=node1|node9", "h=!node9", "q=*.q", "arch=lx-*", "excl=t"],
)  # fmt: skip
def test_a_request_that_can_work_passes(request_):
    name, _, value = request_.partition("=")
    check(resource_requests={name: value})


def test_a_shortcut_that_is_nearly_right_leads_to_the_full_name():
    assert "Did you mean virtual_free (vf)?" in refusal(resource_requests={"VF": "1G"})


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"queue_name": "all.q@node9"}, "no host is called 'node9'"),
        ({"queue_name": "ALL.Q@node1"}, "Did you mean all.q?"),
        (
            {"parallel_environment": "smp", "min_slots": 9},
            "-pe smp 9: the parallel environment smp has 8 slots in all",
        ),
        ({"native_specification": "-P physic -cwd"}, "no project is called 'physic' on the test"),
        ({"native_specification": "-P 'physics' -P BIOLOGY"}, "Did you mean Biology?"),
    ],
)
def test_names_and_sizes_beyond_requests(attributes, said):
    assert said in refusal(**attributes)


@pytest.mark.parametrize(
    "attributes",
    [
        {"queue_name": "all.q@node1,short.q@@big,*@node2,!all.q@node2.cluster"},
        {"parallel_environment": "smp", "min_slots": 8},
        {"parallel_environment": "mpi", "min_slots": 9000},
        {"parallel_environment": "s*", "min_slots": 9000},
        {"native_specification": "-P physics"},
        {"native_specification": "-P 'not closed"},
        {"native_specification": "-PE nothing"},
    ],
)
def test_what_there_is_passes(attributes):
    check(**attributes)


def test_programs_may_submit_what_waits_for_slots_to_come():
    check_names(JobTemplate(parallel_environment="smp", min_slots=9), lambda: THERE, "the test")


def test_projects_are_not_judged_where_none_is_set_up():
    check(CATALOGUE, native_specification="-P anything")


def test_all_that_is_wrong_is_said_at_once_and_each_thing_on_its_line():
    with pytest.raises(SeveralProblems) as caught:
        check(queue_name="al.q,fast.q", parallel_environment="smq", resource_requests={"h_vmem": "4GB", "nope": "1"})
    assert [type(problem) for problem in caught.value.problems] == [UnknownName] * 3 + [InvalidArgument, UnknownName]
    lines = str(caught.value).splitlines()
    assert lines[0] == "5 things are wrong, and nothing was sent:"
    assert [line.split(".")[0].strip() for line in lines[1:]] == ["1", "2", "3", "4", "5"]


def test_reservations_are_held_against_the_same_names():
    with pytest.raises(UnknownName, match="no host is called 'node9'"):
        check_names(ReservationTemplate(candidate_machines=["node9"]), lambda: THERE, "the test")


def test_a_message_stays_short_however_much_is_wrong():
    said = refusal(resource_requests={f"unknown_{number}": "1" for number in range(1000)})
    assert "1000 things are wrong" in said
    assert "and 990 more" in said
    assert len(said) < 10_000


NAMES = st.text("abc_.QX1", min_size=1, max_size=8)


@given(NAMES, st.lists(NAMES, max_size=8))
def test_the_nearest_names_are_names_that_there_are(name, known):
    found = nearest(name, known)
    assert set(found) <= set(known)
    assert len(found) == len(set(found)) <= 3
    if name in known:
        assert [one.casefold() for one in found] == [name.casefold()]


@given(st.text(max_size=12), st.sampled_from([c.name for c in THERE.complexes]))
def test_any_value_passes_or_is_refused_as_an_argument(value, name):
    with contextlib.suppress(InvalidArgument):
        check(resource_requests={name: value})
