"""The scheduling decision holds its promises, whatever is asked of it."""

from __future__ import annotations

import copy
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gcs_lab.backends.embedded.placement import Instance, Request, Room, WaitingList, rank, take
from gcs_lab.backends.embedded.placement import place as place_waiting

INSTANCES = [Instance(queue, host) for queue in ("all.q", "short.q") for host in ("n1", "n2", "n3")]


def place(requests, room):
    return place_waiting(WaitingList(requests), room)


PLACES = st.lists(st.sampled_from(INSTANCES), unique=True).map(tuple)
RULES = st.sampled_from([(None, None), ("smp", "$pe_slots"), ("make", "$round_robin"), ("mpi", "$fill_up")])


@st.composite
def requests(draw):
    made = []
    for number in range(draw(st.integers(0, 12))):
        environment, rule = draw(RULES)
        least = draw(st.integers(1, 6)) if environment else 1
        most = least + draw(st.integers(0, 4)) if environment else 1
        consumes = draw(st.sampled_from([{}, {"gpu": 1}, {"gpu": 2}, {"gpu": 0}]))
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
                consumes,
            )
        )
    return sorted(made, key=rank)


@st.composite
def rooms(draw):
    slots = Counter({instance: draw(st.integers(0, 5)) for instance in INSTANCES})
    shared = {host: Counter(gpu=draw(st.integers(0, 4))) for host in ("n1", "n2", "n3")}
    return Room(slots, shared, Counter({name: draw(st.integers(0, 8)) for name in ("smp", "make", "mpi")}))


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
    assert {h: +c for h, c in room.consumables.items()} == {h: +c for h, c in before.consumables.items()}


@given(requests(), rooms())
def test_each_started_job_gets_what_it_asked_for_where_it_asked_for_it(asked, room):
    for request, slots in place(asked, room):
        assert request.least <= sum(slots.values()) <= request.most
        assert set(slots) <= set(request.places)
        assert all(count > 0 for count in slots.values())
        assert not request.held
        if request.rule in (None, "$pe_slots"):
            assert len(slots) == 1


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
