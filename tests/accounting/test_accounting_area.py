"""The area's questions, over a small site with all that is odd, and over records made for the question."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from accounting.odd_site import HEAD, HOUR, NOON, line, write_odd_site
from accounting.plain_store import area_of, ids, site

import gcs_lab
from gcs_lab.accounting import Accounting
from gcs_lab.accounting.chance import chances, jobs_that_fail_together, tail
from gcs_lab.accounting.derived import has_failed
from gcs_lab.accounting.failures import reason
from gcs_lab.accounting.opening import RecordFiles
from gcs_lab.accounting.tables import DERIVED_COLUMNS, RECORD_COLUMNS, record_schema
from gcs_lab.errors import DeniedByDrms, InvalidArgument, UnknownName, UnsupportedOperation

if TYPE_CHECKING:
    from pathlib import Path

NOW = NOON + 40 * 86400


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Accounting:
    path = tmp_path_factory.mktemp("odd") / "accounting"
    write_odd_site(path, NOW)
    return area_of(path)


# -- records


def test_a_frame_has_the_documented_columns_and_pandas_types(odd: Accounting) -> None:
    frame = odd.frame()
    assert list(frame) == [one.name for one in (*RECORD_COLUMNS, *DERIVED_COLUMNS)] == list(odd.columns()["name"])
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds["job_id"] == "string"
    assert kinds["owner"] == "category"
    assert kinds["slots"] == kinds["max_vmem"] == "Int64"
    assert kinds["cpu"] == kinds["wait"] == "float64"
    assert kinds["end_time"] == "datetime64[us, UTC]"
    assert frame["end_time"].dropna().is_monotonic_increasing


def test_a_large_frame_keeps_the_columns_of_arrow(odd: Accounting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcs_lab.accounting.frames.LARGE", 10)
    frame = odd.frame(["owner", "cpu", "end_time"])
    assert all(isinstance(kind, pd.ArrowDtype) for kind in frame.dtypes)


def test_arrow_is_a_table_or_a_reader_of_the_same_rows(odd: Accounting) -> None:
    table = odd.arrow(["job_id", "owner", "cpu"])
    assert table.schema.field("owner").type == pa.dictionary(pa.int32(), pa.string())
    read = odd.arrow(["job_id", "owner", "cpu"], reader=True)
    assert isinstance(read, pa.RecordBatchReader)
    rows = read.read_all()
    assert sorted(rows["job_id"].to_pylist()) == sorted(table["job_id"].to_pylist())
    assert sum(rows["cpu"].to_pylist()) == pytest.approx(sum(table["cpu"].to_pylist()))


@pytest.mark.parametrize("columns", [["nme"], "nme"])
def test_an_unknown_column_is_named_with_those_that_are_near(odd: Accounting, columns: Any) -> None:
    with pytest.raises(UnknownName, match=r"no column is called 'nme'.*Did you mean name"):
        odd.frame(columns)


# -- questions


def test_a_summary_counts_jobs_once_and_multiplies_only_slot_seconds(tmp_path: Path) -> None:
    area = site(
        tmp_path,
        line(job=1, pe="mpi", slots=8, submitted=NOON - 10, cpu=5),
        line(job=1, pe="mpi", slots=8, submitted=NOON - 10, cpu=6, pe_task="1.node2"),
        line(job=2, failed=25, submitted=NOON - 30),
        line(job=2, submitted=NOON - 20),
        line(job=3, start=0, end=0, failed=26),
    )
    row = area.summary().iloc[0]
    assert (row["records"], row["jobs"], row["failed"]) == (5, 2, 2)
    assert row["slot_seconds"] == 8 * HOUR + 2 * HOUR
    assert row["wallclock"] == 4 * HOUR
    assert row["cpu"] == 5 + 6 + 3 * 1.5
    assert row["wait_mean"] == pytest.approx(20)


def test_nothing_is_a_row_of_zeros_and_no_group(tmp_path: Path) -> None:
    area = site(tmp_path)
    row = area.summary().iloc[0]
    assert row["records"] == 0
    assert row["cpu"] == 0
    assert pd.isna(row["wait_mean"])
    for made in (
        area.summary("owner"),
        area.efficiency(),
        area.failures(),
        area.failures("host"),
        area.top(),
        area.frame(),
        area.wait_distribution("owner"),
        area.compare("2026-10", "2026-11", "owner"),
    ):
        assert made.empty
    assert area.waits()["jobs"].tolist() == [0]
    with pytest.raises(UnknownName, match="no job is called '1'"):
        area.job(1)


@pytest.mark.parametrize("by", ["ownr", ["owner", "cpu"], ["hour_of_weak"]])
def test_an_unknown_grouping_is_refused(odd: Accounting, by: Any) -> None:
    with pytest.raises(UnknownName, match="no grouping is called"):
        odd.summary(by)


def test_waits_are_those_of_the_quantiles_of_pandas(odd: Accounting) -> None:
    frame = odd.frame(["wait", "owner", "submission_time"], where='pe_task:""').dropna(subset="wait")
    made = odd.waits("owner", quantiles=[0.5, 0.95]).set_index("owner")
    assert made["q50"].to_dict() == pytest.approx(frame.groupby("owner", observed=True)["wait"].median().to_dict())
    assert made["q95"].to_dict() == pytest.approx(
        frame.groupby("owner", observed=True)["wait"].quantile(0.95).to_dict()
    )
    hours = odd.waits("hour_of_week")
    submitted = frame["submission_time"].dt
    expected = (submitted.day_of_week * 24 + submitted.hour).value_counts().sort_index()
    assert dict(zip(hours["hour_of_week"], hours["jobs"], strict=True)) == expected.to_dict()


def test_a_distribution_holds_every_job_that_started(odd: Accounting) -> None:
    made = odd.wait_distribution("queue", edges=[0, 1000, 2000])
    assert made["jobs"].sum() == odd.waits()["jobs"].iloc[0]
    assert made.groupby("queue", observed=True)["share"].sum().tolist() == pytest.approx(
        [1.0] * made["queue"].nunique()
    )
    assert made["to"].isna().sum() == made["queue"].nunique()
    with pytest.raises(InvalidArgument, match="expected seconds that grow"):
        odd.wait_distribution(edges=[10, 5])


def test_efficiency_weighs_by_slot_seconds(tmp_path: Path) -> None:
    area = site(
        tmp_path,
        line(job=1, slots=2, pe="smp", cpu=HOUR, max_vmem=2**30, category="-l h_rt=7200,h_vmem=2G"),
        line(job=2, cpu=HOUR, max_vmem=2**30, category="-l h_vmem=1G"),
        line(job=3, cpu=0, end=NOON + 2 * HOUR),
    )
    row = area.efficiency(by=()).iloc[0]
    assert row["cpu_efficiency"] == pytest.approx(2 / 5)
    assert row["slot_seconds_idle"] == 3 * HOUR
    # 1 of 2 GiB a slot for 2 slots, and 1 of 1.
    assert row["memory_used"] == pytest.approx(2 / 5)
    assert row["memory_idle"] == 3 * 2**30 * HOUR
    assert row["time_used"] == pytest.approx(0.5)


def test_failures_have_words(tmp_path: Path) -> None:
    area = site(
        tmp_path,
        line(job=1),
        line(job=2, status=1),
        line(job=3, failed=100, status=137, max_vmem=5e9, category="-l h_vmem=4G"),
        line(job=4, failed=37, status=137, category="-l h_rt=3600"),
        line(job=5, failed=100, status=139),
        line(job=6, failed=8, start=0, end=0),
        line(job=7, failed=99),
        line(job=8, status=1, end=NOON + 2 * HOUR),
    )
    made = area.failures().set_index("reason")
    assert made["records"].to_dict() == {
        "exit status 1": 2,
        "killed: memory limit exceeded (h_vmem)": 1,
        "killed: run time limit exceeded (h_rt)": 1,
        "ended by signal SIGSEGV": 1,
        "failed in prolog (code 8)": 1,
        "failed for an unknown reason (code 99)": 1,
    }
    assert made.loc["exit status 1", "last_job"] == "8"
    assert made["share"].sum() == pytest.approx(1)
    # The words of a single job are of the same kind.
    for job, word in ((3, "h_vmem=4G exceeded"), (4, "h_rt=1:00:00 exceeded"), (5, "SIGSEGV"), (6, "in prolog")):
        assert word in area.job(job).why


def test_a_bad_node_stands_out(tmp_path: Path) -> None:
    lines = [
        line(job=n, host=f"node{n % 20}", status=int((n % 20 == 7 and n % 3 == 0) or n % 49 == 0))
        for n in range(2000)
    ]
    made = site(tmp_path, *lines).failures("host")
    first = made.iloc[0]
    assert first["host"] == "node7"
    assert first["unlikely"] < 1e-10
    assert first["rate"] == pytest.approx(first["failed"] / first["records"])
    assert first["others"] == pytest.approx((made["failed"].sum() - first["failed"]) / (2000 - first["records"]))
    assert first["reason"] == "exit status 1"
    assert (made["unlikely"].iloc[1:] > 0.001).all()


def test_reasons_are_told_of_pieces_of_which_filters_left_nothing() -> None:
    dice = random.Random(1)
    rows = {"exit_status": [int(dice.random() < 0.01) for _ in range(20_000)]}
    made = pl.DataFrame(rows, schema={"exit_status": pl.Int32}).with_columns(
        pl.Series("owner", [dice.choice(["ann", *["bob"] * 99]) for _ in range(20_000)]),
        *(pl.lit(None, record_schema()[name]).alias(name) for name in ("category", "max_vmem", "deleted_by")),
        *(pl.lit(0, record_schema()[name]).alias(name) for name in ("failed", "slots", "wallclock", "cpu")),
    )
    pieces = pl.concat([made.slice(at, 4000) for at in range(0, 20_000, 4000)], rechunk=False).lazy()
    few = pieces.filter(pl.col("owner") == "ann").filter(has_failed()).select(reason())
    assert set(few.collect(engine="streaming")["reason"]) == {"exit status 1"}


def test_where_all_nodes_differ_one_of_them_is_not_bad() -> None:
    # Arrays of 200 tasks fail as a whole: three times the spread that chance has, and more.
    dice = random.Random(5)
    records = [4000] * 30
    failed = [200 * sum(dice.random() < 0.05 for _ in range(20)) for _ in records]
    assert 30 < jobs_that_fail_together(records, failed) < 600
    assert min(one.log10 for one in chances(records, failed)) > -2
    failed[3] = 3600
    broken = chances(records, failed)
    assert min(broken, key=lambda one: one.log10) is broken[3]
    assert broken[3].log10 < -6
    assert broken[3].others == sum(failed[:3] + failed[4:]) / (29 * 4000)


@pytest.mark.parametrize("records", [[100, 100], [1000, 1000, 1000]])
def test_of_few_nodes_the_one_that_breaks_jobs_stands_out(records: list[int]) -> None:
    found = chances(records, [records[0] * 9 // 10, *(many // 50 for many in records[1:])])
    assert found[0].log10 < -20
    assert found[1].log10 > -0.1
    assert chances([10], [9]) == [(None, 0.0, 10)]
    assert [one.log10 for one in chances([10, 10], [0, 0])] == [0.0, 0.0]


def test_a_node_is_compared_with_those_of_its_queues() -> None:
    # Two of twelve nodes serve a queue in which a fifth of the jobs fail, and one of the ten others breaks its jobs.
    records = [[1000, 0]] * 10 + [[100, 900]] * 2
    failed = [[20 + at % 3, 0] for at in range(9)] + [[200, 0], [2, 185], [2, 175]]
    found = chances(records, failed)
    assert [at for at, one in enumerate(found) if one.log10 < -3] == [9]
    assert found[10].others == pytest.approx((100 * (sum(one for one, _ in failed) - 2) / 10_100 + 175) / 1000)
    alone = chances([sum(both) for both in records], [sum(both) for both in failed])
    assert alone[10].log10 < -3


@pytest.mark.parametrize(("records", "rate"), [(1, 0.5), (20, 0.05), (50, 0.9), (300, 0.3)])
def test_the_binomial_tail_is_exact(records: int, rate: float) -> None:
    terms = [math.comb(records, k) * rate**k * (1 - rate) ** (records - k) for k in range(records + 1)]
    for failed in range(records + 1):
        assert tail(failed, records, rate) == pytest.approx(sum(terms[failed:]), rel=1e-9, abs=1e-13)


def test_the_binomial_tail_of_millions_takes_no_time() -> None:
    assert tail(50_500, 1_000_000, 0.05) == pytest.approx(0.0110, abs=0.0003)
    assert tail(500_000, 1_000_000, 0.05) == 0.0


def test_top_and_its_share(odd: Accounting) -> None:
    made = odd.top(2, "owner", "cpu")
    every = odd.summary("owner")
    assert made["cpu"].tolist() == pytest.approx(sorted(every["cpu"], reverse=True)[:2])
    assert made["share"].iloc[0] == pytest.approx(every["cpu"].max() / every["cpu"].sum())
    for measure in ("slot_seconds", "records"):
        jobs = odd.summary("job_id").sort_values([measure, "job_id"], ascending=[False, True])
        assert odd.top(3, "job_id", measure)["job_id"].tolist() == jobs["job_id"].head(3).tolist()
    assert odd.top(1, "job_id")["share"].iloc[0] == pytest.approx(
        odd.summary("job_id")["slot_seconds"].max() / odd.summary()["slot_seconds"].iloc[0]
    )
    with pytest.raises(UnknownName, match="no measure is called 'cpus' in summary"):
        odd.top(3, "owner", "cpus")
    with pytest.raises(InvalidArgument, match="n=0: expected a number of rows"):
        odd.top(0)


def test_two_periods_are_compared_by_what_ended_in_them(tmp_path: Path) -> None:
    area = site(
        tmp_path,
        line(job=1, owner="alice", end=NOON),
        line(job=2, owner="alice", end=NOON + 10),
        line(job=3, owner="bob", end=NOON + 10),
        line(job=4, owner="bob", end=NOON + 20),
    )
    made = area.compare((NOON, NOON + 10), (NOON + 10, NOON + 20), "owner", measures=["jobs"]).set_index("owner")
    assert made.loc["alice"].tolist() == [1, 1, 0, 1.0]
    assert made.loc["bob"].tolist()[:3] == [0, 1, 1]
    assert pd.isna(made.loc["bob", "jobs_ratio"])
    for first, message in ((NOON, "is a moment; expected a month"), ((2, 1), "expected a pair of times")):
        with pytest.raises(InvalidArgument, match=message):
            area.compare(first, "2026-11")
    with pytest.raises(InvalidArgument, match="since= is said by the two periods"):
        area.compare("2026-10", "2026-11", since=5)


# -- one job, SQL


def test_one_job_is_shown_as_qacct_does_and_says_why(tmp_path: Path) -> None:
    area = site(
        tmp_path,
        line(job=7, name="<b>", failed=100, status=137, category="-l h_vmem=1G", max_vmem=2**31, end=NOON + 5),
        line(job=8, task=1),
        line(job=8, task=2, status=3),
    )
    job = area.job("7")
    assert len(job) == 1
    assert job.why == job[0].why == "killed: h_vmem=1G exceeded (used 2.0 GiB)"
    assert job[0].owner == "alice"
    assert "failed       100 : assumedly after job" in repr(job)
    assert "exit_status  137 (SIGKILL)" in repr(job)
    assert "<b>" not in job._repr_html_()
    assert job.raw[0].startswith("all.q:node1:users:alice:<b>:7:")
    array = area.job(8)
    assert array.tasks == [1, 2]
    assert array.why == "1 of 2 records: exit status 3"
    assert [record.id for record in array] == ["8.1", "8.2"]
    assert area.job("8.2")[0].task == area.job(8, 2)[0].task == 2
    assert list(array.frame["task"]) == [1, 2]
    with pytest.raises(UnknownName, match=r"no job is called '8\.5'.*8\.1, 8\.2"):
        area.job("8.5")
    with pytest.raises(InvalidArgument, match="Jobs by name are found by"):
        area.job("fit")
    with pytest.raises(AttributeError, match="a record has no 'ownr'"):
        _ = job[0].ownr


def test_sql_answers_as_the_summary(odd: Accounting) -> None:
    made = odd.sql(
        "select owner, sum(cpu) as cpu, count(*) as n from records where \"group\" = 'users' group by owner"
    )
    expected = odd.summary("owner", group="users")
    assert dict(zip(made["owner"], made["cpu"], strict=True)) == pytest.approx(
        dict(zip(expected["owner"], expected["cpu"], strict=True))
    )
    assert made["n"].sum() == expected["records"].sum()
    assert odd.sql("with a as (select * from records) select count(*) as n from a", owner="alice")["n"].iloc[0] > 0


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("select foo from records", UnknownName, "no column is called 'foo'"),
        ("select * from other", InvalidArgument, "An example: select owner"),
        ("drop table records", InvalidArgument, "is no question; expected one that begins with select"),
        ("select * from records where", InvalidArgument, "An example"),
        ("select nofunction(cpu) from records", InvalidArgument, "unsupported function"),
    ],
)
def test_errors_of_sql_are_in_our_words(odd: Accounting, query: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        odd.sql(query)


# -- opening


def test_files_are_opened_without_a_cluster(tmp_path: Path) -> None:
    path = tmp_path / "accounting"
    path.write_text(HEAD + line(job=1) + "rubbish\n")
    area = gcs_lab.open_accounting(path, folder=tmp_path / "store")
    assert area.totals().records == 1
    assert area.summary()["records"].iloc[0] == 1
    with path.open("a") as file:
        file.write(line(job=2, owner="bob"))
    assert ids(area) == ["1", "2"]
    assert len(area.rejects()) == 1
    assert area.totals().records == 2
    assert area.job(2).raw == [line(job=2, owner="bob").rstrip("\n")]
    assert ids(gcs_lab.open_accounting(tmp_path, folder=tmp_path / "other")) == ["1", "2"]
    area.close()
    with pytest.raises(UnsupportedOperation, match="wrote no file of monitoring"):
        area.monitoring()
    (tmp_path / "notes").write_bytes(b"\0 no record")
    with pytest.raises(InvalidArgument, match="no format of accounting"):
        gcs_lab.open_accounting(tmp_path / "notes")
    (tmp_path / "empty").mkdir()
    empty = gcs_lab.open_accounting(tmp_path / "empty", folder=tmp_path / "none")
    assert empty.summary()["records"].item() == 0
    assert "no file of accounting" in empty.notes[0]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("summary", {"by": None}),
        ("top", {"by": 3}),
        ("top", {"measure": None}),
        ("failures", {"by": [1]}),
        ("frame", {"columns": 3}),
        ("waits", {"quantiles": 0.5}),
        ("wait_distribution", {"edges": 5}),
        ("utilisation", {"capacity": "many"}),
        ("summary", {"where": 3}),
        ("summary", {"job": 2.5}),
        ("summary", {"since": 1_795_280_264_000}),
        ("compare", {"first": "2026-10", "second": "2026-11", "measures": 3}),
        ("wait_estimate", {"template": {"owner": "ann"}, "owner": "bob"}),
    ],
)
def test_what_says_nothing_is_refused_in_our_words(odd: Accounting, question: str, words: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        getattr(odd, question)(**words)


def test_parts_of_the_store_that_are_skipped_hold_nothing_that_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "accounting"
    path.write_text(HEAD + line(job=1) + line(job=2, start=0, end=0, failed=26))
    area = gcs_lab.open_accounting(path, folder=tmp_path / "store")
    assert area.refresh().records == 2
    with path.open("a") as file:
        file.write(line(job=3, start=NOON + 9 * 86400, end=NOON + 10 * 86400))
    assert area.refresh().records == 1
    assert ids(area, until=NOON - 5, by_end=True) == ids(area, until=NOON - 5) == ["2"]
    assert ids(area, since=NOON + 9 * 86400) == ids(area, since=NOON + 10 * 86400, by_end=True) == ["3"]
    assert area.summary(since=NOON, until=NOON + HOUR, by_end=True)["records"].tolist() == [1]
    assert area.summary(until=NOON, by_end=True)["records"].tolist() == [1]
    area.close()


def test_what_cannot_be_opened_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "accounting").write_text("")
    with pytest.raises(InvalidArgument, match="Did you mean accounting"):
        gcs_lab.open_accounting(tmp_path / "acounting")
    with pytest.raises(InvalidArgument, match="nothing to open"):
        gcs_lab.open_accounting()
    with pytest.raises(InvalidArgument, match="no file is called"):
        gcs_lab.open_accounting(tmp_path / "x*")

    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", closed)  # root may read everything
    refused = r"may not be read by you: it is \w+'s, with mode 0\d+.*qacct"
    with pytest.raises(DeniedByDrms, match=refused):
        gcs_lab.open_accounting(tmp_path / "accounting")
    # A system finds that out at the first question.
    with pytest.raises(DeniedByDrms, match=refused):
        Accounting(RecordFiles([tmp_path / "accounting"]), folder=tmp_path / "store").summary()
