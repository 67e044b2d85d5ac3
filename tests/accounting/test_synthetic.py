"""The synthetic site: real records of a cluster that could have been."""

import polars as pl
import pytest

from gcs_lab.accounting import synthetic
from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.synthetic import write_site
from gcs_lab.errors import InvalidArgument

SITE = {"records": 30_000, "days": 12, "users": 80}


def records_of(path):
    batch = ClassicReader().read(path.read_bytes(), 0)
    assert batch.rejects == []
    return batch.records


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    path = tmp_path_factory.mktemp("site") / "accounting"
    facts = write_site(path, **SITE)
    return path, facts, records_of(path)


def most_in_use(records, by):
    """Return the most slots that were in use at once, for each value of a column."""
    ran = records.filter(pl.col("start_time").is_not_null())
    change = pl.concat(
        [
            ran.select(pl.col(by).cast(pl.String), at="start_time", slots="slots"),
            ran.select(pl.col(by).cast(pl.String), at="end_time", slots=-pl.col("slots")),
        ]
    )
    steps = change.group_by(by, "at").agg(pl.col("slots").sum()).sort("at")
    used = steps.with_columns(used=pl.col("slots").cum_sum().over(by))
    return dict(used.group_by(by).agg(pl.col("used").max()).iter_rows())


def test_it_has_exactly_as_many_records_as_asked_for_of_about_330_bytes(site):
    path, facts, records = site
    assert records.height == facts.records == SITE["records"]
    assert 310 < path.stat().st_size / records.height < 350


def test_each_line_has_the_45_fields_of_the_classic_format_behind_its_comment(site):
    lines = site[0].read_bytes().splitlines()
    assert lines[:4] == [b"# Version: 8.1.9", b"# ", b"# DO NOT MODIFY THIS FILE MANUALLY!", b"# "]
    assert {line.count(b":") for line in lines[4:]} == {44}


def test_no_queue_and_no_host_ever_has_more_slots_in_use_than_it_has(site):
    _, facts, records = site
    for queue, used in most_in_use(records, "queue").items():
        assert used <= facts.queue_slots[queue]
    # A job of mpi.q has several hosts, of which the record names the first.
    one_host = records.filter(pl.col("queue") != "mpi.q")
    assert max(most_in_use(one_host, "host").values()) <= facts.slots_of_host
    assert sum(facts.queue_slots.values()) == facts.slots


def test_records_stand_in_the_order_of_their_ends_and_no_job_starts_before_it_was_submitted(site):
    records = site[2].filter(pl.col("start_time").is_not_null())
    assert records["end_time"].is_sorted()
    assert (records["start_time"] > records["submission_time"]).all()
    assert ((records["end_time"] - records["start_time"]).dt.total_seconds() == records["wallclock"]).all()


def test_the_same_seed_writes_the_same_bytes_and_another_seed_another_site(tmp_path):
    small = {"records": 2000, "days": 3, "users": 20}
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        write_site(tmp_path / name, seed=seed, **small)
    one, two, three = ((tmp_path / name).read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


def test_only_the_failing_node_breaks_jobs_with_the_odd_status_and_only_since_its_day(site):
    _, facts, records = site
    broken = records.filter(pl.col("exit_status") == facts.failing_status)
    assert broken["host"].cast(pl.String).unique().to_list() == [facts.failing_node]
    assert broken["start_time"].dt.epoch("s").min() >= facts.failing_since
    there = records.filter(
        pl.col("host").cast(pl.String) == facts.failing_node,
        pl.col("start_time").dt.epoch("s") >= facts.failing_since,
    )
    assert broken.height / there.height == pytest.approx(facts.failing_part, abs=0.12)


def test_the_memory_waster_asks_for_64_gib_and_uses_two(site):
    _, facts, records = site
    own = records.filter(pl.col("owner").cast(pl.String) == facts.memory_waster)
    assert own.height > 50
    assert own["category"].str.contains("h_vmem=64G").all()
    assert own["max_vmem"].median() < 2.5 * 2**30


def test_in_the_rush_jobs_wait_much_longer(site):
    _, facts, records = site
    sent = pl.col("submission_time").dt.epoch("s")
    rush = records.filter(sent.is_between(facts.rush_begin, facts.rush_end))
    before = records.filter(sent < facts.rush_begin)
    wait = (pl.col("start_time") - pl.col("submission_time")).dt.total_seconds().mean()
    assert rush.select(wait).item() > 4 * before.select(wait).item()


def test_what_is_not_planted_is_not_there(tmp_path):
    facts = write_site(tmp_path / "plain", records=4000, days=4, users=30, plant=())
    assert (facts.failing_node, facts.memory_waster, facts.rush_users) == ("", "", ())
    records = records_of(tmp_path / "plain")
    assert 74 not in records["exit_status"].to_list()
    assert not records["category"].str.contains("h_vmem=64G").all()


def test_written_in_many_pieces_it_loses_no_record_and_keeps_the_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "_PIECE", 700)
    facts = write_site(tmp_path / "pieces", records=10_000, days=4, users=40)
    records = records_of(tmp_path / "pieces")
    assert records.height == 10_000
    assert records.filter(pl.col("start_time").is_not_null())["end_time"].is_sorted()
    for queue, used in most_in_use(records, "queue").items():
        assert used <= facts.queue_slots[queue]


def test_a_second_run_is_submitted_when_the_first_has_ended_as_8_1_9_writes_it(site):
    records = site[2]
    first = records.filter(pl.col("failed") == 25)
    assert first.height > 20
    pairs = first.join(records.filter(pl.col("failed") != 25), on=["job_id", "task"], nulls_equal=True)
    assert pairs.height == first.height
    assert (pairs["submission_time_right"] == pairs["end_time"]).all()


@pytest.mark.parametrize(
    "wrong", [{"plant": ("gold",)}, {"hosts": 3}, {"records": 0}, {"users": 0}, {"days": 0}, {"slots": 0}]
)
def test_what_makes_no_site_is_refused_before_anything_is_written(tmp_path, wrong):
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        write_site(tmp_path / "none", **wrong)
    assert not (tmp_path / "none").exists()


def test_it_fills_the_cluster_to_what_sites_are_used_to(site):
    _, facts, records = site
    seconds = (records["slots"] * records["wallclock"]).sum()
    share = seconds / (facts.slots * (facts.end - facts.begin))
    assert 0.4 < share < 1.1
