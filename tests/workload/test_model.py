"""The model is what docs/workload.md says: moments against the cited values, and the same seed gives the same."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from gcs_lab.errors import InvalidArgument
from gcs_lab.workload import Arrival, Kind, Model
from gcs_lab.workload.distributions import (
    POPULAR,
    POWER_OF_TWO,
    cycle,
    estimate,
    first_part,
    parallel_size,
    run_time,
    zipf,
)
from gcs_lab.workload.model import DAY, KINDS, SERIAL

#: A Monday: 2026-10-05.
MONDAY = 20731 * DAY
WEEK = 7 * DAY


@pytest.fixture(scope="module")
def weeks() -> list[Arrival]:
    """Return six weeks of sixty people, with the run times of the published model."""
    return list(Model(60, seed=7).events(MONDAY, 6 * WEEK))


def test_run_times_have_the_moments_of_the_hyper_gamma_distribution() -> None:
    random = np.random.default_rng(1)
    # Lublin and Feitelson, all jobs: gamma(4.2, 0.94) with probability 0.78 - 0.0054 n, else gamma(312, 0.03).
    for slots, part in ((1, 0.7746), (16, 0.6936), (128, 0.0888)):
        assert first_part(slots) == pytest.approx(part)
        logs = np.log(run_time(random, slots, 40_000))
        # Cut off at 12, which touches one in a thousand of the first kind.
        assert logs.mean() == pytest.approx(part * 4.2 * 0.94 + (1 - part) * 312 * 0.03, abs=0.08)
        assert logs.max() <= 12
    short = np.median(run_time(random, 1, 40_000))
    assert 60 < short < 140, "the median of serial jobs is a minute or two"


def test_sizes_of_parallel_jobs_are_mostly_powers_of_two() -> None:
    random = np.random.default_rng(1)
    sizes = np.array([parallel_size(random, 128) for _ in range(20_000)])
    assert (sizes.min(), sizes.max()) == (2, 128)
    powers = np.isin(sizes, 2 ** np.arange(1, 8)).mean()
    # 0.576 of all jobs against 0.244 serial ones; some of the others fall on a power of two by rounding.
    assert 0.761 < POWER_OF_TWO < 0.763
    assert POWER_OF_TWO < powers < POWER_OF_TWO + 0.12
    # Two stages: 0.86 of them below 2 ** (7 - 2.5).
    assert (sizes <= 2**4.5).mean() == pytest.approx(0.86, abs=0.02)
    assert parallel_size(random, 2) == 2


def test_a_day_has_a_peak_in_the_afternoon_and_a_quiet_night() -> None:
    weights = np.array(cycle())
    assert weights.sum() == pytest.approx(1)
    # gamma(8.1737, 3.9631) in half hours, from five on: its mode is (a - 1) b.
    peak = 7.1737 * 3.9631 / 2
    assert abs(np.argmax(weights) / 2 + 0.25 - peak) < 0.6
    ratio = weights[26:32].sum() / weights[4:10].sum()
    assert ratio == pytest.approx(7.4, abs=0.1), "13 to 16 h against 2 to 5 h"


def test_estimates_are_few_and_round_and_seldom_too_short() -> None:
    random = np.random.default_rng(1)
    times = run_time(random, 1, 20_000)
    asked = Counter(estimate(random, float(seconds)) for seconds in times)
    common = sum(count for _, count in asked.most_common(20)) / len(times)
    assert common == pytest.approx(0.9, abs=0.04), "twenty values hold nine jobs in ten (Tsafrir et al.)"
    assert POPULAR[-1] in dict(asked.most_common(4)), "the largest is among the popular ones"
    assert len(POPULAR) == 20


def test_few_people_send_most() -> None:
    parts = zipf(20)
    assert parts.sum() == pytest.approx(1)
    assert parts[:4].sum() == pytest.approx(0.55, abs=0.03)
    assert parts[0] / parts[9] == pytest.approx(10**0.9)


def test_arrivals_are_as_often_of_each_kind_as_documented(weeks: list[Arrival]) -> None:
    submitted = [arrival for arrival in weeks if arrival.kind is not Kind.FLOOD and arrival.after is None]
    counted = Counter(arrival.kind for arrival in submitted)
    for kind, part in KINDS.items():
        assert counted[kind] / len(submitted) == pytest.approx(part, rel=0.25), kind
    singles = [arrival.slots for arrival in weeks if arrival.kind is Kind.SINGLE]
    assert np.mean(np.array(singles) == 1) == pytest.approx(SERIAL, abs=0.02)
    sweeps = [arrival.tasks for arrival in weeks if arrival.kind is Kind.SWEEP]
    assert np.median(sweeps) == pytest.approx(14, abs=1.5)
    assert all(arrival.tasks == 1 for arrival in weeks if arrival.kind not in {Kind.SWEEP, Kind.FLOOD})


def test_weeks_and_nights_are_quiet_and_times_are_in_order(weeks: list[Arrival]) -> None:
    times = np.array([arrival.time for arrival in weeks])
    assert (np.diff(times) >= 0).all()
    hours = np.bincount((times % DAY // 3600).astype(int), minlength=24)
    assert hours[12:17].sum() > 5 * hours[1:6].sum()
    days = np.bincount(((times - MONDAY) // DAY % 7).astype(int), minlength=7)
    assert days[5:].mean() / days[:5].mean() == pytest.approx(0.3, abs=0.05)
    new_year = list(Model(60, seed=7).events(20817 * DAY, WEEK))  # from 2026-12-30 on
    assert len(new_year) < len(weeks) / 6 * 0.75


def test_the_same_seed_gives_the_same_and_windows_fit_together() -> None:
    model, again = Model(12, seed=3, slots=16), Model(12, seed=3, slots=16)
    whole = list(model.events(MONDAY, 3 * DAY))
    assert whole == list(again.events(MONDAY, 3 * DAY))
    cuts = [0, 5 * 3600, 30 * 3600 + 17, 3 * DAY]
    parts = [again.events(MONDAY + begin, end - begin) for begin, end in itertools.pairwise(cuts)]
    assert whole == [arrival for part in parts for arrival in part]
    assert whole != list(Model(12, seed=4, slots=16).events(MONDAY, 3 * DAY))
    assert len({arrival.number for arrival in whole}) == len(whole)


def test_steps_of_a_pipeline_wait_for_one_another(weeks: list[Arrival]) -> None:
    by_number = {arrival.number: arrival for arrival in weeks}
    steps = [arrival for arrival in weeks if arrival.after is not None]
    assert steps
    for step in steps:
        # But for the window's first moments, the one before is there, earlier, and of the same person.
        before = by_number.get(step.after or 0)
        if before is not None:
            assert before.time < step.time
            assert before.person == step.person
    assert {step.name for step in steps} == {"compute", "collect"}


def test_there_is_one_who_wastes_and_one_who_floods(weeks: list[Arrival]) -> None:
    people = Model(60, seed=7).people
    (waster,) = [person for person in people if person.wastes]
    (flooder,) = [person for person in people if person.floods]
    assert waster != flooder
    used = [
        arrival.memory / arrival.memory_asked
        for arrival in weeks
        if arrival.person == waster and arrival.kind is Kind.SINGLE
    ]
    assert max(used) < 0.1, "asks for 48 GiB, uses about one"
    floods = [arrival for arrival in weeks if arrival.kind is Kind.FLOOD]
    assert floods
    assert {arrival.person for arrival in floods} == {flooder}
    assert min(arrival.tasks for arrival in floods) >= 4 * 64
    assert not any(person.wastes or person.floods for person in Model(2).people)


@pytest.mark.parametrize("slots", [4, 200])
def test_run_times_are_stretched_to_what_the_cluster_can_take(slots: int) -> None:
    model = Model(20, seed=2, slots=slots, largest=4, load=0.5)
    many = 4
    work = sum(
        arrival.slots * arrival.tasks * min(arrival.seconds, arrival.asked or arrival.seconds)
        for arrival in model.events(MONDAY, many * WEEK)
        if arrival.kind not in {Kind.IMPOSSIBLE, Kind.HELD, Kind.FLOOD}
    )
    share = work / (slots * many * WEEK)
    # Twenty people cannot fill two hundred slots: nothing is stretched more than sixfold.
    assert share == pytest.approx(0.5, rel=0.35) if slots < 100 else share < 0.5
    assert model.stretch == pytest.approx(6) if slots == 200 else model.stretch < 6


@pytest.mark.parametrize(
    "wrong",
    [{"people": 0}, {"people": 5001}, {"seed": -1}, {"slots": 0}, {"largest": 0}, {"load": 0.0}, {"load": 9.0}],
)
def test_numbers_that_make_no_class_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidArgument):
        Model(**wrong)
    with pytest.raises(InvalidArgument):
        next(Model(3).events(0, -1))
