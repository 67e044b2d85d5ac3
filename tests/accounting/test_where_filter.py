"""The language of filters says of a record what it says of every other table: both readings agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from accounting.odd_site import NOON, write_odd_site
from accounting.plain_store import area_of

from gcs_lab.accounting.derived import has_failed
from gcs_lab.accounting.where_filter import WHERE_COLUMNS, where_is
from gcs_lab.errors import FilterError
from gcs_lab.status.filter_columns import HELP, words_of
from gcs_lab.status.filter_language import parse_filter

if TYPE_CHECKING:
    import pyarrow as pa

NOW = NOON + 86400.0
FILTERS = [
    "",
    "owner:alice",
    "owner:al*,bob",
    "owner!=alice",
    "not owner:alice",
    "name~IT",
    "name:fit_?",
    'project:""',
    'project!=""',
    "-project:alpha",
    "slots>1",
    "slots:1,8",
    "slots!=1",
    "wallclock>=1h wallclock<1d",
    "max_vmem>4G",
    "-max_vmem>4G",
    "wait<30m or wait>1h",
    "cpu_efficiency>1",
    "slot_seconds>86400",
    "failed:25,100",
    "ok:no",
    "ok!=no",
    "ok:yes,no",
    "start_time<2d",
    "submitted<12h",
    "start_time>=2026-09-21",
    "end_time:2026-09-21,2026-09-22",
    "end_time!=2026-09-21",
    "not start_time>2026-09-21",
    "task:2",
    "id:12,13",
    "id:12.2",
    "id~5",
    "1?",
    "node1",
    "(owner:alice or owner:bob) (queue:gpu.q or slots>4) -name:sleep",
    "requests~h_vmem=4G",
    "pe:mpi",
    "not (owner:alice (slots>1 or ok:no))",
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, pa.Table]:
    """Return the records as polars and as Arrow have them."""
    path = tmp_path_factory.mktemp("odd") / "accounting"
    write_odd_site(path, NOW)
    area = area_of(path)
    ok = area.store.scan().select((~has_failed()).alias("ok")).collect()["ok"]
    table = area.arrow()
    order = area.store.scan().select(pl.col("end_time").arg_sort()).collect().to_series()
    records = area.store.scan().collect()[order.to_list()]
    assert records["job_id"].to_list() == table["job_id"].to_pylist()
    return records, table.append_column("ok", [ok.gather(order).to_arrow()])


@pytest.mark.parametrize("text", FILTERS)
def test_an_expression_lets_through_what_the_filter_does(text: str, both: tuple[pl.DataFrame, pa.Table]) -> None:
    records, table = both
    told = records.select(pl.lit(value=True).repeat_by(1).list.first() & where_is(text, NOW)).to_series()
    assert told.null_count() == 0
    told = told if len(told) == records.height else told.new_from_index(0, records.height)
    expected = parse_filter(text, WHERE_COLUMNS).mask(table, NOW)
    assert told.to_list() == expected.tolist()


def test_the_filters_tell_records_apart(both: tuple[pl.DataFrame, pa.Table]) -> None:
    counts = [parse_filter(text, WHERE_COLUMNS).mask(both[1], NOW).sum() for text in FILTERS]
    assert sum(0 < count < both[1].num_rows for count in counts) > len(FILTERS) - 6


def test_jobs_are_compared_by_their_numbers(both: tuple[pl.DataFrame, pa.Table]) -> None:
    told = both[0].filter(where_is("id>=499 id<501", NOW))["job_id"].unique().sort().to_list()
    assert told == ["499", "500"]


def test_common_words_have_help() -> None:
    named = {word.column for word in words_of(WHERE_COLUMNS).values() if not word.column.startswith("ru_")}
    rare = {"more", "pe_task", "reservation_submission_time"}
    assert named - rare <= set(HELP)


def test_words_of_live_jobs_alone_are_not_words_of_records() -> None:
    with pytest.raises(FilterError, match="nothing here is called `priority`"):
        where_is("priority>5", NOW)
