"""The explorer's host: figures, rows, exports and code of one state, and what happens when states come quickly."""

from __future__ import annotations

import base64
import io
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest
from in_memory_backend import task_row

from gcs_lab.accounting import open_accounting
from gcs_lab.accounting.area import Accounting
from gcs_lab.accounting.progress import Ingested, Progress
from gcs_lab.accounting.synthetic import write_site
from gcs_lab.explorer import export
from gcs_lab.explorer.state import TABS, ExplorerState, Lasso, Rate
from gcs_lab.status.tables import schema

if TYPE_CHECKING:
    from datetime import datetime

RUSH = 1_781_481_600.0


def test_hello_is_answered_with_the_last_30_days(site, browse):
    page = browse(site.accounting)
    welcome = page.hello()
    totals = site.accounting.totals()
    assert (welcome["records"], welcome["span"]) == (totals.records, [totals.first_end, totals.last_end])
    assert 30 <= (totals.last_end - welcome["state"]["since"]) / 86400 < 31
    assert {"owner", "host", "ok"} <= {word["word"] for word in welcome["words"]}
    assert site.facts.memory_waster in next(w["values"] for w in welcome["words"] if w["word"] == "owner")
    figures = page.wait(lambda m: m["kind"] == "figures")
    assert figures["tab"] == "usage"
    assert figures["matching"] == figures["period"] == site.shown(since=welcome["state"]["since"]).counts()[0]


def test_a_state_that_was_replaced_is_not_worked_out_to_its_end(site, browse, monkeypatch):
    from gcs_lab.explorer import waits

    page = browse(site.accounting)
    page.hello()
    entered, go_on, finished = threading.Event(), threading.Event(), []
    before = waits._distribution

    def slow(records: pl.LazyFrame) -> Any:
        entered.set()
        go_on.wait(10)
        return before(records)

    monkeypatch.setattr(waits, "_distribution", slow)
    monkeypatch.setattr(waits, "_week", lambda *_: finished.append(1))
    page.say("state", sequence=1, state=ExplorerState(tab="waits").to_json())
    assert entered.wait(10)
    for number in (2, 3):
        page.say("state", sequence=number, state=ExplorerState(filter=f"slots>{number}").to_json())
    go_on.set()
    page.wait(lambda m: m["kind"] == "figures" and m["sequence"] == 3)
    assert not finished
    assert not [m for m in page.told if m["kind"] == "figures" and m["sequence"] in {1, 2}]
    assert not [m for m in page.told if m["kind"] == "trouble"]


def test_a_filter_that_cannot_be_read_keeps_the_last_good_one(site, browse):
    page = browse(site.accounting)
    page.hello()
    good = page.show(filter="owner:user0*")
    bad = page.show(filter="color:red")
    assert bad["filter_error"]["message"].startswith("nothing here is called `color`")
    assert bad["matching"] == good["matching"]
    assert good["filter_error"] is None


def test_what_cannot_be_is_told_as_trouble(site, browse):
    page = browse(site.accounting)
    page.hello()
    page.host.receive("nonsense")
    page.say("state", sequence=1, state={"tab": "secrets"})
    page.say("copy", id=77, view="records", format="text", keys="matching", columns=["job_id"])
    assert page.wait(lambda m: m.get("id") == 77)["kind"] == "trouble"
    assert len([m for m in page.told if m["kind"] == "trouble"]) == 3


def test_the_table_is_sorted_windowed_and_copied(site, browse):
    page = browse(site.accounting)
    page.hello()
    page.show(filter="owner:user00* ok:no")
    columns = ["job_id", "owner", "wallclock", "outcome"]
    expected = (
        site.accounting.records(["job_id", "wallclock"], where="owner:user00* ok:no")
        .sort("wallclock", descending=True, nulls_last=True)
        .collect()
    )
    page.wait(lambda m: m["kind"] == "figures" and m["matching"] == len(expected))
    page.view(1, sort=[["wallclock", "descending"]], columns=columns, count=50)
    rows = page.wait(lambda m: m["kind"] == "rows" and m["matching"] == len(expected))
    told = [rows["rows"][key] for key in rows["keys"]]
    assert [round(row[2]) for row in told] == expected["wallclock"].head(50).round(0).cast(pl.Int64).to_list()
    assert all(row[3] != "done" for row in told)
    assert len(set(rows["keys"])) == 50
    page.say("copy", id=5, view="records", format="csv", keys=rows["keys"][:3], columns=columns)
    copied = page.wait(lambda m: m["kind"] == "copied")
    assert copied["rows"] == 3
    assert [line.split(",")[0] for line in copied["text"].splitlines()] == ["job_id", *(row[0] for row in told[:3])]


def test_a_table_without_rows_is_answered(site, browse):
    page = browse(site.accounting, state=ExplorerState(filter="owner:nobody", since=RUSH))
    page.say("hello", protocol=1)
    page.say("view", view="records", id=1, sort=[], first=0, count=9, columns=["job_id"], expanded=[], anew=True)
    rows = page.wait(lambda m: m["kind"] == "rows" and m["id"] == 1)
    assert (rows["matching"], rows["keys"]) == (0, [])


def test_the_lasso_narrows_the_table_and_not_the_figures(site, browse):
    page = browse(site.accounting)
    page.hello()
    page.view(1, columns=["job_id", "asked_memory", "max_vmem"])
    lasso = Lasso((50.0, 80.0, 80.0, 50.0), (0.0001, 0.0001, 0.06, 0.06))
    figures = page.show(tab="efficiency", lasso=lasso)
    number = site.shown(lasso=lasso).number_in_lasso()
    assert 0 < number < figures["matching"] == figures["period"]
    rows = page.wait(lambda m: m["kind"] == "rows" and m["matching"] == number)
    for _, asked, used in rows["rows"].values():
        assert 50 * 2**30 <= asked <= 80 * 2**30
        assert used <= 0.06 * asked


def exported(page: Any, form: str) -> dict[str, Any]:
    page.say("export", id=9, format=form)
    return page.wait(lambda m: m.get("id") == 9)


def test_exports_hold_all_matching_records(site, browse, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = browse(site.accounting)
    page.hello()
    page.show(filter="owner:user00*")
    expected = site.accounting.records(where="owner:user00*").collect()
    csv = exported(page, "csv")
    told = pl.read_csv(base64.b64decode(csv["content"]), infer_schema_length=None)
    assert told.columns == expected.columns
    assert told["cpu"].sum() == pytest.approx(expected["cpu"].sum())
    assert list(tmp_path.iterdir()) == []
    page.told.clear()
    parquet = exported(page, "parquet")
    again = pl.read_parquet(io.BytesIO(base64.b64decode(parquet["content"])))
    assert again.sort("job_id", "task")["end_time"].equals(expected.sort("job_id", "task")["end_time"])


def test_a_large_export_is_written_beside_the_notebook_and_overwrites_nothing(site, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MOST_SENT", 1000)
    shown = site.shown(since=RUSH, until=RUSH + 86400)
    made = [export.exported(shown, "csv", tmp_path) for _ in range(2)]
    assert made[0]["content"] == ""
    assert [Path(one["path"]).name for one in made] == [
        "accounting-2026-06-15-2026-06-15.csv",
        "accounting-2026-06-15-2026-06-15-2.csv",
    ]
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(Path(one["path"]).name for one in made)
    assert len(pl.read_csv(made[1]["path"], infer_schema_length=None)) == shown.counts()[0]


def test_the_page_has_every_tab_and_escapes_names(tmp_path):
    # A name that would be markup, if it were not escaped.
    line = "all.q:node1:users:a<b>:</script><i>:1:sge:0:1790000000:1790000010:1790000100:0:1:90:1.0:1.0:100.0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:NONE:defaultdepartment:NONE:1:0:2.0:0.1:0.0:-l h_vmem=1G:0.0:NONE:1000000.0:0:0"
    (tmp_path / "accounting").write_text(line + "\n")
    accounting = open_accounting(tmp_path / "accounting", folder=tmp_path / "store")
    accounting.refresh()
    from gcs_lab.explorer.html_page import html_page
    from gcs_lab.explorer.shown import HeldRecords, Shown

    page = html_page(Shown(accounting, ExplorerState(by="name", filter="-owner:nobody"), HeldRecords(accounting)))
    accounting.close()
    assert all(f'<h2 id="{tab}">' in page for tab in TABS)
    assert page.count("Plotly.react") >= 1
    own = page.split("<script>")[0]
    assert "a<b>" not in own
    assert "</script><i>" not in own
    assert "-owner:nobody" in own


@pytest.mark.parametrize("tab", TABS)
def test_the_code_makes_what_is_shown(site, tab, monkeypatch):
    rates = (Rate("queue:gpu.q", 0.5), Rate("", 0.02)) if tab == "cost" else ExplorerState().rates
    shown = site.shown(
        tab=tab, since=RUSH + 0.5, until=RUSH + 20 * 86400, filter='owner:user0* name~"i"', rates=rates
    )
    from gcs_lab.explorer.code_cell import code_of
    from gcs_lab.explorer.tabs import content_of

    code = code_of(shown)
    monkeypatch.setattr("gcs_lab.accounting.opening.open_accounting", lambda *paths: site.accounting)
    monkeypatch.setattr("gcs_lab.open_accounting", lambda *paths: site.accounting, raising=False)
    monkeypatch.setattr("plotly.basedatatypes.BaseFigure.show", lambda self: None)
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    drawn = {one.name: one.told() for one in content_of(shown).figures}
    assert list(namespace["drawn"]) == list(drawn)
    for name, figure in namespace["drawn"].items():
        assert figure.layout.title.text == drawn[name]["title"]
        if tab != "jobs":
            assert [trace.name for trace in figure.data] == [one.get("name") for one in drawn[name]["figure"]["data"]]
    assert len(namespace["table"])
    if tab == "cost":
        total = next(one.value for one in content_of(shown).facts if one.label == "Total")
        assert f"{namespace['table']['cost'].sum():,.0f}" == total


def test_reading_is_told_can_be_stopped_and_goes_on(site, browse, monkeypatch):
    steps = [0]

    def refresh(progress: Any, stop: threading.Event) -> Ingested:
        """Take as long as the test wants."""
        while steps[0] < 1000 and not stop.wait(0.01):
            steps[0] += 1
            progress(Progress(steps[0], 1000, steps[0], 0, 1.0, "reading accounting"))
        return Ingested(records=steps[0], complete=steps[0] >= 1000)

    monkeypatch.setattr(site.accounting, "refresh", refresh)
    page = browse(site.accounting)
    page.hello()
    reading = page.wait(lambda m: m["kind"] == "ingest")
    assert (reading["state"], reading["bytes_total"], reading["message"]) == ("reading", 1000, "reading accounting")
    page.say("cancel")
    page.wait(lambda m: m["kind"] == "ingest" and m["state"] == "cancelled")
    steps[0] = 998
    page.say("refresh")
    page.wait(lambda m: m["kind"] == "ingest" and m["state"] == "done")


def test_records_that_are_appended_are_shown(tmp_path, site, browse):
    copy = tmp_path / "accounting"
    lines = site.path.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join(lines[:2000]))
    accounting = open_accounting(copy, folder=tmp_path / "store")
    page = browse(accounting)
    page.hello()
    page.wait(lambda m: m["kind"] in {"welcome", "renewed"} and m["records"] > 1900)
    first = page.show()["period"]
    with copy.open("ab") as file:
        file.writelines(lines[2000:2500])
    page.say("refresh")
    page.wait(lambda m: m["kind"] == "renewed" and m["records"] >= first + 500)
    page.wait(lambda m: m["kind"] == "figures" and m["period"] >= first + 500)
    accounting.close()


def test_live_jobs_stand_beside_those_that_ended(site, browse):
    last = site.accounting.totals().last_end
    tasks = [
        task_row("900001", letters="r", submission_time=_moment(last), start_time=_moment(last + 5)),
        task_row("900002", letters="qw", submission_time=_moment(last + 9)),
    ]
    accounting = Accounting(
        site.accounting.backend,
        cluster="live",
        live=lambda: pa.Table.from_pylist(tasks, schema=schema("tasks")),
        folder=site.path.parent / "store",
    )
    page = browse(accounting)
    page.hello()
    told = page.show(tab="jobs")
    facts = {fact["label"]: fact["value"] for fact in told["facts"]}
    assert (facts["Running"], facts["Waiting"]) == ("1", "1")
    [figure] = told["figures"]
    rows = {trace["name"]: trace["y"] for trace in figure["figure"]["data"]}
    assert rows["runs"] == ["900001 job900001"]
    assert rows["waits"] == ["900002 job900002"]
    assert len(rows["ended well"]) > 100
    accounting.close()


def _moment(at: float) -> datetime:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC)


def test_closing_ends_what_is_done_at_once(site, browse):
    page = browse(site.accounting)
    page.hello()
    page.say("state", sequence=1, state=ExplorerState(tab="efficiency").to_json())
    page.host.close()
    number = len(page.told)
    page.say("state", sequence=2, state=ExplorerState().to_json())
    assert len(page.told) == number


def test_the_clock_of_the_kernel_and_that_it_still_reads_are_told(tmp_path, browse, monkeypatch):
    began, go_on = threading.Event(), threading.Event()
    write_site(tmp_path / "accounting", records=2_000, hosts=8, users=10)
    accounting = open_accounting(tmp_path / "accounting", folder=tmp_path / "store")
    real = accounting.refresh

    def slow(**how: Any) -> Ingested:
        began.set()
        go_on.wait(30)
        return real(**how)

    monkeypatch.setattr(accounting, "refresh", slow)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        page = browse(accounting)
        page.say("hello", protocol=1)
        first = page.wait(lambda message: message["kind"] == "figures")
        assert began.wait(30)
        assert "being read" in first["empty"]
        go_on.set()
        told = page.wait(lambda message: message["kind"] == "welcome" and message["records"])
        changes = told["clock"]
        assert [offset for _, offset in changes[:2]] in ([3600, 7200], [7200, 3600])
        assert changes[0][0] < told["span"][0]
        assert changes[-1][0] <= told["span"][1] + 400 * 86400
        page.host.close()
    finally:
        go_on.set()
        monkeypatch.undo()
        time.tzset()
        accounting.close()


def test_where_there_are_no_records_that_is_said_after_the_first_look(tmp_path, browse):
    (tmp_path / "accounting").write_text("")
    accounting = open_accounting(tmp_path / "accounting", folder=tmp_path / "store")
    page = browse(accounting)
    page.say("hello", protocol=1)
    page.wait(lambda message: message["kind"] == "figures" and "no record" in message["empty"])
    page.host.close()
    accounting.close()
