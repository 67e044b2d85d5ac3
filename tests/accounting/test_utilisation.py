"""Slots in use over time are exact: all bins together hold what the jobs ran, and each holds what ran in it."""

from __future__ import annotations

import polars as pl
import pytest
from accounting.plain_store import area_of
from hypothesis import given, settings
from hypothesis import strategies as st

from gcs_lab.accounting.tables import record_schema
from gcs_lab.errors import InvalidArgument, UnknownName

BEGIN = 1_790_000_000_000_000
SECOND = 1_000_000
moments = st.one_of(st.integers(0, 200 * SECOND), st.integers(0, 200).map(lambda second: second * SECOND))
jobs = st.lists(st.tuples(moments, moments, st.integers(1, 9), st.sampled_from(["a", "b"])), max_size=6)


def records(rows: list[tuple[int, int, int, str]]) -> pl.DataFrame:
    """Return records of jobs that ran from, to (microseconds from BEGIN), on so many slots."""
    frame = (
        pl.DataFrame(rows, schema=["start_time", "end_time", "slots", "owner"], orient="row")
        if rows
        else pl.DataFrame()
    )
    schema = record_schema()
    if not rows:
        return pl.DataFrame(schema=schema)
    times = [(pl.col(name) + BEGIN).cast(schema[name]) for name in ("start_time", "end_time")]
    told = frame.with_columns(*times, pl.col("slots").cast(pl.Int32), pl.col("owner").cast(pl.Categorical))
    rest = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in told.columns]
    return told.with_columns(rest).select(schema.names())


def in_use(rows: list[tuple[int, int, int, str]], begin: int, end: int) -> int:
    """Return the slot microseconds between two moments (from BEGIN), counted job by job."""
    return sum(max(0, min(stop, end) - max(start, begin)) * slots for start, stop, slots, _ in rows if stop > start)


@settings(max_examples=30, deadline=None)
@given(jobs, st.sampled_from(["7s", "10s", "1m"]))
def test_every_bin_holds_exactly_what_ran_in_it(rows: list[tuple[int, int, int, str]], freq: str) -> None:
    made = area_of(records(rows)).utilisation(freq, peak=True)
    width = {"7s": 7, "10s": 10, "1m": 60}[freq] * SECOND
    assert round(made["slot_seconds"].sum() * SECOND) == in_use(rows, 0, 400 * SECOND)
    for row in made.itertuples():
        begin = round(row.time.timestamp() * SECOND) - BEGIN
        assert round(row.slot_seconds * SECOND) == in_use(rows, begin, begin + width)
        steps = [begin, *(one for start, stop, *_ in rows for one in (start, stop) if begin <= one < begin + width)]
        most = max(sum(slots for start, stop, slots, _ in rows if start <= at < stop) for at in steps)
        assert row.slots_max == most


@settings(max_examples=25, deadline=None)
@given(jobs, st.integers(0, 150), st.integers(1, 100))
def test_a_period_holds_what_ran_within_it(rows: list[tuple[int, int, int, str]], first: int, length: int) -> None:
    begin = BEGIN / SECOND + first
    made = area_of(records(rows)).utilisation("10s", "owner", since=begin, before=begin + length)
    expected = in_use(rows, first * SECOND, (first + length) * SECOND)
    assert round(made["slot_seconds"].sum() * SECOND) == expected
    for owner, part in made.groupby("owner", observed=True):
        mine = [row for row in rows if row[3] == owner]
        assert round(part["slot_seconds"].sum() * SECOND) == in_use(mine, first * SECOND, (first + length) * SECOND)
        assert part["time"].diff().dropna().dt.total_seconds().eq(10).all()


def test_mean_of_running_jobs_and_share_of_the_capacity() -> None:
    rows = [(0, 20 * SECOND, 4, "a"), (10 * SECOND, 20 * SECOND, 2, "b")]
    made = area_of(records(rows)).utilisation("10s", capacity=8)
    assert made["slots"].tolist() == [4.0, 6.0]
    assert made["running"].tolist() == [1.0, 2.0]
    assert made["share"].tolist() == [0.5, 0.75]


def test_no_record_is_no_bin() -> None:
    assert area_of(records([])).utilisation().empty
    assert list(area_of(records([])).utilisation(peak=True)) == [
        "time",
        "slots",
        "running",
        "slot_seconds",
        "slots_max",
    ]


@pytest.mark.parametrize("freq", ["", "0h", "1x", "h1", 5])
def test_a_width_that_is_none_is_refused(freq: str) -> None:
    with pytest.raises(InvalidArgument, match="no width of time; expected 15m"):
        area_of(records([])).utilisation(freq)


def test_too_many_bins_are_refused_before_they_are_made() -> None:
    rows = [(0, SECOND, 1, "a"), (400 * 86400 * SECOND, 400 * 86400 * SECOND + SECOND, 1, "a")]
    with pytest.raises(InvalidArgument, match=r"34,560,001 bins; expected 1,000,000 at the most"):
        area_of(records(rows)).utilisation("1s")


def test_an_unknown_grouping_is_named() -> None:
    with pytest.raises(UnknownName, match=r"no grouping is called 'ownr'.*Did you mean owner"):
        area_of(records([])).utilisation(by="ownr")
