"""Families of jobs: by name pattern, command and the shape of what they ask for."""

import polars as pl
import pytest
from made_records import GIB, record, records

from gcs_lab.accounting.families import command_pattern, families, members, name_pattern, shape
from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.vocabulary import JobTemplate


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("fit_007", "fit_#"),
        ("fit", "fit"),
        ("fit_#", "fit_#"),
        ("run-2026-03-14", "run-#"),
        ("20260314T120000_x", "#_x"),
        ("train.3fa9c1d2", "train.#"),
        ("align_chr12", "align_chr#"),
        ("grid_1_2_3", "grid_#"),
        ("a1b2c3d4-1234-5678-9abc-def012345678", "#"),
        ("facade", "facade"),  # hexadecimal digits only, but a word
        ("größe_7", "größe_#"),
        ("", ""),
    ],
)
def test_what_changes_from_job_to_job_becomes_a_hash_sign(name, pattern):
    assert pl.select(name_pattern(pl.lit(name))).item() == pattern
    assert pl.select(name_pattern(pl.lit(pattern))).item() == pattern


def test_the_shape_of_a_category_has_no_values_and_no_owner():
    category = "-u ann -q long.q -l h_rt=3600,gpu=1,h_vmem=4G -pe smp 2-8 -P climate"
    assert pl.select(shape(pl.lit(category))).item() == "-q long.q -l h_rt=#,gpu=#,h_vmem=# -pe smp"
    assert pl.select(shape(pl.lit(None, dtype=pl.String))).item() == ""


def test_a_command_is_known_again_whatever_its_options_of_the_day():
    lines = ["qsub -terse -N fit_1 -l h_rt=600 -t 1-20:2 fit.sh data_07", "qsub -terse -N x fit.sh data_99"]
    frame = pl.DataFrame({"command": lines})
    assert frame.select(command_pattern(pl.col("command")))["command"].n_unique() == 1


def test_families_sum_up_what_was_used_of_what_was_asked_for():
    rows = [record(number, wall=1800.0, max_vmem=2 * GIB, slots=2) for number in range(3)]
    rows += [record(9, name="plot", owner="bob", category=None, wall=60.0, exit_status=1)]
    frame = families(records(rows))
    fit, plot = frame.rows(named=True)
    assert (fit["family"], fit["owner"], fit["shape"]) == ("fit_#", "ann", "-l h_rt=#,h_vmem=#")
    assert (fit["records"], fit["jobs"], fit["failed"]) == (3, 3, 0)
    assert fit["slot_hours"] == pytest.approx(3.0)
    assert fit["cpu_efficiency"] == pytest.approx(0.5)
    assert fit["time_used"] == pytest.approx(0.5)
    assert fit["memory_used"] == pytest.approx(2 / 8)  # h_vmem is by the slot, max_vmem of the whole job
    assert (plot["family"], plot["failed"], plot["time_used"], plot["memory_used"]) == ("plot", 1, None, None)


def test_without_owners_the_same_jobs_of_two_people_are_one_family():
    rows = [record(1), record(2, owner="bob")]
    assert families(records(rows)).height == 2
    together = families(records(rows), by_owner=False)
    assert together["records"].to_list() == [2]
    assert "owner" not in together.columns


def test_records_of_single_processes_are_left_out():
    rows = [record(1, pe_task=None), record(1, pe_task="1.node2")]
    assert families(records(rows))["records"].to_list() == [1]


ALL = [
    *(record(number) for number in range(3)),
    record(3, name="fitness"),
    record(4, owner="bob"),
    record(5, category="-l h_rt=60 -pe smp 4", parallel_environment="smp", slots=4),
    record(6, category="-l h_rt=60,h_vmem=9G"),
]


@pytest.mark.parametrize(
    ("family", "jobs"),
    [
        ("fit_*", {0, 1, 2, 4, 5, 6}),
        ("fit*", {0, 1, 2, 3, 4, 5, 6}),
        ("fit_#", {0, 1, 2, 4, 5, 6}),
        ("fit_042", {0, 1, 2, 4, 5, 6}),
        ("fitness", {3}),
        (1001, {0, 1, 2, 6}),  # the same owner, name pattern and shape
        ("1005", {5}),
        ({"name": "fit_9", "owner": "bob"}, {4}),
        ({"name": "fit_9", "slots": 4}, {5}),
        (JobTemplate(job_name="fit_1", parallel_environment="smp", min_slots=4), {5}),
    ],
)
def test_a_family_is_named_by_a_pattern_a_name_a_job_or_a_template(family, jobs):
    found = members(records(ALL), family).records.collect()["job_id"].to_list()
    assert {int(job) - 1000 for job in found} == jobs


def test_a_task_names_its_family_too():
    rows = [record(1, task=1), record(1, task=2)]
    assert members(records(rows), "1001.2").records.collect().height == 2


@pytest.mark.parametrize("family", ["", 999_999, "77.3", {}, {"owner": "ann"}, None, 3.5, ["fit"]])
def test_what_names_no_family_is_refused(family):
    with pytest.raises(InvalidArgument, match="Expected"):
        members(records(ALL), family)


def test_an_unknown_word_of_a_template_is_named_with_those_that_there_are():
    with pytest.raises(UnknownName, match="queue_name"):
        members(records(ALL), {"quene": "all.q"})


def test_a_template_finds_its_command_where_records_have_one():
    rows = [record(1, command="qsub -N a /home/ann/fit.sh x"), record(2, command="qsub -N b plot.sh")]
    found = members(records(rows), JobTemplate(remote_command="/opt/fit.sh")).records.collect()
    assert found["job_id"].to_list() == ["1001"]
