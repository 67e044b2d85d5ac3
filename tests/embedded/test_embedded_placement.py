"""The scheduling decision holds its promises, whatever is asked of it."""

from __future__ import annotations

import copy
import math
from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from patience import wait_for

from gcs_lab.backends.embedded.placement import Instance, Request, Room, WaitingList, rank, take
from gcs_lab.backends.embedded.placement import place as place_waiting

INSTANCES = [Instance(queue, host) for queue in ("all.q", "short.q") for host in ("n1", "n2", "n3")]


def place(requests, room):
    return place_waiting(WaitingList(requests), room)


PLACES = st.lists(st.sampled_from(INSTANCES), unique=True).map(tuple)
RULES = st.sampled_from(
    [(None, None), ("smp", "$pe_slots"), ("make", "$round_robin"), ("mpi", "$fill_up"), ("two", "2")]
)
EACH = st.sampled_from([{}, {"gpu": 1}, {"gpu": 2}, {"gpu": 0}, {"share": Fraction(1, 10)}])
ONCE = st.sampled_from([{}, {}, {"licence": 1}, {"licence": Fraction(3, 2)}])


@st.composite
def requests(draw):
    made = []
    for number in range(draw(st.integers(0, 12))):
        environment, rule = draw(RULES)
        least = draw(st.integers(1, 6)) if environment else 1
        most = least + draw(st.integers(0, 4)) if environment else 1
        made.append(
            Request(
                (number, 0),
                draw(PLACES),
                draw(st.integers(-3, 3)),
                draw(st.booleans()),
                least,
                most,
                environment,
                rule,
                draw(EACH),
                draw(ONCE),
            )
        )
    return sorted(made, key=rank)


@st.composite
def rooms(draw):
    slots = Counter({instance: draw(st.integers(0, 5)) for instance in INSTANCES})
    shared = {
        host: {
            "gpu": draw(st.integers(0, 4)),
            "share": draw(st.sampled_from([Fraction(3, 10), 1, math.inf])),
            "licence": draw(st.integers(0, 3)),
        }
        for host in ("n1", "n2", "n3")
    }
    environments = Counter({name: draw(st.integers(0, 8)) for name in ("smp", "make", "mpi", "two")})
    return Room(slots, shared, environments, closed=frozenset(draw(st.sets(st.sampled_from(INSTANCES), max_size=2))))


@given(requests(), rooms())
def test_nothing_is_ever_given_out_twice(asked, room):
    before = copy.deepcopy(room)
    started = place(asked, room)
    assert all(free >= 0 for free in room.slots.values())
    assert all(free >= 0 for shared in room.consumables.values() for free in shared.values())
    assert all(free >= 0 for free in room.environments.values())
    for request, slots in started:
        take(room, slots, request, -1)
    assert (+room.slots, +room.environments) == (+before.slots, +before.environments)
    assert room.consumables == before.consumables


@given(requests(), rooms())
def test_each_started_job_gets_what_it_asked_for_where_it_asked_for_it(asked, room):
    for request, slots in place(asked, room):
        assert request.least <= sum(slots.values()) <= request.most
        assert set(slots) <= set(request.places)
        assert all(count > 0 for count in slots.values())
        assert not request.held
        assert not set(slots) & room.closed
        by_host = Counter()
        for instance, count in slots.items():
            by_host[instance.host] += count
        if request.rule in (None, "$pe_slots"):
            assert len(slots) == 1
        if request.rule == "2":
            assert set(by_host.values()) == {2}


@given(requests(), rooms())
def test_a_job_that_waits_does_not_fit_into_what_is_left(asked, room):
    started = {request.key for request, _ in place(asked, room)}
    for request in asked:
        if request.key not in started and not request.held:
            assert place([request], copy.deepcopy(room)) == []


@given(requests(), rooms())
def test_a_job_is_only_passed_over_by_lower_ones_if_it_did_not_fit_at_its_turn(asked, room):
    room_at_turn = copy.deepcopy(room)
    started = {request.key: slots for request, slots in place(asked, room)}
    for request in asked:
        alone = place([request], room_at_turn)
        assert (request.key in started) == bool(alone)
        if alone:
            assert alone[0][1] == started[request.key]


def test_round_robin_takes_one_slot_of_each_host_in_turn_and_fill_up_fills_one():
    places = tuple(INSTANCES[:3])
    room = Room(Counter(dict.fromkeys(places, 4)), {}, Counter(make=99, mpi=99))
    turn = Request((1, 0), places, least=5, most=5, environment="make", rule="$round_robin")
    fill = Request((2, 0), places, least=5, most=5, environment="mpi", rule="$fill_up")
    ((_, in_turn),) = place([turn], copy.deepcopy(room))
    ((_, filled),) = place([fill], copy.deepcopy(room))
    assert list(in_turn.values()) == [2, 2, 1]
    assert list(filled.values()) == [4, 1]


def test_rank_puts_high_priority_first_and_then_the_older_job():
    jobs = [Request((number, 0), (), priority) for number, priority in [(3, 0), (1, 0), (4, -1), (2, 5)]]
    assert [r.key[0] for r in sorted(jobs, key=rank)] == [2, 1, 3, 4]


@given(requests())
def test_the_waiting_list_gives_back_what_is_left_in_order(asked):
    waiting = WaitingList(asked)
    for request in asked[::2]:
        waiting.remove(request)
    left = [request for group in waiting.groups() for request in group]
    assert sorted(left, key=rank) == asked[1::2]
    assert all(list(group) == sorted(group, key=rank) for group in waiting.groups())


def test_a_number_as_rule_gives_exactly_so_many_on_each_host():
    places = tuple(INSTANCES)
    room = Room(Counter(dict.fromkeys(places, 3)), {}, Counter(two=99))
    four = Request((1, 0), places, least=4, most=4, environment="two", rule="4")
    eight = Request((1, 0), places, least=6, most=11, environment="two", rule="4")
    odd = Request((1, 0), places, least=5, most=7, environment="two", rule="4")
    assert place([four], copy.deepcopy(room))[0][1] == {INSTANCES[0]: 3, INSTANCES[3]: 1}
    assert sum(place([eight], copy.deepcopy(room))[0][1].values()) == 8
    assert place([odd], copy.deepcopy(room)) == []


def test_round_robin_counts_hosts_not_queues():
    room = Room(Counter(dict.fromkeys(INSTANCES, 2)), {}, Counter(make=99))
    request = Request((1, 0), (INSTANCES[0], INSTANCES[3], INSTANCES[1]), least=4, most=4, rule="$round_robin")
    ((_, slots),) = place([request], room)
    assert slots == {INSTANCES[0]: 2, INSTANCES[1]: 2}


def test_what_is_needed_once_is_taken_once_and_on_the_first_host():
    room = Room(Counter(dict.fromkeys(INSTANCES, 2)), {"n2": {"licence": 2}}, Counter(mpi=99))
    request = Request(
        (1, 0),
        tuple(INSTANCES[:3]),
        least=5,
        most=5,
        environment="mpi",
        rule="$fill_up",
        consumes_once={"licence": 2},
    )
    ((_, slots),) = place([request], room)
    assert list(slots.items()) == [(INSTANCES[1], 2), (INSTANCES[0], 2), (INSTANCES[2], 1)]
    assert room.consumables == {"n2": {"licence": 0}}
    take(room, slots, request, -1)
    assert room.consumables == {"n2": {"licence": 2}}


def test_parts_of_a_consumable_add_up_exactly():
    room = Room(Counter({INSTANCES[0]: 99}), {"n1": {"share": Fraction(3, 10)}})
    jobs = [Request((number, 0), (INSTANCES[0],), consumes={"share": Fraction(1, 10)}) for number in range(5)]
    assert len(place(jobs, room)) == 3
    assert room.consumables == {"n1": {"share": 0}}


@given(requests(), rooms())
def test_a_range_gets_the_most_that_fits(asked, room):
    for request in asked:
        if not request.held and (alone := place([request], copy.deepcopy(room))):
            got = sum(alone[0][1].values())
            for more in range(got + 1, request.most + 1):
                exactly = Request(
                    request.key,
                    request.places,
                    least=more,
                    most=more,
                    environment=request.environment,
                    rule=request.rule,
                    consumes=request.consumes,
                    consumes_once=request.consumes_once,
                )
                assert place([exactly], copy.deepcopy(room)) == []


@given(requests(), rooms())
def test_a_job_that_fits_alone_in_an_empty_cluster_is_started_there_whoever_waits_with_it(asked, room):
    alone = [request for request in asked if not request.held and place([request], copy.deepcopy(room))]
    if alone:
        first = min(alone, key=rank)
        assert first.key in {request.key for request, _ in place(asked, room)}


RULES_FILE = """
[[complexes]]
name = "licence"
shortcut = "lic"
type = "DOUBLE"
consumable = "JOB"
[[complexes]]
name = "share"
shortcut = "share"
type = "DOUBLE"
consumable = "YES"
[[hosts]]
name = "node1"
complex_values = { share = 0.3 }
[[hosts]]
name = "node2"
complex_values = { share = 1, licence = 1.5 }
[[queues]]
name = "all.q"
slots = 4
[[parallel_environments]]
name = "pairs"
slots = 99
allocation_rule = "2"
[[parallel_environments]]
name = "mpi"
slots = 6
allocation_rule = "$fill_up"
"""


def machines(lab, job):
    wait_for(lambda: job.status().state.started, f"the start of {job}")
    return [(machine.machine_name, machine.slots) for machine in job.info().allocated_machines]


def test_on_a_cluster_a_number_as_rule_gives_so_many_on_each_host(lab):
    lab.configure(RULES_FILE)
    assert machines(lab, lab.submit("sleep", "60", parallel_environment="pairs", min_slots=4)) == [
        ("node1", 2),
        ("node2", 2),
    ]
    odd = lab.submit("true", parallel_environment="pairs", min_slots=3)
    assert (
        lab.status(odd).annotation
        == "-pe pairs 3 fits nowhere: pairs gives 2 slots on each host; ask for a multiple of it"
    )


def test_on_a_cluster_an_environment_gives_out_its_slots_and_no_more(lab):
    lab.configure(RULES_FILE)
    first = lab.submit("sleep", "60", parallel_environment="mpi", min_slots=2, max_slots=50)
    assert machines(lab, first) == [("node1", 4), ("node2", 2)]
    second = lab.submit("true", parallel_environment="mpi", min_slots=1)
    assert lab.letters(second) == "qw"
    too_many = lab.submit("true", parallel_environment="mpi", min_slots=7)
    assert lab.status(too_many).annotation == "-pe mpi 7 fits nowhere: mpi gives out 6 slots in all"
    first.terminate()
    lab.ended(second)


def test_on_a_cluster_consumables_are_used_by_slot_or_by_job(lab):
    lab.configure(RULES_FILE)
    by_slot = [
        lab.submit("sleep", "60", resource_requests={"share": "0.1"}, queue_name="all.q@node1") for _ in "1234"
    ]
    lab.wait_letters(by_slot[2], "r")
    assert [lab.letters(job) for job in by_slot] == ["r", "r", "r", "qw"]
    by_job = lab.submit("sleep", "60", parallel_environment="mpi", min_slots=3, resource_requests={"licence": "1"})
    assert machines(lab, by_job) == [("node2", 3)]
    more = lab.submit("true", resource_requests={"licence": "1"})
    assert lab.letters(more) == "qw"
    assert lab.ended(lab.submit("true", resource_requests={"licence": "0.5"})).slots == 1
    by_job.terminate()
    lab.ended(more)
