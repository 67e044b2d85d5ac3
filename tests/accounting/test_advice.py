"""Advice on families of jobs: what would have been enough, what it would have freed, and what is not known."""

import pytest
from made_records import GIB, record, records

from gcs_lab.accounting.advice import advise
from gcs_lab.accounting.families import families
from gcs_lab.accounting.synthetic import write_site
from gcs_lab.errors import InvalidArgument


def measure_of(advice, name):
    return next(measure for measure in advice.measures if measure.name == name)


def test_memory_that_95_percent_needed_with_a_margin_is_what_is_advised_for_each_slot():
    # 1 to 100 tenths of a GiB on each of two slots; 95 % are within 9.5 GiB, and 20 % more is 11.4.
    rows = [
        record(
            number, slots=2, max_vmem=int(2 * GIB * (number + 1) / 10), category="-l h_rt=3600,h_vmem=64G -pe smp 2"
        )
        for number in range(100)
    ]
    advice = advise(records(rows), "fit_*")
    memory = measure_of(advice, "h_vmem")
    assert memory.half == pytest.approx(5.0 * GIB, rel=0.01)
    assert memory.most == pytest.approx(9.5 * GIB, rel=0.01)
    assert memory.largest == pytest.approx(10 * GIB, rel=0.01)
    assert (memory.flag, memory.enough, memory.asked) == ("12G", 12 * GIB, 64 * GIB)
    assert memory.freed == pytest.approx(100 * 600 * 2 * (64 - 12) * GIB)  # byte seconds
    assert memory.part == pytest.approx(52 / 64)
    assert memory.failing == 0


def test_the_line_to_copy_has_all_that_is_known():
    rows = [record(number, wall=1000.0 + number, slots=4, parallel_environment="smp", cpu=3900.0,
                   category="-l h_rt=86400,h_vmem=8G -pe smp 4") for number in range(40)]  # fmt: skip
    advice = advise(records(rows), "fit_*")
    assert advice.known
    assert advice.flags == "-l h_vmem=350M,h_rt=0:25:00 -pe smp 4"
    assert advice.flags in repr(advice)
    assert advice.flags in advice._repr_html_()


def test_the_share_that_was_asked_for_is_served_and_a_larger_margin_asks_for_more():
    rows = [record(number, wall=60.0 * (number + 1)) for number in range(100)]
    half = measure_of(advise(records(rows), "fit_*", share=0.5, margin=0.0), "h_rt")
    assert (half.enough, half.failing) == (3000.0, 50)
    assert measure_of(advise(records(rows), "fit_*", share=0.5, margin=1.0), "h_rt").enough == 6000.0


def test_a_job_that_its_limit_ended_needed_more_than_the_limit():
    killed = [record(number, wall=3601.0, failed=37, exit_status=137) for number in range(4)]
    rows = [*killed, *(record(number, wall=300.0) for number in range(4, 100))]
    time = measure_of(advise(records(rows), "fit_*"), "h_rt")
    assert (time.killed, time.failing) == (4, 4)
    assert time.largest == float("inf")
    assert time.flag == "0:06:00"


def test_a_job_that_died_at_its_memory_limit_counts_as_one_that_needed_more():
    killed = [record(number, max_vmem=int(3.9 * GIB), failed=100, exit_status=137) for number in range(3)]
    deleted = [record(number, max_vmem=GIB, failed=100, exit_status=137) for number in range(3, 6)]
    rows = [*killed, *deleted, *(record(number) for number in range(6, 100))]
    memory = measure_of(advise(records(rows), "fit_*"), "h_vmem")
    assert (memory.killed, memory.failing, memory.jobs) == (3, 3, 97)


def test_where_the_limit_ended_too_many_it_is_not_known_what_is_enough_and_twice_the_limit_is_tried():
    killed = [record(number, wall=3601.0, failed=37, exit_status=137) for number in range(30)]
    rows = [*killed, *(record(number, wall=300.0) for number in range(30, 100))]
    advice = advise(records(rows), "fit_*")
    time = measure_of(advice, "h_rt")
    assert (time.enough, time.flag) == (None, "2:00:00")
    assert "not known" in time.why
    assert "not known" in repr(advice)


def test_jobs_that_failed_by_themselves_or_were_over_at_once_tell_nothing():
    rows = [record(number, max_vmem=GIB) for number in range(30)]
    rows += [record(number, max_vmem=50 * GIB, exit_status=1) for number in range(30, 40)]
    rows += [record(number, max_vmem=1, wall=2.0) for number in range(40, 140)]
    assert measure_of(advise(records(rows), "fit_*"), "h_vmem").jobs == 30
    assert measure_of(advise(records(rows), "fit_*"), "h_vmem").half == GIB


@pytest.mark.parametrize("count", [0, 1, 19])
def test_of_too_few_jobs_nothing_is_said(count):
    advice = advise(records([record(number) for number in range(count)]), "fit_*")
    assert not advice.known
    assert advice.flags == ""
    assert "Nothing can be advised" in repr(advice)
    assert "Nothing can be advised" in advice._repr_html_()


def test_memory_that_no_record_tells_is_not_known_and_time_is():
    rows = [record(number, max_vmem=None) for number in range(30)]
    advice = advise(records(rows), "fit_*")
    assert measure_of(advice, "h_vmem").why == "the records tell no memory"
    assert advice.flags == "-l h_rt=0:15:00"


def test_the_back_test_learns_from_earlier_jobs_and_counts_later_ones_that_would_have_been_ended():
    # From the 71st on they need four times as much: what the earlier ones tell is too little for all of them.
    rows = [
        record(number, max_vmem=GIB * (1 if number <= 70 else 4), category="-l h_vmem=8G") for number in range(100)
    ]
    held_out = measure_of(advise(records(rows), "fit_*"), "h_vmem").held_out
    assert held_out.jobs == 29
    assert held_out.failing == 1.0
    assert held_out.failed == 0.0


def test_idle_slots_are_told_with_the_memory_that_fewer_slots_need():
    rows = [
        record(
            number,
            slots=8,
            cpu=1200.0,
            parallel_environment="smp",
            max_vmem=8 * GIB,
            category="-l h_vmem=4G -pe smp 8",
        )
        for number in range(40)
    ]
    advice = advise(records(rows), "fit_*")
    slots = measure_of(advice, "slots")
    assert (slots.asked, slots.half, slots.enough) == (8, 2.0, 3)
    assert advice.with_fewer_slots == "-l h_vmem=3.5G -pe smp 3"
    assert advice.flags.endswith("-pe smp 8")


def test_one_slot_that_does_all_the_work_is_enough():
    rows = [record(number, slots=4, cpu=600.0, category="-pe smp 4") for number in range(40)]
    advice = advise(records(rows), "fit_*")
    assert measure_of(advice, "slots").enough == 1
    assert "leave -pe out" in repr(advice)


def test_the_figures_are_a_frame_of_numbers():
    frame = advise(records([record(number) for number in range(30)]), "fit_*").frame()
    assert frame["name"].tolist() == ["h_vmem", "h_rt"]
    assert frame["asked"].tolist() == [4 * GIB, 3600.0]


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"share": 0.2}, {"margin": -0.1}, {"margin": 99}])
def test_shares_and_margins_that_can_not_be_are_refused(wrong):
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        advise(records([]), "fit_*", **wrong)


def test_the_memory_waster_of_the_synthetic_site_is_told_to_ask_for_a_tenth(tmp_path):
    import polars as pl

    from gcs_lab.accounting.classic import ClassicReader

    facts = write_site(tmp_path / "accounting", records=20_000, days=8, users=80)
    site = ClassicReader().read((tmp_path / "accounting").read_bytes(), 0).records.lazy()
    own = site.filter(pl.col("owner").cast(pl.String) == facts.memory_waster)
    memory = measure_of(advise(own, "*"), "h_vmem")
    assert memory.asked == 64 * GIB
    assert 2 * GIB <= memory.enough <= 4 * GIB
    assert memory.part > 0.9
    assert memory.held_out.failing < 0.1


def test_what_processes_with_records_of_their_own_used_is_part_of_their_job():
    category = "-l h_vmem=4G -pe mpi 4"
    wide = {"slots": 4, "parallel_environment": "mpi", "category": category}
    rows = [record(number, max_vmem=GIB, cpu=10.0, **wide) for number in range(30)]
    rows += [
        record(number, max_vmem=3 * GIB, cpu=900.0, pe_task=f"{rank}.node", **wide)
        for number in range(30)
        for rank in (1, 2)
    ]
    advice = advise(records(rows), "fit_*")
    assert measure_of(advice, "h_vmem").most == pytest.approx(7 * GIB / 4)
    assert measure_of(advice, "slots").half == pytest.approx(1810 / 600)
    assert advice.records == 30
    (family,) = families(records(rows)).to_dicts()
    assert (family["records"], family["cpu_efficiency"]) == (30, pytest.approx(1810 / 2400))
    assert family["memory_used"] == pytest.approx(7 / 16)
