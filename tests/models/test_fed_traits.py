"""Traits that several threads set."""

from __future__ import annotations

import threading

import pytest
from traitlets import Integer, TraitError, link

from gcs_lab.models import JobModel, SweepModel
from gcs_lab.models.fed_traits import FedTraits


class _Pair(FedTraits):
    one = Integer()
    two = Integer()


def test_observers_hear_when_all_values_are_there() -> None:
    pair, seen = _Pair(), []
    pair.observe(lambda change: seen.append((change.name, change.old, change.new, pair.one, pair.two)))
    with pair.hold_trait_notifications():
        pair.one, pair.two = 1, 2
        pair.one = 3
    pair.set_together(one=4, two=4)
    assert seen == [("one", 0, 3, 3, 2), ("two", 0, 2, 3, 2), ("one", 3, 4, 4, 4), ("two", 2, 4, 4, 4)]


def test_a_value_that_is_refused_raises_and_the_others_are_told() -> None:
    pair, seen = _Pair(), []
    pair.observe(lambda change: seen.append(change.name))
    with pytest.raises(TraitError):
        pair.set_together(one=1, two="two")
    assert (pair.one, pair.two, seen) == (1, 0, ["one"])
    pair.two = 2
    assert seen == ["one", "two"]


def test_what_another_thread_sets_is_told_by_it_at_once() -> None:
    pair, seen = _Pair(), []
    pair.observe(lambda change: seen.append((change.name, threading.current_thread().name)))

    def other() -> None:
        pair.two = 5
        with pair.hold_trait_notifications():
            pair.two = 6

    with pair.hold_trait_notifications():
        pair.one = 1
        thread = threading.Thread(target=other, name="other")
        thread.start()
        thread.join()
        assert seen == [("two", "other")] * 2
    assert seen[2:] == [("one", threading.current_thread().name)]


def test_many_threads_that_hold_at_once_lose_nothing() -> None:
    pair, told = _Pair(), {"one": [], "two": []}
    pair.observe(lambda change: told[change.name].append(change.new))
    start = threading.Barrier(2)

    def feed(name: str) -> None:
        start.wait()
        for value in range(1, 3001):
            with pair.hold_trait_notifications():
                setattr(pair, name, value)

    threads = [threading.Thread(target=feed, args=(name,)) for name in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == {"one": list(range(1, 3001)), "two": list(range(1, 3001))}


def test_traits_can_be_linked() -> None:
    one, other = _Pair(), _Pair()
    linked = link((one, "one"), (other, "two"))
    one.set_together(one=7)
    other.two = 8
    assert (one.one, other.two) == (8, 8)
    linked.unlink()


@pytest.mark.parametrize("model", [JobModel, SweepModel])
def test_the_models_of_cells_are_safe_too(model: type) -> None:
    assert issubclass(model, FedTraits)
