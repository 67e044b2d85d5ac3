"""What reservations keep is never given to others, now or later, whatever is asked."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcs_lab.backends.embedded.cluster_file import parse_layout
from gcs_lab.backends.embedded.needs import empty_room
from gcs_lab.backends.embedded.placement import Instance, Request, Room, WaitingList, place, rank, take
from gcs_lab.backends.embedded.reservation import ReservationWish
from gcs_lab.backends.embedded.reservation_grant import grant
from gcs_lab.backends.embedded.timetable import Booking, Holding, Timetable
from gcs_lab.errors import DeniedByDrms, InvalidArgument, UnknownName

NOW = 1000.0
INSTANCES = [Instance(queue, host) for queue in ("all.q", "short.q") for host in ("n1", "n2")]
LAYOUT = parse_layout("""
[[hosts]]
name = "n1"
mem_total = "8G"
[[hosts]]
name = "n2"
mem_total = "64G"
[[queues]]
name = "all.q"
slots = 3
[[queues]]
name = "short.q"
slots = 2
h_rt = "0:01:00"
[[parallel_environments]]
name = "smp"
slots = 99
allocation_rule = "$pe_slots"
[[parallel_environments]]
name = "mpi"
slots = 4
allocation_rule = "$fill_up"
""")
TOTAL = 5
ALL_PLACES = tuple(Instance("all.q", host) for host in ("n1", "n2"))


def table(bookings=(), holdings=(), now=NOW):
    return Timetable(now, empty_room(LAYOUT), bookings, holdings, {"short.q": 60.0})


def wish(**asked):
    return ReservationWish(token="t", **asked)


@st.composite
def situations(draw):
    """Reservations that were granted one after the other, and jobs that were started by the rules."""
    now = NOW
    bookings, running = [], []
    for number in range(draw(st.integers(1, 25))):
        now += draw(st.integers(0, 30))
        running = [(holding, request) for holding, request in running if holding.until > now]
        bookings = [booking for booking in bookings if booking.end > now]
        timetable = table(bookings, [holding for holding, _ in running], now)
        if draw(st.booleans()):
            asked = wish(
                start=now + draw(st.integers(0, 40)),
                duration=float(draw(st.integers(1, 60))),
                min_slots=draw(st.integers(1, 6)),
                max_slots=6,
                environment=draw(st.sampled_from([None, "smp", "mpi"])),
            )
            try:
                start, end, slots = grant(asked, now, timetable, LAYOUT)
            except DeniedByDrms:
                continue
            bookings.append(Booking(str(number), start, end, slots, asked.environment))
        else:
            environment, rule = draw(st.sampled_from([(None, None), ("smp", "$pe_slots"), ("mpi", "$fill_up")]))
            least = draw(st.integers(1, 4)) if environment else 1
            request = Request(
                (number, 0),
                tuple(INSTANCES),
                least=least,
                most=least,
                environment=environment,
                rule=rule,
                runtime=draw(st.sampled_from([5.0, 30.0, 90.0, math.inf])),
                reservation=draw(st.sampled_from([None, None, *(booking.reservation_id for booking in bookings)])),
            )
            room = empty_room(LAYOUT)
            for holding, other in running:
                take(room, holding.slots, other)
            room.timetable = timetable
            for _, slots in place(WaitingList([request]), room):
                limits = [60.0 for instance in slots if instance.queue == "short.q"]
                until = now + min([request.runtime, *limits])
                if request.reservation is not None:
                    until = min(until, next(b.end for b in bookings if b.reservation_id == request.reservation))
                running.append((Holding(slots, until, request.reservation, environment), request))
    return now, bookings, [holding for holding, _ in running]


@given(situations())
def test_at_no_time_is_more_promised_than_there_is(situation):
    now, bookings, holdings = situation
    moments = {now, *(b.start for b in bookings), *(h.until for h in holdings if math.isfinite(h.until))}
    environments = {pe.name: pe.slots for pe in LAYOUT.parallel_environments}
    for moment in (each for each in moments if each >= now):
        used, in_environment = Counter(), Counter()
        for booking in bookings:
            if booking.start <= moment < booking.end:
                used.update(booking.slots)
                in_environment[booking.environment] += sum(booking.slots.values())
        for holding in holdings:
            own = next((b for b in bookings if b.reservation_id == holding.reservation), None)
            if holding.until > moment and own is None:
                used.update(holding.slots)
            if holding.until > moment and (own is None or own.environment != holding.environment):
                in_environment[holding.environment] += sum(holding.slots.values())
        assert all(count <= empty_room(LAYOUT).slots[instance] for instance, count in used.items())
        assert all(in_environment[name] <= slots for name, slots in environments.items())
    for booking in bookings:
        inside = Counter()
        for holding in holdings:
            if holding.reservation == booking.reservation_id and holding.until > now:
                inside.update(holding.slots)
        assert inside <= Counter(booking.slots)


def test_a_job_starts_only_where_it_ends_before_a_reservation_begins():
    booking = Booking("1", NOW + 100, NOW + 200, {ALL_PLACES[0]: 2})
    free = table([booking]).free_slots
    at_once = Request((1, 0), ALL_PLACES, runtime=100.0)
    longer = Request((2, 0), ALL_PLACES, runtime=101.0)
    endless = Request((3, 0), ALL_PLACES)
    assert [free(ALL_PLACES[0], request) for request in (at_once, longer, endless)] == [3, 1, 1]
    assert free(ALL_PLACES[1], endless) == 3


def test_a_queue_limit_bounds_how_long_a_job_can_run():
    short = Instance("short.q", "n1")
    endless = Request((1, 0), (short,))
    assert table([Booking("1", NOW + 60, NOW + 90, {short: 2})]).free_slots(short, endless) == 2
    assert table([Booking("1", NOW + 59, NOW + 90, {short: 2})]).free_slots(short, endless) == 0


def test_of_jobs_alike_but_for_their_time_the_one_that_ends_before_the_reservation_is_started():
    booking = Booking("1", NOW + 50, NOW + 100, dict.fromkeys(ALL_PLACES, 3))
    jobs = [Request((number, 0), ALL_PLACES, runtime=time) for number, time in enumerate([60.0, 70.0, 40.0, 30.0])]
    room = Room(Counter(dict.fromkeys(ALL_PLACES, 3)), timetable=table([booking]))
    assert [request.key[0] for request, _ in place(WaitingList(sorted(jobs, key=rank)), room)] == [2, 3]


def test_jobs_of_a_reservation_get_its_slots_alone_and_only_while_it_lasts():
    inside = Request((1, 0), ALL_PLACES, reservation="1")
    early = Booking("1", NOW + 1, NOW + 9, {ALL_PLACES[1]: 2})
    active = Booking("1", NOW - 1, NOW + 9, {ALL_PLACES[1]: 2})
    over = Booking("1", NOW - 9, NOW, {ALL_PLACES[1]: 2})
    assert [table([b]).free_slots(ALL_PLACES[1], inside) for b in (early, active, over)] == [0, 2, 0]
    assert table([active]).free_slots(ALL_PLACES[0], inside) == 0
    taken = Holding({ALL_PLACES[1]: 1}, math.inf, "1")
    assert table([active], [taken]).free_slots(ALL_PLACES[1], inside) == 1


def test_a_job_without_a_time_limit_is_never_counted_as_gone():
    slots = {ALL_PLACES[0]: 3, ALL_PLACES[1]: 3}
    with pytest.raises(DeniedByDrms, match="without h_rt for ever"):
        grant(wish(start=NOW + 9999, duration=10.0), NOW, table((), [Holding(slots)]), LAYOUT)
    ends = Holding(slots, NOW + 9999)
    assert grant(wish(start=NOW + 9999, duration=10.0), NOW, table((), [ends]), LAYOUT)[0] == NOW + 9999


def test_a_denied_reservation_says_how_much_is_free():
    with pytest.raises(DeniedByDrms, match=r"9 slots cannot be reserved .* at most 6 are free"):
        grant(wish(duration=10.0, min_slots=9, max_slots=9), NOW, table(), LAYOUT)
    with pytest.raises(DeniedByDrms, match=r"5 slots of mpi \(\$fill_up\) .* at most 4 are free"):
        grant(wish(duration=10.0, min_slots=5, max_slots=5, environment="mpi"), NOW, table(), LAYOUT)


def test_a_range_of_slots_is_granted_as_far_as_it_fits():
    assert sum(grant(wish(duration=10.0, min_slots=2, max_slots=99), NOW, table(), LAYOUT)[2].values()) == 6


def test_machines_and_queues_are_chosen_as_for_jobs():
    def hosts(**asked):
        return {place.host for place in grant(wish(duration=10.0, **asked), NOW, table(), LAYOUT)[2]}

    assert hosts(candidate_machines=["N2"]) == {"n2"}
    assert hosts(min_phys_memory=32 * 2**20) == {"n2"}
    assert hosts(queues=["all.q@n2"]) == {"n2"}
    with pytest.raises(DeniedByDrms, match="machine_os=AIX"):
        hosts(machine_os="AIX")
    with pytest.raises(DeniedByDrms, match="machine_arch=SPARC"):
        hosts(machine_arch="SPARC")
    for names in ({"candidate_machines": ["n9"]}, {"queues": ["no.q"]}, {"environment": "nope"}):
        with pytest.raises(UnknownName):
            hosts(**names)


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ({"duration": 10.0}, NOW, NOW + 10),
        ({"end": NOW + 10}, NOW, NOW + 10),
        ({"start": NOW + 5, "end": NOW + 10}, NOW + 5, NOW + 10),
        ({"start": NOW + 5, "duration": 10.0}, NOW + 5, NOW + 15),
        ({"end": NOW + 30, "duration": 10.0}, NOW + 20, NOW + 30),
        ({"start": NOW - 1, "duration": 10.0}, NOW, NOW + 10),
        ({"start": NOW, "end": NOW + 100, "duration": 10.0}, NOW, NOW + 10),
    ],
)
def test_times_follow_from_those_that_were_given(asked, begin, end):
    assert grant(wish(**asked), NOW, table(), LAYOUT)[:2] == (begin, end)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"start": NOW + 5},
        {"start": NOW - 60, "duration": 10.0},
        {"start": NOW + 10, "end": NOW + 5},
        {"start": NOW + 10, "end": NOW + 10},
        {"start": NOW, "end": NOW + 5, "duration": 10.0},
        {"end": NOW + 5, "duration": 10.0},
        {"duration": 0.0},
        {"duration": 10.0, "min_slots": 3, "max_slots": 2},
    ],
)
def test_times_and_slots_that_cannot_work_are_refused(asked):
    with pytest.raises(InvalidArgument):
        grant(wish(**asked), NOW, table(), LAYOUT)


def test_in_a_longer_window_the_first_time_that_fits_is_taken():
    everything = dict.fromkeys(ALL_PLACES, 3)
    bookings = [Booking("1", NOW + 5, NOW + 30, everything), Booking("2", NOW + 35, NOW + 60, everything)]
    asked = wish(start=NOW, end=NOW + 100, duration=10.0)
    assert grant(asked, NOW, table(bookings), LAYOUT)[:2] == (NOW + 60, NOW + 70)


@st.composite
def waiting_and_booked(draw):
    jobs = [
        Request(
            (number, 0),
            ALL_PLACES,
            draw(st.integers(0, 1)),
            runtime=draw(st.sampled_from([1.0, 9.9, 10.0, 10.1, 20.0, 30.0, math.inf])),
            reservation=draw(st.sampled_from([None, None, None, "0"])),
        )
        for number in range(draw(st.integers(1, 10)))
    ]
    bookings = []
    for number in range(draw(st.integers(0, 4))):
        start = NOW + draw(st.sampled_from([0.0, 10.0, 20.0, 25.0]))
        slots = {place: draw(st.integers(0, 1)) for place in ALL_PLACES}
        bookings.append(Booking(str(number), start, start + draw(st.sampled_from([5.0, 15.0])), slots))
    return sorted(jobs, key=rank), bookings


@given(waiting_and_booked())
def test_jobs_that_are_passed_over_unlooked_would_not_have_fitted(situation):
    jobs, bookings = situation

    def room():
        return Room(Counter(dict.fromkeys(ALL_PLACES, 3)), timetable=table(bookings))

    together, one_by_one = room(), room()
    expected = [start for job in jobs for start in place(WaitingList([job]), one_by_one)]
    assert place(WaitingList(jobs), together) == expected
